"""The sleep kernel for the CPU: event-driven, one block of neurons after another, exact.

Neurons of one layer never interact during a sleep, and a layer needs only the spikes of the one below it. So each
layer is run for all steps before the next, and its neurons are split into blocks that fit the cache and share nothing:
the result depends neither on the number of threads nor on the width of the blocks. A block keeps the weights of the
inputs that ever fire input-major, (inputs, width), so that those of a step add up as contiguous rows, in registers; a
neuron's weights are touched only when it fires.

A step in which no input spiked only decays the potential. Where the threshold is above the resting potential it cannot
cause a spike and a whole silent stretch is one power of the decay; a resting neuron that fires (threshold 0 with >=)
is stepped every time. With several streams, all rows of a step (one per stream, each with its own potentials) are
passed before the weights change; a row costs what a step of one stream costs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .compiled import on_threads
from .config import SleepConfig
from .event_kernels import LANES, WIDTHS, active_rows, merge, run_block, used_inputs
from .progress import long_sleep_bar
from .stimulus import InputSpikes

CACHE = 512 * 1024  # bytes of a block's weights: a level-2 cache holds them


def run(
    weights: list[Tensor], input_spikes: InputSpikes, config: SleepConfig, *, record: bool, progress: bool | None
) -> tuple[list[Tensor], list[Tensor], list[Tensor] | None]:
    for i, w in enumerate(weights):
        if w.dtype != torch.float32 or w.device.type != "cpu":
            raise ValueError(f"weights[{i}] is {w.dtype} on {w.device}: the event backend takes float32 on the CPU")
    spikes, updated, counts, raster = input_spikes, [], [], []
    alpha, beta = config.per_layer("alpha", len(weights)), config.per_layer("beta", len(weights))
    with long_sleep_bar(sum(map(len, weights)), progress) as advance:
        for layer, w in enumerate(weights):
            new, spikes = _run_layer(w, spikes, config, alpha[layer], beta[layer], advance)
            updated.append(new)
            counts.append(torch.from_numpy(np.bincount(spikes.indices, minlength=len(w))))
            if len(spikes.indices) > _most_spikes(w, config):
                break  # a runaway: run_layers says so
            if record:
                raster.append(torch.from_numpy(spikes.dense()))
    return updated, counts, raster if record else None


def _most_spikes(weight: Tensor, config: SleepConfig) -> int:
    """Return how often a layer may fire in all before its sleep is given up."""
    return np.iinfo(np.int64).max if config.max_updates is None else config.max_updates // weight.shape[1]


def _run_layer(
    weight: Tensor,
    spikes: InputSpikes,
    config: SleepConfig,
    alpha: float,
    beta: float,
    advance: Callable[[int], None],
) -> tuple[Tensor, InputSpikes]:
    """Run one layer for all steps; return its weights after them, (out, in), and its spikes."""
    before = weight.detach().contiguous().numpy()
    after = np.empty_like(before)
    start, indices = np.require(spikes.start, None, ["C", "W"]), np.require(spikes.indices, None, ["C", "W"])
    used, places = used_inputs(indices, spikes.inputs)
    rest_fires = beta < 0 or (beta == 0 and not config.strict)
    rows, begin, gap = active_rows(start, config.batch, rest_fires)
    kept = (float(config.decay) ** np.arange(gap.max(initial=0) + 1)).astype(np.float32)[gap]
    numbers = np.array([alpha, beta, config.inc, config.dec, config.gate or 0], np.float32)
    most, width = _most_spikes(weight, config), LANES * _vectors(len(before), len(used))

    def run_one(first: int) -> NDArray[np.int64]:
        here = slice(first, first + width)
        vectors = _vectors(len(before[here]), len(used))
        return run_block(
            before[here], after[here], first, vectors, begin, kept, rows, indices, used, places, config.batch, numbers,
            config.strict, most,
        )  # fmt: skip

    blocks = []
    for fired in on_threads(run_one, range(0, len(before), width)):
        blocks.append(fired)
        advance(width)
    lists_after = merge(np.concatenate(blocks), rows, spikes.steps)
    return torch.from_numpy(after), InputSpikes(*lists_after, len(before))


def _vectors(neurons: int, used: int) -> int:
    """Return how many vectors a block of so many neurons has at most; used: inputs that ever fire."""
    fit = [n for n in WIDTHS if 4 * n * LANES * used <= CACHE] or WIDTHS[-1:]
    return min([n for n in fit if n * LANES >= neurons] or fit[:1])
