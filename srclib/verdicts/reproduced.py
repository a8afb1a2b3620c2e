"""From the store of results to verdicts: which runs reproduce which published value.

`rows.yaml` says where the runs behind a published value stand; a new page only adds rows to it.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from ..data import load
from ..experiments import dialect, grid
from ..experiments.cell import Cell
from ..experiments.grid import Point
from ..experiments.records import Record
from ..experiments.store import Store
from ..experiments.typed import from_mapping
from ..learning.methods.icarl import ICaRL
from . import judging

ROWS = Path(__file__).with_name("rows.yaml")
OWN = ("tuned",)  # protocols of our own, which reproduce nothing

Runs = Sequence[tuple[Cell, Record]]
Quantity = Callable[["Row", Runs, Runs], float]  # of the runs of one seed, and of those that they are compared with


@dataclass(frozen=True, kw_only=True)
class Row:
    """Where the runs behind a published value stand; `rows.yaml` explains the fields."""

    label: str
    experiment: str
    dataset: str
    run: str
    quantity: str = "accuracy"
    after: str | None = None
    images: str | None = None
    tasks: tuple[int, ...] | None = None
    overlaps: tuple[int, ...] | None = None
    over: dict[str, Any] = field(default_factory=dict)
    less: dict[str, Any] = field(default_factory=dict)
    at: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    claim: str = ""

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise ValueError(f"quantity = {self.quantity!r}: allowed is one of {', '.join(QUANTITIES)}")
        if bool(self.at) != (self.quantity == "measure"):
            raise ValueError(f"at = {self.at}: allowed is one place or more for a measure, none for anything else")
        if self.claim not in ("", *judging.CLAIMS):
            raise ValueError(f"claim = {self.claim!r}: allowed is one of {', '.join(judging.CLAIMS)}, or none")
        if unknown := set(self.less) - {f.name for f in fields(Row)}:
            raise ValueError(f"less = {self.less}: {unknown.pop()!r} is no field of a row")

    def compared(self) -> Row | None:
        """Return the row whose runs are subtracted, which differs from this one in the fields of `less`."""
        return replace(self, **(self.less | {"less": {}})) if self.less else None


def rows(path: Path = ROWS) -> dict[str, Row]:
    """Read which runs reproduce which published id; ValueError names a row with an unknown or missing field."""
    return {key: from_mapping(Row, row, f"{path.name}: {key}") for key, row in dialect.read(path).items()}


@dataclass(frozen=True)
class Reproduction:
    """What the store holds of a published value, in the unit of the publication."""

    values: list[float]  # one for each seed
    records: list[Record]  # that they are computed from


def reproduced(store: Store, protocol: str = "released") -> dict[str, Reproduction]:
    """Return what the store holds of published values, by id.

    Only the ids all of whose runs (profile `full`) are in the store; none for a protocol that is our own. Raises
    ValueError for an unknown protocol.
    """
    found = {}
    for key, row in ({} if protocol in OWN else rows()).items():
        runs, other = _by_seed(row, store, protocol), row.compared()
        others = _by_seed(other, store, protocol) if other else {seed: [] for seed in runs}
        values = [QUANTITIES[row.quantity](row, group, others[seed]) for seed, group in runs.items() if seed in others]
        if values and all(map(math.isfinite, values)):
            both = chain.from_iterable(chain(group, others[seed]) for seed, group in runs.items() if seed in others)
            found[key] = Reproduction(values, [record for _, record in both])
    return found


def _by_seed(row: Row, store: Store, protocol: str) -> dict[int, Runs]:
    """Return the runs of a row by seed; none at all if any is not in the store, or was tested on other images."""
    low, high = row.overlaps or (-math.inf, math.inf)
    over = {path: value if isinstance(value, list) else [value] for path, value in row.over.items()}
    cells = [
        cell
        for _, cell in full_cells(row.experiment, protocol, row.dataset, row.run, json.dumps(over))
        if cell.overlap is None or low <= cell.overlap <= high
    ]
    if not all(cell in store and (row.images or cell.tested[0]) in cell.tested for cell in cells):
        return {}
    by_seed = groupby(sorted(cells, key=lambda cell: cell.seed), lambda cell: cell.seed)
    return {seed: [(cell, store[cell]) for cell in group] for seed, group in by_seed}


def table(store: Store, protocol: str = "released", prefix: str = "") -> pd.DataFrame:
    """Judge what the store holds, the ids that start with `prefix`: a frame of `judging.verdicts`."""
    wanted = rows()
    claims = {key: row.claim for key, row in wanted.items()}
    values = {key: found.values for key, found in reproduced(store, protocol).items()}
    frame = judging.verdicts(values, protocol, claims=claims)
    frame.insert(1, "label", [wanted[key].label for key in frame["id"]])
    return frame[frame["id"].str.startswith(prefix)].reset_index(drop=True) if len(frame) else frame


@cache
def full_cells(experiment: str, protocol: str, dataset: str, run: str, over: str = "{}") -> list[tuple[Point, Cell]]:
    """Return the cells of one run of the profile `full` with their points; none if the protocol does not know it.

    over: values in place of those of the experiment's `over`, by setting, as JSON.
    """
    settings = grid.settings(experiment, protocol=protocol)  # an unknown experiment or protocol is an error
    other = json.loads(over)
    changed = {"over": settings["over"] | other} if other and "over" in settings else {}
    try:
        return grid.points(experiment, "full", protocol, datasets=[dataset], runs=[run], **changed)
    except ValueError:  # no section for the data set, or no sleep parameters
        return []


def _accuracy(row: Row, runs: Runs, others: Runs) -> float:
    """Return the accuracy of one seed in percent, the mean over its overlaps, less that of the other runs if any."""
    mean = 100 * statistics.fmean(_tested(row, cell, _phase(record, row.after)) for cell, record in runs)
    other = row.compared()
    return mean - (_accuracy(other, others, []) if other else 0)


def _last_gain(row: Row, runs: Runs, others: Runs) -> float:
    """Return the gain of one seed by its last sleep in points, less that of the other runs if any."""
    mean = 100 * statistics.fmean(_gain(record) for _, record in runs)
    return mean - (_last_gain(row, others, []) if others else 0)


def _epochs_to_match(row: Row, runs: Runs, others: Runs) -> float:
    """Return after how many epochs a task one seed is as good as the other run, the mean over memories of exemplars.

    Where it never is, the most epochs tried count.
    """
    epochs = []
    for reference, target in others:
        memory = _memory(reference)
        same = [(cell.awake.task_epochs(0), record) for cell, record in runs if _memory(cell) == memory]
        reached = [tried for tried, record in same if record["metrics"]["final"] >= target["metrics"]["final"]]
        epochs.append(min(reached, default=max(tried for tried, _ in same)))
    return statistics.fmean(epochs)


def _memory(cell: Cell) -> int:
    return next(p.memory for p in cell.plugins if isinstance(p, ICaRL))


def _improved(pick: Callable[..., float]) -> Quantity:
    def overlap(row: Row, runs: Runs, others: Runs) -> float:
        """Return the smallest or largest overlap at which one seed is better after sleep; nan if it never is."""
        better = [cell.overlap for cell, record in runs if _gain(record) > 0]
        return pick(better, default=math.nan)

    return overlap


def _measure(row: Row, runs: Runs, others: Runs) -> float:
    """Return what one seed measured at the places `at`, added up, less that at `minus`; nan if any is missing."""
    ((_, record),) = runs
    return sum(_at(record, place) for place in row.at) - sum(_at(record, place) for place in row.minus)


def _at(record: Record, place: str) -> float:
    found = record["metrics"]["measures"]
    for part in place.split("/"):
        found = found[int(part) if isinstance(found, list) else part]
    return math.nan if found is None else float(found)


def _gain(record: Record) -> float:
    *_, before, after = record["metrics"]["phases"]
    return float(after["overall"] - before["overall"])


def _phase(record: Record, after: str | None) -> dict[str, Any]:
    phases: list[dict[str, Any]] = record["metrics"]["phases"]
    named = {f"{phase['kind']} {phase['task'] + 1}": phase for phase in phases}
    if after is not None and after not in named:
        raise ValueError(f"after = {after!r}: allowed is one of {', '.join(named)}")
    return phases[-1] if after is None else named[after]


def _tested(row: Row, cell: Cell, phase: dict[str, Any]) -> float:
    """Return the fraction of the images of the row's tasks that are recognised."""
    split = row.images or cell.tested[0]
    phase = phase["images"][split] if len(cell.tested) > 1 else phase
    if row.tasks is None:
        return float(phase["overall"])
    accuracy: list[float] = [phase["accuracy"][task - 1] for task in row.tasks]
    if len(accuracy) == 1:
        return accuracy[0]
    labels = getattr(load(cell.dataset), f"y_{split}")
    images = torch.bincount(labels).view(-1, cell.classes_per_task).sum(1)  # (tasks,)
    counts = [int(images[cell.order[task - 1]]) for task in row.tasks]
    return sum(a * n for a, n in zip(accuracy, counts, strict=True)) / sum(counts)


QUANTITIES: dict[str, Quantity] = {
    "accuracy": _accuracy,
    "gain": _last_gain,
    "epochs_to_match": _epochs_to_match,
    "overlap_improved_first": _improved(min),
    "overlap_improved_last": _improved(max),
    "measure": _measure,
}
