"""`srclib verdicts`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srclib.experiments import grid
from srclib.experiments.store import Store
from srclib.verdicts import manifest, reproduced
from srclib.verdicts.reproduced import Reason

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
def reasons(monkeypatch: pytest.MonkeyPatch) -> list[Reason]:
    """What explains these verdicts: nothing yet."""
    found: list[Reason] = []
    monkeypatch.setattr(reproduced, "reasons", lambda: found)
    return found


def test_verdicts_as_a_table_and_as_json(tmp_path: Path) -> None:
    store = made_up(tmp_path / "store", 0.195)
    output = call("verdicts", "--store", store, "--protocol", "released").output
    assert "table1/mnist/sequential" in output
    assert "✓ agrees" in output
    assert "Sleep can be added to any" in " ".join(output.split())
    found = json.loads(call("verdicts", "--store", store, "--json").stdout)
    (row,) = found["values"]
    assert (row["id"], row["protocol"], row["n"], row["verdict"]) == (
        "table1/mnist/sequential",
        "released",
        5,
        "agrees",
    )
    assert row["reproduced"] == pytest.approx(19.5)
    assert row["low"] < row["difference"] < row["high"]
    assert row["source"]
    of_claims = [(each["number"], each["protocol"]) for each in found["claims"]]
    assert sorted(of_claims) == [(n, name) for n in range(1, 103) for name in ("described", "released")]
    (claim,) = (each for each in found["claims"] if (each["number"], each["protocol"]) == (15, "released"))
    assert (claim["verdict"], claim["family"], claim["n"]) == ("agrees", "table 1", 5)
    described = json.loads(call("verdicts", "--store", store, "--json", "--protocol", "described").stdout)
    assert described["values"] == []
    assert len(described["claims"]) == 102
    assert json.loads(call("verdicts", "--store", store, "--json", "--protocol", "tuned").stdout) == {
        "values": [],
        "claims": [],
    }


def test_results_that_the_manifest_does_not_know_fail_the_check_until_accepted(
    tmp_path: Path, reasons: list[Reason]
) -> None:
    store, other = made_up(tmp_path / "store", 0.3), made_up(tmp_path / "other", 0.195)
    assert "all 1 values and 204 claims are judged as" in call("verdicts", "--store", store, "--check").output
    (store / manifest.FILE).write_bytes((other / manifest.FILE).read_bytes())
    output = call("verdicts", "--store", store, "--check", code=1).output
    assert "table1/mnist/sequential (released): 30.00 ± 0.00 (n = 5" in output
    assert "claim 15 (released): " in output
    assert "one of both" in refused("verdicts", "--store", store, "--check", "--accept")
    assert "leave out --protocol" in refused("verdicts", "--store", store, "--check", "--protocol", "released")
    assert "manifest.csv is written" in call("verdicts", "--store", store, "--accept").output
    assert "judged as the manifest says" in call("verdicts", "--store", store, "--check").output
    reasons.append(Reason("table1/mnist/sequential", "released", "agrees", "It is the same."))
    output = " ".join(call("verdicts", "--store", store, "--check", code=1).output.split())
    assert "reasons.yaml: table1/mnist/sequential (released) explains why it agrees, which no verdict says" in output


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
