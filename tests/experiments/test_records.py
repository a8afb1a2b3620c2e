"""Records as lines: what is read, what is refused and why, and what is never written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from srclib.experiments.cell import Cell, key_of
from srclib.experiments.records import FIELDS, Record, Torn, read, same, to_line

from ..cells import sleep, tiny
from ..made_up import phase, record, schema_1

Change = Callable[[Record], None]


def the_cell(**changes: Any) -> Cell:
    return tiny(3, plugins=(sleep(0, 20),), measures=("replay",), **changes)


def whole() -> Record:
    """Return a record with two phases."""
    phases = phase("training", 0, 0.5, (1.0, 0.0)), phase("sleep", 1, 0.75, (0.5, 1.0), spikes=[3], steps=20)
    return record(the_cell(), *phases, measures={"replay": {"mean": [0.5, None]}})


def line_of(change: Change) -> bytes:
    """Return a changed record as a line of JSON, whatever is in it."""
    changed = whole()
    change(changed)
    return json.dumps(changed).encode()


def test_a_line_is_read_as_it_was_written() -> None:
    line = to_line(whole())
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read(line) == whole()
    assert to_line(read(line)) == line
    assert set(json.loads(line)) == set(FIELDS)


def in_cell(**changes: Any) -> Change:
    """Return a change of the cell with a key that fits it."""

    def change(found: Record) -> None:
        found["cell"] = {k: v for k, v in (found["cell"] | changes).items() if v is not ...}
        found["key"] = key_of(found["cell"])

    return change


def put(value: Any, *keys: str | int) -> Change:
    def change(found: Record) -> None:
        owner: Any = found
        for key in keys[:-1]:
            owner = owner[key]
        owner[keys[-1]] = value

    return change


def drop(*keys: str | int) -> Change:
    def change(found: Record) -> None:
        owner: Any = found
        for key in keys[:-1]:
            owner = owner[key]
        del owner[keys[-1]]

    return change


def in_metrics(value: Any, *keys: str | int) -> Change:
    return put(value, "metrics", *keys)


def in_phase(value: Any, *keys: str | int, number: int = 1) -> Change:
    return put(value, "metrics", "phases", number, *keys)


FAULTS = {
    "no_key": (drop("key"), "key is missing"),
    "no_metrics": (drop("metrics"), "metrics is missing"),
    "no_date": (drop("date"), "date is missing"),
    "no_cell": (drop("cell"), "allowed is an object with the keys key, cell, metrics, seed, commit"),
    "cell_is_none": (put(3, "cell"), "allowed is an object with the keys"),
    "another_key": (put("a" * 64, "key"), f"key = {'a' * 64}: its cell has the key {the_cell().key()}; one of them"),
    "key_is_no_text": (put(["a"], "key"), "key = ['a']: its cell has the key"),
    "another_cell": (put(13, "cell", "overlap"), f"its cell has the key {the_cell(overlap=13).key()}; one of them was"),
    "another_seed": (put(4, "seed"), "seed = 4: its cell has the seed 3"),
    "schema": (in_cell(schema=3), "schema = 3: allowed is 1 to 2"),
    "schema_is_text": (in_cell(schema="2"), "schema = '2': allowed is 1 to 2"),
    "schema_is_list": (in_cell(schema=[2]), "cell: it is none of schema [2]"),
    "no_seed_in_cell": (in_cell(seed=...), "cell: it is none of schema 2 (KeyError('seed'))"),
    "no_order_in_cell": (in_cell(order=None), "cell: it is none of schema 2 (TypeError("),
    "none_of_schema_1": (in_cell(schema=...), "cell: it is none of schema 1 (KeyError("),
    "metrics_is_list": (put([1.0], "metrics"), "metrics: [1.0]: allowed is an object"),
    "no_phases": (drop("metrics", "phases"), "metrics: phases = None: allowed is a list"),
    "no_final": (drop("metrics", "final"), "metrics: final = None: allowed is a float"),
    "no_seconds": (drop("metrics", "seconds"), "metrics: seconds = None: allowed is a dict"),
    "final_is_text": (in_metrics("0.75", "final"), "metrics: final = 0.75: allowed is a float"),
    "empty": (in_metrics([], "phases"), "metrics: 0 phases, diverged = False: allowed is one phase or more"),
    "diverged_is_text": (in_metrics("no", "diverged"), "metrics: 2 phases, diverged = 'no': allowed is"),
    "phase_is_number": (in_metrics([1], "phases"), "metrics: phase 0: allowed is an object with kind, task, accuracy"),
    "no_kind": (drop("metrics", "phases", 1, "kind"), "metrics: phase 1: allowed is an object with kind"),
    "no_cosine": (drop("metrics", "phases", 0, "cosine"), "metrics: phase 0: allowed is an object with kind"),
    "accuracy_is_number": (in_phase(0.5, "accuracy"), "metrics: phase 1: accuracy = 0.5: allowed is a number for each"),
    "too_few_tasks": (in_phase([0.75], "accuracy"), "metrics: phase 1: accuracy = [0.75]: allowed is a number"),
    "no_tasks": (in_phase([], "accuracy", number=0), "metrics: phase 0: accuracy = []: allowed is a number for each"),
    "too_many_tasks": (
        in_phase([0.5] * 3, "accuracy", number=0),
        "metrics: phase 0: accuracy = [0.5, 0.5, 0.5]: allowed is a number for each of the same 1 to 2 tasks",
    ),
    "percent": (in_phase([50.0, 100.0], "accuracy"), "accuracy = [50.0, 100.0], overall = 0.75: allowed are numb"),
    "negative": (in_phase([-0.5, 1.0], "accuracy"), "accuracy = [-0.5, 1.0], overall = 0.75: allowed are numbers in"),
    "accuracy_is_text": (in_phase(["0.5", 1.0], "accuracy"), "allowed are numbers in [0, 1]"),
    "overall_is_missing": (in_phase(None, "overall"), "overall = None: allowed are numbers in [0, 1]"),
    "overall_too_high": (
        in_phase([0.25, 0.5], "accuracy"),
        "metrics: phase 1: overall = 0.75: allowed is what lies between accuracies [0.25, 0.5]",
    ),
    "overall_too_low": (in_phase([0.8, 1.0], "accuracy"), "overall = 0.75: allowed is what lies between accuracies"),
    "first_overall": (
        in_phase([0.0, 0.25], "accuracy", number=0),
        "metrics: phase 0: overall = 0.5: allowed is what lies between",
    ),
    "cosine_is_missing": (in_phase(None, "cosine"), "metrics: phase 1: cosine is missing: allowed is that only where"),
    "cosine_is_large": (in_phase(1.5, "cosine"), "metrics: phase 1: cosine = 1.5: allowed is a number in [-1, 1]"),
    "cosine_is_text": (in_phase("1", "cosine"), "metrics: phase 1: cosine = '1': allowed is a number in [-1, 1]"),
    "task_is_text": (in_phase("1", "task"), "metrics: phase 1: task = '1': allowed is 0 to 1"),
    "no_such_task": (in_phase(2, "task"), "metrics: phase 1: task = 2: allowed is 0 to 1"),
    "final_alone": (in_metrics(0.95, "final"), "metrics: final = 0.95: the overall accuracy of the last phase is 0.75"),
    "last_overall_alone": (in_phase(0.95, "overall"), "metrics: final = 0.75: the overall accuracy of the last"),
    "another_phase_last": (
        lambda found: found["metrics"]["phases"].reverse(),
        "metrics: final = 0.75: the overall accuracy of the last phase is 0.5",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_is_refused(change: Change, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read(line_of(change))


PLACES: dict[str, tuple[str | int, ...]] = {
    "final": ("metrics", "final"),
    "accuracy": ("metrics", "phases", 0, "accuracy", 0),
    "cosine": ("metrics", "phases", 1, "cosine"),
    "spikes": ("metrics", "phases", 1, "spikes", 0),
    "time": ("metrics", "seconds", "training"),
    "measure": ("metrics", "measures", "replay", "mean", 1),
    "seconds": ("seconds",),
    "seed": ("seed",),
    "version": ("versions", "torch"),
}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_number_that_is_not_finite_is_refused_anywhere(place: tuple[str | int, ...], number: str) -> None:
    line = line_of(put("HERE", *place)).replace(b'"HERE"', number.encode())
    with pytest.raises(ValueError, match="allowed are finite numbers") as error:
        read(line)
    assert "e999" in number or str(error.value).startswith(number)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused_in_a_cell(number: float) -> None:
    """With the key that fits it."""
    awake = tiny(3).to_plain()["awake"] | {"lr": number}
    with pytest.raises(ValueError, match=r"allowed are finite numbers|one of them was altered"):
        read(line_of(in_cell(awake=awake)))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_number_that_is_not_finite_is_not_written(place: tuple[str | int, ...], number: float) -> None:
    bad = whole()
    put(number, *place)(bad)
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_line(bad)


@pytest.mark.parametrize("line", [b"", b"{", to_line(whole())[:-5], to_line(whole())[50:], b"\xff", b"nan"], ids=repr)
def test_what_is_no_json_is_torn(line: bytes) -> None:
    with pytest.raises(Torn):
        read(line)


def test_what_is_json_is_not_torn() -> None:
    for line in (b"[]", b"3", b"null", b"NaN", b'"a"', b"{}"):
        with pytest.raises(ValueError, match="allowed is an object with the keys") as error:
            read(line)
        assert not isinstance(error.value, Torn)


# Runs that diverged


def test_a_run_that_diverged_has_no_cosine() -> None:
    found = record(tiny(3), phase("training", 0, 0.5), phase("training", 1, 0.25, cosine=None))
    found["metrics"]["diverged"] = True
    assert read(to_line(found)) == found


def old(*cosines: float | None) -> Record:
    """Return a run as schema 1 stored it, with a phase for every cosine."""
    phases = [phase("training", task, 0.5, cosine=cosine) for task, cosine in enumerate(cosines)]
    stored = schema_1(3)
    return stored | {"metrics": record(tiny(3), *phases)["metrics"]}


def test_a_run_of_schema_1_with_nan_diverged() -> None:
    line = json.dumps(old(1.0, float("nan"))).encode()
    assert b"NaN" in line
    found = read(line)
    assert found["metrics"] == old(1.0, None)["metrics"] | {"diverged": True}
    assert found["key"] == tiny(3).key()
    assert read(to_line(found)) == found


def test_a_run_of_schema_1_without_did_not() -> None:
    found = read(to_line(old(1.0, 0.5)))
    assert found == record(tiny(3)) | {"metrics": old(1.0, 0.5)["metrics"]}
    assert "diverged" not in found["metrics"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (("metrics", "phases", 0, "accuracy", 0), "allowed are numbers in [0, 1]"),
        (("metrics", "phases", 1, "overall"), "allowed are numbers in [0, 1]"),
        (("metrics", "final"), "final = None: allowed is a float"),
        (("metrics",), "metrics: None: allowed is an object"),
    ],
    ids=lambda value: str(value[-1]) if isinstance(value, tuple) else "",
)
def test_nan_in_schema_1_is_no_accuracy(place: tuple[str | int, ...], says: str) -> None:
    found = old(1.0, float("nan"))
    put(float("nan"), *place)(found)
    with pytest.raises(ValueError, match=re.escape(says)):
        read(json.dumps(found).encode())


# The same results


def test_time_is_no_result() -> None:
    again = whole() | {"seconds": 1.0, "date": "2027-01-01T00:00:00+00:00", "commit": "b" * 40}
    again["metrics"]["seconds"] = {"training": 7.0}
    assert same(whole(), again)


@pytest.mark.parametrize(
    "change",
    [
        in_phase(0.25, "cosine"), in_phase([4], "spikes"), in_metrics(True, "diverged"), drop("metrics", "measures"),
        in_metrics({"replay": {"mean": [0.5, 0.5]}}, "measures"),
    ],
    ids=["cosine", "spikes", "diverged", "no_measures", "measures"],
)  # fmt: skip
def test_any_other_number_is_one(change: Change) -> None:
    other = whole()
    change(other)
    assert not same(whole(), other)
    assert not same(other, whole())


@pytest.mark.parametrize(
    "damage", [(b'"final"', b'final"'), (b"0.75", b"0.7 5"), (b"{", b"{,"), (b"[3]", b"[" * 100_000)]
)
def test_a_whole_line_that_is_damaged_is_not_torn(damage: tuple[bytes, bytes]) -> None:
    line = to_line(whole()).rstrip().replace(*damage)
    with pytest.raises(ValueError, match="no JSON: ") as caught:
        read(line)
    assert not isinstance(caught.value, Torn)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (in_metrics("party", "phases", 0, "kind"), "phase 0: kind = 'party': allowed is one of training, sleep"),
        (in_metrics([-3], "phases", 1, "spikes"), "phase 1: spikes = [-3]: allowed is a whole number >= 0"),
        (in_metrics({}, "measures"), "measures = []: allowed are those of the cell, ['replay']"),
    ],
)
def test_metrics_fit_their_cell(change: Change, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read(line_of(change))
