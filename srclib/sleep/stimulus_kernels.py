"""The compiled code of `stimulus`: Philox, what is drawn with it, and rasters read as lists."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from .compiled import compiled, intrinsic, part

WORDS = 8  # numbers of 32 bits that one block of Philox holds
ROUNDS = 10
FACTORS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
STEPS = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)  # of the key, from round to round


@intrinsic
def _high(context, a, b):  # type: ignore[no-untyped-def]
    """Return the upper 64 bits of a product of 128."""

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = b.mul(*(b.zext(factor, wide) for factor in arguments))
        return b.trunc(b.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


@part
def _philox(key: NDArray[np.uint64], block: np.uint64, pairs: NDArray[np.uint64], at: int) -> None:
    """Write the numbers of a block of Philox 4x64, two in each word from `at` on, the lower half first, as NumPy does.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    a, b, c, d = block, np.uint64(0), np.uint64(0), np.uint64(0)
    first, second = key[0], key[1]
    for _ in range(ROUNDS):
        a, b, c, d = _high(FACTORS[1], c) ^ b ^ first, FACTORS[1] * c, _high(FACTORS[0], a) ^ d ^ second, FACTORS[0] * a
        first += STEPS[0]
        second += STEPS[1]
    pairs[at], pairs[at + 1], pairs[at + 2], pairs[at + 3] = a, b, c, d


@compiled("int64[::1](int64[::1], int64[::1], int64, int64, int64)")
def count_draws(
    corner: NDArray[np.int64], rank: NDArray[np.int64], height: int, width: int, stride: int
) -> NDArray[np.int64]:
    """Return how many numbers all steps up to each of them draw; arguments as those of `draw_steps`."""
    ends = np.empty(len(corner), np.int64)
    n = 0
    for t in range(len(corner)):
        for i in range(corner[t], corner[t] + height * stride, stride):
            n += rank[i + width] - rank[i]
        ends[t] = n
    return ends


@compiled(
    "int32[::1](uint64[::1], uint64, int64, int64, int64[::1], int64[::1], int64, int64, int64, int32[::1], "
    "uint32[::1], int64[::1])"
)
def draw_steps(
    key: NDArray[np.uint64],  # (2,) of Philox
    block: int,  # of the generator, from which its numbers are counted
    number: int,  # the first to draw
    draws: int,  # how many numbers these steps draw in all
    corner: NDArray[np.int64],  # (steps,) the first input that each step shows
    rank: NDArray[np.int64],  # (inputs + 1,) how many members stand before an input
    height: int,  # a step shows so many runs of `width` inputs, which begin `stride` inputs after each other
    width: int,
    stride: int,
    members: NDArray[np.int32],  # the inputs that can fire, ascending, and for each
    bound: NDArray[np.uint32],  # the largest number with which it does
    count: NDArray[np.int64],  # (steps,), written: spikes in all steps up to each of them
) -> NDArray[np.int32]:
    """Draw the spikes of some steps, a number for every member that a step shows; return them as lists do."""
    spikes = np.empty(draws + 1, np.int32)
    pairs = np.empty((len(members) + 2 * WORDS) // 2, np.uint64)
    numbers = pairs.view(np.uint32)
    n = np.uintp(0)  # places that are never negative need no check
    for t in range(len(corner)):
        shown = 0
        for i in range(corner[t], corner[t] + height * stride, stride):
            shown += rank[i + width] - rank[i]
        low = number // WORDS
        for b in range(low, -(-(number + shown) // WORDS)):
            _philox(key, block + np.uint64(b), pairs, (b - low) * (WORDS // 2))
        at = np.uintp(number % WORDS)
        for i in range(corner[t], corner[t] + height * stride, stride):
            for m in range(np.uintp(rank[i]), np.uintp(rank[i + width])):
                spikes[n] = members[m]
                n += np.uintp(numbers[at] <= bound[m])  # no branch: few numbers are spikes
                at += np.uintp(1)
        number += shown
        count[t] = n
    return spikes[:n].copy()


@compiled("Tuple((int64[::1], int32[::1]))(uint8[::1], uint64[::1], int64, int64, int64, int64)")
def read_raster(
    flat: NDArray[np.uint8],  # (rows * inputs,): bytes, 0 or 1
    words: NDArray[np.uint64],  # the same from the byte `skip` on, as far as whole words go
    skip: int,
    rows: int,
    inputs: int,
    spikes: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return a raster as the lists of `InputSpikes`, given how many spikes it holds."""
    start, indices = np.zeros(rows + 1, np.int64), np.empty(spikes, np.int32)
    n = row = first = 0  # the row that is read, and where it begins
    for w in range(-1, len(words) + 1):
        if 0 <= w < len(words) and words[w] == 0:
            continue
        low = skip + 8 * w
        for i in range(max(low, 0), min(low + 8, len(flat))):
            if flat[i]:
                while i >= first + inputs:
                    first += inputs
                    row += 1
                    start[row] = n
                indices[n] = i - first
                n += 1
    start[row + 1 :] = n
    return start, indices
