"""Whether results computed anew drift from the committed ones."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product

from ..experiments import grid, protocols, summary
from ..experiments.cell import Cell
from ..experiments.store import Store
from .reproduced import full_cells

LEAST_TOLERANCE = 3.0  # points of accuracy that a fresh run may always be away from the committed mean


@dataclass(frozen=True)
class Drift:
    """Fresh results of some runs beside the committed ones that differ from them in the seed only; in percent."""

    runs: str
    mean: float  # of the committed final accuracies
    n: int
    tolerance: float  # a fresh final accuracy may be so far from the mean
    fresh: tuple[float, ...]

    @property
    def drifted(self) -> bool:
        return any(abs(value - self.mean) > self.tolerance for value in self.fresh)

    def __str__(self) -> str:
        fresh = ", ".join(f"{value:.2f}" for value in self.fresh)
        within = "outside" if self.drifted else "within"
        return (
            f"{self.runs}: fresh {fresh} % {within} {self.mean:.2f} ± {self.tolerance:.2f} % (n = {self.n} committed)"
        )


def drift(committed: Store, fresh: Store) -> list[Drift]:
    """Compare the final accuracies of two stores, for every cell of an experiment that both hold.

    Runs that differ in the seed only are one group. Results drift where a fresh one is further from the mean of the
    committed group than 3 standard deviations of it and than 3 points. Raises ValueError if no cell is in both, or if
    both are one directory.
    """
    if committed.directory.resolve() == fresh.directory.resolve():
        raise ValueError(f"{fresh.directory} cannot drift from itself: name another directory")
    found: dict[frozenset[str], Drift] = {}  # by the cells: two experiments may share them
    for protocol, name in product(protocols.names(), grid.experiments()):
        settings = grid.settings(name, protocol=protocol)
        for dataset, run in product(settings["datasets"], settings["runs"]):
            cells = full_cells(name, protocol, dataset, run)
            for kind in dict.fromkeys(_without_seed(cell) for cell in cells):
                group = [cell for cell in cells if _without_seed(cell) == kind and cell in committed]
                again = [cell for cell in group if cell in fresh]
                if again:
                    runs = f"{name}, {protocol}, {dataset} {run}{_details(kind, grid.paths(settings))}"
                    old, new = (summary.final(s[c] for c in g) for s, g in ((committed, group), (fresh, again)))
                    sd = statistics.stdev(old) if len(old) > 1 else 0.0
                    judged = Drift(runs, statistics.fmean(old), len(old), max(3 * sd, LEAST_TOLERANCE), tuple(new))
                    found.setdefault(frozenset(cell.key() for cell in group), judged)
    if not found:
        raise ValueError(f"no cell of an experiment is both in {committed.directory} and in {fresh.directory}")
    return list(found.values())


def _without_seed(cell: Cell) -> Cell:
    return replace(cell, seed=0, order=())


def _details(cell: Cell, over: Iterable[str]) -> str:
    """Return in what a cell differs from others of its run: overlap, and the settings that the experiment is over."""
    parts = {type(plugin).__name__.lower(): plugin for plugin in cell.plugins} | {"awake": cell.awake}
    settings = [path.split(".") for path in over]
    named = "".join(
        f", {inner[-1]} {reduce(getattr, inner, parts[part])}" for part, *inner in settings if part in parts
    )
    return ("" if cell.overlap is None else f", overlap {cell.overlap}") + named
