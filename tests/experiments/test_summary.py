"""Records as tables and sentences, on records made up here."""

from __future__ import annotations

import math
from typing import Any

import pytest

from srclib.experiments.records import Record
from srclib.experiments.summary import final, finals, kept, last_phase, last_sleeps, phases, provenance
from srclib.learning.methods.averaging import Averaging
from srclib.learning.methods.closed_form import ClosedForm
from srclib.learning.methods.rehearsal import Rehearsal

from ..cells import tiny


def a_record(seed: int, **changes: Any) -> Record:
    accuracies = [[1.0, 0.0], [0.25, 1.0]]
    metrics = {
        "final": 0.625,
        "phases": [
            {"kind": kind, "task": task, "accuracy": a, "overall": sum(a) / 2, "cosine": 1 - task / 10}
            for task, (kind, a) in enumerate(zip(("training", "sleep"), accuracies, strict=True))
        ],
    }
    values = {
        "key": f"run {seed}", "seed": seed, "at": {"overlap": 12}, "metrics": metrics,
        "commit": "a" * 40,
        "device": "a processor, 2 cores",
        "versions": {"python": "3.11.2", "torch": "2.13.0"}, "seconds": 90.0, "date": "2026-03-01T10:00:00+00:00",
    }  # fmt: skip
    return values | changes


def test_phases_as_a_table() -> None:
    table = phases([a_record(0), a_record(1, at={})])
    assert len(table) == 2 * 2 * 2  # records, phases, tested tasks
    first = table[(table.seed == 0) & (table.phase == 1)]
    assert first.kind.tolist() == ["sleep", "sleep"]
    assert first.task.tolist() == [1, 1]
    assert first.tested.tolist() == [0, 1]
    assert first.accuracy.tolist() == [25, 100]
    assert first.overall.tolist() == [62.5, 62.5]
    assert first.cosine.tolist() == [0.9, 0.9]
    assert table.overlap.dropna().tolist() == [12] * 4


def test_phases_on_either_images() -> None:
    record = a_record(0)
    for phase in record["metrics"]["phases"]:
        test = {"accuracy": [0.1, 0.2], "overall": 0.15}
        phase["images"] = {"train": {key: phase[key] for key in test}, "test": test}
    assert phases([record], "train").equals(phases([record]))
    table = phases([record], "test")
    assert table.accuracy.tolist() == [10, 20] * 2
    assert table.overall.tolist() == [15] * 4


def test_final_accuracies() -> None:
    assert final([a_record(0), a_record(1, metrics={"final": 0.2})]) == [62.5, 20]
    phases = [{"heads": {"network": {"overall": 0.1}}}, {"heads": {"network": {"overall": 0.3}}}]
    assert final([a_record(1, metrics={"final": 0.2, "phases": phases})], "network") == [30]


def icarl_record(seed: int, memory: int, epochs: int = 10) -> Record:
    sleep = {"kind": "sleep", "task": 0, "overall": seed / 10, "steps": 100 * (seed + 1), "spikes": [memory, seed, 0]}
    awake = sleep | {"kind": "training", "heads": {"nearest_mean": {"overall": memory / 1000}}}
    at = {"icarl.memory": memory, "awake.epochs": epochs}
    metrics = {"final": (seed + epochs) / 100, "phases": [sleep | {"spikes": [0, 0, 9]}, awake, sleep, awake]}
    return a_record(seed, at=at, metrics=metrics)


def test_final_accuracies_by_setting() -> None:
    records = [icarl_record(seed, memory) for memory in (50, 100) for seed in (0, 1)]
    table = finals(records, "icarl.memory")
    assert table.index.tolist() == [50, 100]
    assert table.loc[50].tolist() == [10, 11]
    assert finals(records, "icarl.memory", head="nearest_mean").loc[100].tolist() == [10, 10]
    both = finals([icarl_record(0, 50, epochs) for epochs in (1, 2)], "icarl.memory", "awake.epochs")
    assert both.loc[50].loc[2].tolist() == [2]
    with pytest.raises(
        ValueError, match=r"sleep.streams is no setting .*: allowed is one of icarl.memory, awake.epochs"
    ):
        finals(records, "sleep.streams")


def test_settings_of_several_numbers() -> None:
    at = {"sleep.config.rate": 50.0, "sleep.config.beta": (1.0, 2.0)}
    table = finals([a_record(0, at=at)], "sleep.config.beta", "sleep.config.rate")
    assert table.index.tolist() == [((1.0, 2.0), 50.0)]


def test_a_run_that_diverged_is_not_counted() -> None:
    lost = {"kind": "sleep", "task": 1, "accuracy": [0.1, 0.1], "overall": 0.1, "cosine": None}
    known = a_record(0)["metrics"]["phases"]
    diverged = a_record(1, metrics={"diverged": True, "final": 0.1, "phases": [*known, lost]})
    first, second = final([a_record(0), diverged])
    assert first == 62.5
    assert math.isnan(second)
    assert math.isnan(final([diverged], "network")[0])
    table = phases([diverged])
    assert table.accuracy.isna().tolist() == [False] * 4 + [True] * 2
    assert last_phase([diverged]).overall.isna().all()
    lost_at_last = icarl_record(1, 50)
    lost_at_last["metrics"]["diverged"] = True
    by_setting = finals([icarl_record(0, 50), lost_at_last], "icarl.memory")
    assert by_setting.loc[50].isna().tolist() == [False, True]


def test_the_last_phase() -> None:
    assert last_phase([a_record(0)]).accuracy.tolist() == [25, 100]


def test_the_last_sleeps_by_setting() -> None:
    means = last_sleeps([icarl_record(seed, memory) for memory in (50, 100) for seed in (0, 1)], "icarl.memory")
    expected = {"steps": 150, "hidden layer 1": 100, "hidden layer 2": 0.5, "outputs": 0}
    assert means.loc[100].to_dict() == expected


def test_provenance_in_a_sentence() -> None:
    records = [a_record(0), a_record(1, commit="b" * 40 + "+", date="2026-03-04T10:00:00+00:00")]
    assert provenance(records[:1]) == (
        "1 runs, computed 2026-03-01 from commit aaaaaaaaaa in 1.5 core-minutes on a processor, 2 cores; "
        "python 3.11.2, torch 2.13.0."
    )
    assert "2 runs, computed 2026-03-01 to 2026-03-04 from commit aaaaaaaaaa, bbbbbbbbbb" in provenance(records)
    assert provenance(records * 2) == provenance(records)
    assert provenance([]) == "No runs: skipped, no data."
    newer = a_record(1, versions=records[0]["versions"] | {"torch": "2.14.0"})
    assert provenance([records[0], newer]).endswith("; python 3.11.2, torch 2.13.0 and 2.14.0.")


def test_what_two_methods_keep_counts_once() -> None:
    plugins = (ClosedForm(), Rehearsal(0.5), Averaging())
    record = a_record(0, cell=tiny(plugins=plugins).to_plain())
    assert kept(record, 4) == 100 * 4 + 100
    assert kept(record, 4, "closed_form") == 100
    assert kept(record, 4, "closed_form", "rehearsal") == 2 * 101
    assert kept(a_record(0, cell=tiny().to_plain()), 4) == 0
