"""`srclib verdicts`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srclib.experiments import grid
from srclib.verdicts import published

from .. import terminal

call, refused = terminal.srclib.call, terminal.srclib.refused


def made_up(directory: Path, final: float, seeds: int = 5) -> Path:
    """Write results of sequential training on MNIST, all with one final accuracy."""
    directory.mkdir()
    with (directory / "table1_accuracy.jsonl").open("w") as file:
        for cell in grid.grid("table1_accuracy", datasets=["mnist"], runs=["sequential"], seeds=seeds):
            phase = {"kind": "training", "task": 0, "overall": final, "accuracy": [final] * 5}
            record = {"key": cell.key(), "cell": cell.canonical(), "seed": cell.seed}
            file.write(json.dumps(record | {"metrics": {"phases": [phase], "final": final}}) + "\n")
    return directory


@pytest.fixture
def expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "expected_verdicts.csv"
    path.write_text("id,protocol,verdict,note\ntable1/mnist/sequential,released,agrees,\n")
    monkeypatch.setattr(published, "EXPECTED", path)
    return path


def test_verdicts_as_a_table_and_as_json(tmp_path: Path) -> None:
    store = made_up(tmp_path / "store", 0.195)
    output = call("verdicts", "--store", store).output
    assert "table1/mnist/sequential" in output
    assert "✓ agrees" in output
    (row,) = json.loads(call("verdicts", "--store", store, "--json").stdout)
    assert (row["id"], row["protocol"], row["n"], row["verdict"]) == (
        "table1/mnist/sequential",
        "released",
        5,
        "agrees",
    )
    assert row["reproduced"] == pytest.approx(19.5)
    assert json.loads(call("verdicts", "--store", store, "--json", "--protocol", "described").stdout) == []


def test_a_verdict_that_changed_fails_the_check(tmp_path: Path, expected: Path) -> None:
    good, bad = made_up(tmp_path / "good", 0.195), made_up(tmp_path / "bad", 0.3)
    assert "all 1 verdicts are as expected" in call("verdicts", "--store", good, "--check").output
    output = call("verdicts", "--store", bad, "--check", code=1).output
    assert "changed: table1/mnist/sequential (released): expected agrees, now differs" in output
    json.loads(call("verdicts", "--store", bad, "--check", "--json", code=1).stdout)
    expected.write_text(expected.read_text() + "table1/mnist/src,released,agrees,\n")
    assert "missing: table1/mnist/src" in call("verdicts", "--store", good, "--check", code=1).output
    assert "leave out --protocol" in refused("verdicts", "--store", good, "--check", "--protocol", "released")


def test_results_that_drift_fail(tmp_path: Path) -> None:
    store = made_up(tmp_path / "store", 0.195)
    near, far = made_up(tmp_path / "near", 0.22, seeds=1), made_up(tmp_path / "far", 0.23, seeds=1)
    output = call("verdicts", "--store", store, "--against", near).output
    assert "ok    table1_accuracy, released, mnist sequential: fresh 22.00 % within 19.50 ± 3.00 %" in output
    output = call("verdicts", "--store", store, "--against", far, code=1).output
    assert "DRIFT table1_accuracy, released, mnist sequential: fresh 23.00 % outside 19.50 ± 3.00 %" in output


def test_directories_of_results_must_exist(tmp_path: Path) -> None:
    assert "is not a directory of results" in refused("verdicts", "--store", tmp_path / "nowhere")
    output = call("verdicts", "--store", tmp_path, "--against", tmp_path / "nowhere", code=2).output
    assert "nowhere is not a directory of results" in output
