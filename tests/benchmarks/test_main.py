"""`python -m benchmarks`, as a user types it; nothing is timed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu, kernel, shapes
from benchmarks.__main__ import app
from srclib.experiments import grid

from ..terminal import Terminal

call, refused = Terminal(app).call, Terminal(app).refused


@pytest.mark.parametrize("command", ["kernel", "shapes", "minibatches", "gpu"])
def test_help_suffices(command: str) -> None:
    output = call(command, "--help").output
    assert f"Example: python -m benchmarks {command}" in " ".join(output.split())


def test_kernel_writes_its_report_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def measure(case: str, **options: Any) -> dict[str, Any]:
        given.update(options, case=case)
        return {"ratios": {1: {"reference": 2.0}}}

    monkeypatch.setattr(kernel, "standard_case", lambda: "the standard case")
    monkeypatch.setattr(kernel, "measure", measure)
    monkeypatch.setattr(
        kernel, "show", lambda report, console: console.print(f"ratio {report['ratios'][1]['reference']}")
    )
    file = tmp_path / "kernel.json"
    assert "ratio 2.0" in call("kernel", "--repeats", 3, "--threads", "1,4", "--no-runs", "--json", file).output
    assert given == {"case": "the standard case", "repeats": 3, "threads": [1, 4], "runs": {}}
    assert json.loads(file.read_text()) == {"ratios": {"1": {"reference": 2.0}}}
    call("kernel")
    assert (given["repeats"], given["threads"]) == (5, [1, 2])
    assert given["runs"] == {name: grid.cell("mnist", name) for name in ("sequential", "src")}


def test_shapes_writes_its_report_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "standard_case", lambda: "the standard case")
    monkeypatch.setattr(shapes, "measure", lambda case, **options: {"case": case, "options": options})
    monkeypatch.setattr(shapes, "show", lambda report, console: console.print(report["case"]))
    file = tmp_path / "shapes.json"
    assert "the standard case" in call("shapes", "--threads", "1,4", "--json", file).output
    assert json.loads(file.read_text())["options"] == {"repeats": 7, "threads": [1, 4]}


def test_minibatches_writes_its_report_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(case: str, **options: Any) -> dict[str, Any]:
        entry = {"streams": 16, "backend": "event", "steps": 938, "spikes": [7, 5], "median": 0.25}
        return {"case": case, "options": options, "sleeps": [entry]}

    monkeypatch.setattr(kernel, "standard_case", lambda: "the standard case")
    monkeypatch.setattr(kernel, "minibatches", measure)
    file = tmp_path / "minibatches.json"
    printed = call("minibatches", "--repeats", 2, "--json", file).output
    assert "16" in printed and "938" in printed and "0.250" in printed
    written = json.loads(file.read_text())
    assert written["case"] == "the standard case"
    assert written["options"] == {"repeats": 2, "device": "cpu"}


def test_gpu_writes_its_report_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {
        "device": {"gpu": "a GPU", "cpu": "a CPU"}, "agreement": {"differ": [0]},
        "seconds_per_sleep": {"cuda, 64": 0.02}, "ratios": {"cuda, 64": 1000.0},
    }  # fmt: skip
    monkeypatch.setattr(kernel, "standard_case", lambda: "the standard case")
    monkeypatch.setattr(gpu, "measure", lambda case, networks, repeats: {**report, "networks": networks})
    file = tmp_path / "gpu.json"
    output = call("gpu", "--networks", "1,64", "--json", file).output
    assert "a GPU, a CPU" in output and "20.000" in output and "1000" in output
    assert json.loads(file.read_text())["networks"] == [1, 64]
    assert "--networks '1,x': allowed are whole numbers >= 1" in refused("gpu", "--networks", "1,x")


@pytest.mark.parametrize("threads", ["0", "1,", "two", "-1"])
def test_kernel_refuses_other_thread_counts(threads: str) -> None:
    assert "allowed are whole numbers >= 1" in refused("kernel", f"--threads={threads}")


def test_kernel_times_nothing_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: object, **__: object) -> None:
        raise ArithmeticError("textbook and reference differ in 3 spikes of 600 steps: not timed")

    monkeypatch.setattr(kernel, "standard_case", lambda: None)
    monkeypatch.setattr(kernel, "measure", measure)
    assert "differ in 3 spikes" in refused("kernel")
