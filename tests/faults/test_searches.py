"""A journal is read whatever its end is like; outcomes are written whole; what goes on is said."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from srclib.data import files
from srclib.search import commands as search_commands
from srclib.search import conduct, outcomes, trials, whole_runs
from srclib.sleep.space import Values

from ..search.tiny import STRENGTH, conducted

ROOT = Path(__file__).resolve().parents[2]


def half(candidates: Sequence[Values]) -> list[float]:
    return [0.5 for _ in candidates]


ENDS = {
    "torn": b'{"op_code": 8, "work',
    "torn_deep": b'{"op_code": 8, "x": [[[[',
    "garbage": b"garbage\n",
    "garbage_without_end": b"garbage",
    "several": b"garbage\nmore\n\n\n",
    "zeros": bytes(4096),
    "zeros_and_line": bytes(4096) + b"\n",
    "no_text": b"\xff\xfe\x00\n",
    "empty_lines": b"\n\n",
    "a_number": b"3\n",
    "a_list": b"[]\n",
    "no_operation": b"{}\n",
    "carriage": b"\r\n",
    "deep": b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_follows_the_last_whole_line_is_cut_off(
    end: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = tmp_path / "some.journal"
    first = trials.optimize(journal, STRENGTH, 0, 1, half, {})
    kept = journal.read_bytes()
    journal.write_bytes(kept + end)
    with caplog.at_level(logging.WARNING):
        more = trials.optimize(journal, replace(STRENGTH, trials=4), 0, 1, half, {})
    assert f"some.journal: what follows its last whole line is torn ({len(end)} bytes) and cut off" in caplog.text
    assert journal.read_bytes().startswith(kept)
    assert len(more.trials) == 4 and more.trials.iloc[:2].equals(first.trials)
    caplog.clear()
    again = trials.optimize(journal, replace(STRENGTH, trials=5), 0, 1, half, {})  # and so on
    assert len(again.trials) == 5
    assert "torn" not in caplog.text


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x00" * 100, b"\n"], ids=repr)
def test_a_journal_without_a_whole_line_begins_anew(content: bytes, tmp_path: Path) -> None:
    journal = tmp_path / "some.journal"
    journal.write_bytes(content)
    assert len(trials.optimize(journal, STRENGTH, 0, 1, half, {}).trials) == 2


@pytest.mark.parametrize(
    "damage", [b"garbage\n", b"\xff\xfe\n", b"{}\n", b"3\n", b'{"op_code": 77, "worker_id": ""}\n']
)
def test_damage_before_the_end_is_named(damage: bytes, tmp_path: Path) -> None:
    journal = tmp_path / "some.journal"
    trials.optimize(journal, STRENGTH, 0, 1, half, {})
    first, *others = journal.read_bytes().splitlines(keepends=True)
    content = b"".join([first, damage, *others])
    journal.write_bytes(content)
    with pytest.raises(ValueError, match=r"some\.journal has a damaged line, .*: allowed are lines of JSON"):
        trials.optimize(journal, STRENGTH, 0, 1, half, {})
    assert journal.read_bytes() == content


def test_a_search_that_was_cut_goes_on_to_its_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_runs, "final", lambda cell: cell.plugins[0].strength / 1000)  # type: ignore[attr-defined]
    conducted(replace(STRENGTH, trials=3), tmp_path)
    (journal,) = tmp_path.rglob("*.journal")
    journal.write_bytes(journal.read_bytes() + b"\x00\x00garbage")
    _, outcome, table = conducted(replace(STRENGTH, trials=4), tmp_path)
    assert len(table) == 4
    assert outcome["stages"][0]["score"] == table.score.max()


@pytest.mark.parametrize("dies", ["tiny.csv", "tiny.yaml"])
def test_an_outcome_is_written_whole(dies: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_runs, "final", lambda cell: 0.5)
    conducted(replace(STRENGTH, trials=2), tmp_path)
    before = (tmp_path / "tiny.yaml").read_bytes()
    replaced = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if Path(target).name == dies:
            raise KeyboardInterrupt
        return replaced(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            conducted(replace(STRENGTH, trials=3), tmp_path)
    assert (tmp_path / "tiny.yaml").read_bytes() == before
    assert outcomes.outcome("tiny", tmp_path)["study"]["trials"] == 2
    assert not list(tmp_path.glob("*.part"))
    assert len(conducted(replace(STRENGTH, trials=3), tmp_path)[2]) == 3


def test_two_that_write_one_file_do_not_mix(tmp_path: Path) -> None:
    path, together = tmp_path / "some.txt", threading.Barrier(4)

    def write(letter: str) -> None:
        with files.whole(path) as part, part.open("w") as file:
            for _ in range(1_000):
                file.write(letter)
            together.wait(20)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    assert re.fullmatch(r"(.)\1{999}", path.read_text())
    assert list(tmp_path.iterdir()) == [path]


def test_what_goes_on_means_is_said_where_it_is_promised() -> None:
    texts = {
        "trials": trials.__doc__,
        "conduct": conduct.conduct.__doc__,
        "command": search_commands.search.__doc__,
        "page": (ROOT / "book" / "reexecute.md").read_text(),
    }
    for place, text in texts.items():
        said = " ".join((text or "").split())
        assert re.search(r"goes on.{0,200}trials that ended", said), place
        assert re.search(r"goes on.{0,400}(not those|other values|not the same|not what)", said), place
