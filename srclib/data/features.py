"""What the VGG backbone makes of CIFAR-10: the inputs of its tasks, computed once and kept in the cache directory.

Paper, section "Task protocols": CIFAR-10 is learned from the outputs of a convolutional network after its third block.
The released code divides these features by the largest of each split, so that they lie in [0, 1]; so does this. The
scale of the test images changes no prediction, since the networks that learn them have no biases.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from . import natural
from .vgg import VGG_FEATURES, vgg_blocks

BATCH = 500


def digest(weights: Path) -> str:
    """Return the SHA-256 of a file of weights, in hex; FileNotFoundError says how to make one that is missing."""
    if not weights.exists():
        raise FileNotFoundError(f"{weights} is missing: `python -m srclib backbone` trains the network and writes it")
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def load(weights: Path) -> nn.Sequential:
    """Return the VGG blocks with the weights of a safetensors file, which its model card (.yaml), if any, must know.

    Raises ValueError, which names the file, for one that is damaged, altered or of another network.
    """
    found, card = digest(weights), weights.with_suffix(".yaml")
    expected = yaml.safe_load(card.read_text())["weights"]["sha256"] if card.exists() else found
    if found != expected:
        raise ValueError(f"{weights} was altered: its SHA-256 is {found}, {card.name} says {expected}")
    with torch.random.fork_rng(devices=[]):  # the weights it starts with are not used
        blocks = vgg_blocks()
    try:
        blocks.load_state_dict(load_file(weights))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f"{weights} holds no weights of the VGG blocks: {error}") from error
    return blocks.eval()


@torch.inference_mode()
def extract(blocks: nn.Sequential, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the features of images (n, 32, 32, 3) as (n, 2048), each at least 0; a minute for 60,000 on one core."""
    return torch.cat([blocks(part) for part in torch.from_numpy(images).split(BATCH)]).numpy()


def path_of(weights: Path, directory: Path | None = None) -> Path:
    """Return the path of the features of CIFAR-10, whether they are there or not, beside the images.

    Its name holds the checksum of the weights: other weights, another file.
    """
    return (directory or natural.cache_directory()) / f"cifar10-features-{digest(weights)[:16]}.npz"


def cifar10(weights: Path, directory: Path | None = None) -> natural.Arrays:
    """Return the features of CIFAR-10 in [0, 1], float16 (n, 2048), and the labels; once made, they are kept.

    Rounding to float16 hides that processors differ in the last bits of a sum.
    """

    def make() -> natural.Arrays:
        images = natural.arrays("cifar10", directory)
        blocks = load(weights)
        made: dict[str, NDArray[Any]] = {}
        for split in natural.SPLITS:
            x = extract(blocks, images[f"x_{split}"])
            made[f"x_{split}"], made[f"y_{split}"] = (x / x.max()).astype(np.float16), images[f"y_{split}"]
        return made

    path = natural.made_once(path_of(weights, directory), make)
    return natural.read(path, replace(natural.SOURCES["cifar10"], shape=(VGG_FEATURES,)))
