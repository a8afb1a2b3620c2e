"""Data sets as arrays in memory, checked before use: those in the project byte by byte, others as `natural` does."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from . import features, natural

DATA = Path(__file__).resolve().parents[2] / "data"
BACKBONE = DATA / "backbones" / "vgg_tiny_imagenet32.safetensors"  # makes the features of CIFAR-10

IDX_FILES = {
    "x_train": "train-images-idx3",
    "y_train": "train-labels-idx1",
    "x_test": "t10k-images-idx3",
    "y_test": "t10k-labels-idx1",
}
# Of the uncompressed bytes of the original IDX files. MNIST: LeCun et al. 1998; Fashion-MNIST: Xiao et al. 2017.
SHA256 = {
    "mnist": {
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion_mnist": {
        "x_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "x_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}
CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    **{name: tuple(str(k) for k in range(1, natural.SOURCES[name].classes + 1))
       for name in ("tiny_imagenet32", "cub200", "cub50")},
}  # fmt: skip
EMBEDDED = tuple(SHA256)  # in the project
NAMES = (*EMBEDDED, *natural.SOURCES)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification data set: inputs float32 (n, inputs), labels int64 (n,).

    Inputs are pixels in [0, 1], or the outputs of a fixed network: in [0, 1] for cifar10, at least 0 for cub200, cub50.
    """

    name: str
    classes: tuple[str, ...]
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def load(name: str, directory: Path | None = None) -> Dataset:
    """Load a data set by name: the inputs that a network learns its tasks from.

        mnist, fashion_mnist   784 pixels; embedded in the project's `data/`
        tiny_imagenet32        3072 pixels
        cifar10                2048 features of the VGG backbone, in [0, 1]; see `features`
        cub200                 2048 outputs of a ResNet-50, as they are
        cub50                  1280 outputs of an EfficientNet-Lite2 for the first 50 classes of cub200, as they are

    All but the first two are kept in the cache directory, downloaded and prepared on first use; see `natural`, whose
    `arrays` gives the images of cifar10. directory: another one to look in; for the first two it holds `<name>/`.
    Raises ValueError for an unknown name or a truncated or altered file (named), FileNotFoundError for a missing one.
    The arrays are shared between calls: do not change them in place.
    """
    if name not in NAMES:
        raise ValueError(f"data set {name!r} is unknown: allowed is one of {', '.join(NAMES)}")
    if name in EMBEDDED:
        return _load(name, (directory or DATA) / name)
    return _load_natural(name, directory or natural.cache_directory())


def at_hand(name: str, directory: Path | None = None) -> bool:
    """Return if inputs can be had without a download; those of streams from the project's own data always can."""
    if name not in natural.SOURCES:
        return True
    prepared = [natural.path_of(name, directory)] + [features.path_of(BACKBONE, directory)] * (name == "cifar10")
    return any(path.exists() for path in prepared)


@cache
def _load_natural(name: str, directory: Path) -> Dataset:
    found = features.cifar10(BACKBONE, directory) if name == "cifar10" else natural.arrays(name, directory)
    return _dataset(name, found)


@cache
def _load(name: str, folder: Path) -> Dataset:
    raw = {key: read_idx(file_of(folder, key), SHA256[name][key]) for key in IDX_FILES}
    return _dataset(name, raw)


def _dataset(name: str, raw: natural.Arrays) -> Dataset:
    """Return arrays as a data set: bytes divided by 255, images flattened."""
    tensors = {}
    for key, a in raw.items():
        if key.startswith("x"):
            x = a.reshape(len(a), -1).astype(np.float32)
            tensors[key] = torch.from_numpy(x / np.float32(255) if a.dtype == np.uint8 else x)
        else:
            tensors[key] = torch.from_numpy(a.astype(np.int64))
    return Dataset(name, CLASSES[name], **tensors)


def file_of(folder: Path, key: str) -> Path:
    """Return the path of one of the four files of a data set, `key` as in IDX_FILES."""
    return folder / f"{IDX_FILES[key]}-ubyte.gz"


def read_idx(path: Path, sha256: str) -> NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of bytes whose uncompressed content has this SHA-256.

    Raises ValueError that names the file when it is truncated or altered, FileNotFoundError when it is missing.
    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing: restore it from the repository") from None
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is not a whole gzip file ({error}): restore it from the repository") from error
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ValueError(f"{path} was altered: SHA-256 of its content is {found}, expected {sha256}")
    dimensions = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
