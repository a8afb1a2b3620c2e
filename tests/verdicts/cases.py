"""Made-up results of experiments, shared by the tests of the verdicts and of the drift."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from srclib.experiments import grid
from srclib.experiments.cell import Cell
from srclib.experiments.store import Store

from .. import made_up
from ..made_up import Phase, phase

Phases = list[Phase]


def stored(
    directory: Path,
    cells: Iterable[Cell],
    phases: Callable[[Cell], Phases],
    measures: Callable[[Cell], dict[str, Any]] | None = None,
) -> Store:
    """Return a store that holds these phases, and measures if there are any, as the metrics of the cells."""
    found = [made_up.record(cell, *phases(cell), measures=measures(cell) if measures else None) for cell in cells]
    made_up.write(directory, "made_up", found)
    return Store(directory)


def table1(run: str, dataset: str = "mnist", seeds: int = 5) -> list[Cell]:
    return grid.grid("table1_accuracy", datasets=[dataset], runs=[run], seeds=seeds)


def constant(overall: float) -> Callable[[Cell], Phases]:
    """One hundredth more for every seed, the same after every phase and on every task."""

    def phases(cell: Cell) -> Phases:
        value, tasks = overall + 0.01 * cell.seed, cell.tasks or len(cell.order)
        kinds = ("training", "sleep")
        return [phase(kind, task, value, (value,) * tasks) for task in range(tasks) for kind in kinds]

    return phases
