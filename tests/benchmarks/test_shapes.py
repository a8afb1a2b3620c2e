"""The table of the bench on tiny sleeps; no time is ever judged."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
import torch
from rich.console import Console

from benchmarks import shapes
from benchmarks.kernel import Case
from benchmarks.shapes import AXES, STEPS

from ..cells import bench_case

SMALL = {"steps": (10, 50), "streams": (5,)}


def test_one_thing_is_varied_at_a_time() -> None:
    standard = bench_case()
    found = {(entry.axis, entry.value): entry.case for entry in shapes.table(standard)}
    assert list(found) == [(axis, value) for axis, values in AXES.items() for value in values]
    for axis in ("steps", "rate", "streams"):
        assert all(found[axis, value].weights is standard.weights for value in AXES[axis])
    assert found["steps", 300].config.steps == 300
    assert found["rate", 25].config.rate == 25
    assert (found["streams", 4].config.steps, found["streams", 4].config.batch) == (12, 4)
    sizes = {key: [case.weights[0].shape[1], *map(len, case.weights)] for key, case in found.items()}
    assert sizes["width", 300] == [784, 300, 300, 10]
    assert sizes["depth", 3] == [784, 1200, 1200, 1200, 10]
    assert sizes["inputs", 196] == [196, 1200, 1200, 10]


def test_random_networks_fire_in_every_hidden_layer() -> None:
    case = shapes.random_case(196, [120, 120])
    assert case.config.steps == STEPS
    inputs, *hidden, _ = shapes._spikes(case)
    assert inputs / STEPS == pytest.approx(0.03 * 196, rel=0.05)
    assert min(hidden) > 0


def test_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time and limit of a row: 3 s a sleep here, and ten additions a second."""
    turns = []

    def event(case: Case) -> float:
        turns.append((torch.get_num_threads(), case.config.steps, case.config.batch))
        return 3.0

    monkeypatch.setattr(shapes, "time_event", event)
    monkeypatch.setattr(shapes, "adds_per_second", lambda inputs: {32: 20.0, 784: 10.0}[inputs])
    report = shapes.measure(bench_case(), SMALL, repeats=2, threads=(1, 2))
    one_round = [(10, 1), (50, 1), (10, 5)]
    assert turns == [(n, *sleep) for n in (1, 1, 2, 2) for sleep in one_round]
    assert report["adds_per_second"] == {"L1": 20.0, "L2": 10.0}
    (_, entry, streams) = report["sleeps"]
    assert (entry["axis"], entry["value"], entry["rows"]) == ("steps", 50, 50)
    assert (streams["axis"], streams["value"], streams["rows"]) == ("streams", 5, 50)
    assert entry["microseconds"] == {1: 60_000, 2: 60_000}
    below = shapes._spikes(bench_case())
    assert min(below) > 0
    assert [round(50 * count) for count in entry["spikes"]] == below
    assert entry["limit"][1] == pytest.approx(1e6 * (below[0] * 12 + below[1] * 4) / 10 / 50)
    assert entry["limit"][2] == pytest.approx(entry["limit"][1] / 2)
    printed = StringIO()
    shapes.show(json.loads(json.dumps(report)), Console(file=printed, width=200))
    assert "60000.00" in printed.getvalue()


def test_additions_are_those_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock by which the set-up takes a second, and all of it three."""
    ticks = iter([0.0, 1.0, 10.0, 13.0])
    given: list[Any] = []
    run = shapes.run_block

    def noted(*arguments: Any) -> Any:
        given.append(arguments)
        return run(*arguments)

    monkeypatch.setattr(shapes, "run_block", noted)
    monkeypatch.setattr(shapes.time, "perf_counter", lambda: next(ticks))
    assert shapes.adds_per_second(32, steps=10) == 10 * shapes.ADDED * 128 / 2
    assert [len(arguments[6]) for arguments in given] == [0, 10]


@pytest.mark.parametrize("bad", [{"repeats": 0}, {"threads": (1, 0)}])
def test_numbers_below_one_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(bad))} = .*allowed are whole numbers >= 1"):
        shapes.measure(bench_case(), **bad)
