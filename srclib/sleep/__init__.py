"""Sleep Replay Consolidation (SRC): let a trained network sleep.

`sleep` is the one call most users make; `run_layers` is the kernel behind it. The package needs torch, numpy and
numba (or triton, on a GPU) and nothing else of this project.

Source: Tadros et al., "Sleep-like unsupervised replay reduces catastrophic forgetting in artificial neural
networks", Nature Communications 13, 7742 (2022), Algorithm 1 and Methods.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from .config import SleepConfig
from .kernel import BACKENDS, RunawayError, SleepRecord, check_weights, run_layers
from .layers import Spikes, linear_layers, set_weights, sleepable
from .scaling import layer_scales
from .stimulus import InputSpikes, draw_input

__all__ = [
    "BACKENDS",
    "InputSpikes",
    "RunawayError",
    "SleepConfig",
    "SleepRecord",
    "Spikes",
    "draw_input",
    "layer_scales",
    "linear_layers",
    "run_layers",
    "set_weights",
    "sleep",
]


def sleep(
    model_or_linears: nn.Module | Sequence[nn.Linear],
    mean_input: Tensor | np.ndarray,
    config: SleepConfig,
    *,
    scale_inputs: Tensor | None = None,
    seed: int | tuple[int, ...] = 0,
    backend: str = "auto",
    record: bool = False,
    progress: bool | None = None,
) -> SleepRecord:
    """Let a network sleep: its linear layers are changed in place, everything else is left alone.

    model_or_linears: an `nn.Sequential` of bias-free `Linear`, `ReLU`, dropout and `Spikes` layers, or the list of
    its `nn.Linear` in order (for the dense part of a larger network).
    mean_input: (in_1,), each in [0, 1]: the mean of every input over what was learned so far. With `config.window`
    it is read as a square image.
    scale_inputs: (n, in_1) examples; the gain of layer l is alpha_l times its data-based scale (`layer_scales`),
    computed on them in evaluation mode. None: the gain is alpha_l itself.
    seed: a number >= 0, or a tuple of them such as (run, sleep index): one independent noise stream for each.

    Raises ValueError, naming the argument, the value and what is allowed, and RunawayError beyond
    `config.max_updates`; the model is unchanged then.
    Source: Algorithm 1; the drive of the inputs follows the section "Stimulation during sleep phase".
    """
    linears = linear_layers(model_or_linears)
    weights = [layer.weight.detach() for layer in linears]
    check_weights(weights)
    config.per_layer("alpha", len(weights))  # a wrong number of values is refused before any work is done
    if scale_inputs is not None:
        config = config.scaled(layer_scales(sleepable(model_or_linears), scale_inputs))
    mean = np.asarray(mean_input.detach().cpu() if isinstance(mean_input, Tensor) else mean_input, dtype=np.float64)
    if mean.shape != (weights[0].shape[1],):
        raise ValueError(f"mean_input has shape {mean.shape}: allowed is ({weights[0].shape[1]},), one per input")
    spikes = config.noise(mean, seed)
    result = run_layers(weights, spikes, config, backend=backend, record=record, progress=progress)
    set_weights(linears, result.weights)
    return result
