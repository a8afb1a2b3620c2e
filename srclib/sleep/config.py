"""The settings of a sleep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import is_finite
from .stimulus import InputSpikes, draw_input


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
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
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
            for v in value if name in ("alpha", "beta") and isinstance(value, tuple) else (value,):
                if not is_finite(v) or not holds(v):
                    raise ValueError(f"{name} = {value!r}: allowed is {allowed}")
        for name in ("steps", "window", "max_updates", "batch"):
            value = getattr(self, name)
            if name in ("window", "max_updates") and value is None:
                continue
            if not is_finite(value) or value != int(value) or value < 1:
                raise ValueError(f"{name} = {value!r}: allowed is a whole number >= 1")
            object.__setattr__(self, name, int(value))
        if not isinstance(self.strict, (bool, np.bool_)):
            raise ValueError(f"strict = {self.strict!r}: allowed is True or False")

    def per_layer(self, name: str, layers: int) -> tuple[float, ...]:
        """Return alpha or beta as one number per layer; ValueError if a tuple has another length."""
        value: float | tuple[float, ...] = getattr(self, name)
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


def _numbers(name: str, value: Any) -> Any:
    """Return a number as it is, and several as a tuple; ValueError for anything else."""
    if isinstance(value, Real):
        return value
    try:
        if len(value) and not isinstance(value, bytes) and not any(isinstance(v, str) for v in value):
            return tuple(float(v) for v in value)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{name} = {value!r}: allowed is a number, or one per layer")
