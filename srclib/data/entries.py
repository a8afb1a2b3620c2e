"""What the registry keeps of each name: a stream of tasks, most often a data set that is learned class by class."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import streams
from .dataset import Arrays, Dataset
from .streams import Task


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream(ABC):
    """A sequence of tasks that a network can learn."""

    name: str
    label: str  # as pages show it

    def count(self, outputs: int, classes_per_task: int) -> int:
        """Return how many tasks it has for a network with so many output units; the last one may have fewer classes."""
        return -(-outputs // classes_per_task)

    @abstractmethod
    def at_hand(self, directory: Path | None = None) -> bool:
        """Return if its images, or what is made of them, can be had without a download."""

    @abstractmethod
    def tasks(
        self,
        order: Sequence[int],
        classes_per_task: int,
        *,
        overlap: int | None = None,
        seed: int = 0,
        inputs: int = 100,
    ) -> list[Task]:
        """Return its tasks in an order, a permutation of them.

        overlap, seed, inputs: of images that are drawn, the patches; other streams leave them aside.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class Source(Stream):
    """A data set: what it holds, and where it comes from. Its stream is class-incremental.

    directory, in all methods: another one than its own.
    """

    classes: tuple[str, ...]
    train: int  # images
    test: int

    @abstractmethod
    def where(self, directory: Path | None = None) -> Path:
        """Return the path of its file or of the folder of its files, whether they are there or not."""

    @abstractmethod
    def files(self, directory: Path | None = None) -> list[Path]:
        """Return the paths of its files that are there."""

    @abstractmethod
    def faults(self, directory: Path | None = None) -> Iterator[str]:
        """Yield what is wrong with its files, each of which is named."""

    @abstractmethod
    def arrays(self, directory: Path | None = None) -> Arrays:
        """Return its arrays; what is missing is made first, where it can be.

        Raises ValueError for a damaged file, FileNotFoundError for one that is missing. Both name the file and say what
        to do.
        """

    def inputs(self, directory: Path | None = None) -> Arrays:
        """Return what a network learns: the arrays, unless another network sees them first."""
        return self.arrays(directory)

    def load(self, directory: Path | None = None) -> Dataset:
        """Return it as tensors, read once."""
        return _load(self, self.where(directory).parent)

    def at_hand(self, directory: Path | None = None) -> bool:
        return bool(self.files(directory))

    def tasks(self, order: Sequence[int], classes_per_task: int, **_: int | None) -> list[Task]:
        return streams.class_incremental(self.load(), order, classes_per_task)


@cache
def _load(source: Source, directory: Path) -> Dataset:
    return Dataset.of(source.name, source.classes, source.inputs(directory))


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossModal(Stream):
    """Data sets one after another, each a task, with the same outputs."""

    parts: tuple[Source, ...]

    def count(self, outputs: int, classes_per_task: int) -> int:
        return len(self.parts)

    def at_hand(self, directory: Path | None = None) -> bool:
        return all(part.at_hand(directory) for part in self.parts)

    def tasks(self, order: Sequence[int], classes_per_task: int, **_: int | None) -> list[Task]:
        return streams.cross_modal([part.load() for part in self.parts], order)


@dataclass(frozen=True, kw_only=True, eq=False)
class Patches(Stream):
    """The toy problem, drawn from a seed: four images of `inputs` pixels, a square number, that share `overlap`."""

    def at_hand(self, directory: Path | None = None) -> bool:
        return True

    def tasks(
        self,
        order: Sequence[int],
        classes_per_task: int,
        *,
        overlap: int | None = None,
        seed: int = 0,
        inputs: int = 100,
    ) -> list[Task]:
        if overlap is None:
            raise ValueError("overlap is missing: the patches need one")
        side = math.isqrt(inputs)
        if side * side != inputs:
            raise ValueError(f"inputs = {inputs}: the patches need a square number of inputs")
        drawn = streams.patches(overlap, seed, side=side)
        if sorted(order) != [*range(len(drawn))] or classes_per_task != len(drawn[0].classes):
            raise ValueError(
                f"order = {tuple(order)}, classes_per_task = {classes_per_task}: allowed are two tasks of 2 classes"
            )
        return [drawn[task] for task in order]
