"""Sleep Replay Consolidation after every task (Tadros et al. 2022, Algorithm 1).

After task t the network sleeps for steps[t]; noise is drawn from the mean input and the layer scales are computed on
the inputs of the tasks so far. Only the mean would have to be kept of the past; `statistics` says of which images:
`trained` takes those the network was trained on, `pool` (released code) every image of the classes seen, `first_task`
(a slip of the released code, cross-modal) every image of the first task's classes, whatever was learned since. With
`drive` "random" nothing is kept for the noise but how bright images are: every input is as likely to fire, as in the
paper's section "Analysis of replay".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ...sleep import SleepConfig, sleep
from .plugin import Plugin, Run

STATISTICS = ("trained", "pool", "first_task")
DRIVES = ("mean", "random")


@dataclass(frozen=True)
class Sleep(Plugin):
    config: SleepConfig | tuple[SleepConfig, ...]  # of every sleep, or of the sleep after each task as with `steps`
    steps: tuple[int, ...]  # length of the sleep after each task; 0: no sleep; the last one serves all later tasks
    statistics: str
    max_steps: int | None = None  # no sleep is longer; the released code keeps some lengths in 8 bits: 255
    discard_first: bool = False  # go on from the weights before the first sleep; a slip of the released code
    reset_velocity: bool = False  # training goes on without momentum from before the sleep
    drive: str = "mean"  # the noise has the mean of every input; random: the average of these everywhere
    streams: int = 1  # of noise: the steps of a sleep are split over so many, which run at once
    averaged: bool = False  # the weights change by the mean over these streams, not by the sum
    growth: float = 1.0  # the changes of the weights are so many times those of the sleep before, one task earlier

    def __post_init__(self) -> None:
        for name, allowed in (("statistics", STATISTICS), ("drive", DRIVES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {getattr(self, name)!r}: allowed is one of {allowed}")
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

    def config_after(self, task: int) -> SleepConfig | None:
        """Return how the network sleeps after a task, from 0; None if it does not."""
        steps = self.steps[min(task, len(self.steps) - 1)]
        if not steps or (self.discard_first and not task):
            return None
        configs = self.config if isinstance(self.config, tuple) else (self.config,)
        whole = replace(configs[min(task, len(configs) - 1)], steps=min(steps, self.max_steps or steps))
        size = self.growth**task / (self.streams if self.averaged else 1)
        return replace(whole.split(self.streams), inc=whole.inc * size, dec=whole.dec * size)

    def inputs(self, run: Run) -> Tensor:
        """Return the inputs that the mean and the layer scales are taken over, (n, inputs)."""
        tasks = run.seen[:1] if self.statistics == "first_task" else run.seen
        return torch.cat([run.trained_on(t)[0] if self.statistics == "trained" else t.x_train for t in tasks])

    def after_task(self, run: Run) -> dict[str, Any] | None:
        task = len(run.seen) - 1
        config = self.config_after(task)
        if config is None or not all(w.isfinite().all() for w in run.weights()):
            return None  # there is nothing to replay in a network whose training diverged
        inputs = self.inputs(run)
        mean = mean_of(inputs, self.drive)
        record = sleep(run.model, mean, config, scale_inputs=inputs, seed=(run.seed, task), progress=False)
        if self.reset_velocity:
            run.optimizer.state.clear()
        return {"steps": config.steps, "spikes": [int(count.sum()) for count in record.spike_counts]}


def mean_of(inputs: Tensor, drive: str = "mean") -> Tensor:
    """Return the mean of every input, (inputs,) in [0, 1], of (n, inputs); driven at random, their average for all."""
    mean = inputs.mean(0, dtype=torch.float64).clamp(0, 1)
    return mean if drive == "mean" else mean.mean().expand(len(mean))
