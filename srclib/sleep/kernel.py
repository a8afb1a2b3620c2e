"""Run the sleep kernel on weights and input spikes: the backend that fits them, or the one asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from . import cuda, event, reference
from .config import SleepConfig
from .memory import require
from .stimulus import InputSpikes

BACKENDS = {"reference": reference.run, "event": event.run, "cuda": cuda.run}


class RunawayError(ArithmeticError):
    """A sleep in which the neurons fire so often that it was given up."""


class DivergedError(RunawayError):
    """A sleep after which weights were no finite numbers any more; `record` is what it left behind."""

    def __init__(self, message: str, record: SleepRecord) -> None:
        super().__init__(message)
        self.record = record


class SleepWarning(UserWarning):
    """A sleep that did less than its settings ask for: a layer never fired, or none of its weights changed."""


@dataclass
class SleepRecord:
    """What a sleep leaves behind."""

    weights: list[Tensor]  # (out_l, in_l) each, the dtype that went in
    spike_counts: list[Tensor]  # int64 (out_l,) each: how often every neuron fired, in all streams together
    spikes: list[Tensor] | None  # bool (steps * batch, out_l) each when recorded, rows as those of the input; else None
    steps: int
    batch: int
    layers: tuple[str, ...]  # what the model calls them; where only weights were given, "weights[0]" and so on
    alpha: tuple[float, ...]  # the gain of each layer, its scale included
    dtype: torch.dtype  # that the sleep was computed in
    changed: list[int]  # how many weights of each layer are others than before

    @property
    def silent(self) -> list[str]:
        """Return the layers in which no neuron fired."""
        return [name for name, count in zip(self.layers, self.spike_counts, strict=True) if not count.any()]

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
    names: Sequence[str] | None = None,
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
    floating dtype and device, and computes in float32 what has less; `event` takes float32 on the CPU, `cuda` float32
    on a GPU and one stream.
    input_spikes: bool (steps * B, in_1), or what `draw_input` returns; row t * B + b is stream b in step t.
    `config.steps`, `rate`, `dt` and `window` describe the stimulus and are not read here.
    backend: "reference", "event", "cuda"; "auto" takes cuda for one stream and weights on a GPU, event for float32 on
    the CPU, else reference.
    record: keep the raster of every layer. progress: show a progress bar; None: on a terminal, when the sleep is long.
    names: what the layers are called in the record and in errors; None: "weights[0]" and so on.
    Raises ValueError for bad shapes, NaN weights, an unknown backend, one that cannot run several streams, or what does
    not fit into memory, RunawayError beyond `config.max_updates`, DivergedError for weights that end beyond what their
    dtype holds.
    """
    weights = list(weights)
    names = [f"weights[{i}]" for i in range(len(weights))] if names is None else list(names)
    check_weights(weights, names)
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
            f"input_spikes has {input_spikes.inputs} inputs: allowed is {weights[0].shape[1]}, as {names[0]} has"
        )
    if input_spikes.steps % config.batch:
        raise ValueError(f"input_spikes has {input_spikes.steps} rows: allowed are multiples of batch = {config.batch}")
    alpha, _ = (config.per_layer(name, len(weights)) for name in ("alpha", "beta"))
    _check_size(weights, input_spikes, record or backend == "reference")
    inner = [wide(w) for w in weights] if backend == "reference" else weights
    updated, counts, spikes = BACKENDS[backend](inner, input_spikes, config, record=record, progress=progress)
    for name, w, count in zip(names, weights, counts, strict=False):  # a runaway has no counts of what was left
        if config.max_updates is not None and int(count.sum()) * w.shape[1] > config.max_updates:
            raise RunawayError(f"{name} made more than max_updates = {config.max_updates} synaptic updates")
    steps, dtype = input_spikes.steps // config.batch, inner[0].dtype
    return settled(SleepRecord(updated, counts, spikes, steps, config.batch, tuple(names), alpha, dtype, []), weights)


def settled(record: SleepRecord, before: Sequence[Tensor]) -> SleepRecord:
    """Return a record with its weights in the dtypes of those before, and how many are others than these.

    Raises DivergedError if one is not finite.
    """
    record.weights = [new.to(old.dtype) for new, old in zip(record.weights, before, strict=True)]
    record.changed = [int((new != old).sum()) for new, old in zip(record.weights, before, strict=True)]
    for name, w in zip(record.layers, record.weights, strict=True):
        if not _finite(w):
            raise DivergedError(f"{name} ended with weights beyond what {w.dtype} holds: allowed are finite", record)
    return record


def wide(weight: Tensor) -> Tensor:
    """Return weights in the dtype that they sleep in: float32 at least, since less rounds small changes away."""
    return weight.to(torch.promote_types(weight.dtype, torch.float32))


def _check_size(weights: Sequence[Tensor], input_spikes: InputSpikes, dense: bool) -> None:
    """Raise ValueError if the spikes would not fit into memory: kept as bits, or as bytes where they are dense."""
    rows, widths = input_spikes.steps, [w.shape[0] for w in weights]
    needed = rows * (sum(widths) + input_spikes.inputs if dense else max(widths) // 8)
    require(needed, f"the spikes of {rows:,} rows and {sum(widths):,} neurons")


def _best_backend(weights: list[Tensor], batch: int) -> str:
    if any(w.dtype != torch.float32 for w in weights):
        return "reference"
    if weights[0].is_cuda:
        return "cuda" if cuda.available() and batch == 1 else "reference"
    return "event" if weights[0].device.type == "cpu" else "reference"


def check_weights(weights: Sequence[Tensor], names: Sequence[str]) -> None:
    """Raise ValueError, which names the layer, for weights that are no finite (out, in) or do not follow each other."""
    if not weights:
        raise ValueError("weights is empty: allowed is one (out, in) tensor per layer, at least one")
    for i, (w, name) in enumerate(zip(weights, names, strict=True)):
        if w.ndim != 2 or not w.is_floating_point() or 0 in w.shape:
            raise ValueError(f"{name} is {w.dtype} {tuple(w.shape)}: allowed is a floating (out, in) tensor")
        if i and w.shape[1] != weights[i - 1].shape[0]:
            raise ValueError(
                f"{name} has shape {tuple(w.shape)}: allowed is (out, {weights[i - 1].shape[0]}), "
                f"since {names[i - 1]} has shape {tuple(weights[i - 1].shape)}"
            )
        if not _finite(w):
            raise ValueError(f"{name} holds NaN or infinity: allowed are finite numbers")


def _finite(w: Tensor) -> bool:
    return all(bool(torch.isfinite(extreme)) for extreme in torch.aminmax(w))  # no copy of w is made
