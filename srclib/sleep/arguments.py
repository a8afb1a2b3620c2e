"""What the arguments of a sleep may be: each is read in whatever form its meaning is clear, or named."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROUNDING = 1e-6  # a mean of float32 numbers in [0, 1] may lie so far outside


def is_finite(value: Any) -> bool:
    """Return whether a value is a number, no truth value, that a float holds, and neither infinite nor NaN."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def read_mean(mean_input: Any, inputs: int) -> NDArray[np.float64]:
    """Return the mean of every input, (inputs,), of one in any shape, an image say; rounding beyond [0, 1] is undone.

    Raises ValueError for what is no array of so many numbers.
    """
    if isinstance(mean_input, Tensor):
        mean_input = mean_input.detach().to("cpu", torch.float64).numpy()
    try:
        mean = np.asarray(mean_input, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"mean_input = {mean_input!r:.80}: allowed is an array of {inputs} numbers") from None
    if mean.size != inputs:
        raise ValueError(f"mean_input has shape {mean.shape}: allowed is ({inputs},), one per input, or an image of it")
    mean = mean.ravel()
    clipped = mean.clip(0, 1)
    return np.where(np.abs(mean - clipped) <= ROUNDING, clipped, mean)


def read_seed(seed: Any) -> tuple[int, ...]:
    """Return a seed as a tuple of whole numbers >= 0; ValueError for anything else."""
    parts = tuple(seed) if isinstance(seed, Iterable) and not isinstance(seed, (str, bytes, Tensor)) else (seed,)
    try:
        numbers = tuple(operator.index(part) for part in parts if not isinstance(part, (bool, str)))
    except TypeError:
        numbers = ()
    if not numbers or len(numbers) < len(parts) or min(numbers) < 0:
        raise ValueError(f"seed = {seed!r}: allowed is a whole number >= 0 or a tuple of them")
    return numbers
