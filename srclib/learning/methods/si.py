"""Synaptic Intelligence (Zenke, Poole and Ganguli, ICML 2017, equations 3 to 5).

Every weight's share in the fall of the loss is added up along the path of learning; it tells how strongly later tasks
hold the weight. With g the gradient of the loss on the data (without this or any other penalty) in step s of task t:

    omega_t = - sum_s g_s (theta_s - theta_(s-1))               the path integral of task t
    Omega  <- max(0, Omega + omega_t / (Delta_t^2 + damping))   Delta_t: how far the weight went in task t
    L       = L_task + strength * Omega (theta - theta*)^2      theta*: the weight when the last task was learned

Variant: as in the authors' code, Omega is rectified after each task, and omega_t is not. omega and Delta belong to
training alone: a change of the weights between two tasks, such as a sleep, enters neither, but theta* is taken after it
when this plugin comes after the one that makes it. The gradient of the penalty is added to that of the loss; gradient
descent is unstable where lr * 2 * strength * Omega > 2 (1 + momentum).

Avalanche's `si_lambda` is twice `strength` and its `eps` is `damping`. It follows the gradient with its own penalty,
and caps Omega at 0.001.

Searched: strength and damping, between the bounds in `studies.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .plugin import Examples, Method, Plugin, Run, synapses


@dataclass
class _Path:
    """The path of one layer's weights, (out, in) each."""

    start: Tensor  # of this task
    last: Tensor  # after the last step
    gradient: Tensor  # of the loss, in this step
    omega: Tensor  # of this task so far
    importance: Tensor  # Omega
    anchor: Tensor  # theta*


@dataclass(frozen=True)
class SI(Plugin):
    strength: float  # c, >= 0
    damping: float  # xi, > 0, in units of a squared weight

    def __post_init__(self) -> None:
        if not 0 <= self.strength < float("inf"):
            raise ValueError(f"strength = {self.strength}: allowed is a finite number >= 0")
        if not 0 < self.damping < float("inf"):
            raise ValueError(f"damping = {self.damping}: allowed is a finite number > 0")

    @torch.no_grad()
    def task_data(self, run: Run, data: Examples) -> Examples:
        if self not in run.memory:
            run.memory[self] = [_Path(*(torch.zeros_like(w) for _ in range(6))) for w in run.weights()]
        for w, path in zip(run.weights(), run.memory[self], strict=True):
            path.start.copy_(w)
            path.last.copy_(w)
            path.omega.zero_()
        return data

    @torch.no_grad()
    def after_backward(self, run: Run) -> None:
        for gradient, path in zip(run.gradients(), run.memory[self], strict=True):
            path.gradient.copy_(gradient)

    @torch.no_grad()
    def before_step(self, run: Run) -> None:
        if len(run.seen) > 1:
            for w, gradient, path in zip(run.weights(), run.gradients(), run.memory[self], strict=True):
                gradient.addcmul_(path.importance, w - path.anchor, value=2 * self.strength)

    @torch.no_grad()
    def after_step(self, run: Run) -> None:
        for w, path in zip(run.weights(), run.memory[self], strict=True):
            path.omega.addcmul_(path.gradient, path.last.sub_(w))  # last - w: minus the step
            path.last.copy_(w)

    @torch.no_grad()
    def after_task(self, run: Run) -> None:
        for w, path in zip(run.weights(), run.memory[self], strict=True):
            distance = path.last - path.start
            path.importance.add_(path.omega / (distance.square() + self.damping)).clamp_(min=0)
            path.anchor.copy_(w)

    def kept(self, layers: Sequence[int], images: int) -> int:
        return 2 * synapses(layers)  # importance and anchor


METHOD = Method(name="si", label="SI", part="si", settings=SI, place=3)
