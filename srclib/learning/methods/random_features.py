"""Ridge regression on fixed random features, without training any network (in the manner of RanPAC; McDonnell et al.,
NeurIPS 2023, equations 4 and 6, without a pre-trained network and its prompts).

    h(x) = max(0, x R),   G = sum h h^T,   C = sum h y^T,   class of x = argmax_k  [h(x) (G + ridge I)^-1 C]_k

R (inputs, features) is drawn once from a normal distribution of variance 1 / inputs and never learned, y is the label
as one of many. G and C are sums over all images that were trained on, so it does not matter when each was seen. Kept
are G and C; R comes from the seed.

Searched: ridge, on held-out training images; features as given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..training import classes_of
from .plugin import Method, Plugin, Run


@dataclass(frozen=True)
class RandomFeatures(Plugin):
    ridge: float  # > 0
    features: int = 1_000

    def __post_init__(self) -> None:
        if not 0 < self.ridge < float("inf"):
            raise ValueError(f"ridge = {self.ridge}: allowed is a finite number > 0")
        if self.features < 1:
            raise ValueError(f"features = {self.features}: allowed is a whole number >= 1")

    def after_training(self, run: Run) -> None:
        x, y = run.trained_on(run.seen[-1])
        h = self.of(run, x)
        gram, to_classes = run.memory.get(self, (0, 0))
        targets = one_hot(y, classes_of(run.model)).to(h.dtype)
        run.memory[self] = gram + h.T @ h, to_classes + h.T @ targets

    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        z = self.of(run, x) @ self.readout(run)
        seen = sorted({label for task in run.seen for label in task.classes})
        return {"random features": torch.tensor(seen)[z[:, seen].argmax(1)]} | heads

    def of(self, run: Run, x: Tensor) -> Tensor:
        """Return the features of inputs (n, inputs), (n, features)."""
        generator = torch.Generator().manual_seed(run.seed)
        drawn = torch.randn(x.shape[1], self.features, dtype=x.dtype, generator=generator)
        found: Tensor = (x @ drawn / x.shape[1] ** 0.5).clamp(min=0)
        return found

    def readout(self, run: Run) -> Tensor:
        """Return the weights from features to classes, (features, classes)."""
        gram, to_classes = run.memory[self]
        eye = torch.eye(self.features, dtype=gram.dtype)
        found: Tensor = torch.linalg.solve(gram + self.ridge * eye, to_classes)
        return found

    def kept(self, layers: Sequence[int], images: int) -> int:
        return self.features * (self.features + 1) // 2 + self.features * layers[-1]  # G is symmetric


METHOD = Method(
    name="random_features", label="Random features", part="random_features", settings=RandomFeatures, place=17
)
