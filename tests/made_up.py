"""Records that were never computed but could have been, shared by the tests of everything that reads a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from srclib.experiments import records
from srclib.experiments.cell import Cell, key_of
from srclib.experiments.records import Record

from .cells import AWAKE, tiny

Phase = dict[str, Any]


def phase(kind: str, task: int, overall: float, accuracy: Sequence[float] = (), **more: Any) -> Phase:
    """Return a phase with these accuracies, by default one task with the overall one."""
    accuracies = [float(value) for value in accuracy or (overall,)]
    return {"kind": kind, "task": task, "overall": overall, "accuracy": accuracies, "cosine": 0.5} | more


def metrics(phases: Sequence[Phase], **more: Any) -> dict[str, Any]:
    return {"phases": [*phases], "final": phases[-1]["overall"], "seconds": {"training": 1.0}} | more


def record(cell: Cell, *phases: Phase, measures: dict[str, Any] | None = None, **more: Any) -> Record:
    """Return the record of a cell with these phases, by default one with half of all images right."""
    found = metrics(phases or [phase("training", 0, 0.5)], **({"measures": measures} if measures else {}))
    return {
        "key": cell.key(), "cell": cell.to_plain(), "metrics": found, "seed": cell.seed, "commit": "a" * 40,
        "versions": {"python": "3.11.2", "torch": "2.13.0"}, "device": "a processor, 2 cores", "seconds": 90.0,
        "date": "2026-03-01T10:00:00+00:00",
    } | more  # fmt: skip


def schema_1(seed: int) -> Record:
    """Return what was stored in schema 1 of the run that is `tiny(seed)` today."""
    awake = AWAKE | {"layers": [100, 4], "joint_epochs": 6}
    cell = {"dataset": "patches", "awake": awake, "classes_per_task": 2, "plugins": [], "order": [0, 1]}
    cell |= {"overlap": 12, "seed": seed, "version": 1}
    return record(tiny(seed)) | {"key": key_of(cell), "cell": cell}


def write(directory: Path, name: str, found: Iterable[Record]) -> Path:
    """Append records to a file of a store; return the file."""
    directory.mkdir(exist_ok=True)
    path = directory / f"{name}.jsonl"
    with path.open("ab") as file:
        file.writelines(map(records.to_line, found))
    return path
