"""The store: what a torn line, a damaged line, a second process and a killed process do to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from srclib.experiments import compute
from srclib.experiments.cell import Cell
from srclib.experiments.records import to_line
from srclib.experiments.store import Store, default_directory

from .. import made_up
from ..cells import tiny
from ..made_up import phase, record, schema_1

ROOT = Path(__file__).parents[2]


def filled(folder: Path, count: int = 3) -> tuple[Path, list[Cell]]:
    """Write a file of so many records; return it and their cells."""
    cells = [tiny(seed) for seed in range(count)]
    store = Store(folder)
    for cell in cells:
        store.append("demo", record(cell))
    return folder / "demo.jsonl", cells


def keys(path: Path) -> list[str]:
    """Return the key of every line."""
    return [json.loads(line)["key"] for line in path.read_text().splitlines()]


# Reading and writing


def test_what_was_appended_is_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "folder")
    cells = [tiny(seed) for seed in range(3)]
    for seed, cell in enumerate(cells):
        assert cell not in store
        store.append("demo", record(cell, commit=f"{seed:040}"))
        assert cell in store
    for known in (store, Store(store.directory)):
        assert [known[cell] for cell in cells] == [
            record(cell, commit=f"{seed:040}") | {"experiment": "demo"} for seed, cell in enumerate(cells)
        ]
        assert known.records() == [known[cell] for cell in cells]
    assert tiny(9) not in store
    assert keys(store.directory / "demo.jsonl") == [cell.key() for cell in cells]


def test_experiments_have_a_file_each_and_share_their_cells(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append("one", record(tiny(1)))
    store.append("two", record(tiny(2)))
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["one.jsonl", "two.jsonl"]
    fresh = Store(tmp_path)
    assert [fresh[tiny(seed)]["experiment"] for seed in (1, 2)] == ["one", "two"]


def test_refresh_reads_what_others_appended(tmp_path: Path) -> None:
    reader, writer = Store(tmp_path), Store(tmp_path)
    for seed in range(3):
        writer.append("demo", record(tiny(seed)))
        assert tiny(seed) not in reader
        reader.refresh()
        assert tiny(seed) in reader
    writer.append("other", record(tiny(7)))
    reader.refresh()
    assert tiny(7) in reader
    assert len(reader.records()) == 4


def test_two_stores_may_append_in_turn(tmp_path: Path) -> None:
    one, two = Store(tmp_path), Store(tmp_path)
    for seed in range(0, 6, 2):
        one.append("demo", record(tiny(seed)))
        two.append("demo", record(tiny(seed + 1)))
    assert keys(tmp_path / "demo.jsonl") == [tiny(seed).key() for seed in range(6)]
    one.refresh()
    assert all(tiny(seed) in one for seed in range(6))


def test_default_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SRCLIB_RESULTS", raising=False)
    assert default_directory() == ROOT / "data" / "results"
    monkeypatch.setenv("SRCLIB_RESULTS", str(tmp_path))
    assert default_directory() == Store().directory == tmp_path
    assert Store(tmp_path / "other").directory == tmp_path / "other"


def test_appending_waits_for_its_turn(tmp_path: Path) -> None:
    path, _ = filled(tmp_path)
    before = path.read_bytes()
    with ThreadPoolExecutor(1) as executor:
        with FileLock(tmp_path / ".locks" / "append.lock"):
            waiting = executor.submit(Store(tmp_path).append, "demo", record(tiny(7)))
            time.sleep(0.3)
            assert path.read_bytes() == before
        waiting.result(timeout=30)
    assert keys(path)[-1] == tiny(7).key()


# Torn and damaged lines


@pytest.mark.parametrize("left", ["one_byte", "half", "all_but_the_newline"])
def test_a_torn_last_line_is_reported_and_skipped(left: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, cells = filled(tmp_path)
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    kept = {"one_byte": 1, "half": len(last) // 2, "all_but_the_newline": len(last) - 1}[left]
    torn = whole[: len(whole) - len(last) + kept]
    path.write_bytes(torn)

    store = Store(tmp_path)
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert f"{path}: the last line is torn ({kept} bytes) and skipped" in caplog.text
    assert [cell in store for cell in cells] == [True, True, False]
    other = Store(tmp_path)  # a second process that saw it torn

    store.append("demo", record(tiny(8)))
    store.append("demo", record(tiny(9)))
    content = path.read_bytes()
    assert content.startswith(torn + b"\n")  # nothing that was written is lost
    assert content[len(torn) + 1 :].count(b"\n") == 2
    other.refresh()
    for known in (store, other, Store(tmp_path)):
        assert all(cell in known for cell in (*cells[:2], tiny(8), tiny(9)))
    assert (cells[2] in other) == (left == "all_but_the_newline")  # whole again, once its line has ended


def test_a_whole_file_is_read_in_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filled(tmp_path)
    store = Store(tmp_path)
    store.refresh()
    assert len(store.records()) == 3
    assert not caplog.records


def with_line(path: Path, line: bytes, number: int = 2) -> None:
    """Put a line into a file."""
    lines = path.read_bytes().splitlines()
    lines.insert(number - 1, line)
    path.write_bytes(b"\n".join([*lines, b""]))


@pytest.mark.parametrize(
    "line", [b"{", b"not json", b'{"cell": {"aw', b"\xff\xfe", b"", b"\x00" * 50], ids=lambda line: repr(line[:10])
)
def test_what_is_left_of_a_torn_line_is_reported_and_skipped(
    line: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, cells = filled(tmp_path)
    with_line(path, line)
    store = Store(tmp_path)
    assert f"{path}, line 2: what is left of a torn line is skipped: {line[:10]!r}"[:-1] in caplog.text
    assert len(caplog.records) == 1
    assert [known["key"] for known in store.records()] == [cell.key() for cell in cells]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"no": "key"}', "allowed is an object with the keys key, cell, metrics"),
        (b'{"cell": {}}', "key is missing"),
        (b"[1, 2]", "allowed is an object"),
        (b'"text"', "allowed is an object"),
        (b"3", "allowed is an object"),
        (b"null", "allowed is an object"),
        (
            to_line(record(tiny(7))).strip().replace(b'"final": 0.5', b'"final": 0.75'),
            "metrics: final = 0.75: the over",
        ),
        (
            to_line(record(tiny(7))).strip().replace(b'"overlap": 12', b'"overlap": 13'),
            "key = .* one of them was alter",
        ),
    ],
    ids=["no_cell", "no_key", "list", "text", "number", "null", "final", "cell"],
)
def test_a_damaged_line_is_refused_with_file_line_and_reason(line: bytes, says: str, tmp_path: Path) -> None:
    path, _ = filled(tmp_path)
    with_line(path, line, 3)
    with pytest.raises(ValueError, match=f"^{path}, line 3: {says}"):
        Store(tmp_path)


def test_lines_are_counted_from_the_start_of_the_file(tmp_path: Path) -> None:
    path, _ = filled(tmp_path)
    store = Store(tmp_path)
    with path.open("ab") as file:
        file.write(to_line(record(tiny(8))) + b"[]\n")
    with pytest.raises(ValueError, match=f"^{path}, line 5: "):
        store.refresh()


def test_two_other_results_of_one_run_are_refused(tmp_path: Path) -> None:
    first, _ = filled(tmp_path)
    other = made_up.write(tmp_path, "other", [record(tiny(1), phase("training", 0, 0.75))])
    with pytest.raises(ValueError, match=f"^{other}, line 1: another result of the same run is in {first}: delete one"):
        Store(tmp_path)


def test_the_same_results_of_one_run_are_one(tmp_path: Path) -> None:
    filled(tmp_path)
    again = record(tiny(1), seconds=7.0)
    again["metrics"]["seconds"] = {"training": 6.0}
    made_up.write(tmp_path, "other", [again, again])
    store = Store(tmp_path)
    assert len(store.records()) == 3
    assert store[tiny(1)] == record(tiny(1)) | {"experiment": "demo"}  # the first one stays


# Migration


def old_store(folder: Path) -> tuple[Path, Path]:
    """Write two files with runs in schema 1 and 2, one of them in both; return them."""
    one = made_up.write(folder, "one", [schema_1(0), record(tiny(1)), schema_1(2)])
    two = made_up.write(folder, "two", [record(tiny(2), seconds=7.0), record(tiny(3))])
    with two.open("ab") as file:
        file.write(b'{"cell": {"aw')
    return one, two


def test_migrated_files_hold_what_was_read(tmp_path: Path) -> None:
    one, two = old_store(tmp_path)
    before = Store(tmp_path).records()
    assert Store(tmp_path).migrate() == {"one.jsonl": 2, "two.jsonl": 2}
    assert one.read_bytes() == b"".join(to_line(record(tiny(seed))) for seed in (0, 1, 2))
    assert two.read_bytes() == to_line(record(tiny(3)))
    assert Store(tmp_path).records() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".locks", "one.jsonl", "two.jsonl"]


def test_a_second_migration_changes_nothing(tmp_path: Path) -> None:
    paths = old_store(tmp_path)
    store = Store(tmp_path)
    store.migrate()
    state = [(path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) for path in paths]
    assert store.migrate() == Store(tmp_path).migrate() == {}
    assert [(path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) for path in paths] == state


def test_a_store_goes_on_after_its_migration(tmp_path: Path) -> None:
    old_store(tmp_path)
    store = Store(tmp_path)
    store.migrate()
    store.append("one", record(tiny(5)))
    store.refresh()
    assert {r["seed"]: r for r in store.records()} == {r["seed"]: r for r in Store(tmp_path).records()}
    assert [tiny(seed) in store for seed in range(6)] == [True] * 4 + [False, True]


def test_a_store_goes_on_after_the_migration_of_another_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old_store(tmp_path)
    store = Store(tmp_path)
    other = Store(tmp_path)
    other.migrate()
    other.append("two", record(tiny(5)))
    caplog.clear()
    store.refresh()
    assert tiny(5) in store
    assert store.records() == other.records()
    assert not caplog.records


def test_a_migration_that_is_killed_leaves_every_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = old_store(tmp_path)
    before, known = (one.read_bytes(), two.read_bytes()), Store(tmp_path).records()
    replace, done = Path.replace, list[Path]()

    def killed(part: Path, path: Path) -> Path:
        if done:
            raise KeyboardInterrupt
        done.append(path)
        return replace(part, path)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):  # between the two files
        Store(tmp_path).migrate()
    assert done == [one]
    assert two.read_bytes() == before[1]
    assert Store(tmp_path).records() == known
    with pytest.raises(KeyboardInterrupt):  # again, now before any
        Store(tmp_path).migrate()
    assert two.read_bytes() == before[1]
    monkeypatch.undo()
    Store(tmp_path).migrate()
    assert Store(tmp_path).records() == known


def test_a_store_with_a_damaged_line_is_not_migrated(tmp_path: Path) -> None:
    one, two = old_store(tmp_path)
    with_line(two, b"[]")
    before = one.read_bytes(), two.read_bytes()
    with pytest.raises(ValueError, match=r"two\.jsonl, line 2"):
        Store(tmp_path).migrate()
    assert (one.read_bytes(), two.read_bytes()) == before


# Claims


def test_a_claim_is_exclusive_until_released(tmp_path: Path) -> None:
    one, two = Store(tmp_path), Store(tmp_path)
    claim = one.claim(tiny(1))
    assert claim is not None
    assert two.claim(tiny(1)) is None
    assert one.claim(tiny(1)) is None
    other = two.claim(tiny(2))
    assert other is not None
    claim.release()
    again = two.claim(tiny(1))
    assert again is not None
    for held in (other, again):
        held.release()


def test_a_claim_leaves_no_line(tmp_path: Path) -> None:
    claim = Store(tmp_path).claim(tiny(1))
    assert claim is not None
    claim.release()
    assert list(tmp_path.glob("*.jsonl")) == []


# Other processes

SHARE = """
import sys, time
from pathlib import Path
from srclib.experiments import compute as results
from srclib.experiments.store import Store
from tests.cells import tiny

folder, me, other = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
real = results.compute

def compute(cell):
    "Compute, and hold the claim until the other process has one as well."
    print(cell.key(), flush=True)
    (folder / me).touch()
    give_up = time.monotonic() + 60
    while not (folder / other).exists() and time.monotonic() < give_up:
        time.sleep(0.01)
    return real(cell)

results.compute = compute
cells = [tiny(seed) for seed in range(6)]
records = results.complete("demo", cells, store=Store(folder), scheduler="inline")
assert [record["key"] for record in records] == [cell.key() for cell in cells]
"""

HANG = """
import sys, time
from pathlib import Path
from srclib.experiments import compute as results
from srclib.experiments.store import Store
from tests.cells import tiny

folder, torn = Path(sys.argv[1]), sys.argv[2].encode()
real, computed = results.compute, []

def compute(cell):
    "Compute three cells; hang in the fourth, perhaps in the middle of writing its line."
    if len(computed) == 3:
        if torn:
            with (folder / "demo.jsonl").open("ab") as file:
                file.write(torn)
        print("hangs", flush=True)
        time.sleep(600)
    computed.append(cell)
    return real(cell)

results.compute = compute
results.complete("demo", [tiny(seed) for seed in range(6)], store=Store(folder), scheduler="inline")
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python process that can import the package and these tests."""
    threads = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, env=os.environ | threads, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_two_processes_compute_nothing_twice(tmp_path: Path) -> None:
    processes = [start(SHARE, str(tmp_path), *names) for names in (("a", "b"), ("b", "a"))]
    computed = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out, "both take part"
        computed += out.split()
    expected = sorted(tiny(seed).key() for seed in range(6))
    assert sorted(computed) == expected
    assert sorted(keys(tmp_path / "demo.jsonl")) == expected


@pytest.mark.parametrize("torn", ["", '{"cell": {"awake"'], ids=["in_a_cell", "in_a_line"])
def test_a_killed_run_goes_on_where_it_was(torn: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cells = [tiny(seed) for seed in range(6)]
    path = tmp_path / "demo.jsonl"
    process = start(HANG, str(tmp_path), torn)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "hangs\n", process.communicate()
        before = path.read_bytes()
        store = Store(tmp_path)
        assert [cell in store for cell in cells] == [True] * 3 + [False] * 3
        assert store.claim(cells[3]) is None  # the other process has it
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL

    caplog.clear()
    records = compute.complete("demo", cells, store=Store(tmp_path), scheduler="inline")
    assert [r["key"] for r in records] == [cell.key() for cell in cells]
    content = path.read_bytes()
    assert content.startswith(before)
    lines = content.decode().splitlines()
    if torn:
        assert lines.pop(3) == torn
        assert "the last line is torn" in caplog.text
    assert [json.loads(line)["key"] for line in lines] == [cell.key() for cell in cells]  # each exactly once
    claim = Store(tmp_path).claim(cells[3])
    assert claim is not None  # no lock is left
    claim.release()
