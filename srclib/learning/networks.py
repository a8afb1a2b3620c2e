"""Networks that can sleep: multilayer perceptrons without biases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..sleep.memory import require
from .spiking import IntegrateAndFire, PoissonInput, Rate

DROPOUTS = ("train", "test")
OUTPUTS = ("softmax", "sigmoid", "relu")


class ClassicDropout(nn.Dropout):
    """Dropout as first published: units are masked in training and scaled by 1 - p in evaluation.

    `nn.Dropout` scales in training instead. Source: Srivastava et al., JMLR 15:1929 (2014), section 4.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return input * (1 - self.p)
        return input * (torch.rand_like(input) > self.p)


def mlp(
    sizes: Sequence[int],
    *,
    init: float,
    output: str = "softmax",
    dropout: float = 0.0,
    dropout_scaling: str = "train",
    spiking: int | None = None,
) -> nn.Sequential:
    """Return a bias-free multilayer perceptron with ReLU between its layers, weights from U(-init, init).

    sizes: inputs, hidden units of every layer, outputs. output: "softmax" and "sigmoid" end in a linear layer (they are
    part of the loss), "relu" in a ReLU. dropout: probability for hidden units, in [0, 1); dropout_scaling: "train"
    (`nn.Dropout`) or "test" (`ClassicDropout`). spiking: steps that an image is shown to spiking neurons, which take
    the place of ReLU and of the outputs (`srclib.learning.spiking`); the outputs are then rates, whatever `output` is.
    Weights come from torch's global generator.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes = {tuple(sizes)}: allowed are at least two numbers >= 1")
    weights = sum(inputs * outputs for inputs, outputs in pairwise(sizes))
    require(3 * 4 * weights, f"layers = {tuple(sizes)}, with weights, gradients and velocities,")
    if output not in OUTPUTS:
        raise ValueError(f"output = {output!r}: allowed is one of {OUTPUTS}")
    if dropout_scaling not in DROPOUTS:
        raise ValueError(f"dropout_scaling = {dropout_scaling!r}: allowed is one of {DROPOUTS}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout = {dropout}: allowed is [0, 1)")
    if spiking is not None and spiking < 1:
        raise ValueError(f"spiking = {spiking}: allowed is a number of steps >= 1, or None")
    activity = IntegrateAndFire if spiking else nn.ReLU
    layers: list[nn.Module] = [PoissonInput(spiking)] if spiking else []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        linear = nn.Linear(inputs, outputs, bias=False)
        nn.init.uniform_(linear.weight, -init, init)
        layers.append(linear)
        if i < len(sizes) - 2:
            layers.append(activity())
            if dropout:
                layers.append(nn.Dropout(dropout) if dropout_scaling == "train" else ClassicDropout(dropout))
    if spiking:
        layers += [activity(), Rate()]
    elif output == "relu":
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def logits(model: nn.Sequential, x: Tensor) -> Tensor:
    """Return the input to the output units, (n, classes): everything but a ReLU at the end."""
    z: Tensor = (model[:-1] if isinstance(model[-1], nn.ReLU) else model)(x)
    return z


def body_and_head(model: nn.Sequential) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the layers up to the activity of the last hidden layer, after its dropout, and those of the outputs."""
    layers = list(model)
    last = max(i for i, layer in enumerate(layers) if isinstance(layer, nn.Linear))
    return nn.Sequential(*layers[:last]), nn.Sequential(*layers[last:])
