"""Tiny ImageNet at 32 x 32 pixels, which the backbone is trained on."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from .dataset import Arrays
from .prepared import Prepared
from .publishers import Origin, check_size, rgb


def convert(archive: Path) -> Arrays:
    """Convert Tiny ImageNet: 2 x 2 pixels become one, their mean; class k is the k-th of the sorted WordNet ids.

    The test images are those of its validation split: the labels of its own test images are not public.
    """
    root = "tiny-imagenet-200"
    converted: Arrays = {}
    with zipfile.ZipFile(archive) as files:
        for info in files.infolist():
            check_size(archive, info.filename, info.file_size)
        annotations = files.read(f"{root}/val/val_annotations.txt").decode().splitlines()
        names = [name for name in files.namelist() if name.startswith(f"{root}/train/") and name.endswith(".JPEG")]
        words = {"train": {name: name.split("/")[2] for name in names}}  # of every image, by the name of its file
        words["test"] = {f"{root}/val/images/{name}": word for name, word, *_ in (a.split("\t") for a in annotations)}
        code = {word: k for k, word in enumerate(sorted(set(words["train"].values())))}
        for split, images in words.items():
            converted[f"x_{split}"] = np.stack([np.asarray(rgb(files.read(name)).reduce(2)) for name in images])
            converted[f"y_{split}"] = np.array([code[word] for word in images.values()], np.uint8)
    return converted


TINY_IMAGENET32 = Prepared(  # Stanford course CS231n, 200 classes of ImageNet
    name="tiny_imagenet32",
    label="Tiny ImageNet",
    classes=tuple(str(k) for k in range(1, 201)),
    train=100_000,
    test=10_000,
    shape=(32, 32, 3),
    origins=(
        Origin(
            "https://cs231n.stanford.edu/tiny-imagenet-200.zip",
            "sha256:6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
        ),
    ),
    convert=convert,
)
