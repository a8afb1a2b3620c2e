"""Cells and sleeps that run in milliseconds, shared by the tests of everything that runs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.kernel import Case
from srclib.experiments.cell import Cell
from srclib.learning.methods.sleep import Sleep
from srclib.learning.training import AwakeConfig
from srclib.sleep import SleepConfig

AWAKE: dict[str, Any] = {
    "layers": (100, 4), "init": 0.02, "loss": "softmax_ce", "epochs": 4, "batch": 2, "lr": 0.05, "momentum": 0.5,
    "dropout": 0.0, "dropout_scaling": "train", "images_per_task": None,
}  # fmt: skip
CONFIG: dict[str, Any] = {"alpha": 4.25, "beta": 1.0, "inc": 0.0035, "dec": 0.0002, "rate": 64.0}


def awake(**changes: Any) -> AwakeConfig:
    return AwakeConfig(**(AWAKE | changes))


def sleep(*steps: int, statistics: str = "pool", **config: Any) -> Sleep:
    """Return a plugin that sleeps so many steps after each task, not at all where they are 0."""
    nights = tuple(SleepConfig(**(CONFIG | {"steps": n} | config)) if n else None for n in steps)
    return Sleep(nights, statistics)


def tiny(seed: int = 0, **changes: Any) -> Cell:
    """Return a cell of the patches without a sleep, or with some of its fields changed."""
    values: dict[str, Any] = {
        "dataset": "patches", "awake": awake(), "classes_per_task": 2, "plugins": (), "order": (0, 1), "overlap": 12,
    }  # fmt: skip
    return Cell(**(values | {"seed": seed} | changes))


def bench_case() -> Case:
    """Return a sleep to measure: a network of 16-12-4 neurons that fires in both layers within 20 steps."""
    generator = torch.Generator().manual_seed(1)
    weights = [
        0.2 * torch.randn(12, 16, generator=generator) + 0.1,
        0.2 * torch.randn(4, 12, generator=generator) + 0.2,
    ]
    config = SleepConfig(
        alpha=(1.0, 1.5), beta=(1.0, 0.5), inc=0.02, dec=0.01, decay=0.9, gate=0.1, steps=50, rate=200, window=3
    )
    return Case(weights, np.linspace(0.5, 1, 16), config)
