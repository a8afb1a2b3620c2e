"""The section of a protocol that says when and how a network sleeps, in the terms of papers and code.

`Section.sleep` spells it out: the sleep after each task.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ...learning.methods.sleep import Sleep
from ...sleep import SleepConfig


@dataclass(frozen=True, kw_only=True)
class Section:
    """When and how a network sleeps; statistics, drive, reset_velocity are those of `Sleep`."""

    config: SleepConfig | tuple[SleepConfig, ...]  # of every sleep, or of the sleep after each task as with `steps`
    steps: tuple[int, ...]  # length of the sleep after each task; 0: no sleep; the last one serves all later tasks
    statistics: str
    drive: str = "mean"
    reset_velocity: bool = False
    max_steps: int | None = None  # no sleep is longer; the released code keeps some lengths in 8 bits: 255
    discard_first: bool = False  # go on from the weights before the first sleep; a slip of the released code
    streams: int = 1  # of noise: the steps of a sleep are split over so many, which run at once
    averaged: bool = False  # the weights change by the mean over these streams, not by the sum
    growth: float = 1.0  # the changes of the weights are so many times those of the sleep before, one task earlier

    def __post_init__(self) -> None:
        if not self.steps or min(self.steps) < 0:
            raise ValueError(f"steps = {self.steps}: allowed are whole numbers >= 0, at least one")
        if self.config == ():
            raise ValueError("config is empty: allowed is one, or one for the sleep after each task")
        if self.max_steps is not None and self.max_steps < 1:
            raise ValueError(f"max_steps = {self.max_steps}: allowed is a whole number >= 1, or None")
        if self.streams < 1:
            raise ValueError(f"streams = {self.streams}: allowed is a whole number >= 1")
        if not 0 < self.growth < math.inf:
            raise ValueError(f"growth = {self.growth}: allowed is a finite number > 0")
        self.sleep(1)  # refuses what `Sleep` refuses

    def night(self, task: int) -> SleepConfig | None:
        """Return how the network sleeps after a task, from 0; None if it does not."""
        steps = self.steps[min(task, len(self.steps) - 1)]
        if not steps or (self.discard_first and not task):
            return None
        configs = self.config if isinstance(self.config, tuple) else (self.config,)
        whole = replace(configs[min(task, len(configs) - 1)], steps=min(steps, self.max_steps or steps))
        size = self.growth**task / (self.streams if self.averaged else 1)
        return replace(whole.split(self.streams), inc=whole.inc * size, dec=whole.dec * size)

    def sleep(self, tasks: int) -> Sleep:
        """Return the sleeps after each of so many tasks."""
        nights = tuple(self.night(task) for task in range(tasks))
        return Sleep(nights, self.statistics, self.drive, self.reset_velocity).for_tasks(tasks)
