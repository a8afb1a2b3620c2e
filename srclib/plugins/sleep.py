"""Sleep Replay Consolidation after every task (Tadros et al. 2022, Algorithm 1).

After task t the network sleeps for steps[t]; noise is drawn from the mean input and the layer scales are computed on
the inputs of the tasks so far. Only the mean would have to be kept of the past; `statistics` says of which images:
`trained` takes those the network was trained on, `pool` (released code) every image of the classes seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from ..sleep import SleepConfig, sleep
from . import Plugin, Run

STATISTICS = ("trained", "pool")


@dataclass(frozen=True)
class Sleep(Plugin):
    config: SleepConfig
    steps: tuple[int, ...]  # length of the sleep after each task; 0: no sleep; the last one serves all later tasks
    statistics: str

    def __post_init__(self) -> None:
        if self.statistics not in STATISTICS:
            raise ValueError(f"statistics = {self.statistics!r}: allowed is one of {STATISTICS}")
        if not self.steps or min(self.steps) < 0:
            raise ValueError(f"steps = {self.steps}: allowed are whole numbers >= 0, at least one")

    def after_task(self, run: Run) -> dict[str, Any] | None:
        index = len(run.seen) - 1
        steps = self.steps[min(index, len(self.steps) - 1)]
        if not steps:
            return None
        pools = [task.x_train if self.statistics == "pool" else run.trained_on(task)[0] for task in run.seen]
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
