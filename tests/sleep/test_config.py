"""The settings of a sleep: which are refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from srclib.sleep import (
    SleepConfig,
)


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("alpha", (0, -1.0, math.nan, math.inf), "a number > 0"),
        ("beta", (math.nan, math.inf, -math.inf), "a finite number"),
        ("inc", (-0.1, math.nan, math.inf), "a number >= 0"),
        ("dec", (-0.1, math.nan, math.inf), "a number >= 0"),
        ("decay", (-0.1, 1.1, math.nan), r"a number in \[0, 1\]"),
        ("gate", (0.0, -1, math.inf, math.nan), "None or a number > 0"),
        ("rate", (-1, math.nan, math.inf), "a frequency in Hz >= 0"),
        ("dt", (0, -0.001, math.nan, math.inf), "a time in seconds > 0"),
        ("steps", (0, -5, 1.5, math.nan, math.inf, None), "a whole number >= 1"),
        ("window", (0, -5, 1.5, math.nan), "a whole number >= 1"),
        ("batch", (0, -5, 1.5, math.nan, math.inf, None), "a whole number >= 1"),
    ],
)
def test_config_refuses(name: str, values: tuple[Any, ...], allowed: str) -> None:
    arguments = {"alpha": 1.0, "beta": 1.0, "inc": 0.1, "dec": 0.1}
    for value in values:
        with pytest.raises(ValueError, match=f"^{name} = {value}: allowed is {allowed}$"):
            SleepConfig(**(arguments | {name: value}))


def test_config_refuses_a_bad_value_of_one_layer() -> None:
    with pytest.raises(ValueError, match=r"alpha = \(1.0, -2.0\): allowed is a number > 0"):
        SleepConfig(alpha=(1, -2), beta=1.0, inc=0.1, dec=0.1)


def test_config_takes_any_number() -> None:
    config = SleepConfig(alpha=np.float32(2), beta=np.array([0, 1]), inc=0, dec=0, steps=1e4, window=11.0)
    assert config.per_layer("alpha", 2) == (2.0, 2.0)
    assert config.per_layer("beta", 2) == (0.0, 1.0)
    assert (config.steps, config.window) == (10_000, 11)
    assert isinstance(config.steps, int)
