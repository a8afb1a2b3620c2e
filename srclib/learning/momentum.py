"""Gradient descent with momentum: the arithmetic of torch, without its compiler."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd


class Momentum:
    """The update of all weights, v <- momentum v + gradient and w <- w - lr v; in its first step v is the gradient.

    It does what `torch.optim.SGD` does, to the last bit: both call the same function. But the first optimizer that
    torch makes in a process loads torch's compiler, for about as long as the training of a task takes.
    weights: changed in place. lr: > 0, may be changed between steps. momentum: in [0, 1).
    velocity: v of every weight; None before its first step, and always without momentum.
    """

    def __init__(self, weights: Iterable[nn.Parameter], lr: float, momentum: float) -> None:
        self.weights = list(weights)
        self.lr = lr
        self.momentum = momentum
        self.velocity: list[Tensor | None] = [None] * len(self.weights)

    @torch.no_grad()
    def step(self) -> None:
        """Update the weights that have a gradient."""
        places = [i for i, w in enumerate(self.weights) if w.grad is not None]
        weights: list[Tensor] = [self.weights[i] for i in places]
        velocity = [self.velocity[i] for i in places]
        gradients = [w.grad for w in weights if w.grad is not None]
        sgd(
            weights, gradients, velocity, fused=True, lr=self.lr, momentum=self.momentum, weight_decay=0, dampening=0,
            nesterov=False, maximize=False,
        )  # fmt: skip
        for i, v in zip(places, velocity, strict=True):
            self.velocity[i] = v

    def rest(self) -> None:
        """Forget the velocity."""
        self.velocity = [None] * len(self.weights)
