"""The guard of the numbers: whatever is altered by hand in the results is noticed, and named."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import pytest

from srclib.data.places import committed
from srclib.experiments import protocols
from srclib.experiments.grid import cell
from srclib.experiments.records import Record
from srclib.experiments.store import Store
from srclib.verdicts import manifest, published, reproduced

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


ENTRIES = 50  # of these results, or more
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
    expected = list(csv.DictReader(published.EXPECTED.read_text().splitlines()))
    assert {(r["what"], r["protocol"]) for r in rows if r["protocol"]} == {(r["id"], r["protocol"]) for r in expected}


def test_entries_of_some_results_are_those_committed(original: Path) -> None:
    """Files by file; so are the verdicts that rest on them alone."""
    rows = csv.DictReader((committed("results") / manifest.FILE).read_text().splitlines())
    known = {tuple(row.values()) for row in rows}
    entries = {astuple(entry) for entry in manifest.manifest(Store(original))}
    assert len(entries) >= ENTRIES
    assert entries <= known


# As a user types it


@pytest.fixture
def expected(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expect the verdicts of these results alone."""
    path = tmp_path / "expected_verdicts.csv"
    store = Store(original)
    rows = [
        f"{row['id']},{row['protocol']},{row['verdict']},"
        for protocol in protocols.names()
        for row in reproduced.table(store, protocol).to_dict("records")
    ]
    path.write_text("\n".join(["id,protocol,verdict,note", *rows, ""]))
    monkeypatch.setattr(published, "EXPECTED", path)


@pytest.mark.usefixtures("expected")
def test_the_command_fails_until_results_are_accepted(results: Path) -> None:
    check = "verdicts", "--store", results, "--check"
    assert "all results as the manifest says" in srclib.call(*check).output
    alter(results, "table1_accuracy", cosine)  # no verdict changes
    output = " ".join(srclib.call(*check, code=1).output.split())
    assert "table1_accuracy.jsonl: " in output
    assert "table1/mnist/sequential (released): " in output
    assert "is written" in srclib.call("verdicts", "--store", results, "--accept").output
    assert "all results as the manifest says" in srclib.call(*check).output
