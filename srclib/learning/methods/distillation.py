"""Learning without forgetting (LwF; Li and Hoiem, ECCV 2016): old outputs are held where they are, on new images.

Before a task is trained, the network as it is says what it makes of the task's images. In training the old outputs keep
these responses as their targets, and the outputs of the new classes have the labels. For t tasks seen, all this one:

    relu_mse, sigmoid_bce   target_k = activation of output k before the task, for old classes; the label for all others
    softmax_ce              target = 1/t label + (1 - 1/t) softmax before the task over the old outputs

The outputs of a softmax compete, so its targets are a mean of both that adds up to 1, with the shares of van de Ven and
Tolias (arXiv:1904.07734); the temperature is 1. An output whose class comes again is old and new: its target is the
label. Kept of the past is a copy of the network. Nothing is searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .. import readings
from ..training import activation, classes_of
from .plugin import Examples, Method, Plugin, Run, synapses


@dataclass(frozen=True)
class Distillation(Plugin):
    def task_data(self, run: Run, data: Examples) -> Examples:
        new = set(run.seen[-1].classes)
        old = sorted({label for task in run.seen[:-1] for label in task.classes} - new)
        if not old:
            return data
        y = data.y if data.y.ndim == 2 else one_hot(data.y, classes_of(run.model)).to(data.x.dtype)
        before = readings.outputs(run.model, data.x)
        return replace(data, y=targets(y, before, old, run.loss, 1 / len(run.seen)))

    def kept(self, layers: Sequence[int], images: int) -> int:
        return synapses(layers)


def targets(y: Tensor, before: Tensor, old: Sequence[int], loss: str, share: float) -> Tensor:
    """Return the targets of images (n, classes), given those of their labels and the outputs before, both (n, classes).

    old: the classes that keep their outputs. share: of the labels where outputs compete.
    """
    soft = torch.zeros_like(y)
    soft[:, list(old)] = activation(before[:, list(old)], loss)
    if loss == "softmax_ce":
        return share * y + (1 - share) * soft
    kept = torch.zeros(y.shape[1], dtype=torch.bool)
    kept[list(old)] = True
    return torch.where(kept, soft, y)


METHOD = Method(name="distillation", label="LwF", part="distillation", settings=Distillation, place=7)
