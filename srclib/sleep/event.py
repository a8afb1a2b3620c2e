"""The sleep kernel for the CPU: event-driven, one block of neurons after another, exact.

Neurons of one layer never interact during a sleep, and a layer needs only the spikes of the one below it. So each
layer is run for all steps before the next, and its neurons are split into blocks that fit the cache and share nothing:
the result does not depend on the number of threads. A block keeps its weights input-major, (in, width), so that the
inputs that spiked add up as contiguous rows; a neuron's weights are touched only when it fires. Compiled code releases
the interpreter's lock, so plain threads run the blocks (as many as torch uses) and disturb no other library's.

A step in which no input spiked only decays the potential. Where the threshold is above the resting potential it cannot
cause a spike and a whole silent stretch is one power of the decay; a resting neuron that fires (threshold 0 with >=)
is stepped every time. With several streams, all rows of a step (one per stream, each with its own potentials) are
passed before the weights change; a row costs what a step of one stream costs.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .compiled import compiled
from .config import SleepConfig
from .progress import long_sleep_bar
from .stimulus import InputSpikes

BLOCK = 200  # neurons; 200 x 784 float32 stay in a level-2 cache of 1 MB
WORD = 64  # spikes of a layer are kept as bits, (steps, words) uint64, whole words per block


def run(
    weights: list[Tensor], input_spikes: InputSpikes, config: SleepConfig, *, record: bool, progress: bool | None
) -> tuple[list[Tensor], list[Tensor], list[Tensor] | None]:
    for i, w in enumerate(weights):
        if w.dtype != torch.float32 or w.device.type != "cpu":
            raise ValueError(f"weights[{i}] is {w.dtype} on {w.device}: the event backend takes float32 on the CPU")
    spikes, updated, counts, raster = input_spikes, [], [], []
    alpha, beta = config.per_layer("alpha", len(weights)), config.per_layer("beta", len(weights))
    blocks = sum(-(-len(w) // BLOCK) for w in weights)
    with long_sleep_bar(blocks, progress) as advance, ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for layer, w in enumerate(weights):
            new = w.clone(memory_format=torch.contiguous_format)
            bits, width = _run_layer(new.numpy(), spikes, config, alpha[layer], beta[layer], pool, advance)
            spikes = _to_lists(bits, len(w), width)
            updated.append(new)
            counts.append(torch.from_numpy(np.bincount(spikes.indices, minlength=len(w))))
            if len(spikes.indices) > _most_spikes(w, config):
                break  # a runaway: run_layers says so
            if record:
                raster.append(torch.from_numpy(spikes.dense()))
    return updated, counts, raster if record else None


def _most_spikes(weight: Tensor | NDArray[np.float32], config: SleepConfig) -> int:
    """Return how often a layer may fire in all before its sleep is given up."""
    return np.iinfo(np.int64).max if config.max_updates is None else config.max_updates // weight.shape[1]


def _run_layer(
    weight: NDArray[np.float32],
    spikes: InputSpikes,
    config: SleepConfig,
    alpha: float,
    beta: float,
    pool: ThreadPoolExecutor,
    advance: Callable[[int], None],
) -> tuple[NDArray[np.uint64], int]:
    """Run one layer for all steps; weight (out, in) changes in place. Return its spikes as bits and the block width."""
    rest_fires = beta < 0 or (beta == 0 and not config.strict)
    active = (np.diff(spikes.start).reshape(-1, config.batch) > 0) | rest_fires  # (steps, batch)
    step, stream = np.nonzero(active)
    last = np.maximum.accumulate(np.where(active, np.arange(len(active))[:, None], -1))  # step in which a stream was
    gap = np.diff(last, axis=0, prepend=-1)[active]  # steps since then
    decay = (float(config.decay) ** np.arange(gap.max(initial=0) + 1)).astype(np.float32)
    blocks = -(-len(weight) // BLOCK)
    width = -(-len(weight) // (blocks * 8)) * 8  # as even as whole vectors of 8 allow
    words = -(-width // WORD)
    bits = np.zeros((spikes.steps, blocks * words), np.uint64)
    numbers = np.array([alpha, beta, config.inc, config.dec, config.gate or 0], np.float32)
    most = _most_spikes(weight, config)

    def run_block(b: int) -> None:
        rows, columns = slice(b * width, (b + 1) * width), slice(b * words, (b + 1) * words)
        stimulus = spikes.start, spikes.indices, config.batch, step, stream, gap, decay
        _run_block(weight[rows], *stimulus, bits[:, columns], *numbers, config.strict, most)  # type: ignore[call-arg]

    for _ in pool.map(run_block, range(blocks)):
        advance(1)
    return bits, width


@compiled()
def _run_block(
    weight: NDArray[np.float32],  # (width, inputs), changed in place
    start: NDArray[np.int64],  # (rows + 1,) and (spikes,), as those of `InputSpikes`
    indices: NDArray[np.int32],
    batch: int,
    step: NDArray[np.int64],  # (active,) the step, stream and steps since the last one of each row with input
    stream: NDArray[np.int64],
    gap: NDArray[np.int64],
    decay: NDArray[np.float32],  # (largest gap + 1,) what is kept of a potential after so many steps
    bits: NDArray[np.uint64],  # (rows, words), all 0; set where a neuron fires
    alpha: np.float32,
    beta: np.float32,
    inc: np.float32,
    dec: np.float32,
    gate: np.float32,  # 0: none
    strict: bool,
    most: int,  # spikes of the layer beyond which the sleep is given up
) -> None:
    """Run a block of neurons for all steps."""
    width, inputs = weight.shape
    fired = learned = first = 0  # spikes so far, those that were learned from, and the first row of this step
    if width == 0:
        return
    w = np.empty((inputs, width), np.float32)
    for k in range(width):
        for i in range(inputs):
            w[i, k] = weight[k, i]
    potentials = np.zeros((batch, width), np.float32)
    drive = np.empty(width, np.float32)
    times = np.zeros(width, np.int64)  # in how many streams of this step a neuron fired
    both = np.zeros(inputs, np.float32)  # in how many of them an input fired too
    changed = np.zeros(width, np.bool_)
    for a in range(len(step)):
        row = step[a] * batch + stream[a]
        v = potentials[stream[a]]
        drive[:] = 0
        p, end = start[row], start[row + 1]
        while p + 1 < end:  # two rows at a time halve the loads and stores of the drive; the order of sums is kept
            i, j = indices[p], indices[p + 1]
            for k in range(width):
                drive[k] = (drive[k] + w[i, k]) + w[j, k]
            p += 2
        if p < end:
            i = indices[p]
            for k in range(width):
                drive[k] += w[i, k]
        d = decay[gap[a]]
        near = 0  # how many are at the threshold or above; a count is a vector operation, a maximum is not
        for k in range(width):
            v[k] = v[k] * d + alpha * drive[k]
            near += v[k] >= beta
        if near > 0:
            for k in range(width):
                if v[k] > beta or (v[k] == beta and not strict):
                    v[k] = 0
                    times[k] += 1
                    bits[row, k // WORD] |= np.uint64(1) << np.uint64(k % WORD)
                    fired += 1
        if a + 1 < len(step) and step[a + 1] == step[a]:
            continue  # the weights wait for the other streams
        if fired > most:  # the block alone fired more than its layer may
            return
        if fired > learned:
            for k in range(width):
                if times[k] == 0:
                    continue
                for r in range(first, a + 1):
                    row = step[r] * batch + stream[r]
                    if bits[row, k // WORD] >> np.uint64(k % WORD) & np.uint64(1):
                        for p in range(start[row], start[row + 1]):
                            both[indices[p]] += 1
                _learn(w, k, both, np.float32(times[k]), inc, dec, gate)
                both[:] = 0
                times[k] = 0
                changed[k] = True
            learned = fired
        first = a + 1
    for k in range(width):
        if changed[k]:
            for i in range(inputs):
                weight[k, i] = w[i, k]


@compiled()
def _learn(
    w: NDArray[np.float32],  # (inputs, width), changed in place
    k: int,
    both: NDArray[np.float32],  # (inputs,), in how many of these `times` streams an input fired
    times: np.float32,
    inc: np.float32,
    dec: np.float32,
    gate: np.float32,
) -> None:
    """Apply the local rule to the inputs of neuron k, which has just fired in some streams."""
    for i in range(len(both)):
        change = inc * both[i] - dec * (times - both[i])
        if gate > 0:
            x = w[i, k] / gate
            if x > 40:  # g < 1e-17
                continue
            if x < -20:  # g = 2 to the last bit of float32
                change *= np.float32(2)
            else:
                change *= np.float32(2) / (np.float32(1) + np.exp(x))
        w[i, k] += change


def _to_lists(bits: NDArray[np.uint64], neurons: int, width: int) -> InputSpikes:
    start = np.zeros(len(bits) + 1, np.int64)
    _count(bits, start)
    indices = np.empty(start[-1], np.int32)
    _list(bits, width, indices)
    return InputSpikes(start, indices, neurons)


@compiled()
def _count(bits: NDArray[np.uint64], start: NDArray[np.int64]) -> None:
    for t in range(len(bits)):
        n = 0
        for word in bits[t]:
            while word:
                word &= word - np.uint64(1)
                n += 1
        start[t + 1] = start[t] + n


@compiled()
def _list(bits: NDArray[np.uint64], width: int, indices: NDArray[np.int32]) -> None:
    words = -(-width // WORD)
    n = 0
    for t in range(len(bits)):
        for c in range(bits.shape[1]):
            word = bits[t, c]
            if word:
                low = (c // words) * width + (c % words) * WORD
                for k in range(WORD):
                    if word >> np.uint64(k) & np.uint64(1):
                        indices[n] = low + k
                        n += 1
