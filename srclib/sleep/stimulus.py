"""The noise that drives a sleep: every input fires at random, with a probability set by its mean value.

One Bernoulli draw per input and step, P(spike) = min(1, gain * mean), gain = 2 dt rate. The released code masks the
mean image with a small square at a random place in every step (`window`); the paper shows all of it. Source: section
"Stimulation during sleep phase"; the factor 2 comes from the released code's scaling of its random numbers.

The numbers come from a counter-based generator (Philox), one stream per seed, drawn on the CPU, so that every backend
and every thread count sees the same spikes: any thread can begin at any number. A number is drawn only where the
probability is above zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .arguments import read_seed
from .compiled import on_threads
from .memory import require
from .stimulus_kernels import count_draws, draw_steps, read_raster

PIECE = 2**18  # numbers that one call draws


@dataclass(frozen=True, eq=False)
class InputSpikes:
    """Spikes of the input layer as lists: step t holds indices[start[t]:start[t + 1]], ascending.

    A sleep of several streams takes a row for each stream in place of a step, those of its first step first.
    """

    start: NDArray[np.int64]  # (steps + 1,)
    indices: NDArray[np.int32]  # (spikes,)
    inputs: int

    @property
    def steps(self) -> int:
        return len(self.start) - 1

    @classmethod
    def from_dense(cls, spikes: NDArray[np.bool_]) -> InputSpikes:
        """Read a raster, bool (steps, inputs)."""
        flat = np.require(spikes, np.bool_, ["C", "W"]).reshape(-1).view(np.uint8)
        skip = -flat.ctypes.data % 8  # bytes before the first whole word
        words = flat[skip : skip + max(0, len(flat) - skip) // 8 * 8].view(np.uint64)
        rows, inputs = spikes.shape
        return cls(*read_raster(flat, words, skip, rows, inputs, int(np.count_nonzero(spikes))), inputs)

    def dense(self) -> NDArray[np.bool_]:
        """Return the raster, bool (steps, inputs)."""
        spikes = np.zeros((self.steps, self.inputs), bool)
        spikes[np.repeat(np.arange(self.steps), np.diff(self.start)), self.indices] = True
        return spikes


def draw_input(
    mean_input: NDArray[np.float64],
    steps: int,
    gain: float,
    *,
    seed: int | tuple[int, ...] = 0,
    window: int | None = None,
) -> InputSpikes:
    """Draw the input spikes of one sleep.

    mean_input: (inputs,), each in [0, 1]; with `window`, a square image. gain: spike probability per step of an input
    whose mean is 1. seed: a number >= 0 or a tuple of them. window: side of the square shown in each step.
    Raises ValueError, naming the argument, the value and what is allowed.
    """
    mean = np.asarray(mean_input, np.float64)
    bad = np.flatnonzero(~((mean >= 0) & (mean <= 1)))
    if mean.ndim != 1 or len(bad):
        what = f"mean_input[{bad[0]}] = {mean.flat[bad[0]]}" if len(bad) else f"mean_input has shape {mean.shape}"
        raise ValueError(f"{what}: allowed is (inputs,) with every mean in [0, 1]")
    side = math.isqrt(len(mean))
    if window is not None and (side * side != len(mean) or not 1 <= window <= side):
        raise ValueError(
            f"window = {window} with {len(mean)} inputs: allowed is a side from 1 to that of a square image, or None"
        )
    if not 0 <= gain < math.inf:
        raise ValueError(f"gain = {gain}: allowed is a finite number >= 0")
    if steps < 1:
        raise ValueError(f"steps = {steps}: allowed is a whole number >= 1")
    seeds = read_seed(seed)
    drawn = math.ceil(np.minimum(1, gain * mean).sum())  # spikes of a step
    require(steps * (32 + 8 * drawn), f"the input spikes of {steps:,} rows")
    # The spawn key keeps 3 and (3, 0) apart, which plain entropy would not: it is padded with zeros.
    philox = np.random.Philox(np.random.SeedSequence(seeds[0], spawn_key=seeds[1:]))
    # A draw r of 32 bits is a spike where r < p 2^32: certain at p = 1, never at p = 0.
    limit = np.ceil(np.minimum(1, gain * mean) * 2.0**32).astype(np.uint64)  # (inputs,)
    if window is None:
        corner, square = np.zeros(steps, np.int64), (1, len(mean), len(mean))
    else:
        rng, frames = np.random.Generator(philox), side - window + 1
        corner = rng.integers(frames, size=steps) * side + rng.integers(frames, size=steps)
        square = window, window, side
    return _draw(philox, limit, corner, *square)


def _draw(
    philox: np.random.Philox,
    limit: NDArray[np.uint64],  # (inputs,)
    corner: NDArray[np.int64],  # (steps,) the first input that each step shows
    height: int,  # of what it shows: so many runs of `width` inputs, which begin `stride` inputs after each other
    width: int,
    stride: int,
) -> InputSpikes:
    members = np.flatnonzero(limit).astype(np.int32)
    bound = (limit[members] - np.uint64(1)).astype(np.uint32)
    rank = np.concatenate([[0], np.cumsum(limit > 0)])  # (inputs + 1,)
    ends = np.concatenate(
        [[0], count_draws(corner, rank, height, width, stride)]
    )  # (steps + 1,): numbers drawn before each step
    state = philox.state
    key, block = state["state"]["key"], int(state["state"]["counter"][0])
    ends += 2 * state["buffer_pos"] - state["has_uint32"]  # numbers of the block that were drawn before
    steps, count = [0], np.empty(len(corner), np.int64)
    while steps[-1] < len(corner):
        full = int(np.searchsorted(ends, ends[steps[-1]] + PIECE, side="right")) - 1
        steps.append(max(steps[-1] + 1, full))

    def draw_piece(piece: tuple[int, int]) -> NDArray[np.int32]:
        here, (first, end) = slice(*piece), ends[list(piece)]
        return draw_steps(
            key, block, int(first), int(end - first), corner[here], rank, height, width, stride, members, bound,
            count[here],
        )  # fmt: skip

    parts = list(on_threads(draw_piece, pairwise(steps)))
    start = np.zeros(len(corner) + 1, np.int64)
    for first, end in pairwise(steps):
        start[first + 1 : end + 1] = start[first] + count[first:end]
    return InputSpikes(start, np.concatenate(parts), len(limit))
