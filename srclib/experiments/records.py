"""Records: one line of a store each, a run with its result and where it comes from; read, checked and written."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..learning.methods import PARTS
from .cell import key_of
from .migrations import migrate, schema_of

Record = dict[str, Any]
FIELDS = ("key", "cell", "metrics", "seed", "commit", "versions", "device", "seconds", "date")


class Torn(ValueError):
    """A line that ends in the middle: what is left of one whose process was killed."""


def to_line(record: Mapping[str, Any]) -> bytes:
    """Return a record as a line of JSON that every program reads; ValueError for a number that is not finite."""
    return json.dumps(record, sort_keys=True, allow_nan=False).encode() + b"\n"


def read(line: bytes) -> Record:
    """Return the record of a line in the present schema.

    Raises Torn for a line that ends before its JSON does, and ValueError, which says why, where it is none, where the
    key is not that of the cell, or where the metrics are not those of its run: missing, of the wrong shape, not finite,
    or with a final accuracy that is not the overall one of the last phase.
    """
    constants: list[str] = []
    try:
        record = json.loads(line, parse_constant=constants.append)  # NaN becomes None
    except (ValueError, RecursionError) as error:
        if not line.endswith(b"}") or (isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc)):
            raise Torn("it ends in the middle") from None
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(record, dict) or not isinstance(record.get("cell"), dict):
        raise ValueError("allowed is an object with the keys " + ", ".join(FIELDS))
    if missing := [name for name in FIELDS if name not in record]:
        raise ValueError(f"{missing[0]} is missing")
    if (expected := key_of(record["cell"])) != record["key"]:
        raise ValueError(f"key = {record['key']}: its cell has the key {expected}; one of them was altered")
    schema = schema_of(record["cell"])
    if constants and schema != 1:
        raise ValueError(f"{constants[0]}: allowed are finite numbers")
    if not all(_finite([record])):
        raise ValueError("a number is too large: allowed are finite numbers")
    try:
        cell = migrate(record["cell"])
        seed, tasks = cell["seed"], len(cell["order"])
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"cell: it is none of schema {schema} ({error!r})") from None
    if cell is not record["cell"]:
        record["cell"], record["key"] = cell, key_of(cell)
    if record["seed"] != seed:
        raise ValueError(f"seed = {record['seed']}: its cell has the seed {seed}")
    if constants and isinstance(record["metrics"], dict):  # in schema 1, of a run that diverged
        record["metrics"]["diverged"] = True
    for fault in _faults(record["metrics"], cell, tasks):
        raise ValueError(f"metrics: {fault}")
    return record


def same(one: Record, other: Record) -> bool:
    """Return whether two records of a run have the same results, whatever time they took."""
    return all(
        one["metrics"].get(name) == other["metrics"].get(name)
        for name in {*one["metrics"], *other["metrics"]} - {"seconds"}
    )


def _faults(metrics: Any, cell: Mapping[str, Any], tasks: int) -> Iterator[str]:
    """Yield what is wrong with the metrics of a cell's run, of a stream of at most so many tasks."""
    if not isinstance(metrics, dict):
        yield f"{metrics!r}: allowed is an object"
        return
    for name, kind in (("phases", list), ("final", float), ("seconds", dict)):
        if not isinstance(metrics.get(name), kind):
            yield f"{name} = {str(metrics.get(name))[:40]}: allowed is a {kind.__name__}"
            return
    phases, diverged = metrics["phases"], metrics.get("diverged", False)
    if not phases or not isinstance(diverged, bool):
        yield f"{len(phases)} phases, diverged = {diverged!r}: allowed is one phase or more, and true or false"
        return
    measured = metrics.get("measures", {})
    if not isinstance(measured, dict) or sorted(measured) != sorted(cell["measures"]):
        yield f"measures = {list(measured)}: allowed are those of the cell, {cell['measures']}"
    tested, kinds = None, ("training", *PARTS)
    for number, phase in enumerate(phases):
        where = f"phase {number}"
        if not isinstance(phase, dict) or not {"kind", "task", "accuracy", "overall", "cosine"} <= set(phase):
            yield f"{where}: allowed is an object with kind, task, accuracy, overall and cosine"
            return
        accuracy = phase["accuracy"]
        tested = len(accuracy) if tested is None and isinstance(accuracy, list) else tested
        if not isinstance(accuracy, list) or len(accuracy) != tested or not 1 <= len(accuracy) <= tasks:
            yield f"{where}: accuracy = {accuracy}: allowed is a number for each of the same 1 to {tasks} tasks"
            return
        if not all(_fraction(value) for value in (*accuracy, phase["overall"])):
            yield f"{where}: accuracy = {accuracy}, overall = {phase['overall']}: allowed are numbers in [0, 1]"
            return
        if not min(accuracy) - 1e-9 <= phase["overall"] <= max(accuracy) + 1e-9:
            yield f"{where}: overall = {phase['overall']}: allowed is what lies between accuracies {accuracy}"
        if phase["cosine"] is None and not diverged:
            yield f"{where}: cosine is missing: allowed is that only where a run diverged"
        if phase["cosine"] is not None and not (isinstance(phase["cosine"], float) and abs(phase["cosine"]) < 1.001):
            yield f"{where}: cosine = {phase['cosine']!r}: allowed is a number in [-1, 1]"
        if phase["kind"] not in kinds:
            yield f"{where}: kind = {phase['kind']!r}: allowed is one of {', '.join(kinds)}"
        if "spikes" in phase and not _counts(phase["spikes"]):
            yield f"{where}: spikes = {phase['spikes']}: allowed is a whole number >= 0 for each layer"
        if not isinstance(phase["task"], int) or not 0 <= phase["task"] < tasks:
            yield f"{where}: task = {phase['task']!r}: allowed is 0 to {tasks - 1}"
    if metrics["final"] != phases[-1]["overall"]:
        yield f"final = {metrics['final']}: the overall accuracy of the last phase is {phases[-1]['overall']}"


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(count) is int and count >= 0 for count in value)


def _fraction(value: Any) -> bool:
    return isinstance(value, float) and 0 <= value <= 1


def _finite(values: Any) -> Iterator[bool]:
    """Yield for every number within lists and objects whether it is finite."""
    for value in values:
        if isinstance(value, float):
            yield math.isfinite(value)
        elif isinstance(value, dict):
            yield from _finite(value.values())
        elif isinstance(value, list):
            yield from _finite(value)
