"""The mean of a network's own weights over its life, in place of the last ones.

    theta = mean over tasks of (weights at the end of training, weights when the next task begins)

The two differ where another method changes the weights between tasks, as a sleep does. Training goes on from the
network's own weights; only predictions come from the mean. Measured as it is, which counts, and with outputs that are
z-scored by their response to noise from the mean input. Kept are one copy of the network, the sum, and the mean input.
Nothing is searched.

Source: Izmailov et al., "Averaging weights leads to wider optima and better generalization", UAI 2018, equation 1, for
networks along one training; Lee et al., "Overcoming catastrophic forgetting by incremental moment matching", NeurIPS
2017, equation 2 (mean-IMM with equal shares), for networks after each of some tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .. import readings
from .plugin import Examples, Method, Plugin, Run, synapses
from .sleep import mean_of


@dataclass
class _Sum:
    weights: list[Tensor] = field(default_factory=list)  # (out, in) each
    count: int = 0


@dataclass(frozen=True)
class Averaging(Plugin):
    def task_data(self, run: Run, data: Examples) -> Examples:
        if len(run.seen) > 1:
            self._add(run)
        return data

    def after_training(self, run: Run) -> None:
        self._add(run)

    def _add(self, run: Run) -> None:
        total = run.memory.setdefault(self, _Sum())
        now = [w.detach() for w in run.weights()]
        past = total.weights or [torch.zeros_like(w) for w in now]
        total.weights = [s + w for s, w in zip(past, now, strict=True)]
        total.count += 1

    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        model = readings.with_weights(run.model, self.mean(run))
        noise = readings.noise_like(mean_of(run.inputs()), run.seed, x.dtype)
        z, of_noise = (readings.outputs(model, part) for part in (x, noise))
        own = {"averaged": z.argmax(1), "averaged, z-scored": readings.z_scored(z, of_noise).argmax(1)}
        return own | heads

    def mean(self, run: Run) -> list[Tensor]:
        """Return the mean of the weights so far, the present ones included, (out, in) of every layer."""
        total = run.memory[self]
        present = [w.detach() for w in run.weights()]
        return [(s + w) / (total.count + 1) for s, w in zip(total.weights, present, strict=True)]

    def kept(self, layers: Sequence[int], images: int) -> int:
        return synapses(layers) + layers[0]


METHOD = Method(name="averaging", label="Averaged weights", part="averaging", settings=Averaging, place=14)
