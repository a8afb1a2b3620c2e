"""Elastic Weight Consolidation (Kirkpatrick et al., PNAS 114:3521, 2017, equation 3).

While a task is learned, every earlier task t pulls each weight towards the value it had when t was learned:

    L = L_task + strength / 2 * sum_t F_t (theta - theta_t*)^2

F_t is the diagonal of the Fisher information at theta_t*, the mean over the images that task t was trained on, with
dropout off. A sum of quadratics is one quadratic: with S = sum_t F_t and c = sum_t F_t theta_t* / S, its gradient is
strength * S (theta - c). S and c are all that is kept, so memory does not grow with the number of tasks. This is the
penalty with one term per task, not "online EWC", which forgets old terms.

Which Fisher information, `fisher`:

    exact      the expected squared gradient of the log-likelihood, over the network's own output distribution
    empirical  the squared gradient for the true label

The output distribution belongs to the loss. softmax_ce: the softmax. sigmoid_bce: every output is on or off by itself.
relu_mse: a Gaussian of unit variance around the rectified outputs a; since the error a - y passes the output rectifier
unchanged in training, it does here, and F is the sum over outputs of the squared derivative of the output's input z.

The gradient of the penalty is added to that of the loss; gradient descent is unstable where
lr * strength * S > 2 (1 + momentum).

Avalanche's `ewc_lambda` is half of `strength`, and its Fisher is the empirical one only with batches of one image.

Searched: strength, between the bounds in `studies.yaml`; fisher as given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ..training import activation, output_delta
from .plugin import Method, Plugin, Run, synapses

FISHERS = ("exact", "empirical")
BATCH = 1_000


@dataclass
class _Quadratic:
    importance: Tensor  # S, (out, in)
    centre: Tensor  # c, (out, in)


@dataclass(frozen=True)
class EWC(Plugin):
    strength: float  # lambda, >= 0
    fisher: str = "exact"

    def __post_init__(self) -> None:
        if not 0 <= self.strength < float("inf"):
            raise ValueError(f"strength = {self.strength}: allowed is a finite number >= 0")
        if self.fisher not in FISHERS:
            raise ValueError(f"fisher = {self.fisher!r}: allowed is one of {FISHERS}")

    @torch.no_grad()
    def before_step(self, run: Run) -> None:
        if self in run.memory:  # not in the first task
            for w, gradient, past in zip(run.weights(), run.gradients(), run.memory[self], strict=True):
                gradient.addcmul_(past.importance, w - past.centre, value=self.strength)

    @torch.no_grad()
    def after_task(self, run: Run) -> None:
        weights = run.weights()
        past = run.memory.setdefault(self, [_Quadratic(torch.zeros_like(w), w.clone()) for w in weights])
        new = fisher_diagonal(run.model, *run.trained_on(run.seen[-1]), loss=run.loss, fisher=self.fisher)
        for w, f, p in zip(weights, new, past, strict=True):
            p.importance += f
            p.centre += torch.where(f > 0, f / p.importance, 0) * (w - p.centre)

    def kept(self, layers: Sequence[int], images: int) -> int:
        return 2 * synapses(layers)


def fisher_diagonal(model: nn.Sequential, x: Tensor, y: Tensor, *, loss: str, fisher: str = "exact") -> list[Tensor]:
    """Return the diagonal of the Fisher information of every layer's weights, (out, in) each, mean over x (n, inputs).

    y: labels (n,), read for the empirical one. The gradient of one example is an outer product, delta of the outputs
    times inputs of the layer, so squares add up over examples in one matrix product per layer.
    """
    model.eval()
    total = [torch.zeros_like(w) for w in model.parameters()]
    for images, labels in zip(x.split(BATCH), y.split(BATCH), strict=True):
        inputs, outputs = _trace(model, images)
        z = outputs[-1]
        squares = [torch.zeros_like(output) for output in outputs]  # sum over directions of delta^2, (n, out)
        for direction in _directions(z.detach(), labels, loss, fisher):
            for square, delta in zip(
                squares, torch.autograd.grad(z, outputs, direction, retain_graph=True), strict=True
            ):
                square.addcmul_(delta, delta)
        for f, square, r in zip(total, squares, inputs, strict=True):
            f.addmm_(square.T, r.detach().square(), alpha=1 / len(x))
    return total


@torch.enable_grad()
def _trace(model: nn.Sequential, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Return the inputs (n, in) and outputs (n, out) of every linear layer."""
    inputs, outputs = [], []
    for layer in model:
        if isinstance(layer, nn.Linear):
            inputs.append(x)
            outputs.append(layer(x))
        x = outputs[-1] if isinstance(layer, nn.Linear) else layer(x)
    return inputs, outputs


def _directions(z: Tensor, y: Tensor, loss: str, fisher: str) -> list[Tensor]:
    """Return directions d (n, classes) of output error with sum d d^T = E[delta delta^T] for every example."""
    eye = torch.eye(z.shape[1], dtype=z.dtype)
    if fisher == "empirical":
        return [output_delta(z, one_hot(y, z.shape[1]).to(z.dtype), loss) * len(z)]
    p = activation(z, loss)
    if loss != "softmax_ce":
        spread = (p * (1 - p)).sqrt() if loss == "sigmoid_bce" else torch.ones_like(z)
        return [spread * row for row in eye]
    return [p[:, c, None].sqrt() * (p - eye[c]) for c in range(z.shape[1])]


METHOD = Method(name="ewc", label="EWC", part="ewc", settings=EWC, place=2)
