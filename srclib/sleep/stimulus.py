"""The noise that drives a sleep: every input fires at random, with a probability set by its mean value.

One Bernoulli draw per input and step, P(spike) = min(1, gain * mean), gain = 2 dt rate. The released code masks the
mean image with a small square at a random place in every step (`window`); the paper shows all of it. Source: section
"Stimulation during sleep phase"; the factor 2 comes from the released code's scaling of its random numbers.

The numbers come from a counter-based generator (Philox), one stream per seed, drawn on the CPU, so that every backend
and every thread count sees the same spikes. A number is drawn only where the probability is above zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arguments import read_seed
from .compiled import compiled
from .memory import require

CHUNK = 2_000_000  # random numbers held at a time (8 MB)


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
        start = np.zeros(len(spikes) + 1, np.int64)
        np.cumsum(np.count_nonzero(spikes, axis=1), out=start[1:])
        return cls(start, np.nonzero(spikes)[1].astype(np.int32), spikes.shape[1])

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
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seeds[0], spawn_key=seeds[1:])))
    # A draw r of 32 bits is a spike where r < p 2^32: certain at p = 1, never at p = 0.
    limit = np.ceil(np.minimum(1, gain * mean) * 2.0**32).astype(np.uint64)  # (inputs,)
    if window is None:
        first, members = np.zeros(steps, np.int64), np.flatnonzero(limit).astype(np.int32)
        frame_start = np.array([0, len(members)])
    else:
        frames = side - window + 1
        first = rng.integers(frames, size=steps) * frames + rng.integers(frames, size=steps)
        lists = [
            np.flatnonzero(_square(side, window, f // frames, f % frames) & (limit > 0)) for f in range(frames * frames)
        ]
        frame_start = np.cumsum([0] + [len(m) for m in lists])
        members = np.concatenate(lists).astype(np.int32)
    return _draw(rng, limit, first, frame_start, members, len(mean))


def _square(side: int, window: int, row: int, column: int) -> NDArray[np.bool_]:
    mask = np.zeros((side, side), bool)
    mask[row : row + window, column : column + window] = True
    return mask.ravel()


def _draw(
    rng: np.random.Generator,
    limit: NDArray[np.uint64],  # (inputs,)
    frame: NDArray[np.int64],  # (steps,) the frame shown in each step
    frame_start: NDArray[np.int64],  # (frames + 1,)
    members: NDArray[np.int32],  # the inputs of every frame that can fire, frame after frame
    inputs: int,
) -> InputSpikes:
    steps = len(frame)
    draws = np.diff(frame_start)[frame]  # (steps,)
    ends = np.cumsum(draws)
    start = np.zeros(steps + 1, np.int64)
    parts = []
    t = 0
    while t < steps:
        done = int(ends[t - 1]) if t else 0
        stop: int = max(t + 1, int(np.searchsorted(ends, done + CHUNK, side="right")))
        random = rng.integers(0, 2**32, size=int(ends[stop - 1]) - done, dtype=np.uint32)
        spikes = np.empty(len(random), np.int32)
        n = int(_compare(random, limit, frame[t:stop], frame_start, members, start[t + 1 : stop + 1], spikes))
        start[t + 1 : stop + 1] += start[t]
        parts.append(spikes[:n].copy())
        t = stop
    return InputSpikes(start, np.concatenate(parts), inputs)


@compiled()
def _compare(
    random: NDArray[np.uint32],  # (draws,)
    limit: NDArray[np.uint64],  # as in `_draw`, and so are the next three
    frame: NDArray[np.int64],
    frame_start: NDArray[np.int64],
    members: NDArray[np.int32],
    ends: NDArray[np.int64],  # (steps,), written
    spikes: NDArray[np.int32],  # (draws,), written
) -> int:
    """Write the spikes of some steps and, per step, how many there are so far; return their number."""
    n = draw = 0
    for t in range(len(frame)):
        for m in range(frame_start[frame[t]], frame_start[frame[t] + 1]):
            spikes[n] = members[m]
            n += np.uint64(random[draw]) < limit[members[m]]  # no branch: 2 % of draws are spikes
            draw += 1
        ends[t] = n
    return n
