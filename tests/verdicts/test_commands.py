"""`srclib verdicts`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srclib.experiments import grid
from srclib.experiments.store import Store
from srclib.verdicts import manifest, published

from .. import terminal

call, refused = terminal.srclib.call, terminal.srclib.refused


def made_up(directory: Path, final: float, seeds: int = 5) -> Path:
    """Write results of sequential training on MNIST, all with one final accuracy, and their manifest."""
    store = Store(directory)
    source = {"commit": "made up", "versions": {}, "device": "none", "seconds": 0.0, "date": "2026-01-01"}
    phase = {"kind": "training", "task": 0, "overall": final, "accuracy": [final] * 5, "cosine": 1.0}
    metrics = {"phases": [phase], "final": final, "seconds": {}}
    for cell in grid.grid("table1_accuracy", datasets=["mnist"], runs=["sequential"], seeds=seeds):
        own = {"key": cell.key(), "cell": cell.to_plain(), "seed": cell.seed, "metrics": metrics}
        store.append("table1_accuracy", own | source)
    manifest.write(store)
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


@pytest.mark.usefixtures("expected")
def test_a_result_that_the_manifest_does_not_know_fails_the_check_until_it_is_accepted(tmp_path: Path) -> None:
    store, other = made_up(tmp_path / "store", 0.195), made_up(tmp_path / "other", 0.196)
    (store / manifest.FILE).write_bytes((other / manifest.FILE).read_bytes())
    output = call("verdicts", "--store", store, "--check", code=1).output
    assert "table1/mnist/sequential (released): 19.50 ± 0.00 (n = 5" in output
    assert "one of both" in refused("verdicts", "--store", store, "--check", "--accept")
    assert "manifest.csv is written" in call("verdicts", "--store", store, "--accept").output
    assert "results as the manifest says" in call("verdicts", "--store", store, "--check").output


def test_results_that_drift_fail(tmp_path: Path) -> None:
    store = made_up(tmp_path / "store", 0.195)
    near, far = made_up(tmp_path / "near", 0.22, seeds=1), made_up(tmp_path / "far", 0.23, seeds=1)
    output = call("verdicts", "--store", store, "--against", near).output
    assert "ok    table1_accuracy, released, mnist sequential: 22.00 (committed 19.50) %, within" in output
    output = call("verdicts", "--store", store, "--against", far, code=1).output
    assert "DRIFT table1_accuracy, released, mnist sequential: 23.00 (committed 19.50) %, outside" in output


def test_directories_of_results_must_exist(tmp_path: Path) -> None:
    assert "is not a directory of results" in refused("verdicts", "--store", tmp_path / "nowhere")
    output = call("verdicts", "--store", tmp_path, "--against", tmp_path / "nowhere", code=2).output
    assert "nowhere is not a directory of results" in output
