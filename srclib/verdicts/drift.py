"""Whether results computed anew drift from the committed ones.

A fresh run is compared with the committed run of the same seed first: on the same processor and versions they are
equal, on others a long training ends up to some points away. Where they differ by more than that, the spread of the
group decides, the committed runs that differ in the seed only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product

from ..experiments import grid, protocols, summary
from ..experiments.cell import Cell
from ..experiments.grid import Point
from ..experiments.store import Store
from .rows import full_cells
from .statistics import mean, sd

TOLERANCE = 3.0  # points of accuracy that a fresh run may always be away


@dataclass(frozen=True)
class Drift:
    """Fresh results of some runs that differ in the seed only, beside the committed ones.

    Accuracies are in percent, nan where a run diverged.
    """

    runs: str
    fresh: tuple[float, ...]
    committed: tuple[float, ...]  # of the same seeds
    group: tuple[float, ...]  # committed, of all seeds

    @property
    def tolerance(self) -> float:
        """Return how far a fresh accuracy may be from the mean of the group."""
        deviation = sd(self.group)
        return TOLERANCE if math.isnan(deviation) else max(3 * deviation, TOLERANCE)

    @property
    def drifted(self) -> bool:
        """Return whether a fresh run is far from the committed one of its seed and outside the spread of the group.

        One that diverged is within it if another of the group did.
        """
        return any(not self._near(fresh, committed) for fresh, committed in self._pairs())

    def _near(self, fresh: float, committed: float) -> bool:
        if math.isnan(fresh):
            return any(map(math.isnan, self.group))
        return abs(fresh - committed) <= TOLERANCE or abs(fresh - mean(self.group)) <= self.tolerance

    def _pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.fresh, self.committed, strict=True))

    def __str__(self) -> str:
        beside = ", ".join(_told(f) if _same(f, c) else f"{_told(f)} (committed {_told(c)})" for f, c in self._pairs())
        if all(_same(f, c) for f, c in self._pairs()):
            return f"{self.runs}: {beside} % as committed"
        spread = f"{mean(self.group):.2f} ± {self.tolerance:.2f} % of {len(self.group)} seeds"
        return f"{self.runs}: {beside} %, {'outside' if self.drifted else 'within'} {spread}"


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _told(accuracy: float) -> str:
    return "diverged" if math.isnan(accuracy) else f"{accuracy:.2f}"


def drift(committed: Store, fresh: Store) -> list[Drift]:
    """Compare the final accuracies of two stores, for every cell of an experiment that both hold.

    Raises ValueError if no cell is in both, or if both are one directory.
    """
    if committed.directory.resolve() == fresh.directory.resolve():
        raise ValueError(f"{fresh.directory} cannot drift from itself: name another directory")
    found: dict[frozenset[str], Drift] = {}  # by the cells: two experiments may share them
    for protocol, name in product(protocols.names(), grid.experiments()):
        settings = grid.settings(name, protocol=protocol)
        for dataset, run in product(settings["datasets"], settings["runs"]):
            for point, cells in _groups(full_cells(name, protocol, dataset, run)):
                group = [cell for cell in cells if cell in committed]
                again = [cell for cell in group if cell in fresh]
                if again:
                    what = f"{name}, {protocol}, {dataset} {run}{_details(cells[0], point)}"
                    of = [(fresh, again), (committed, again), (committed, group)]
                    drifted = Drift(what, *(tuple(summary.final(store[c] for c in g)) for store, g in of))
                    found.setdefault(frozenset(cell.key() for cell in group), drifted)
    if not found:
        raise ValueError(f"no cell of an experiment is both in {committed.directory} and in {fresh.directory}")
    return list(found.values())


def _groups(points: Sequence[tuple[Point, Cell]]) -> list[tuple[Point, list[Cell]]]:
    """Return cells that differ in the seed only, group by group, each with its point; in a grid they are neighbours."""
    groups = groupby(points, lambda pair: replace(pair[1], seed=0, order=tuple(sorted(pair[1].order))))
    return [(pairs[0][0], [cell for _, cell in pairs]) for pairs in ([*group] for _, group in groups)]


def _details(cell: Cell, point: Point) -> str:
    """Return in what a cell differs from others of its run: overlap, and the settings that the experiment is over."""
    named = "".join(f", {path.rpartition('.')[2]} {value}" for path, value in point.items())
    return ("" if cell.overlap is None else f", overlap {cell.overlap}") + named
