"""Migrations: every run that schema 1 stored is there today, with the results that it had."""

from __future__ import annotations

import hashlib
import json
import lzma
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from srclib.data.places import committed
from srclib.experiments.cell import SCHEMA, Cell, key_of
from srclib.experiments.migrations import MIGRATIONS, migrate
from srclib.experiments.store import Store

from ..cells import tiny
from ..made_up import schema_1

GOLDEN = Path(__file__).parents[1] / "golden" / "results_schema_1.jsonl.xz"  # file, cell, digest of metrics of all runs


@cache
def old_runs() -> list[dict[str, Any]]:
    with lzma.open(GOLDEN, "rt") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def store() -> Store:
    return Store(committed("results"))


def key_today(old: dict[str, Any]) -> str:
    return key_of(migrate(old["cell"]))


@cache
def counts() -> Counter[str]:
    """Return how often schema 1 had each run of today."""
    return Counter(map(key_today, old_runs()))


def digest(metrics: dict[str, Any]) -> str:
    """Return the digest of metrics as schema 1 stored them: nan where a run that diverged has no cosine."""
    own = {key: value for key, value in metrics.items() if key != "diverged"}
    if metrics.get("diverged"):
        nan = float("nan")
        own["phases"] = [p | {"cosine": nan if p["cosine"] is None else p["cosine"]} for p in own["phases"]]
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def test_every_run_of_schema_1_is_there(store: Store) -> None:
    found = counts()
    assert len(old_runs()) == 2_491
    assert len(found) == 2_486
    assert set(found) <= {record["key"] for record in store.records()}
    assert max(found.values()) == 2


def test_every_run_is_in_a_file_where_it_was(store: Store) -> None:
    files: dict[str, set[str]] = {}
    for old in old_runs():
        files.setdefault(key_today(old), set()).add(old["file"])
    known = [record for record in store.records() if record["key"] in files]
    assert len(known) == len(files)
    assert all(record["experiment"] in files[record["key"]] for record in known)


def test_every_result_is_what_it_was(store: Store) -> None:
    """To the last digit. Of five runs that were stored twice, the seconds of one copy are left."""
    found = {record["key"]: digest(record["metrics"]) for record in store.records()}
    lost = [old for old in old_runs() if found[key_today(old)] != old["metrics"]]
    twice = [old for old in old_runs() if counts()[key_today(old)] == 2]
    names = {True: "supplement2_batches", False: "table1_accuracy"}  # averaged over one stream, and not
    assert [(old["file"], old["cell"]["seed"]) for old in twice] == [(n, s) for n in names.values() for s in range(5)]
    for old in twice:
        (night,) = old["cell"]["plugins"]
        assert names["averaged" in night] == old["file"]
        assert "streams" not in night
    assert {key_today(old) for old in lost} == {key_today(old) for old in twice}
    assert len(lost) == 5  # so that the other copy of each is there to the last digit


def test_runs_that_diverged_are_those_without_a_number(store: Store) -> None:
    diverged = [record for record in store.records() if record["metrics"].get("diverged")]
    assert diverged
    for record in store.records():
        missing = any(phase["cosine"] is None for phase in record["metrics"]["phases"])
        assert missing == (record["metrics"].get("diverged") is True)


def test_every_migrated_cell_is_one_of_today() -> None:
    for old in old_runs()[::10]:
        plain = migrate(old["cell"])
        cell = Cell.from_plain(plain)
        assert cell.to_plain() == plain
        assert cell.key() == key_today(old)


def test_a_migration_leaves_what_it_is_given_alone() -> None:
    for old in old_runs()[::25]:
        before = json.dumps(old["cell"])
        migrate(old["cell"])
        assert json.dumps(old["cell"]) == before


def test_migrating_again_changes_nothing() -> None:
    for old in old_runs()[::25]:
        once = migrate(old["cell"])
        assert migrate(once) == once
        assert once["schema"] == SCHEMA == max(MIGRATIONS) + 1
    assert migrate(tiny().to_plain()) == tiny().to_plain()
    assert migrate(schema_1(4)["cell"]) == tiny(4).to_plain()


@pytest.mark.parametrize("schema", [0, 3, None, "2"])
def test_an_unknown_schema_is_refused(schema: Any) -> None:
    with pytest.raises(ValueError, match=f"schema = {schema!r}: allowed is 1 to 2"):
        migrate(tiny().to_plain() | {"schema": schema})
