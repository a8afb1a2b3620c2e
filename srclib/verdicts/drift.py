"""Whether results computed anew drift from the committed ones.

A fresh run is compared with the committed run of the same seed first: on the same processor and versions they are
equal, on others a long training ends up to some points away. Where they differ by more than that, the spread of the
group decides, the committed runs that differ in the seed only.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product

from ..experiments import grid, protocols, summary
from ..experiments.cell import Cell
from ..experiments.grid import Point
from ..experiments.store import Store
from .reproduced import full_cells

TOLERANCE = 3.0  # points of accuracy that a fresh run may always be away


@dataclass(frozen=True)
class Drift:
    """Fresh results of some runs that differ in the seed only, beside the committed ones; accuracies in percent."""

    runs: str
    fresh: tuple[float, ...]
    committed: tuple[float, ...]  # of the same seeds
    group: tuple[float, ...]  # committed, of all seeds

    @property
    def tolerance(self) -> float:
        """Return how far a fresh accuracy may be from the mean of the group."""
        sd = statistics.stdev(self.group) if len(self.group) > 1 else 0.0
        return max(3 * sd, TOLERANCE)

    @property
    def drifted(self) -> bool:
        """Return whether a fresh run is far from the committed one of its seed and outside the spread of the group."""
        mean = statistics.fmean(self.group)
        return any(
            abs(fresh - committed) > TOLERANCE and abs(fresh - mean) > self.tolerance
            for fresh, committed in zip(self.fresh, self.committed, strict=True)
        )

    def __str__(self) -> str:
        pairs = zip(self.fresh, self.committed, strict=True)
        beside = ", ".join(f"{f:.2f}" if f == c else f"{f:.2f} (committed {c:.2f})" for f, c in pairs)
        spread = f"{statistics.fmean(self.group):.2f} ± {self.tolerance:.2f} % of {len(self.group)} seeds"
        if self.fresh == self.committed:
            return f"{self.runs}: {beside} % as committed"
        return f"{self.runs}: {beside} %, {'outside' if self.drifted else 'within'} {spread}"


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
