"""Published values, ours beside them, and how the two compare."""
