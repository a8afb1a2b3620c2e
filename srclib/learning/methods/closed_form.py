"""The change that a sleep makes, in closed form, after every task: `srclib.sleep.settle`.

Each hidden neuron's inhibition grows until the mean input no longer excites it; the derivation from the rule of a sleep
stands there. Kept of the past is what a sleep keeps, the mean of every input over the images trained on so far. Takes a
millisecond a task. Nothing is searched: the share of its excitation that a neuron loses is 1.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...sleep import SleepWarning, settle
from .plugin import Method, Plugin, Run
from .sleep import mean_of


@dataclass(frozen=True)
class ClosedForm(Plugin):
    share: float = 1.0  # of its excitation by the mean input that a neuron loses, in [0, 1]
    outputs: bool = False  # output neurons settle, too

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share = {self.share}: allowed is a number in [0, 1]")

    def after_task(self, run: Run) -> dict[str, Any] | None:
        if not all(w.isfinite().all() for w in run.weights()):
            return None  # a network whose training diverged
        with warnings.catch_warnings(action="ignore", category=SleepWarning):  # of neurons that cannot be silenced
            lowered = settle(run.model, mean_of(run.inputs()), share=self.share, outputs=self.outputs)
        return {"lowered": [float(kappa.mean()) for kappa in lowered]}

    def kept(self, layers: Sequence[int], images: int) -> int:
        return layers[0]  # the mean input


METHOD = Method(name="closed_form", label="Closed form", part="closed_form", settings=ClosedForm, place=1.1)
