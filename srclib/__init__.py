"""Sleep Replay Consolidation for PyTorch networks: `srclib.sleep` is the sleep, the rest reproduces the paper."""
