"""The logic of the bench on tiny networks; no time is ever judged."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from io import StringIO
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor

from benchmarks import kernel
from srclib.data import class_incremental, load
from srclib.experiments import grid
from srclib.sleep import SleepConfig, reference
from srclib.sleep.reference import Rule

from ..cells import bench_case

STEPS = 20


@pytest.fixture
def case() -> kernel.Case:
    return bench_case()


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "peak_memory", lambda case: 1000)


@pytest.mark.parametrize("gate", [None, 0.1])
@pytest.mark.parametrize("strict", [True, False])
def test_the_textbook_loop_is_the_reference_made_dense(case: kernel.Case, gate: float | None, strict: bool) -> None:
    config = replace(case.config, gate=gate, strict=strict)
    raster = torch.from_numpy(case.stimulus().dense())
    runs = [kernel.walk(step, case.weights, raster, config) for step in (reference.step, kernel.textbook_step)]
    (spikes, weights, potentials), textbook = runs
    assert all(layer.any() and not layer.all() for layer in spikes)
    for expected, found in zip(spikes, textbook[0], strict=True):
        assert torch.equal(expected, found)
    for expected, found in zip(weights + potentials, textbook[1] + textbook[2], strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.usefixtures("no_process")
def test_the_report_holds_every_contender_and_ratios_of_medians(case: kernel.Case) -> None:
    report = kernel.measure(case, repeats=3, threads=(1, 2), steps=STEPS)
    names = ["event", "reference", "textbook, gated", "textbook, no gate"]
    assert report["steps_timed"] == dict(zip(names, [50, STEPS, STEPS, STEPS], strict=True))
    assert list(report["rounds"]) == [1, 2]
    for threads, rounds in report["rounds"].items():
        assert [(name, len(values)) for name, values in rounds.items()] == [(name, 3) for name in names]
        median = report["microseconds_per_step"][threads]
        assert median == {name: sorted(values)[1] for name, values in rounds.items()}
        assert report["ratios"][threads] == {name: median[name] / median["event"] for name in names[1:]}
    assert report["layers"] == [16, 12, 4]
    assert report["spikes"][0] == int(case.stimulus().dense().sum())
    assert min(report["spikes"]) > 0
    assert report["same_spikes"]["steps"] == 2 * STEPS
    raster_bytes, weight_bytes = 50 * 16, 4 * (12 * 16 + 4 * 12)
    limit = 3 * weight_bytes + raster_bytes
    assert report["memory"] == {
        "sleep": 1000, "weights": weight_bytes, "input_raster": raster_bytes, "limit": limit,
    }  # fmt: skip
    assert set(report["versions"]) == {"python", "torch", "numpy", "numba"}
    assert json.loads(json.dumps(report))["layers"] == [16, 12, 4]


@pytest.mark.usefixtures("no_process")
def test_contenders_take_turns(case: kernel.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []

    def event(case: kernel.Case) -> float:
        turns.append("event")
        return 1.0

    def stepwise(step: kernel.Step, state: object, raster: Tensor, config: SleepConfig) -> float:
        turns.append(f"{step.__name__}, gate {config.gate}, {torch.get_num_threads()} thread, {len(raster)} steps")
        return 1.0

    monkeypatch.setattr(kernel, "time_event", event)
    monkeypatch.setattr(kernel, "time_steps", stepwise)
    kernel.measure(case, repeats=2, threads=(1,), steps=STEPS)
    one_round = [
        "event",
        "step, gate 0.1, 1 thread, 20 steps",
        "textbook_step, gate 0.1, 1 thread, 20 steps",
        "textbook_step, gate None, 1 thread, 20 steps",
    ]
    assert turns == one_round * 2


def test_nothing_is_timed_when_spikes_differ(case: kernel.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(weights: list[Tensor], potentials: list[Tensor], spikes: Tensor, rule: Rule) -> list[Tensor]:
        return reference.step(weights, potentials, spikes, replace(rule, inc=0.0, dec=0.0))

    monkeypatch.setattr(kernel, "textbook_step", forgetful)
    monkeypatch.setattr(kernel, "time_event", lambda case: pytest.fail("timed"))
    with pytest.raises(ArithmeticError, match=r"textbook and reference differ in \d+ spikes of 40 steps"):
        kernel.measure(case, steps=STEPS)


def test_a_silent_sleep_is_not_worth_timing(case: kernel.Case) -> None:
    silent = replace(case, config=replace(case.config, beta=1e6))
    with pytest.raises(ArithmeticError, match="no neuron fired in 40 steps"):
        kernel.measure(silent, steps=STEPS)


@pytest.mark.parametrize("bad", [{"repeats": 0}, {"threads": (1, 0)}, {"steps": 0}])
def test_numbers_below_one_are_refused(case: kernel.Case, bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(bad))} = .*allowed are whole numbers >= 1"):
        kernel.measure(case, **bad)


def test_sleeps_split_over_streams(case: kernel.Case) -> None:
    report = kernel.minibatches(case, (1, 4, 60), repeats=2)
    pairs = [(n, backend) for n in (1, 4, 60) for backend in ("event", "reference")]
    assert [(entry["streams"], entry["backend"]) for entry in report["sleeps"]] == pairs
    assert [entry["steps"] for entry in report["sleeps"]] == [50, 50, 12, 12, 1, 1]
    for event, expected in zip(report["sleeps"][::2], report["sleeps"][1::2], strict=True):
        assert event["spikes"] == expected["spikes"]
        assert event["spikes"][0] > 0
        assert len(event["seconds"]) == 2
        assert min(event["seconds"]) <= event["median"] <= max(event["seconds"])
    assert json.loads(json.dumps(report))["layers"] == [16, 12, 4]


@pytest.mark.parametrize("bad", [{"repeats": 0}, {"streams": (4, 0)}])
def test_streams_below_one_are_refused(case: kernel.Case, bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(bad))} = .*allowed are whole numbers >= 1"):
        kernel.minibatches(case, **bad)


@pytest.mark.usefixtures("no_process")
def test_the_printed_report_ends_with_the_ratios(case: kernel.Case) -> None:
    runs = {"src": grid.cell("patches", "src", overlap=14)}
    report = kernel.measure(case, repeats=1, threads=(1,), steps=STEPS, runs=runs)
    assert set(report["runs"]["src"]) == {"training", "plugins", "evaluation"}
    out = StringIO()
    kernel.show(report, Console(file=out, width=200))
    text = out.getvalue()
    order = ("load average", "same spikes", "rise of peak", "one seed", "µs per step", "ratio to event")
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert f"textbook, gated   │ 20          │ {report['ratios'][1]['textbook, gated']:.2f}" in text
    assert f"{np.__version__}" in text


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is reset through /proc")
def test_the_memory_of_a_sleep_is_that_of_a_fresh_process() -> None:
    side = 2000
    config = SleepConfig(alpha=1.0, beta=1.0, inc=0.0, dec=0.0, steps=5)
    rise = kernel.peak_memory(kernel.Case([torch.zeros(side, side)], np.ones(side), config))
    if rise is None:
        pytest.skip("this kernel cannot reset the peak")
    weights = 4 * side * side
    assert weights <= rise <= 3.5 * weights  # a sleep works on a copy of its weights, and compiles its code


def test_the_standard_case_is_the_first_sleep_of_fashion_mnist() -> None:
    case = kernel.standard_case()
    assert [tuple(w.shape) for w in case.weights] == [(1200, 784), (1200, 1200), (10, 1200)]
    assert all(w.dtype == torch.float32 and not w.requires_grad for w in case.weights)
    assert (case.config.steps, case.config.window, case.config.gate) == (15_000, 11, 0.001)
    assert case.stimulus().steps == 15_000
    assert isinstance(case.config.alpha, tuple)  # the protocol has one gain, the data give one per layer
    assert all(gain > 0 for gain in case.config.alpha)
    shirts_trousers = class_incremental(load("fashion_mnist"), range(5))[0]
    x = shirts_trousers.x_test
    for w in case.weights:
        x = torch.relu(x @ w.T)
    assert (x.argmax(1) == shirts_trousers.y_test).double().mean() > 0.95  # it was trained
