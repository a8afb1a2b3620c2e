"""Sleep Replay Consolidation after every task (Tadros et al. 2022, Algorithm 1).

After task t the network sleeps for steps[t]; noise is drawn from the mean input and the layer scales are computed on
the inputs of the tasks so far. Only the mean would have to be kept of the past; `statistics` says of which images:
`trained` takes those the network was trained on, `pool` (released code) every image of the classes seen, `first_task`
(a slip of the released code, cross-modal) every image of the first task's classes, whatever was learned since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from ..sleep import SleepConfig, sleep
from . import Plugin, Run

STATISTICS = ("trained", "pool", "first_task")


@dataclass(frozen=True)
class Sleep(Plugin):
    config: SleepConfig
    steps: tuple[int, ...]  # length of the sleep after each task; 0: no sleep; the last one serves all later tasks
    statistics: str
    max_steps: int | None = None  # no sleep is longer; the released code keeps some lengths in 8 bits: 255
    discard_first: bool = False  # go on from the weights before the first sleep; a slip of the released code

    def __post_init__(self) -> None:
        if self.statistics not in STATISTICS:
            raise ValueError(f"statistics = {self.statistics!r}: allowed is one of {STATISTICS}")
        if not self.steps or min(self.steps) < 0:
            raise ValueError(f"steps = {self.steps}: allowed are whole numbers >= 0, at least one")
        if self.max_steps is not None and self.max_steps < 1:
            raise ValueError(f"max_steps = {self.max_steps}: allowed is a whole number >= 1, or None")

    def after_task(self, run: Run) -> dict[str, Any] | None:
        index = len(run.seen) - 1
        steps = self.steps[min(index, len(self.steps) - 1)]
        if not steps or (self.discard_first and not index):
            return None
        steps = min(steps, self.max_steps or steps)
        tasks = run.seen[:1] if self.statistics == "first_task" else run.seen
        pools = [run.trained_on(task)[0] if self.statistics == "trained" else task.x_train for task in tasks]
        inputs = torch.cat(pools)  # (n, inputs)
        record = sleep(
            run.model,
            inputs.mean(0, dtype=torch.float64).clamp(0, 1),
            replace(self.config, steps=steps),
            scale_inputs=inputs,
            seed=(run.seed, index),
            progress=False,
        )
        return {"steps": steps, "spikes": [int(count.sum()) for count in record.spike_counts]}
