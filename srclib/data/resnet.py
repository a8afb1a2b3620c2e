"""ResNet-50 as an embedding of images: what it knows before its last layer. Its weights have torchvision's names.

Source: He et al., CVPR 2016, Table 1, with the stride of a bottleneck in its 3 x 3 convolution, as in torchvision.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

if TYPE_CHECKING:
    from PIL import Image

BLOCKS = (3, 4, 6, 3)  # bottlenecks of each stage
MEAN, SD = np.array([(0.485, 0.456, 0.406), (0.229, 0.224, 0.225)], np.float32)  # of the colours of ImageNet
RESIZE, CROP = 256, 224  # pixels: the shorter side, then the square in the middle
BATCH = 32


class Bottleneck(nn.Module):
    """Three convolutions and a way around them: (n, inputs, h, w) to (n, 4 width, h / stride, w / stride)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = nn.Sequential()
        if stride > 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        z: Tensor = self.bn3(self.conv3(y)) + self.downsample(x)
        return z.relu()


class ResNet50(nn.Module):
    """ResNet-50 without its last layer: (n, 3, 224, 224) to (n, 2048), none below 0."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for stage, blocks in enumerate(BLOCKS):
            width = 64 * 2**stage
            bottlenecks = []
            for block in range(blocks):
                bottlenecks.append(Bottleneck(inputs, width, 2 if stage and not block else 1))
                inputs = 4 * width
            self.add_module(f"layer{stage + 1}", nn.Sequential(*bottlenecks))

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv1(x)).relu()
        x = nn.functional.max_pool2d(x, 3, 2, padding=1)
        for stage in range(len(BLOCKS)):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return x.mean((2, 3))


def load(path: Path) -> ResNet50:
    """Return a ResNet-50 with the weights of a file: safetensors, or a state dict as torch saves it.

    Weights of the last layer (`fc`) are left out. A file of torch is read without running what it may hold.
    Raises ValueError, which names the file, if it is damaged or belongs to another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with torch.random.fork_rng(devices=[]):  # the weights it starts with are not used
        network = ResNet50()
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({name: w for name, w in weights.items() if not name.startswith("fc.")})
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, EOFError, RuntimeError, AttributeError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} holds no weights of a ResNet-50: {error}") from error
    return network.eval()


def pixels(image: Image.Image) -> Tensor:
    """Return an RGB image as float32 (3, 224, 224): resized, its middle cut out, standardised, as torchvision does."""
    from PIL import Image

    width, height = (RESIZE * side // min(image.size) for side in image.size)
    resized = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - CROP) / 2), round((height - CROP) / 2)
    square = np.asarray(resized.crop((left, top, left + CROP, top + CROP)), np.float32) / 255
    return torch.from_numpy((square - MEAN) / SD).permute(2, 0, 1)


@torch.inference_mode()
def embed(network: ResNet50, images: Iterable[Image.Image]) -> NDArray[np.float32]:
    """Return the embeddings of RGB images, (n, 2048); on the GPU where there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device)
    rest, parts = iter(images), []
    while batch := [pixels(image) for image in islice(rest, BATCH)]:
        parts.append(network(torch.stack(batch).to(device)).cpu())
    return torch.cat(parts).numpy()
