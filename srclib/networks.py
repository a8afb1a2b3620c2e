"""Networks that can sleep, multilayer perceptrons without biases, and the VGG that sees for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from .spiking import IntegrateAndFire, PoissonInput, Rate

DROPOUTS = ("train", "test")
OUTPUTS = ("softmax", "sigmoid", "relu")
VGG_FILTERS = (32, 64, 128)  # of the convolutions of each block
VGG_FEATURES = 2048  # 4 x 4 pixels of the last block's filters


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
    the place of ReLU and of the outputs (`srclib.spiking`); the outputs are then rates, whatever `output` is. Weights
    come from torch's global generator.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes = {tuple(sizes)}: allowed are at least two numbers >= 1")
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
    return (model[:-1] if isinstance(model[-1], nn.ReLU) else model)(x)


def body_and_head(model: nn.Sequential) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the layers up to the activity of the last hidden layer, after its dropout, and those of the outputs."""
    layers = list(model)
    last = max(i for i, layer in enumerate(layers) if isinstance(layer, nn.Linear))
    return nn.Sequential(*layers[:last]), nn.Sequential(*layers[last:])


class Pixels(nn.Module):
    """Bytes of images, (n, height, width, 3), as numbers in [-1, 1], float32 (n, 3, height, width), channels last."""

    def forward(self, images: Tensor) -> Tensor:
        return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def vgg_blocks() -> nn.Sequential:
    """Return three VGG blocks: images uint8 (n, 32, 32, 3) to features float32 (n, 2048), none below 0.

    A block is two convolutions of 3 x 3, with 32, 64 and 128 filters, and a maximum over 2 x 2. Weights are drawn as
    by He et al. (ICCV 2015), from torch's global generator; biases start at 0. Source: paper, section "Task protocols".
    """
    layers: dict[str, nn.Module] = {"pixels": Pixels()}
    channels = 3
    for block, filters in enumerate(VGG_FILTERS, 1):
        for i in (1, 2):
            layers[f"conv{block}_{i}"] = nn.Conv2d(channels, filters, 3, padding=1)
            layers[f"relu{block}_{i}"] = nn.ReLU()
            channels = filters
        layers[f"pool{block}"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    return _he(nn.Sequential(OrderedDict(layers)))


def vgg(classes: int) -> nn.Sequential:
    """Return the network that the VGG blocks are trained in: `blocks`, then `head`, dense layers of 1028 and 256."""
    sizes = (VGG_FEATURES, 1028, 256, classes)
    dense = [layer for pair in pairwise(sizes) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(OrderedDict(blocks=vgg_blocks(), head=_he(nn.Sequential(*dense[:-1]))))


def _he(model: nn.Sequential) -> nn.Sequential:
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # which has one
    return model
