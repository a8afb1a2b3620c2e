"""Sleep Replay Consolidation (SRC): let a trained network sleep.

`sleep` is the one call most users make, and `run_layers` the kernel behind it; `settle` makes the same kind of change
at once, in closed form. The package needs torch, numpy and numba (or triton, on a GPU) and nothing else of this
project.

Source: Tadros et al., "Sleep-like unsupervised replay reduces catastrophic forgetting in artificial neural
networks", Nature Communications 13, 7742 (2022), Algorithm 1 and Methods.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import reduce

import numpy as np
import torch
from torch import Tensor, nn

from .arguments import read_mean
from .closed_form import settle
from .config import SleepConfig
from .forking import one_thread_in_children
from .kernel import (
    BACKENDS,
    DivergedError,
    RunawayError,
    SleepRecord,
    SleepWarning,
    check_weights,
    run_layers,
    settled,
)
from .layers import Spikes, check_weights_of, linear_layers, once, read, set_weights
from .scaling import layer_scales
from .stimulus import InputSpikes, draw_input

__all__ = [
    "BACKENDS",
    "DivergedError",
    "InputSpikes",
    "RunawayError",
    "SleepConfig",
    "SleepRecord",
    "SleepWarning",
    "Spikes",
    "draw_input",
    "layer_scales",
    "linear_layers",
    "run_layers",
    "set_weights",
    "settle",
    "sleep",
]


def sleep(
    model_or_linears: nn.Module | Iterable[nn.Module],
    mean_input: Tensor | np.ndarray,
    config: SleepConfig,
    *,
    scale_inputs: Tensor | np.ndarray | None = None,
    seed: int | tuple[int, ...] = 0,
    backend: str = "auto",
    record: bool = False,
    progress: bool | None = None,
) -> SleepRecord:
    """Let a network sleep: its linear layers are changed in place, everything else is left alone.

    model_or_linears: an `nn.Sequential` of bias-free `Linear`, `ReLU`, dropout and `Spikes` layers, or the list of
    such layers (for the dense part of a larger network). With `scale_inputs` a list holds what lies between its
    `Linear`, too: `[fc1, nn.ReLU(), fc2]`. Weights of less than float32 sleep in float32 and are cast back.
    mean_input: (in_1,) or an image of so many pixels, each in [0, 1]: the mean of every input over what was learned so
    far. With `config.window` it is read as a square image.
    scale_inputs: (n, in_1) examples, or n images of so many pixels; the gain of layer l is alpha_l times its data-based
    scale (`layer_scales`), computed on them in evaluation mode. None: the gain is alpha_l itself.
    seed: a number >= 0, or a tuple of them such as (run, sleep index): one independent noise stream for each.

    A process that is forked after a sleep computes in one thread, since it has no others; one that is spawned has all.

    The record says which layers slept, by their names in the model, with what gain, in which dtype, how often their
    neurons fired and how many of their weights changed. A SleepWarning names layers that never fired, and those that
    fired without any change.
    Raises ValueError, naming the argument, the value and what is allowed: also for weights that are derived from
    others, share memory or cannot be written. Raises RunawayError beyond `config.max_updates`, and DivergedError where
    weights would end beyond what their dtype holds. The model is unchanged then.
    Source: Algorithm 1; the drive of the inputs follows the section "Stimulation during sleep phase".
    """
    if not isinstance(config, SleepConfig):
        raise ValueError(f"config = {config!r:.80}: allowed is a SleepConfig")
    one_thread_in_children()
    network = once(model_or_linears)
    layers = [layer for layer in read(network) if isinstance(layer.module, nn.Linear)]
    check_weights_of(layers)
    before = [layer.linear.weight.detach() for layer in layers]
    check_weights(before, [layer.where for layer in layers])
    config.per_layer("alpha", len(layers))  # a wrong number of values is refused before any work is done
    mean = read_mean(mean_input, before[0].shape[1])
    if scale_inputs is not None:
        config = config.scaled(layer_scales(network, scale_inputs))
    dtype = reduce(torch.promote_types, (w.dtype for w in before), torch.float32)
    spikes = config.noise(mean, seed)
    names = [layer.where for layer in layers]
    result = run_layers(
        [w.to(dtype) for w in before], spikes, config, backend=backend, record=record, progress=progress, names=names
    )
    if any(w.dtype != dtype for w in before):
        settled(result, before)
    result.layers = tuple(layer.name for layer in layers)
    set_weights([layer.linear for layer in layers], result.weights)
    _warn(result, config)
    return result


def _warn(record: SleepRecord, config: SleepConfig) -> None:
    """Warn of layers that did not sleep."""
    if record.silent:
        warnings.warn(f"in this sleep no neuron of {', '.join(record.silent)} fired", SleepWarning, stacklevel=3)
    still = [n for n, c in zip(record.layers, record.changed, strict=True) if not c and n not in record.silent]
    if still and (config.inc or config.dec):
        warnings.warn(
            f"in this sleep neurons of {', '.join(still)} fired, but every change was too small to move a weight",
            SleepWarning,
            stacklevel=3,
        )
