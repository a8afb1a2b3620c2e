"""The registry: every name that an experiment can ask images of, and what the project knows of it."""

from __future__ import annotations

from pathlib import Path

from .cifar10 import CIFAR10
from .cub import CUB50, CUB200
from .dataset import Dataset
from .embedded import FASHION_MNIST, MNIST
from .entries import CrossModal, Patches, Source, Stream
from .tiny_imagenet import TINY_IMAGENET32

STREAMS: dict[str, Stream] = {
    entry.name: entry
    for entry in (
        MNIST,
        FASHION_MNIST,
        CrossModal(name="cross_modal", label="Cross-modal MNIST", parts=(MNIST, FASHION_MNIST)),
        CIFAR10,
        TINY_IMAGENET32,
        CUB200,
        CUB50,
        Patches(name="patches", label="Patches"),
    )
}


def stream(name: str) -> Stream:
    """Return a stream of tasks by name; ValueError for an unknown one."""
    if name not in STREAMS:
        raise ValueError(f"stream {name!r} is unknown: allowed is one of {', '.join(STREAMS)}")
    return STREAMS[name]


def sources() -> dict[str, Source]:
    """Return the data sets by name: the streams that are not made of others or drawn."""
    return {name: entry for name, entry in STREAMS.items() if isinstance(entry, Source)}


def source(name: str) -> Source:
    """Return a data set by name, with where it comes from; ValueError for an unknown one."""
    known = sources()
    if name not in known:
        raise ValueError(f"data set {name!r} is unknown: allowed is one of {', '.join(known)}")
    return known[name]


def load(name: str, directory: Path | None = None) -> Dataset:
    """Load a data set by name: the inputs that a network learns its tasks from.

        mnist, fashion_mnist   784 pixels; in the repository
        tiny_imagenet32        3072 pixels
        cifar10                2048 features of the VGG backbone, in [0, 1]; see `cifar10`
        cub200                 2048 outputs of a ResNet-50, as they are
        cub50                  1280 outputs of an EfficientNet-Lite2 for the first 50 classes of cub200, as they are

    All but the first two are kept in the cache directory, downloaded and prepared on first use; see `prepared`.
    directory: another one to look in; for the first two it holds `<name>/`.
    Raises ValueError for an unknown name or a truncated or altered file (named), FileNotFoundError for a missing one.
    The arrays are shared between calls: do not change them in place.
    """
    return source(name).load(directory)


def at_hand(name: str, directory: Path | None = None) -> bool:
    """Return if the images of a stream, or what is made of them, can be had without a download.

    Raises ValueError for an unknown name.
    """
    return stream(name).at_hand(directory)
