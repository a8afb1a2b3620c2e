"""A page with a wrong value is refused before a kernel starts; two runs at once do not meet; results stay apart."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
import pytest

from book import build
from srclib import pages
from srclib.experiments import compute, grid, store
from srclib.experiments.cell import Cell
from srclib.experiments.records import Record
from srclib.experiments.store import Store

from ..cells import tiny

PAGE = """\
# %% tags=["parameters"]
profile = "full"
seeds = None  # allowed: seeds >= 1, seeds = None
length: int = 3  # or length = 4
a = b = 1

# %%
from srclib import pages

page = pages.open("small", profile=profile, seeds=seeds, length=pages.whole(length, 1, 9), a=pages.whole(a, 0))
print("length", length, "a", a)
"""


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object, **others: object) -> None:
        raise AssertionError("a kernel is to be started, or a cell computed")

    monkeypatch.setattr(papermill, "execute_notebook", never)
    monkeypatch.setattr(compute, "complete", never)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of a repository with the notebooks of the book and a small one."""
    shutil.copytree(build.ROOT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "notebooks" / "small.py").write_text(PAGE)
    (tmp_path / "noxfile.py").write_text("raise SystemExit('outside the folder')\n")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "BUILD", tmp_path / "build")
    return tmp_path


WRONG = [
    ("fig1_patches", ["seeds", "2.0"], "seeds = 2.0: allowed is a whole number of at least 1, or None"),
    ("fig1_patches", ["seeds", "0"], "seeds = 0: allowed"),
    ("fig1_patches", ["seeds", "two"], "seeds = 'two': allowed"),
    ("fig1_patches", ["seeds", '"two"'], "seeds = 'two': allowed"),
    ("fig1_patches", ["seeds", "1e1"], "seeds = '1e1': allowed"),
    ("fig1_patches", ["seeds", "true"], "seeds = True: allowed"),
    ("fig1_patches", ["seeds", ".nan"], "-p seeds '.nan': allowed are numbers, texts"),
    ("fig1_patches", ["seeds", "[2]"], "seeds = [2]: allowed"),
    ("fig1_patches", ["seeds", "{"], "-p seeds '{': allowed are numbers, texts"),
    ("fig1_patches", ["seeds", "2024-01-31"], "-p seeds '2024-01-31': allowed are numbers, texts"),
    ("fig1_patches", ["seeds", "2024-02-31"], "-p seeds '2024-02-31': allowed are numbers, texts"),
    ("fig1_patches", ["seeds", "!!python/name:os.system"], "-p seeds '!!python/name:os.system': allowed are"),
    ("fig1_patches", ["seeds", "[" * 3000], "allowed are numbers, texts"),
    ("fig1_patches", ["seeds", "!!binary aGk="], "-p seeds '!!binary aGk=': allowed are numbers, texts"),
    ("fig1_patches", ["overlap_min", "20", "overlap_max", "5"], "overlap_max = 5: allowed is a whole number from 20"),
    ("fig1_patches", ["overlap_max", "1000"], "overlap_max = 1000: allowed is a whole number from"),
    ("fig1_patches", ["overlap_min", "99"], "allowed is a whole number from 99 to 100"),
    ("fig1_patches", ["overlap_min", "-1"], "overlap_min = -1: allowed is a whole number from 0 to 100"),
    ("fig1_patches", ["overlap_min", "1.5"], "overlap_min = 1.5: allowed"),
    ("fig1_patches", ["overlap_max", "wide"], "overlap_max = 'wide': allowed"),
    ("fig1_patches", ["profile", "fast"], "profile = 'fast': allowed is one of smoke, ci, full"),
    ("fig1_patches", ["profile", "[ci]"], "profile = ['ci']: allowed is one of"),
    ("fig1_patches", ["protocol", "tuned"], "protocol = 'tuned': allowed"),
    ("fig1_patches", ["seed", "2"], "fig1_patches has no parameter 'seed': allowed is one of profile, protocol, seeds"),
    ("fig1_patches", ["seeds", "2", "seeds", "3"], "-p seeds is there twice: allowed is once"),
    ("table3_parameters", ["datasets", "mnist"], "datasets = 'mnist': allowed is a list of one or more of"),
    ("table3_parameters", ["datasets", "[mnist, emnist]"], "datasets = ['mnist', 'emnist']: allowed is a list"),
    ("table3_parameters", ["datasets", "{mnist: 1}"], "datasets = {'mnist': 1}: allowed is a list"),
    ("fig5_input", ["reading", "actve"], "reading = 'actve': allowed is one of active, preferring, after"),
    ("fig4_correlations", ["dropout", "maybe"], "dropout = 'maybe': allowed is one of False, True"),
    ("fig4_correlations", ["dropout", "1"], "dropout = 1: allowed is one of False, True"),
    ("own_network", ["trials", "0"], "trials = 0: allowed"),
    ("speed", ["report", "../noxfile.py"], "report = '../noxfile.py': allowed is one of gpu"),
    ("status", ["executions", "/nowhere"], "executions = '/nowhere': allowed is the path of a file"),
    ("small", ["length", "10"], "length = 10: allowed is a whole number from 1 to 9"),
    ("small", ["seeds", "0"], "seeds = 0: allowed"),
]  # fmt: skip


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize(("name", "pairs", "message"), WRONG, ids=lambda value: str(value)[:30])
def test_a_value_is_refused_before_a_kernel_starts(
    name: str, pairs: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word for key, value in zip(pairs[::2], pairs[1::2], strict=True) for word in ("-p", key, value)]
    assert build.main(["notebook", name, *given]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {name}: ")
    assert message in said
    assert "Traceback" not in said
    assert said.count("\n") == 1
    assert not (folder / "build").exists()


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize("name", ["../noxfile", "noxfile", "fig1_patches.py", "/etc/passwd", "", ".", "small/../small"])
def test_a_notebook_is_one_of_the_folder(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["notebook", name]) == 2
    assert f"notebook {name!r} is unknown: allowed is one of algorithm, " in capsys.readouterr().err


def test_parameters_are_those_that_are_assigned(folder: Path) -> None:
    page = jupytext.read(folder / "notebooks" / "small.py", fmt="py:percent")
    assert build.parameters_of(page) == ["profile", "seeds", "length", "a", "b"]
    build.check("small", page, {"length": 4, "b": 2})
    for path in (folder / "notebooks").glob("*.py"):
        page = jupytext.read(path, fmt="py:percent")
        tagged = any("parameters" in cell.metadata.get("tags", []) for cell in page.cells)
        assert bool(build.parameters_of(page)) == tagged


HIDDEN = {
    "no_parameter": ('profile = "full"\n', "", "NameError before the page is opened: name 'profile' is not defined"),
    "told_by_hand": (
        "profile=profile",
        'profile="full"',
        "small has no parameter 'profile': a page that collects runs",
    ),
    "never_opened": ("page = pages.open", "page = dict", "small has no parameter 'profile'"),
    "fails": ("from srclib import pages", "import nowhere", "ModuleNotFoundError before the page is opened: No module"),
}


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize(("old", "new", "message"), HIDDEN.values(), ids=HIDDEN)
def test_a_page_takes_the_profile_that_it_is_offered(old: str, new: str, message: str, folder: Path) -> None:
    text = PAGE.replace(old, new)
    if "small has" in message:
        text = text.replace('profile = "full"\n', "")
    (folder / "notebooks" / "small.py").write_text(text)
    with pytest.raises(ValueError, match=message):
        build.execute("small", {}, folder / "page.ipynb", offered={"profile": "ci"})
    assert not list(folder.glob("*.ipynb"))


def test_a_page_without_a_profile_collects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "collect", lambda *args, **changes: {})
    page = pages.open("fig2_recovery")
    for view in (page, page.other, page.under("tuned")):
        with pytest.raises(ValueError, match=r"fig2_recovery collects runs without a profile: allowed is pages.open"):
            view.collect("fig2_recovery")
    assert pages.open("fig2_recovery", profile="ci").collect("fig2_recovery") == {}


def test_two_runs_at_once_do_not_meet(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(3)

    def execute(source: str, target: str, parameters: dict[str, Any], **others: Any) -> None:
        together.wait(20)  # all have written what they begin with
        page = nbformat.read(source, as_version=4)
        page.cells.append(nbformat.v4.new_code_cell(repr(parameters)))
        nbformat.write(page, target)
        together.wait(20)

    monkeypatch.setattr(papermill, "execute_notebook", execute)
    given = [{"length": 4}, {"length": 5}, {"length": 5}]
    targets = [folder / "build" / f"{build.named('small', values)}.ipynb" for values in given]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda pair: build.execute("small", *pair), zip(given, targets, strict=True)))
    for values, target in zip(given, targets, strict=True):
        assert nbformat.read(target, as_version=4).cells[-1].source == repr(values)
    assert sorted(path.name for path in (folder / "build").iterdir()) == [
        "small-length-4.ipynb",
        "small-length-5.ipynb",
    ]


def test_other_parameters_have_another_name() -> None:
    assert build.named("small", {}) == "small"
    assert build.named("small", {"a": 1, "b": "x"}) == "small-a-1-b-x"
    odd: list[dict[str, Any]] = [
        {"a": "x/y"},
        {"a": "x_y"},
        {"a": "x:y"},
        {"a": "../x"},
        {"a": ["x", "y"]},
        {"a": "x" * 300},
    ]
    names = [build.named("small", values) for values in odd]
    assert len(set(names)) == len(names)
    assert all(len(name) < 120 and "/" not in name for name in names)


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize("path", ["page.html", "page", "page.ipynb.txt"])
def test_what_is_written_is_a_notebook(path: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["notebook", "small", "-o", path]) == 2
    assert f"-o {path}: allowed is a path that ends in .ipynb" in capsys.readouterr().err


def test_a_page_runs_as_it_was_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = folder / "there" / "page.ipynb"
    assert build.main(["notebook", "small", "-p", "length", "4", "-p", "a", "2", "-o", str(target)]) == 0
    assert "length 4 a 2" in nbformat.read(target, as_version=4).cells[-1].outputs[0].text
    assert "length 4 a 2" in target.with_suffix(".html").read_text()
    assert sorted(path.name for path in target.parent.iterdir()) == ["page.html", "page.ipynb"]


# Results


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of the committed results of a project; that of trials is beside it."""
    monkeypatch.delenv("SRCLIB_RESULTS", raising=False)
    monkeypatch.setattr(store, "committed", lambda name: tmp_path / name)
    monkeypatch.setattr(store, "TRIALS", tmp_path / "trials")
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


def lines(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.glob("*.jsonl"))


def test_results_of_other_parameters_stay_apart(committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = tiny(), tiny(seed=99)
    monkeypatch.setattr(grid, "keys", lambda name: frozenset({own.key()}))
    records = compute.complete("demo", [own, other], scheduler="inline")
    assert [record["seed"] for record in records] == [0, 99]
    assert (lines(committed), lines(committed.parent / "trials")) == (1, 1)
    kept = Store()
    assert [record["key"] for record in kept.records()] == [own.key()]  # what verdicts rest on
    assert other in kept
    assert kept[other]["seed"] == 99

    def never(cell: Cell) -> Record:
        raise AssertionError

    monkeypatch.setattr(compute, "compute", never)
    assert len(compute.complete("demo", [own, other], scheduler="inline")) == 2


def test_results_go_where_they_are_asked_for(committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute.complete("demo", [tiny()], store=Store(tmp_path / "mine"), scheduler="inline")
    monkeypatch.setenv("SRCLIB_RESULTS", str(tmp_path / "ours"))
    compute.complete("demo", [tiny(seed=1)], scheduler="inline")
    assert (lines(tmp_path / "mine"), lines(tmp_path / "ours"), lines(committed)) == (1, 1, 0)
    assert not (committed.parent / "trials").exists()


def test_what_every_profile_has_is_known() -> None:
    keys = grid.keys("fig1_patches")
    assert {cell.key() for cell in grid.grid("fig1_patches", "ci", "described")} <= keys
    assert not {cell.key() for cell in grid.grid("fig1_patches", overlap_min=40, overlap_max=40)} & keys
    assert grid.keys("no such experiment") == frozenset()
