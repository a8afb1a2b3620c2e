"""Data sets that the repository holds, MNIST and Fashion-MNIST: the original IDX files, checked byte by byte."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import places
from .dataset import Arrays
from .entries import Source

FILES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}
MOST = 16 + 60_000 * 28 * 28  # bytes: the head of an IDX file, and the images that are trained on


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedded(Source):
    """A data set in a folder of its own, `data/<name>`; another directory holds `<name>/`, too."""

    train: int = 60_000
    test: int = 10_000
    sha256: Mapping[str, str]  # of the uncompressed bytes of each file, by the array it holds

    def where(self, directory: Path | None = None) -> Path:
        return directory / self.name if directory else places.committed(self.name)

    def files(self, directory: Path | None = None) -> list[Path]:
        try:
            folder = self.where(directory)
        except FileNotFoundError:
            return []
        return [path for path in (folder / file for file in FILES.values()) if path.exists()]

    def faults(self, directory: Path | None = None) -> Iterator[str]:
        try:
            folder = self.where(directory)
        except FileNotFoundError as error:
            yield str(error)
            return
        for key, file in FILES.items():
            try:
                read_idx(folder / file, self.sha256[key])
            except (ValueError, OSError) as error:
                yield str(error)

    def arrays(self, directory: Path | None = None) -> Arrays:
        folder = self.where(directory)
        return {key: read_idx(folder / file, self.sha256[key]) for key, file in FILES.items()}


def read_idx(path: Path, sha256: str) -> NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of bytes whose uncompressed content has this SHA-256.

    Raises ValueError that names the file when it is truncated or altered, FileNotFoundError when it is missing. No more
    than the largest of these files is unpacked.
    """
    try:
        with gzip.open(path) as file:
            raw = file.read(MOST + 1)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing: restore it from the repository") from None
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is not a whole gzip file ({error}): restore it from the repository") from error
    if len(raw) > MOST:
        raise ValueError(f"{path} unpacks to more than {MOST:,} bytes, the most that a file of images has")
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ValueError(f"{path} was altered: SHA-256 of its content is {found}, expected {sha256}")
    dimensions = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


MNIST = Embedded(  # LeCun et al., "Gradient-based learning applied to document recognition", 1998
    name="mnist",
    label="MNIST",
    classes=tuple("0123456789"),
    sha256={
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
)
FASHION_MNIST = Embedded(  # Xiao et al., arXiv:1708.07747
    name="fashion_mnist",
    label="Fashion-MNIST",
    classes=("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    sha256={
        "x_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "x_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
)
