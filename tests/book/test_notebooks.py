"""Every notebook from its first cell to its last, under the profile `smoke`, with results and images of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode, read

from book import build
from srclib.data import prepared
from srclib.pages.figures import CAPTIONED

from ..pictures import embeddings, miniature

PICTURES = {"image/png", "image/svg+xml"}
SMOKE = {"profile": "smoke", "steps": 500, "shown": 100, "trials": 2, "networks": 1}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one store for all workers: a page finds there what another one computed."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "results"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with miniatures of CIFAR-10 and cub50, and a profile of IPython that takes them for whole."""
    folder = tmp_path_factory.mktemp("images")
    prepared.write(folder / "cifar10.npz", miniature(1000, 100, 10))
    prepared.write(folder / "cub50.npz", embeddings(300, 100, 50, inputs=1280))
    startup = folder / "profile_default" / "startup" / "miniature.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(
        "from dataclasses import replace\n"
        "from srclib.data import STREAMS\n"
        'for name, train in (("cifar10", 1000), ("cub50", 300)):\n'
        "    STREAMS[name] = replace(STREAMS[name], train=train, test=100)\n"
    )
    return folder


def executed(name: str, target: Path, **offered: Any) -> list[NotebookNode]:
    """Return the cells of code of an executed notebook, each with its outputs."""
    build.execute(name, {}, target, offered=offered)
    cells = [cell for cell in read(target, as_version=4).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells if cell.source)
    drawn = [output for cell in cells for output in cell.outputs if PICTURES & output.get("data", {}).keys()]
    told = [part.get(CAPTIONED, {}) for output in drawn for part in output.metadata.values()]
    assert [each for each in told if not (each.get("alt") and each.get("caption"))] == []
    assert len(told) == len(drawn)  # every picture is shown by figures.show
    return cells


@pytest.mark.parametrize("name", build.notebooks())
def test_runs_to_its_end(name: str, store: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCLIB_RESULTS", str(store))
    monkeypatch.setenv("SRCLIB_SCHEDULER", "inline")  # a cluster takes longer to start than most pages to run
    for variable in ("SRCLIB_DATA", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(images))
    executed(name, tmp_path / f"{name}.ipynb", **SMOKE)


@pytest.mark.parametrize(("name", "dataset"), [("table1_cifar10", "cifar10"), ("table1_cub", "cub50")])
def test_a_page_without_its_data_says_so(
    name: str, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("SRCLIB_RESULTS", "SRCLIB_DATA"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    cells = executed(name, tmp_path / "page.ipynb", profile="ci")
    shown = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    for said in (shown, capsys.readouterr().out):  # on the page and in the log
        assert f"{name}: {dataset} skipped: no data" in said
    assert not list(tmp_path.glob("SRCLIB_*/*"))


def test_every_notebook_is_in_the_table_of_contents() -> None:
    assert sorted(build.notebooks()) == sorted(path.stem for path in (build.ROOT / "notebooks").glob("*.py"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["notebook", "fig1_patches", "-p", "overlap_maximum", "20"], "no parameter 'overlap_maximum'"),
        (["notebook", "fig1_patch"], "notebook 'fig1_patch' is unknown"),
        (["notebook", "fig1_patches", "-p", "profile", "tiny"], "profile = 'tiny': allowed is one of smoke, ci, full"),
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
