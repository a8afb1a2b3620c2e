"""The guard of the numbers: whatever is altered by hand in the results is noticed, and named."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from srclib.data.places import committed
from srclib.experiments.grid import cell
from srclib.experiments.records import Record
from srclib.experiments.store import Store
from srclib.verdicts import claims, manifest, published, reproduced
from srclib.verdicts.judging import MARKS

from ..terminal import srclib

FILES = ("table1_accuracy", "fig1_patches", "fig4_two_tasks")
Lines = list[Record]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of some committed results with their manifest."""
    folder = tmp_path_factory.mktemp("original")
    for name in FILES:
        shutil.copy(committed("results") / f"{name}.jsonl", folder)
    manifest.write(Store(folder))
    return folder


@pytest.fixture
def results(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "results"))


def alter(folder: Path, name: str, change: Callable[[Lines], object]) -> None:
    """Alter the records of a file as by hand."""
    path = folder / f"{name}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines))


def of(lines: Lines, dataset: str, run: str, seed: int = 0, **more: Any) -> Record:
    """Return the record of a run of MNIST, Fashion-MNIST or the patches."""
    key = cell(dataset, run, seed=seed, **more).key()
    return next(line for line in lines if line["key"] == key)


def raise_the_end(lines: Lines) -> None:
    """One seed ends 20 points higher, in the last overall accuracy as in the final one."""
    metrics = of(lines, "fashion_mnist", "src", seed=2)["metrics"]
    last = metrics["phases"][-1]
    last["overall"] += 0.2
    last["accuracy"] = [max(value, last["overall"]) for value in last["accuracy"]]
    metrics["final"] = last["overall"]


def perfect(lines: Lines) -> None:
    """After one training, all that was learned is known."""
    phase = of(lines, "fashion_mnist", "src", seed=1)["metrics"]["phases"][2]
    phase["accuracy"] = [1.0] * 5
    phase["overall"] = 1.0


def cosine(lines: Lines) -> None:
    of(lines, "mnist", "sequential")["metrics"]["phases"][1]["cosine"] += 0.01


def lose(lines: Lines) -> None:
    lines.remove(of(lines, "mnist", "sequential", seed=4))


def swap(lines: Lines) -> None:
    """Two seeds have each other's results."""
    one, other = (of(lines, "fashion_mnist", "src", seed=seed) for seed in (0, 1))
    one["metrics"], other["metrics"] = other["metrics"], one["metrics"]


def measured(lines: Lines) -> None:
    correlations = lines[0]["metrics"]["measures"]["correlations"]
    correlations["after"][0]["between"] += 0.1


def spikes(lines: Lines) -> None:
    phases = of(lines, "fashion_mnist", "src", seed=3)["metrics"]["phases"]
    next(phase for phase in phases if phase["kind"] == "sleep")["spikes"][0] += 1


def other_overlap(lines: Lines) -> None:
    phase = of(lines, "patches", "src", overlap=14)["metrics"]["phases"][-1]
    phase["accuracy"], phase["overall"] = [0.25, 0.25], 0.25
    of(lines, "patches", "src", overlap=14)["metrics"]["final"] = 0.25


def elsewhere(lines: Lines) -> None:
    of(lines, "mnist", "parallel")["device"] = "another processor, 2 cores"


def earlier(lines: Lines) -> None:
    of(lines, "fashion_mnist", "src")["commit"] = "0" * 40


def longer(lines: Lines) -> None:
    of(lines, "fashion_mnist", "src")["seconds"] += 1


ENTRIES = 150  # of these results, or more
SRC = "table1/fashion_mnist/src (released)"
ALTERED: dict[str, tuple[str, Callable[[Lines], object], tuple[str, ...]]] = {
    "end": ("table1_accuracy", raise_the_end, (SRC,)),
    "accuracies": ("table1_accuracy", perfect, (SRC,)),
    "cosine": ("table1_accuracy", cosine, ("table1/mnist/sequential (released)",)),
    "deleted": ("table1_accuracy", lose, ("table1/mnist/sequential (released)",)),
    "swapped": ("table1_accuracy", swap, (SRC,)),
    "spikes": ("table1_accuracy", spikes, (SRC,)),
    "measure": ("fig4_two_tasks", measured, ("text/mnist_two_tasks/src/correlation/layer1 (released)",)),
    "overlap": ("fig1_patches", other_overlap, ("text/patches/src/overlap_14 (released)",)),
    "device": ("table1_accuracy", elsewhere, ("table1/mnist/parallel (released)",)),
    "commit": ("table1_accuracy", earlier, (SRC,)),
    "seconds": ("table1_accuracy", longer, (SRC,)),
}


def test_untouched_results_pass(results: Path) -> None:
    assert manifest.check(Store(results)) == []


@pytest.mark.parametrize(("name", "change", "verdicts"), ALTERED.values(), ids=ALTERED)
def test_what_is_altered_is_noticed(
    name: str, change: Callable[[Lines], object], verdicts: tuple[str, ...], results: Path
) -> None:
    alter(results, name, change)
    told = manifest.check(Store(results))
    named = [line.split(": ")[0] for line in told]
    assert f"{name}.jsonl" in named
    assert set(verdicts) <= set(named)
    assert not {f"{other}.jsonl" for other in FILES if other != name} & set(named)  # nothing else is blamed
    assert len(named) < ENTRIES / 2


def test_what_was_and_what_is_are_told(results: Path) -> None:
    alter(results, "table1_accuracy", raise_the_end)
    told = {line.split(": ")[0]: line for line in manifest.check(Store(results))}
    before, after = (float(part.split(" ± ")[0].split()[-1]) for part in (told[SRC].split("; ")[1], told[SRC]))
    assert after == pytest.approx(before + 4, abs=0.011)  # 20 points in one of five
    assert "(n = 5, sha256 " in told[SRC]
    assert "runs, sha256 " in told["table1_accuracy.jsonl"]


def test_a_verdict_that_is_lost_or_new_is_noticed(results: Path) -> None:
    alter(results, "table1_accuracy", lose)
    told = manifest.check(Store(results))
    path = results / manifest.FILE
    assert f"table1/mnist/sequential (released): only in {path}" in told
    manifest.write(Store(results))
    shutil.copy(committed("results") / "table1_accuracy.jsonl", results)
    assert f"table1/mnist/sequential (released): not in {path}" in manifest.check(Store(results))


def test_the_order_of_lines_and_the_spelling_of_json_are_no_results(results: Path) -> None:
    alter(results, "table1_accuracy", lambda lines: lines.reverse())
    assert manifest.check(Store(results)) == []


@pytest.mark.parametrize(("factor", "noticed"), [(1 + 1e-14, False), (1 + 1e-9, True)])
def test_a_mean_may_differ_in_its_last_digits(factor: float, noticed: bool, results: Path) -> None:
    """It is summed elsewhere in another order; the digest still is that of every record."""
    path = results / manifest.FILE
    rows = list(csv.DictReader(path.read_text().splitlines()))
    text = path.read_text()
    value = next(row["mean"] for row in rows if row["what"] == "table1/fashion_mnist/src")
    path.write_text(text.replace(value, repr(float(value) * factor)))
    assert bool(manifest.check(Store(results))) == noticed


def test_a_missing_manifest_is_an_error(results: Path) -> None:
    (results / manifest.FILE).unlink()
    with pytest.raises(FileNotFoundError, match=r"manifest\.csv is missing: `python -m srclib verdicts --accept`"):
        manifest.check(Store(results))


def test_the_manifest_is_written_whole_or_not_at_all(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (results / manifest.FILE).read_bytes()
    alter(results, "table1_accuracy", cosine)

    def killed(part: Path, path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        manifest.write(Store(results))
    assert (results / manifest.FILE).read_bytes() == before


def test_the_committed_manifest_names_every_file_and_every_verdict() -> None:
    rows = list(csv.DictReader((committed("results") / manifest.FILE).read_text().splitlines()))
    assert list(rows[0]) == [field.name for field in fields(manifest.Entry)]
    files = {row["what"] for row in rows if not row["protocol"]}
    assert files == {path.name for path in committed("results").glob("*.jsonl")}
    judged = [row for row in rows if row["protocol"]]
    told = {row["what"].removeprefix("claim ") for row in judged}
    numbers = {str(number) for family in claims.families().values() for number in family}
    assert told <= set(published.load().index) | numbers
    assert {row["protocol"] for row in judged} == {"released", "described"}
    assert all(row["verdict"] in MARKS and len(row["sha256"]) == 64 for row in judged)
    assert len({(row["what"], row["protocol"]) for row in rows}) == len(rows)


def test_entries_of_some_results_are_those_committed(original: Path) -> None:
    """Files by file; so are the verdicts that rest on them alone: as many networks are committed."""
    rows = csv.DictReader((committed("results") / manifest.FILE).read_text().splitlines())
    known = {(row["what"], row["protocol"]): manifest.Entry(**row) for row in rows}
    entries = [entry for entry in manifest.manifest(Store(original)) if not entry.what.startswith("claim ")]
    alone = [entry for entry in entries if entry.n == known[entry.what, entry.protocol].n]
    assert len(alone) > 0.8 * len(entries) > 70
    assert all(entry == known[entry.what, entry.protocol] for entry in alone)


# Verdicts that are altered in the manifest itself


def rewrite(folder: Path, change: Callable[[list[dict[str, str]]], object]) -> None:
    """Alter the rows of the manifest as by hand."""
    path = folder / manifest.FILE
    rows = list(csv.DictReader(path.read_text().splitlines()))
    change(rows)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def entry(rows: list[dict[str, str]], what: str) -> dict[str, str]:
    return next(row for row in rows if (row["what"], row["protocol"]) == (what, "released"))


@pytest.mark.parametrize(
    ("what", "column"),
    [
        ("table1/mnist/parallel", "verdict"),
        ("table1/fashion_mnist/src", "effect"),
        ("table1/fashion_mnist/src", "n"),
        ("table1/fashion_mnist/src", "sd"),
        ("table1/fashion_mnist/src", "sha256"),
        ("claim 7", "verdict"),
        ("claim 86", "verdict"),
        ("claim 7", "mean"),
        ("claim 7", "n"),
    ],
)
def test_a_verdict_that_is_altered_by_hand_is_noticed_and_no_other(what: str, column: str, results: Path) -> None:
    better = {"verdict": "agrees", "effect": "reversed", "n": "50", "sd": "0.5", "mean": "40.5", "sha256": "0" * 64}
    if what.startswith("claim"):
        better["verdict"] = "undecided"
    rewrite(results, lambda rows: entry(rows, what).update({column: better[column]}))
    (told,) = manifest.check(Store(results))
    assert told.startswith(f"{what} (released): ")
    now, was = told.split(f"; {results / manifest.FILE} has ")
    assert now.removeprefix(f"{what} (released): ") != was


def test_a_row_that_stands_there_twice_hides_nothing(results: Path) -> None:
    """The second one would be the true one."""

    def twice(rows: list[dict[str, str]]) -> None:
        rows.insert(0, entry(rows, "claim 7") | {"verdict": "reversed"})

    rewrite(results, twice)
    with pytest.raises(
        ValueError, match=r"manifest\.csv, line [0-9]+, column what: claim 7 released stands there twice"
    ):
        manifest.check(Store(results))


@pytest.mark.parametrize(("column", "value"), [("mean", "much"), ("sd", "nan"), ("mean", "4_0"), ("sd", " 4")])
def test_a_number_that_is_none_is_named(column: str, value: str, results: Path) -> None:
    rewrite(results, lambda rows: entry(rows, "table1/fashion_mnist/src").update({column: value}))
    with pytest.raises(ValueError, match=rf"manifest\.csv, line [0-9]+, column {column}: '{value}' is no number"):
        manifest.check(Store(results))


# As a user types it


@pytest.fixture
def no_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other results explain nothing of these."""
    monkeypatch.setattr(reproduced, "reasons", list)


@pytest.mark.usefixtures("no_reasons")
def test_the_command_fails_until_results_are_accepted(results: Path) -> None:
    check = "verdicts", "--store", results, "--check"
    assert "judged as the manifest says, on its results" in srclib.call(*check).output
    alter(results, "table1_accuracy", cosine)  # no verdict changes
    output = " ".join(srclib.call(*check, code=1).output.split())
    assert "table1_accuracy.jsonl: " in output
    assert "table1/mnist/sequential (released): " in output
    assert "is written" in srclib.call("verdicts", "--store", results, "--accept").output
    assert "judged as the manifest says, on its results" in srclib.call(*check).output


@pytest.mark.usefixtures("no_reasons")
def test_the_command_fails_on_verdicts_that_are_altered_by_hand(results: Path) -> None:
    both = ("table1/mnist/parallel", "claim 7")
    rewrite(results, lambda rows: [entry(rows, what).update({"verdict": "undecided"}) for what in both])
    output = " ".join(srclib.call("verdicts", "--store", results, "--check", code=1).output.split())
    assert all(f"{what} (released): " in output for what in both)
    assert "judged as the manifest says" not in output
