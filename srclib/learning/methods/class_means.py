"""The nearest class mean, of the inputs as they are and without any network (NCM).

    class of x = argmin_k |x - mu_k|,   mu_k the mean of the images of class k that were trained on

Kept is the mean of every class seen. Source: Mensink et al., IEEE PAMI 35:2624 (2013), with the identity in place of
their learned metric. The network is trained as ever, and its outputs are not read. Nothing is searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .plugin import Method, Plugin, Run


@dataclass(frozen=True)
class ClassMeans(Plugin):
    def after_training(self, run: Run) -> None:
        """Classes that come again, under the same name, add to their mean."""
        sums = run.memory.setdefault(self, {})
        x, y = run.trained_on(run.seen[-1])
        for label in y.unique().tolist():
            own = x[y == label]
            total, count = sums.get(label, (torch.zeros_like(own[0], dtype=torch.float64), 0))
            sums[label] = (total + own.sum(0, dtype=torch.float64), count + len(own))

    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        sums = run.memory[self]
        means = torch.stack([total / count for total, count in sums.values()]).to(x.dtype)
        near = x @ means.T - means.square().sum(1) / 2  # -|x - mu|^2 / 2, without what all classes share
        return {"class means": torch.tensor(list(sums))[near.argmax(1)]} | heads

    def kept(self, layers: Sequence[int], images: int) -> int:
        return layers[0] * layers[-1]


METHOD = Method(name="class_means", label="Class means (NCM)", part="class_means", settings=ClassMeans, place=15)
