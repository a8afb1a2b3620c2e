"""The VGG whose blocks see for the networks that learn CIFAR-10."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn

VGG_FILTERS = (32, 64, 128)  # of the convolutions of each block
VGG_FEATURES = 2048  # 4 x 4 pixels of the last block's filters


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
