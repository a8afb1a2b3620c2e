"""Made-up results of experiments, shared by the tests of the verdicts and of the drift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
    """Return a store that holds these phases, and measures if there are any, as the metrics of the cells.

    A run that has a phase without a cosine diverged.
    """
    found = [made_up.record(cell, *phases(cell), measures=measures(cell) if measures else None) for cell in cells]
    for record in found:
        if any(phase["cosine"] is None for phase in record["metrics"]["phases"]):
            record["metrics"]["diverged"] = True
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


def ending(*finals: float | None) -> Callable[[Cell], Phases]:
    """The accuracy in percent by seed, the same after every phase; None where the run diverged."""

    def phases(cell: Cell) -> Phases:
        final, kinds = finals[cell.seed], ("training", "sleep")
        value, cosine = (0.1, None) if final is None else (final / 100, 0.5)
        return [phase(kind, task, value, (value,) * 5, cosine=cosine) for task in range(5) for kind in kinds]

    return phases


def ended(directory: Path, dataset: str, experiment: str = "table1_accuracy", **runs: Sequence[float | None]) -> Store:
    """Return a store that holds runs of a data set, by their names, with final accuracies as in `ending`."""
    for run, finals in runs.items():
        stored(directory, grid.grid(experiment, datasets=[dataset], runs=[run], seeds=len(finals)), ending(*finals))
    return Store(directory)
