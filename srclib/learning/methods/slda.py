"""Streaming linear discriminant analysis of the inputs, without any network (SLDA; Hayes and Kanan, CVPR Workshops,
2020).

    Lambda = [(1 - shrinkage) Sigma + shrinkage I]^-1,   class of x = argmax_k  x Lambda mu_k - mu_k Lambda mu_k / 2

mu_k is the mean of the images of class k that were trained on, Sigma their covariance around the means of their
classes, over all classes seen. Kept are both. Sums are exact, in double precision; the source updates a running
covariance image by image. shrinkage is the source's 0.0001; nothing is searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .plugin import Method, Plugin, Run


@dataclass
class _Statistics:
    sums: dict[int, Tensor] = field(default_factory=dict)  # (inputs,) by class
    counts: dict[int, int] = field(default_factory=dict)
    products: Tensor | float = 0.0  # sum of x x^T over all images, (inputs, inputs)


@dataclass(frozen=True)
class SLDA(Plugin):
    shrinkage: float = 1e-4  # of the covariance towards the identity, in (0, 1]

    def __post_init__(self) -> None:
        if not 0 < self.shrinkage <= 1:
            raise ValueError(f"shrinkage = {self.shrinkage}: allowed is a number in (0, 1]")

    def after_training(self, run: Run) -> None:
        seen = run.memory.setdefault(self, _Statistics())
        x, y = run.trained_on(run.seen[-1])
        x = x.double()
        seen.products = seen.products + x.T @ x
        for label in y.unique().tolist():
            own = x[y == label]
            seen.sums[label] = seen.sums.get(label, 0) + own.sum(0)
            seen.counts[label] = seen.counts.get(label, 0) + len(own)

    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        w, bias = self.discriminant(run)
        labels = torch.tensor(list(run.memory[self].sums))
        return {"slda": labels[(x @ w.T.to(x.dtype) + bias.to(x.dtype)).argmax(1)]} | heads

    def discriminant(self, run: Run) -> tuple[Tensor, Tensor]:
        """Return the weights, (classes seen, inputs), and the bias, (classes seen,), of the linear discriminant."""
        seen = run.memory[self]
        counts = torch.tensor(list(seen.counts.values()), dtype=torch.float64)
        means = torch.stack(list(seen.sums.values())) / counts[:, None]
        within = (seen.products - (means.T * counts) @ means) / counts.sum()
        eye = torch.eye(len(within), dtype=torch.float64)
        w = torch.linalg.solve((1 - self.shrinkage) * within + self.shrinkage * eye, means.T).T
        return w, -(w * means).sum(1) / 2

    def kept(self, layers: Sequence[int], images: int) -> int:
        return layers[0] * layers[-1] + layers[0] * (layers[0] + 1) // 2  # the covariance is symmetric


METHOD = Method(name="slda", label="SLDA", part="slda", settings=SLDA, place=16)
