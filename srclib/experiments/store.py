"""The store of results: a directory of JSON-lines files, one per experiment, one line per cell.

A line is appended whole under a lock, so killing the process loses the cells in flight and nothing else. A cell in
flight is claimed by a lock of its own, which the operating system frees when its process ends, so that two processes
never compute the same cell.

A line is checked before it counts (`records`). What is left of a line whose process was killed while it wrote is
reported and skipped; a line that says what cannot be is an error.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from ..data.files import whole
from ..data.places import committed, scratch
from . import records
from .cell import Cell
from .records import Record

log = logging.getLogger(__name__)

TRIALS = scratch("trials")


def default_directory() -> Path:
    """Return the directory of results: $SRCLIB_RESULTS, else the committed ones."""
    return Path(os.environ.get("SRCLIB_RESULTS") or committed("results"))


class Store:
    """Records by cell, over all experiments of a directory.

    Beside the committed results, what was computed with parameters of one's own lies in a directory of its own
    (`trials`). Where a directory was asked for, all results go there.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = Path(directory or default_directory())
        self.trials = self if directory or os.environ.get("SRCLIB_RESULTS") else Store(TRIALS)
        self._records: dict[str, Record] = {}
        self._read_to: dict[Path, tuple[int, int, int]] = {}  # inode, bytes and lines
        self.refresh()

    def refresh(self) -> None:
        """Read what was appended since the last look; a torn line, or what is left of one, is reported and skipped.

        Raises ValueError, which names file, line and reason, for a line that is damaged, and for two that are the same
        run with other results.
        """
        if self.trials is not self:
            self.trials.refresh()
        for path in sorted(self.directory.glob("*.jsonl")):
            with path.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                known, done, lines = self._read_to.get(path, (inode, 0, 0))
                if known != inode:  # another process wrote the file anew
                    done = lines = 0
                file.seek(done)
                new = file.read()
            read, end, torn = new.rpartition(b"\n")
            if torn:
                log.warning("%s: the last line is torn (%d bytes) and skipped", path, len(torn))
            for number, line in enumerate(read.splitlines(), lines + 1):
                self._add(path, number, line)
            self._read_to[path] = inode, done + len(read + end), lines + read.count(b"\n") + len(end)

    def _add(self, path: Path, number: int, line: bytes) -> None:
        try:
            record = records.read(line)
        except records.Torn:
            log.warning("%s, line %d: what is left of a torn line is skipped: %.60r", path, number, line)
            return
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        present = self._records.setdefault(record["key"], {**record, "experiment": path.stem})
        if not records.same(present, record):
            where = self.directory / f"{present['experiment']}.jsonl"
            raise ValueError(f"{path}, line {number}: another result of the same run is in {where}: delete one of them")

    def __contains__(self, cell: Cell) -> bool:
        return cell.key() in self._records or (self.trials is not self and cell in self.trials)

    def __getitem__(self, cell: Cell) -> Record:
        own = self._records.get(cell.key())
        return self.trials[cell] if own is None and self.trials is not self else self._records[cell.key()]

    def records(self) -> list[Record]:
        """Return every record, with the name of its experiment."""
        return list(self._records.values())

    def append(self, experiment: str, record: Record) -> None:
        """Append one record to an experiment's file; the torn line of a killed process is ended first."""
        self.directory.mkdir(parents=True, exist_ok=True)
        line = records.to_line(record)
        with FileLock(self._lock("append")), (self.directory / f"{experiment}.jsonl").open("a+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._records[record["key"]] = {**record, "experiment": experiment}

    def migrate(self) -> dict[str, int]:
        """Write every line as it is read, in the present schema, each file whole or not at all; once for each run.

        Returns by file how many lines of it were changed or left out. Raises ValueError as `refresh` does.
        """
        changed: dict[str, int] = {}
        with FileLock(self._lock("append")):
            self.refresh()
            for path in sorted(self.directory.glob("*.jsonl")):
                before = path.read_bytes().splitlines(keepends=True)
                own = [r for r in self._records.values() if r["experiment"] == path.stem]
                after = [records.to_line({k: v for k, v in record.items() if k != "experiment"}) for record in own]
                if before != after:
                    changed[path.name] = len(before) - len(set(before) & set(after))
                    with whole(path) as part:
                        part.write_bytes(b"".join(after))
            self._read_to.clear()
        return changed

    def claim(self, cell: Cell) -> BaseFileLock | None:
        """Take the sole right to compute a cell, or return None when another process has it."""
        lock = FileLock(self._lock(cell.key()))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        return lock

    def _lock(self, name: str) -> Path:
        folder = self.directory / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.lock"
