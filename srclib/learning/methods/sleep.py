"""Sleep Replay Consolidation after every task (Tadros et al. 2022, Algorithm 1).

Noise is drawn from the mean input and the layer scales are computed on the inputs of the tasks so far. Only the mean
would have to be kept of the past; `statistics` says of which images: `trained` takes those the network was trained on,
`pool` (released code) every image of the classes seen, `first_task` (a slip of the released code, cross-modal) every
image of the first task's classes, whatever was learned since. With `drive` "random" nothing is kept for the noise but
how bright images are: every input is as likely to fire, as in the paper's section "Analysis of replay".
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...sleep import DivergedError, SleepConfig, SleepWarning, linear_layers, set_weights, sleep
from .plugin import Method, Plugin, Run

STATISTICS = ("trained", "pool", "first_task")
DRIVES = ("mean", "random")


@dataclass(frozen=True)
class Sleep(Plugin):
    nights: tuple[SleepConfig | None, ...]  # the sleep after each task, None: none; the last one serves all later tasks
    statistics: str
    drive: str = "mean"  # the noise has the mean of every input; random: the average of these everywhere
    reset_velocity: bool = False  # training goes on without momentum from before the sleep

    def __post_init__(self) -> None:
        for name, allowed in (("statistics", STATISTICS), ("drive", DRIVES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {getattr(self, name)!r}: allowed is one of {allowed}")
        if not self.nights:
            raise ValueError("nights is empty: allowed is one sleep or None, or one for each task")

    def for_tasks(self, tasks: int) -> Sleep:
        nights = [night and _plainest(night) for night in self.nights[:tasks]]
        while len(nights) > 1 and nights[-1] == nights[-2]:
            del nights[-1]
        return replace(self, nights=tuple(nights))

    def night(self, task: int) -> SleepConfig | None:
        """Return how the network sleeps after a task, from 0; None if it does not."""
        return self.nights[min(task, len(self.nights) - 1)]

    def inputs(self, run: Run) -> Tensor:
        """Return the inputs that the mean and the layer scales are taken over, (n, inputs)."""
        tasks = run.seen[:1] if self.statistics == "first_task" else run.seen
        return torch.cat([run.trained_on(t)[0] if self.statistics == "trained" else t.x_train for t in tasks])

    def after_task(self, run: Run) -> dict[str, Any] | None:
        task = len(run.seen) - 1
        night = self.night(task)
        if night is None or not all(w.isfinite().all() for w in run.weights()):
            return None  # there is nothing to replay in a network whose training diverged
        inputs = self.inputs(run)
        mean = mean_of(inputs, self.drive)
        try:
            with warnings.catch_warnings(action="ignore", category=SleepWarning):  # `spikes` tells which layers fired
                record = sleep(run.model, mean, night, scale_inputs=inputs, seed=(run.seed, task), progress=False)
        except DivergedError as error:  # a state of the run, which its evaluation finds
            record = error.record
            set_weights(linear_layers(run.model), record.weights)
        if self.reset_velocity:
            run.optimizer.rest()
        return {"steps": night.steps, "spikes": [int(count.sum()) for count in record.spike_counts]}

    def kept(self, layers: Sequence[int], images: int) -> int:
        """The mean of every input, and the scale of every layer."""
        return layers[0] + len(layers) - 1


def _plainest(night: SleepConfig) -> SleepConfig:
    """Return a sleep with one number where all layers have the same."""
    values = {name: getattr(night, name) for name in ("alpha", "beta")}
    same = {name: v[0] for name, v in values.items() if isinstance(v, tuple) and len(set(v)) == 1}
    return replace(night, **same)


def mean_of(inputs: Tensor, drive: str = "mean") -> Tensor:
    """Return the mean of every input, (inputs,) in [0, 1], of (n, inputs); driven at random, their average for all."""
    mean = torch.from_numpy(np.mean(inputs.numpy(), axis=0, dtype=np.float64)).clamp(0, 1)  # copies no input as float64
    return mean if drive == "mean" else mean.mean().expand(len(mean))


METHOD = Method(name="src", label="SRC", part="sleep", settings=Sleep, place=1)
