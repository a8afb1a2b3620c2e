"""CUB-200-2011: birds, as the numbers that a network trained on ImageNet has for them before its last layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import resnet
from .dataset import Arrays
from .prepared import Prepared
from .publishers import Origin, contents, rgb

if TYPE_CHECKING:
    from PIL import Image


def convert(archive: Path, weights: Path) -> Arrays:
    """Embed CUB-200-2011: its official split, every image as the 2048 numbers a ResNet-50 has before its last layer.

    weights: see `resnet.load`. It takes half an hour on two cores, less on a GPU. To use weights of your own, let
    `prepared.write` write what this returns to the path of the prepared file.
    """
    from .terminal import progress

    root, network = "CUB_200_2011", resnet.load(weights)
    tables = {f"{root}/{table}.txt": dict[str, str]() for table in ("images", "image_class_labels", "train_test_split")}
    names: list[str] = []
    for name, content in contents(archive):
        if name in tables:
            tables[name] = dict(line.split() for line in content.decode().splitlines())
        elif name.startswith(f"{root}/images/"):
            names.append(name)
    files, labels, training = tables.values()
    number = {f"{root}/images/{file}": n for n, file in files.items()}
    names = [name for name in names if name in number]

    def images() -> Iterator[Image.Image]:
        for name, content in contents(archive):
            if name in number:
                yield rgb(content)
                advance()

    with progress("CUB-200", len(number)) as advance:
        x = resnet.embed(network, images()).astype(np.float16)
    y = np.array([int(labels[number[name]]) - 1 for name in names], np.uint8)
    train = np.array([training[number[name]] == "1" for name in names])
    return {"x_train": x[train], "y_train": y[train], "x_test": x[~train], "y_test": y[~train]}


CUB200 = Prepared(  # Wah et al., "The Caltech-UCSD Birds-200-2011 dataset", CNS-TR-2011-001
    name="cub200",
    label="CUB-200",
    classes=tuple(str(k) for k in range(1, 201)),
    train=5_994,
    test=5_794,
    shape=(2048,),
    origins=(
        Origin(
            "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
            "sha256:0c685df5597a8b24909f6a7c9db6d11e008733779a671760afef78feb49bf081",
        ),
        Origin(  # of torchvision, trained on ImageNet
            "https://download.pytorch.org/models/resnet50-0676ba61.pth",
            "sha256:0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
        ),
    ),
    convert=convert,
)
CUB50 = Prepared(  # its first 50 classes, embedded by an EfficientNet-Lite2 trained on ImageNet
    name="cub50",
    label="CUB-200 (50 classes)",
    classes=tuple(str(k) for k in range(1, 51)),
    train=1_500,
    test=1_389,
    shape=(1280,),
)
