"""Rehearsal: some images of the old tasks are trained on again with every new one.

Source: paper, section "Including old data during training". Its equation of the loss is not available; it refers to van
de Ven and Tolias, whose weights are taken here (Three scenarios for continual learning, arXiv:1904.07734).

At the end of each task a fixed fraction of the images that it was trained on, drawn at random, is stored with their
labels. In task t every step takes, beside its batch of new images, a batch as large of stored ones, drawn with
repetition, and follows

    L = 1/t * (mean loss of the new images) + (1 - 1/t) * (mean loss of the old images)

as they do. One shuffled set of new and stored images with weights of that sum would be the same on average, but a
stored image that has half of a step to itself makes the steps so uneven that training diverges.

`released` repeats the released code instead: for each task images are drawn anew from all images of the old classes,
also those never trained on; their number is the fraction of them all, rounded to a hundred. They join the new
images in one shuffled set, in which all count the same.

Searched: nothing; the fraction is what Figure 3 varies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .plugin import Examples, Method, Plugin, Run


@dataclass(frozen=True)
class Rehearsal(Plugin):
    fraction: float  # of the old images, in [0, 1]
    released: bool = False  # drawn anew for each task and not weighted, as in the released code

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise ValueError(f"fraction = {self.fraction}: allowed is a number in [0, 1]")

    def task_data(self, run: Run, data: Examples) -> Examples:
        old = self._draw_from_pools(run) if self.released else run.memory.get(self, [])
        x, y = (torch.cat([part[i] for part in old]) if old else torch.empty(0) for i in (0, 1))
        if not len(x):
            return data
        if self.released:
            return replace(data, x=torch.cat([data.x, x]), y=torch.cat([data.y, y]))
        return replace(data, old=Examples(x, y), share=1 / len(run.seen))

    def after_task(self, run: Run) -> None:
        if not self.released:
            x, y = run.trained_on(run.seen[-1])
            rows = self._draw(run, len(x), _round(self.fraction * len(x)))
            run.memory.setdefault(self, []).append((x[rows], y[rows]))

    def kept(self, layers: Sequence[int], images: int) -> int:
        """Images with their labels; as released, those of one task, though each task draws anew."""
        return _round(self.fraction * images) * (layers[0] + 1)

    def _draw_from_pools(self, run: Run) -> list[tuple[Tensor, Tensor]]:
        old = run.seen[:-1]
        if not old:
            return []
        x, y = torch.cat([task.x_train for task in old]), torch.cat([task.y_train for task in old])
        rows = self._draw(run, len(x), min(len(x), 100 * _round(self.fraction * len(x) / 100)))
        return [(x[rows], y[rows])]

    def _draw(self, run: Run, images: int, count: int) -> Tensor:
        """Return the rows of `count` images without repetition, (count,); torch's generator is left alone."""
        rng = np.random.default_rng((run.seed, len(run.seen)))
        return torch.from_numpy(rng.choice(images, count, replace=False))


def _round(number: float) -> int:
    return math.floor(number + 0.5)  # halves up


METHOD = Method(name="rehearsal", label="Rehearsal", part="rehearsal", settings=Rehearsal, place=5)
