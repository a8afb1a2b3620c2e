"""Orthogonal Weight Modification (Zeng et al., Nature Machine Intelligence 1:364, 2019).

Weights change only in directions that old inputs do not excite. Each layer has a projector P, first the identity. In
every mini-batch, with r (in,) the mean input of the layer over the batch and G (out, in) the gradient of its weights:

    k = P r,   P <- P - k k^T / (alpha + r^T k),   G <- G P

Variant: the authors' published code, which updates P in every mini-batch, in the first task too, and projects the
gradient with the updated P; the paper's text updates P at the end of each task. alpha of layer l falls within each task
from alpha_l to alpha_l decay_l, as alpha_l decay_l^progress with progress from 0 to 1. Layers have no bias here, so the
constant input of 1 that the authors append is left out, and r is taken with dropout on, as the layer sees it. Gradients
of other plugins' penalties are not projected, nor is the velocity of momentum.

The published schedule (784-800-800-10, softmax cross-entropy, batch 40, 20 epochs, learning rate 0.2, momentum 0.9):
alpha (0.9, 1, 0.6), decay (0.001, 0.1, 1), gradients clipped to norm 10 per layer before the projection.

Searched: every alpha and every decay, between the bounds in `studies.yaml`; clip 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...sleep import linear_layers
from ...sleep.arguments import is_finite
from .plugin import Examples, Method, Plugin, Run


@dataclass
class _Layer:
    projector: Tensor  # P, (in, in)
    inputs: Tensor  # of the present batch, (m, in)
    delta: Tensor  # gradient of the outputs, (m, out)

    def watch(self, module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        """Keep what a training batch sends into the layer, and the gradient that comes back."""
        if module.training:
            self.inputs = inputs[0].detach()
            output.register_hook(self.receive)

    def receive(self, delta: Tensor) -> None:
        self.delta = delta


@dataclass
class _Memory:
    layers: list[_Layer]
    step: int = 0  # of the present task


@dataclass(frozen=True)
class OWM(Plugin):
    alpha: tuple[float, ...]  # > 0, when a task begins, one per layer; the larger, the slower P closes
    decay: tuple[float, ...]  # in (0, 1]: alpha ends at alpha * decay, one per layer
    clip: float | None = None  # largest norm of a layer's gradient, > 0; None: no limit

    def __post_init__(self) -> None:
        if not self.alpha or not all(is_finite(a) and a > 0 for a in self.alpha):
            raise ValueError(f"alpha = {self.alpha}: allowed are finite numbers > 0, one per layer")
        if len(self.decay) != len(self.alpha) or not all(0 < d <= 1 for d in self.decay):
            raise ValueError(
                f"decay = {self.decay}: allowed are {len(self.alpha)} numbers in (0, 1], as many as of alpha"
            )
        if self.clip is not None and not (is_finite(self.clip) and self.clip > 0):
            raise ValueError(f"clip = {self.clip}: allowed is a finite number > 0, or None")

    def task_data(self, run: Run, data: Examples) -> Examples:
        if self not in run.memory:
            run.memory[self] = _Memory([self._layer(linear) for linear in linear_layers(run.model)])
            if len(run.memory[self].layers) != len(self.alpha):
                raise ValueError(
                    f"alpha has {len(self.alpha)} values {self.alpha}: allowed are {len(run.memory[self].layers)}, "
                    "one per layer"
                )
        run.memory[self].step = 0
        return data

    def _layer(self, linear: nn.Linear) -> _Layer:
        empty = linear.weight.new_empty(0)
        layer = _Layer(torch.eye(linear.in_features, dtype=linear.weight.dtype), empty, empty)
        linear.register_forward_hook(layer.watch)
        return layer

    @torch.no_grad()
    def after_backward(self, run: Run) -> None:
        memory = run.memory[self]
        progress = memory.step / run.steps
        memory.step += 1
        layers = zip(memory.layers, run.gradients(), self.alpha, self.decay, strict=True)
        for layer, gradient, alpha, decay in layers:
            p = layer.projector
            close(p, layer.inputs.mean(0), alpha * decay**progress)
            scale = 1.0 if self.clip is None else min(1.0, self.clip / max(float(gradient.norm()), 1e-30))
            # G = delta^T inputs: projecting the batch's few inputs is cheaper than projecting G
            torch.mm(scale * layer.delta.T, layer.inputs @ p, out=gradient)

    def kept(self, layers: Sequence[int], images: int) -> int:
        return sum(inputs**2 for inputs in layers[:-1])  # the projectors


def close(projector: Tensor, r: Tensor, alpha: float) -> None:
    """Take the direction of an input r (in,) out of a projector (in, in), in place; the more, the smaller alpha."""
    k = projector @ r
    projector.addr_(k, k, alpha=-1 / (alpha + float(r @ k)))


METHOD = Method(name="owm", label="OWM", part="owm", settings=OWM, place=4)
