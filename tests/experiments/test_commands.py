"""`srclib run`, as a user types it."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from srclib.experiments import compute, grid
from srclib.experiments.cell import key_of

from .. import terminal

call, refused = terminal.srclib.call, terminal.srclib.refused

TINY = ["--profile", "smoke", "--scheduler", "inline", "-s", "overlap_min", "14", "--set", "overlap_max=14"]


def test_run_computes_what_the_store_lacks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    output = call("run", "fig1_patches", *TINY, "-s", "runs", "src", "--store", tmp_path).output
    assert "fig1_patches: 1 results in" in output
    (line,) = (tmp_path / "fig1_patches.jsonl").read_text().splitlines()
    assert json.loads(line)["cell"]["overlap"] == 14
    call("run", "fig1_patches", *TINY, "-s", "runs", "src", "--store", tmp_path)
    assert caplog.messages == [f"fig1_patches: 1 cells, {n} to compute" for n in (1, 0)]
    assert (tmp_path / "fig1_patches.jsonl").read_text() == line + "\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nope"], "experiment 'nope' is unknown: allowed is one of fig1_patches"),
        (["fig1_patches", "--profile", "fast"], "profile 'fast' is unknown: allowed is one of smoke, ci, full"),
        (["fig1_patches", "--protocol", "mine"], "protocol 'mine' is unknown: allowed is one of described, released"),
        (["fig1_patches", "-s", "sedes", "2"], "'sedes' is unknown: allowed is one of datasets, runs"),
        (["table1_accuracy", "-s", "overlap_max", "2"], "setting of table1_accuracy 'overlap_max' is unknown"),
        (["fig1_patches", "-s", "seeds", "two"], "seeds of fig1_patches = 'two': allowed is a whole number"),
        (["fig1_weights", "-s", "keep_weights", "1"], "keep_weights of fig1_weights = '1': allowed is true or false"),
        (["fig1_patches", "-s", "runs", "srk"], "method 'srk' is unknown"),
        (["fig1_patches", "-s", "seeds", "0"], "leave nothing to compute"),
        (["fig1_patches", "-s", "runs", "owm"], "no owm parameters are known"),
    ],
)
def test_run_says_what_is_allowed(tmp_path: Path, args: list[str], says: str) -> None:
    assert says in refused("run", *args, "--store", tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_all_experiments_may_include_empty_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(grid, "grid", lambda *_, **__: [])
    assert "table1_cifar10: 0 results" in call("run", "all", "--store", tmp_path).output


def test_settings_have_the_types_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def noted(name: str, profile: str, protocol: str, **changes: Any) -> list[int]:
        seen.update({name: changes})
        return [1]

    monkeypatch.setattr(grid, "grid", noted)
    monkeypatch.setattr(compute, "complete", lambda name, cells, store, scheduler: cells)
    pairs = ["-s", "seeds", "2", "-s", "keep_weights=False", "-s", "runs", "[src, sequential]", "-s", "order", "random"]
    call("run", "fig1_weights", *pairs, "--store", tmp_path)
    wanted = {"seeds": 2, "keep_weights": False, "runs": ["src", "sequential"], "order": "random"}
    assert seen == {"fig1_weights": wanted}
    seen.clear()
    call("run", "all", "--set", "seeds", "1", "--store", tmp_path)
    assert seen == {name: {"seeds": 1} for name in grid.experiments()}


def test_migrate_writes_an_older_schema_anew_once(tmp_path: Path) -> None:
    with lzma.open(Path(__file__).parents[1] / "golden" / "results_schema_1.jsonl.xz") as lines:
        cell = json.loads(next(lines))["cell"]
    phase = {"kind": "training", "task": 0, "overall": 0.5, "accuracy": [0.5] * len(cell["order"]), "cosine": 1.0}
    metrics = {"phases": [phase], "final": 0.5, "seconds": {}}
    source = {"commit": "made up", "versions": {}, "device": "none", "seconds": 0.0, "date": "2026-01-01"}
    record = {"key": key_of(cell), "cell": cell, "seed": cell["seed"], "metrics": metrics, **source}
    file = tmp_path / "old.jsonl"
    file.write_text(json.dumps(record) + "\n")
    assert "old.jsonl: 1 lines written anew" in call("results", "migrate", "--store", tmp_path).output
    migrated = json.loads(file.read_text())
    assert (migrated["cell"]["schema"], migrated["metrics"]) == (2, metrics)
    assert "written anew" not in call("results", "migrate", "--store", tmp_path).output
    assert json.loads(file.read_text()) == migrated
    assert "is not a directory of results" in refused("results", "migrate", "--store", tmp_path / "nowhere")
