"""CIFAR-10: its images, and what the VGG backbone makes of them, the inputs of its tasks. Both are kept.

Paper, section "Task protocols": CIFAR-10 is learned from the outputs of a convolutional network after its third block.
The released code divides these features by the largest of each split, so that they lie in [0, 1]; so does this. The
scale of the test images changes no prediction, since the networks that learn them have no biases.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import nn

from . import places
from .dataset import SPLITS, Arrays
from .prepared import Prepared, made_once
from .publishers import Origin, contents
from .vgg import VGG_FEATURES, vgg_blocks

BATCH = 500


def convert(archive: Path) -> Arrays:
    """Convert the binary version of CIFAR-10: records of a label and 3 x 32 x 32 bytes, one colour after another."""
    batches = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
    files = {Path(name).name: content for name, content in contents(archive)}
    converted: Arrays = {}
    for split, names in batches.items():
        records = np.frombuffer(b"".join(files[name] for name in names), np.uint8).reshape(-1, 3073)
        converted[f"x_{split}"] = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        converted[f"y_{split}"] = records[:, 0]
    return converted


def backbone() -> Path:
    """Return the path of the weights that the features are made with; `srclib.learning.backbone` trains them."""
    return places.committed("backbones/vgg_tiny_imagenet32.safetensors")


def digest(weights: Path) -> str:
    """Return the SHA-256 of a file of weights, in hex; FileNotFoundError says how to make one that is missing."""
    if not weights.exists():
        raise FileNotFoundError(f"{weights} is missing: `python -m srclib backbone` trains the network and writes it")
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def checked(weights: Path) -> str:
    """Return the SHA-256 of a file of weights, in hex, which its model card (.yaml) must know.

    Raises FileNotFoundError where weights or card are missing, and ValueError where they do not belong together.
    """
    found, card = digest(weights), weights.with_suffix(".yaml")
    if not card.exists():
        raise FileNotFoundError(f"{card} is missing, the card that tells what {weights.name} is: put both there")
    try:
        expected = yaml.safe_load(card.read_text())["weights"]["sha256"]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{card} is no card of weights ({error!r:.80}): allowed is weights: {{sha256: …}}") from None
    if found != expected:
        raise ValueError(f"{weights} was altered: its SHA-256 is {found}, {card.name} says {expected}")
    return found


def load_backbone(weights: Path) -> nn.Sequential:
    """Return the VGG blocks with the weights of a safetensors file, whose model card must know them.

    Raises what `checked` raises, and ValueError, which names the file, for one that is of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    checked(weights)
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
    return torch.cat([blocks(part) for part in torch.split(torch.from_numpy(images), BATCH)]).numpy()


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(Prepared):
    """Images that a network learns as features of the backbone."""

    def features_path(self, weights: Path, directory: Path | None = None) -> Path:
        """Return the path of the features, whether they are there or not, beside the images.

        Its name holds the checksum of the weights: other weights, another file.
        """
        return self.where(directory).with_name(f"{self.name}-features-{digest(weights)[:16]}.npz")

    def features(self, weights: Path, directory: Path | None = None) -> Arrays:
        """Return the features in [0, 1], float16 (n, 2048), and the labels; once made, they are kept.

        Rounding to float16 hides that processors differ in the last bits of a sum.
        """

        def make() -> Arrays:
            images = self.arrays(directory)
            blocks = load_backbone(weights)
            made: Arrays = {}
            for split in SPLITS:
                x = extract(blocks, images[f"x_{split}"])
                made[f"x_{split}"], made[f"y_{split}"] = (x / x.max()).astype(np.float16), images[f"y_{split}"]
            return made

        checked(weights)
        path = made_once(self.features_path(weights, directory), make)
        return replace(self, shape=(VGG_FEATURES,)).read(path)

    def inputs(self, directory: Path | None = None) -> Arrays:
        return self.features(backbone(), directory)

    def at_hand(self, directory: Path | None = None) -> bool:
        try:
            return super().at_hand(directory) or self.features_path(backbone(), directory).exists()
        except FileNotFoundError:  # the weights, which need the images to be of use
            return False


CIFAR10 = Seen(  # Krizhevsky, "Learning multiple layers of features from tiny images", 2009
    name="cifar10",
    label="CIFAR-10",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    train=50_000,
    test=10_000,
    shape=(32, 32, 3),
    origins=(
        Origin(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    convert=convert,
)
