"""Data sets that are downloaded and converted once, and kept as prepared files in a cache directory.

Their licences do not let the project hold them. They come from their publishers, and stay in the directory that
`SRCLIB_DATA` names, by default `srclib` in the user's cache.

Prepared form: a data set is one file, `<name>.npz`, written by `numpy.savez` without pickled objects. It holds

    x_train, x_test    images uint8 (n, height, width, 3), or embeddings of images, float16 or float32 (n, inputs)
    y_train, y_test    labels from 0, uint8 (n,)

and may hold more, which is not read. Its zip format keeps a CRC-32 of every array, checked on reading. A prepared file
that is put into the directory is used as it is. So is a publisher's file that is put into its folder `downloads`.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_dir

from .dataset import SPLITS, Arrays
from .entries import Source
from .files import whole
from .publishers import Origin, fetch


def cache_directory() -> Path:
    """Return the directory of the prepared files: $SRCLIB_DATA, else `srclib` in the user's cache."""
    return Path(os.environ.get("SRCLIB_DATA") or user_cache_dir("srclib"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared(Source):
    """A data set in the prepared form, and the publisher's files that it is made of."""

    shape: tuple[int, ...]  # of one image or embedding
    origins: tuple[Origin, ...] = ()  # none: it cannot be downloaded
    convert: Callable[..., Arrays] | None = None  # from the paths of the downloaded files

    def where(self, directory: Path | None = None) -> Path:
        return (directory or cache_directory()) / f"{self.name}.npz"

    def files(self, directory: Path | None = None) -> list[Path]:
        return [path for path in [self.where(directory)] if path.exists()]

    def faults(self, directory: Path | None = None) -> Iterator[str]:
        if self.files(directory):  # it may be missing
            try:
                self.arrays(directory)
            except ValueError as error:
                yield str(error)

    def arrays(self, directory: Path | None = None) -> Arrays:
        """Return the arrays in the prepared form; what is missing is made first.

        The images of a split come in the order of their SHA-256, which is as good as random: every copy of a data set
        gives the same arrays, and the first images of a task are of all its classes.
        """
        path = self.where(directory)
        found = self.read(made_once(path, lambda: self._convert(path)))
        for split in SPLITS:
            x, y = found[f"x_{split}"], found[f"y_{split}"]
            digests = [
                hashlib.sha256(image.tobytes() + label.tobytes()).digest() for image, label in zip(x, y, strict=True)
            ]
            rows = sorted(range(len(x)), key=digests.__getitem__)
            found[f"x_{split}"], found[f"y_{split}"] = x[rows], y[rows]
        return found

    def _convert(self, path: Path) -> Arrays:
        if self.convert is None:
            raise FileNotFoundError(f"{path} is missing: {self.name} cannot be downloaded, put its prepared file there")
        try:
            files = [fetch(origin, path.parent) for origin in self.origins]
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{error}, or put the prepared file {path.name} into {path.parent}") from error
        return self.convert(*files)

    def read(self, path: Path) -> Arrays:
        """Read a file in the prepared form; ValueError, which names it, if it is damaged or not as described here."""
        names = [f"{kind}_{split}" for split in SPLITS for kind in "xy"]
        try:
            heads = _heads(path, names)
        except (FileNotFoundError, PermissionError):
            raise
        except Exception as error:  # damage to a zip file shows in many ways
            raise ValueError(f"{path} is damaged ({error}): delete it or put a whole one there") from error
        for split, count in (("train", self.train), ("test", self.test)):
            x, y = heads[f"x_{split}"], heads[f"y_{split}"]
            types = ("uint8",) if len(self.shape) == 3 else ("float16", "float32")
            shapes = ((count, *self.shape), (count,))
            if (x.shape, y.shape) != shapes or x.dtype not in types or y.dtype != np.uint8:
                raise ValueError(
                    f"{path}: x_{split} is {x.dtype} {x.shape} with labels {y.dtype} {y.shape}: allowed is "
                    f"{' or '.join(types)} {shapes[0]} with uint8 {shapes[1]}"
                )
        try:
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name] for name in names}
        except Exception as error:
            raise ValueError(f"{path} is damaged ({error}): delete it or put a whole one there") from error
        for split in SPLITS:
            if (label := found[f"y_{split}"].max()) >= len(self.classes):
                raise ValueError(f"{path}: a label of y_{split} is {label}: allowed is 0 to {len(self.classes) - 1}")
        return found


class _Head(NamedTuple):
    """What the head of a stored array says of it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def _heads(path: Path, names: Sequence[str]) -> dict[str, _Head]:
    """Read the heads of arrays in a file, and nothing else: what they say is checked before anything is unpacked."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in names:
            with archive.open(f"{name}.npy") as member:
                version = np.lib.format.read_magic(member)
                if version != (1, 0):
                    raise ValueError(f"{name} is an array of version {version}: allowed is (1, 0)")
                shape, _, dtype = np.lib.format.read_array_header_1_0(member)
            if dtype.hasobject:
                raise ValueError(f"{name} holds objects: allowed is what loads with allow_pickle=False")
            found[name] = _Head(shape, dtype)
    return found


def made_once(path: Path, make: Callable[[], Arrays]) -> Path:
    """Write a file of arrays unless it is there: under a lock, and never half of it. Return its path."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                write(path, make())
    return path


def write(path: Path, content: Arrays) -> None:
    """Write arrays in the prepared form: all of them or nothing."""
    with whole(path) as part, part.open("wb") as file:
        np.savez(file, **content)  # type: ignore[arg-type]  # the stubs take the arrays for its option
