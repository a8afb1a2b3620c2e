"""Every notebook from its first cell to its last, under the profile `smoke`, with results of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from book import build

SMOKE = {"profile": "smoke", "steps": 500, "shown": 100, "trials": 2, "networks": 1}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one store for all workers: a page finds there what another one computed."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "results"


@pytest.mark.parametrize("name", build.notebooks())
def test_runs_to_its_end(name: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCLIB_RESULTS", str(store))
    monkeypatch.setenv("SRCLIB_SCHEDULER", "inline")  # a cluster takes longer to start than most pages to run
    target = tmp_path / f"{name}.ipynb"
    build.execute(name, {}, target, offered=SMOKE)
    cells = [cell for cell in json.loads(target.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells if cell["source"])
    drawn = sum("image/png" in output.get("data", {}) for cell in cells for output in cell["outputs"])
    described = sum("alt" in cell["metadata"].get("mystnb", {}).get("image", {}) for cell in cells)
    assert drawn == described


def test_every_notebook_is_in_the_table_of_contents() -> None:
    assert sorted(build.notebooks()) == sorted(path.stem for path in (build.ROOT / "notebooks").glob("*.py"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["notebook", "fig1_patches", "-p", "overlap_maximum", "20"], "no parameter 'overlap_maximum'"),
        (["notebook", "fig1_patch"], "notebook 'fig1_patch' is unknown"),
        (["notebook", "fig1_patches", "-p", "profile", "tiny"], "profile 'tiny' is unknown"),
    ],
)
def test_bad_input_is_one_clear_error(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(build, "BUILD", tmp_path)
    assert build.main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*.html"))
