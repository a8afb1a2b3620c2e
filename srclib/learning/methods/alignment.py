"""Weight aligning (WA; Zhao et al., "Maintaining discrimination and fairness in class incremental learning", CVPR
2020).

After a task the output weights of its classes are scaled so that their mean norm is that of the older classes' weights,

    w_k <- w_k * mean over old classes of |w| / mean over new classes of |w|

Variant: the network is trained on as it was, and only its predictions come from the aligned weights; the source goes on
from these. Here the classes of the first task are the scale of all. Nothing is kept of the past but which classes came
together, and nothing is searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .plugin import Method, Plugin, Run


@dataclass(frozen=True)
class Alignment(Plugin):
    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        w = aligned(run.weights()[-1].detach(), [task.classes for task in run.seen])
        return {"aligned": (hidden @ w.T).argmax(1)} | heads


def aligned(w: Tensor, tasks: Sequence[Sequence[int]]) -> Tensor:
    """Return output weights (classes, in), those of every task's classes scaled to the mean norm of the first task's.

    tasks: the classes of every task. Classes of no task keep their weights.
    """
    norms, scales = w.norm(dim=1), torch.ones_like(w[:, 0])
    for classes in tasks:
        rows = list(classes)
        scales[rows] = norms[list(tasks[0])].mean() / norms[rows].mean()
    return scales[:, None] * w


METHOD = Method(name="alignment", label="Aligned norms (WA)", part="alignment", settings=Alignment, place=11)
