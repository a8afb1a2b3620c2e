"""Sleep Replay Consolidation (SRC): let a trained network sleep.

`sleep` is the one call most users make; `run_layers` is the kernel behind it. The package needs torch, numpy and
numba (or triton, on a GPU) and nothing else of this project.

Source: Tadros et al., "Sleep-like unsupervised replay reduces catastrophic forgetting in artificial neural
networks", Nature Communications 13, 7742 (2022), Algorithm 1 and Methods.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from . import cuda, event, reference
from .scaling import Spikes, layer_scales, linear_layers, sleepable
from .stimulus import InputSpikes, draw_input

__all__ = [
    "BACKENDS",
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


class RunawayError(ArithmeticError):
    """A sleep in which the neurons fire so often that it was given up."""


BACKENDS = {"reference": reference.run, "event": event.run, "cuda": cuda.run}


@dataclass(frozen=True, kw_only=True)
class SleepConfig:
    """Everything that decides a sleep except the weights, the mean input and the seed.

    A value given as one number serves every layer; a tuple gives one number per layer.
    """

    alpha: float | tuple[float, ...]  # synaptic gain > 0; `sleep` multiplies it by the data-based layer scales
    beta: float | tuple[float, ...]  # firing threshold of the membrane potential, any finite number
    inc: float  # potentiation when pre and post fire in the same step, >= 0
    dec: float  # depression when only post fires, >= 0
    decay: float = 1.0  # membrane potential kept from one step to the next, in [0, 1]
    gate: float | None = None  # weight scale of g(w) = 2 sigmoid(-w / gate), > 0; None: g = 1 (Algorithm 1)
    strict: bool = True  # spike if v > beta (Algorithm 1); False: if v >= beta (released code)
    steps: int = 15_000  # length of the sleep, >= 1
    rate: float = 100.0  # Hz; an input of mean m spikes with P = min(1, 2 dt rate m) in a step
    dt: float = 0.001  # seconds per step
    window: int | None = None  # side of the random square of the mean image shown in a step; None: all of it
    max_updates: int | None = None  # synaptic updates (spikes x inputs) of a layer beyond which a sleep is given up
    batch: int = 1  # streams of noise that run at once, >= 1; a step changes the weights by the sum over them

    def __post_init__(self) -> None:
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if not isinstance(value, Real):
                object.__setattr__(self, name, tuple(float(v) for v in value))
        positive, not_negative, unit = "a number > 0", "a number >= 0", "a number in [0, 1]"
        finite = "a finite number"
        for name, allowed, holds in (
            ("alpha", positive, lambda v: v > 0),
            ("beta", finite, lambda v: True),
            ("inc", not_negative, lambda v: v >= 0),
            ("dec", not_negative, lambda v: v >= 0),
            ("decay", unit, lambda v: 0 <= v <= 1),
            ("gate", "None or " + positive, lambda v: v > 0),
            ("rate", "a frequency in Hz >= 0", lambda v: v >= 0),
            ("dt", "a time in seconds > 0", lambda v: v > 0),
        ):
            value = getattr(self, name)
            if name == "gate" and value is None:
                continue
            for v in value if isinstance(value, tuple) else (value,):
                if not math.isfinite(v) or not holds(v):
                    raise ValueError(f"{name} = {value}: allowed is {allowed}")
        for name in ("steps", "window", "max_updates", "batch"):
            value = getattr(self, name)
            if name in ("window", "max_updates") and value is None:
                continue
            if value is None or not math.isfinite(value) or value != int(value) or value < 1:
                raise ValueError(f"{name} = {value}: allowed is a whole number >= 1")
            object.__setattr__(self, name, int(value))

    def per_layer(self, name: str, layers: int) -> tuple[float, ...]:
        """Return alpha or beta as one number per layer; ValueError if a tuple has another length."""
        value = getattr(self, name)
        if not isinstance(value, tuple):
            return (float(value),) * layers
        if len(value) != layers:
            raise ValueError(
                f"{name} has {len(value)} values {value}: allowed is one number, or {layers}, one per layer"
            )
        return value

    def scaled(self, scales: Sequence[float]) -> SleepConfig:
        """Return these settings with the gain of every layer times its scale (see `layer_scales`)."""
        alpha = self.per_layer("alpha", len(scales))
        return replace(self, alpha=tuple(a * s for a, s in zip(alpha, scales, strict=True)))

    def split(self, streams: int) -> SleepConfig:
        """Return these settings with the steps split over so many streams that run at once: rounded, at least one."""
        return replace(self, batch=streams * self.batch, steps=max(1, round(self.steps / streams)))

    def noise(self, mean_input: NDArray[np.float64], seed: int | tuple[int, ...]) -> InputSpikes:
        """Draw the input spikes of a sleep, (steps * batch, inputs); arguments and errors as in `draw_input`."""
        rows, gain = self.steps * self.batch, 2 * self.dt * self.rate
        return draw_input(mean_input, rows, gain, seed=seed, window=self.window)


@dataclass
class SleepRecord:
    """What a sleep leaves behind."""

    weights: list[Tensor]  # (out_l, in_l) each, the dtype that went in
    spike_counts: list[Tensor]  # int64 (out_l,) each: how often every neuron fired, in all streams together
    spikes: list[Tensor] | None  # bool (steps * batch, out_l) each when recorded, rows as those of the input; else None
    steps: int
    batch: int = 1

    def rates(self, dt: float = 0.001) -> list[Tensor]:
        """Return the mean firing rate of every neuron in a stream in Hz, (out_l,) each."""
        return [count / (self.steps * self.batch * dt) for count in self.spike_counts]


def run_layers(
    weights: Sequence[Tensor],
    input_spikes: Tensor | InputSpikes,
    config: SleepConfig,
    *,
    backend: str = "auto",
    record: bool = False,
    progress: bool | None = None,
) -> SleepRecord:
    """Run the sleep kernel: membrane dynamics, spikes and local plasticity of every layer for all steps.

    Per step t and layer l, with s the spikes of the layer below in the same step:

        v <- decay v + alpha_l W_l s,   fire where v > beta_l (v >= beta_l unless `strict`)
        W_l[j, i] <- W_l[j, i] + inc g(W_l[j, i]) where j and i fired, - dec g(W_l[j, i]) where only j fired
        v <- 0 where fired

    With B = `config.batch` streams each has its own spikes and potentials, and all see the same weights in a step; its
    change of the weights is the sum over the streams, with g at the weights before it. This rule is ours: the paper
    mentions mini-batches as a way to a faster sleep (section "SRC algorithm reduces catastrophic forgetting on standard
    datasets") and gives none.

    weights: (out_l, in_l) each, first layer first; returned updated, never changed in place. `reference` takes any
    floating dtype and device, `event` float32 on the CPU, `cuda` float32 on a GPU and one stream.
    input_spikes: bool (steps * B, in_1), or what `draw_input` returns; row t * B + b is stream b in step t.
    `config.steps`, `rate`, `dt` and `window` describe the stimulus and are not read here.
    backend: "reference", "event", "cuda"; "auto" takes cuda for one stream and weights on a GPU, event for float32 on
    the CPU, else reference.
    record: keep the raster of every layer. progress: show a progress bar; None: on a terminal, when the sleep is long.
    Raises ValueError for bad shapes, NaN weights, an unknown backend, or one that cannot run several streams,
    RunawayError beyond `config.max_updates`.
    """
    weights = list(weights)
    _check_weights(weights)
    if backend == "auto":
        backend = _best_backend(weights, config.batch)
    if backend not in BACKENDS:
        raise ValueError(f"backend = {backend!r}: allowed is 'auto' or one of {sorted(BACKENDS)}")
    if isinstance(input_spikes, Tensor):
        if input_spikes.dtype != torch.bool or input_spikes.ndim != 2:
            raise ValueError(
                f"input_spikes is {input_spikes.dtype} {tuple(input_spikes.shape)}: allowed is bool (steps, inputs)"
            )
        input_spikes = InputSpikes.from_dense(input_spikes.numpy(force=True))
    if input_spikes.inputs != weights[0].shape[1]:
        raise ValueError(
            f"input_spikes has {input_spikes.inputs} inputs: allowed is {weights[0].shape[1]}, as weights[0] has"
        )
    if input_spikes.steps % config.batch:
        raise ValueError(f"input_spikes has {input_spikes.steps} rows: allowed are multiples of batch = {config.batch}")
    for name in ("alpha", "beta"):
        config.per_layer(name, len(weights))
    updated, counts, spikes = BACKENDS[backend](weights, input_spikes, config, record=record, progress=progress)
    for i, count in enumerate(counts):
        updates = int(count.sum()) * weights[i].shape[1]
        if config.max_updates is not None and updates > config.max_updates:
            raise RunawayError(f"layer {i} made more than max_updates = {config.max_updates} synaptic updates")
    return SleepRecord(updated, counts, spikes, input_spikes.steps // config.batch, config.batch)


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
    _check_weights(weights)
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


@torch.no_grad()
def set_weights(linears: Sequence[nn.Linear], weights: Sequence[Tensor]) -> None:
    """Copy weights, (out_l, in_l) each, into linear layers, first layer first."""
    for layer, weight in zip(linears, weights, strict=True):
        layer.weight.copy_(weight)


def _best_backend(weights: list[Tensor], batch: int) -> str:
    if any(w.dtype != torch.float32 for w in weights):
        return "reference"
    if weights[0].is_cuda:
        return "cuda" if cuda.available() and batch == 1 else "reference"
    return "event" if weights[0].device.type == "cpu" else "reference"


def _check_weights(weights: list[Tensor]) -> None:
    if not weights:
        raise ValueError("weights is empty: allowed is one (out, in) tensor per layer, at least one")
    for i, w in enumerate(weights):
        if w.ndim != 2 or not w.is_floating_point() or 0 in w.shape:
            raise ValueError(f"weights[{i}] is {w.dtype} {tuple(w.shape)}: allowed is a floating (out, in) tensor")
        if i and w.shape[1] != weights[i - 1].shape[0]:
            raise ValueError(
                f"weights[{i}] has shape {tuple(w.shape)}: allowed is (out, {weights[i - 1].shape[0]}), "
                f"since weights[{i - 1}] has shape {tuple(weights[i - 1].shape)}"
            )
        if not all(torch.isfinite(extreme) for extreme in torch.aminmax(w)):  # no copy of w is made
            raise ValueError(f"weights[{i}] holds NaN or infinity: allowed are finite numbers")
