"""Which runs of the store a number of the publication is compared with, one number for each network.

`rows.yaml` says where the runs behind a published value stand; `claims.yaml` names those of claims in the same words.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from ..data import load
from ..experiments import dialect, grid
from ..experiments.cell import Cell
from ..experiments.grid import Point
from ..experiments.records import Record
from ..experiments.store import Store
from ..experiments.typed import from_mapping
from ..learning.methods.icarl import ICaRL
from . import patches
from .judging import SIGNS

ROWS = Path(__file__).with_name("rows.yaml")

Runs = Sequence[tuple[Cell, Record]]
Quantity = Callable[["Row", Runs, Runs], float]  # of the runs of one seed, and of those that they are compared with


@dataclass(frozen=True, kw_only=True)
class Row:
    """Where the runs behind a number stand; `rows.yaml` explains the fields."""

    label: str = ""
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
    control: dict[str, Any] = field(default_factory=dict)
    at: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    claim: str = ""
    page: str = ""

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise ValueError(f"quantity = {self.quantity!r}: allowed is one of {', '.join(QUANTITIES)}")
        if bool(self.at) != (self.quantity in ("measure", "patches")):
            raise ValueError(f"at = {self.at}: allowed is one place or more for a measure, none for anything else")
        if self.claim not in ("", *SIGNS):
            raise ValueError(f"claim = {self.claim!r}: allowed is one of {', '.join(SIGNS)}, or none")
        known = {each.name for each in fields(Row)}
        for key, change in (("less", self.less), ("control", self.control)):
            if unknown := set(change) - known:
                raise ValueError(f"{key} = {change!r}: {unknown.pop()!r} is no field of a row")

    @property
    def shown(self) -> str:
        """The page that shows it."""
        return self.page or self.experiment

    def compared(self) -> Row | None:
        """Return the row whose runs are subtracted, which differs from this one in the fields of `less`."""
        return replace(self, **(self.less | {"less": {}, "control": {}})) if self.less else None

    def effect(self) -> Row:
        """Return the row of the difference from the control; itself, if it has none and is a difference already."""
        return replace(self, less=self.control, control={}) if self.control else self


@cache
def rows(path: Path = ROWS) -> dict[str, Row]:
    """Read which runs reproduce which published id; ValueError names a row with an unknown or missing field."""
    found = {key: from_mapping(Row, row, f"{path.name}: {key}") for key, row in dialect.read(path).items()}
    if unnamed := next((key for key, row in found.items() if not row.label), None):
        raise ValueError(f"{path.name}: {unnamed}: key 'label' is missing")
    return found


@dataclass(frozen=True)
class Numbers:
    """What the store holds of a row: a number for each network, in the unit of the publication."""

    by_seed: Mapping[int, float]  # nan where a run diverged
    records: list[Record]  # that they are computed from

    @property
    def values(self) -> list[float]:
        """The numbers of those networks whose runs did not diverge."""
        return [value for value in self.by_seed.values() if not math.isnan(value)]

    @property
    def diverged(self) -> int:
        """How many networks have a run that diverged."""
        return len(self.by_seed) - len(self.values)


def numbers(row: Row, store: Store, protocol: str) -> Numbers | None:
    """Return what the store holds of a row, for every seed that it has all runs of.

    None if it lacks a run of the profile `full`, or if a number does not exist, as of a measure that was not taken.
    """
    runs, other = by_seed(row, store, protocol), row.compared()
    others = by_seed(other, store, protocol) if other else {seed: [] for seed in runs}
    shared = [seed for seed in runs if seed in others]
    found: dict[int, float] = {}
    for seed in shared:
        lost = any(_lost(part, group) for part, group in ((row, runs[seed]), (other or row, others[seed])))
        found[seed] = math.nan if lost else QUANTITIES[row.quantity](row, runs[seed], others[seed])
        if not lost and not math.isfinite(found[seed]):
            return None
    return Numbers(found, [r for s in shared for _, r in (*runs[s], *others[s])]) if found else None


def by_seed(row: Row, store: Store, protocol: str) -> dict[int, Runs]:
    """Return the runs of a row by seed: those of the profile `full`, and what the store holds of further seeds.

    None at all if one of the profile is not in the store, or was tested on other images.
    """
    found: dict[int, Runs] = {}
    known = _groups(row, protocol, None)
    if not all(_holds(store, row, group) for group in known.values()):
        return {}
    while known:
        found |= {seed: [(cell, store[cell]) for cell in group] for seed, group in known.items()}
        further = {max(found) + 1: _groups(row, protocol, max(found) + 2).get(max(found) + 1, [])}
        known = further if all(group and _holds(store, row, group) for group in further.values()) else {}
    return found


def _holds(store: Store, row: Row, group: Sequence[Cell]) -> bool:
    return all(cell in store and (row.images or cell.tested[0]) in cell.tested for cell in group)


def _groups(row: Row, protocol: str, seeds: int | None) -> dict[int, list[Cell]]:
    """Return the cells of a row by seed."""
    low, high = row.overlaps or (-math.inf, math.inf)
    over = {path: value if isinstance(value, list) else [value] for path, value in row.over.items()}
    cells = [
        cell
        for _, cell in full_cells(row.experiment, protocol, row.dataset, row.run, json.dumps(over), seeds)
        if cell.overlap is None or low <= cell.overlap <= high
    ]
    grouped = groupby(sorted(cells, key=lambda cell: cell.seed), lambda cell: cell.seed)
    return {seed: list(group) for seed, group in grouped}


@cache
def full_cells(
    experiment: str, protocol: str, dataset: str, run: str, over: str = "{}", seeds: int | None = None
) -> list[tuple[Point, Cell]]:
    """Return the cells of one run of the profile `full` with their points; none if the protocol does not know it.

    over: values in place of those of the experiment's `over`, by setting, as JSON. seeds: in place of the profile's.
    """
    settings = grid.settings(experiment, protocol=protocol)  # an unknown experiment or protocol is an error
    other = json.loads(over)
    changed = {"over": settings["over"] | other} if other and "over" in settings else {}
    try:
        return grid.points(experiment, "full", protocol, datasets=[dataset], runs=[run], seeds=seeds, **changed)
    except ValueError:  # no section for the data set, or no sleep parameters
        return []


def _lost(row: Row, runs: Runs) -> bool:
    """Return whether a run of these had diverged where the row looks."""
    return any(
        record["metrics"].get("diverged", False) and _phase(record, row.after)["cosine"] is None for _, record in runs
    )


def _less_others(value: Callable[[Row, Runs], float]) -> Quantity:
    """Return a quantity of the runs of one seed, less that of the other runs if there are any."""

    def difference(row: Row, runs: Runs, others: Runs) -> float:
        other = row.compared()
        return value(row, runs) - (value(other, others) if other else 0)

    return difference


def _accuracy(row: Row, runs: Runs) -> float:
    """Return the accuracy of one seed in percent, the mean over its runs."""
    return 100 * statistics.fmean(_tested(row, cell, _phase(record, row.after)) for cell, record in runs)


def _last_gain(row: Row, runs: Runs) -> float:
    """Return the gain of one seed by its last sleep in points, the mean over its runs."""
    return 100 * statistics.fmean(_gain(record) for _, record in runs)


def _measure(row: Row, runs: Runs) -> float:
    """Return what one seed measured at the places `at`, added up, less that at `minus`; nan if any is missing."""
    ((_, record),) = runs
    measures = record["metrics"]["measures"]
    return sum(_at(measures, place) for place in row.at) - sum(_at(measures, place) for place in row.minus)


def _at(measures: Any, place: str) -> float:
    found = measures
    for part in place.split("/"):
        found = found[int(part) if isinstance(found, list) else part]
    return math.nan if found is None else float(found)


def _cosine(row: Row, runs: Runs) -> float:
    """Return the cosine of one seed's weights with those after its first task, the mean over its runs."""
    return statistics.fmean(_phase(record, row.after)["cosine"] for _, record in runs)


def _patches(row: Row, runs: Runs) -> float:
    """Return what `patches.measure` finds of the weights of one seed at the place `at`, the mean over its runs."""
    (name,) = row.at
    return statistics.fmean(patches.measure(name, cell, record) for cell, record in runs)


def _seconds_of_sleep(row: Row, runs: Runs) -> float:
    """Return how long the sleeps of one seed took, in seconds, the mean over its runs."""
    return statistics.fmean(record["metrics"]["seconds"]["plugins"] for _, record in runs)


def _sleep_per_training(row: Row, runs: Runs) -> float:
    """Return how long the sleeps of one seed took as a fraction of its training, the mean over its runs."""
    seconds = [record["metrics"]["seconds"] for _, record in runs]
    return statistics.fmean(each["plugins"] / each["training"] for each in seconds)


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


def _memory_slope(row: Row, runs: Runs, others: Runs) -> float:
    """Return by how many points the gain of one seed over the other runs changes when the memory K doubles.

    The slope of a straight line through the gains over log2 K, by least squares.
    """
    target = {_memory(cell): record["metrics"]["final"] for cell, record in others}
    pairs = [(math.log2(_memory(cell)), 100 * (r["metrics"]["final"] - target[_memory(cell)])) for cell, r in runs]
    return statistics.linear_regression(*zip(*pairs, strict=True)).slope


def _improved(pick: Callable[..., float]) -> Quantity:
    def overlap(row: Row, runs: Runs, others: Runs) -> float:
        """Return the smallest or largest overlap at which one seed is better after sleep; nan if it never is."""
        better = [cell.overlap for cell, record in runs if _gain(record) > 0]
        return pick(better, default=math.nan)

    return overlap


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
    counts = _images(cell.dataset, split, cell.classes_per_task)
    each = [counts[cell.order[task - 1]] for task in row.tasks]
    return sum(a * n for a, n in zip(accuracy, each, strict=True)) / sum(each)


@cache
def _images(dataset: str, split: str, classes_per_task: int) -> list[int]:
    """Return how many images every task has, in the order of the classes."""
    found: list[int] = torch.bincount(getattr(load(dataset), f"y_{split}")).view(-1, classes_per_task).sum(1).tolist()
    return found


QUANTITIES: dict[str, Quantity] = {
    "accuracy": _less_others(_accuracy),
    "gain": _less_others(_last_gain),
    "cosine": _less_others(_cosine),
    "measure": _less_others(_measure),
    "patches": _less_others(_patches),
    "seconds_of_sleep": _less_others(_seconds_of_sleep),
    "sleep_per_training": _less_others(_sleep_per_training),
    "epochs_to_match": _epochs_to_match,
    "memory_slope": _memory_slope,
    "overlap_improved_first": _improved(min),
    "overlap_improved_last": _improved(max),
}
