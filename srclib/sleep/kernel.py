"""Run the sleep kernel on weights and input spikes: the backend that fits them, or the one asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from . import cuda, event, reference
from .config import SleepConfig
from .stimulus import InputSpikes

BACKENDS = {"reference": reference.run, "event": event.run, "cuda": cuda.run}


class RunawayError(ArithmeticError):
    """A sleep in which the neurons fire so often that it was given up."""


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
    check_weights(weights)
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


def _best_backend(weights: list[Tensor], batch: int) -> str:
    if any(w.dtype != torch.float32 for w in weights):
        return "reference"
    if weights[0].is_cuda:
        return "cuda" if cuda.available() and batch == 1 else "reference"
    return "event" if weights[0].device.type == "cpu" else "reference"


def check_weights(weights: list[Tensor]) -> None:
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
