"""The store of results: a directory of JSON-lines files, one per experiment, one line per cell.

A line is appended whole under a lock, so killing the process loses the cells in flight and nothing else. A cell in
flight is claimed by a lock of its own, which the operating system frees when its process ends, so that two processes
never compute the same cell.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from ..data.datasets import DATA
from .cell import Cell

log = logging.getLogger(__name__)

Record = dict[str, Any]  # key, cell, metrics and provenance: one line of the store


def default_directory() -> Path:
    """Return the directory of results: $SRCLIB_RESULTS, else the committed ones."""
    return Path(os.environ.get("SRCLIB_RESULTS", DATA / "results"))


class Store:
    """Records by cell, over all experiments of a directory."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = Path(directory or default_directory())
        self._records: dict[str, Record] = {}
        self._read_to: dict[Path, int] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what was appended since the last look; a damaged or torn line is reported and skipped."""
        for path in sorted(self.directory.glob("*.jsonl")):
            done = self._read_to.get(path, 0)
            with path.open("rb") as file:
                file.seek(done)
                new = file.read()
            whole, end, torn = new.rpartition(b"\n")
            self._read_to[path] = done + len(whole + end)
            if torn:
                log.warning("%s: the last line is torn (%d bytes) and skipped", path, len(torn))
            for line in whole.splitlines():
                try:
                    record = json.loads(line)
                    self._records[record["key"]] = {**record, "experiment": path.stem}
                except (ValueError, KeyError, TypeError):
                    log.warning("%s: a damaged line is skipped: %.60r", path, line)

    def __contains__(self, cell: Cell) -> bool:
        return cell.key() in self._records

    def __getitem__(self, cell: Cell) -> Record:
        return self._records[cell.key()]

    def records(self) -> list[Record]:
        """Return every record, with the name of its experiment."""
        return list(self._records.values())

    def append(self, experiment: str, record: Record) -> None:
        """Append one record to an experiment's file; the torn line of a killed process is ended first."""
        self.directory.mkdir(parents=True, exist_ok=True)
        line = json.dumps(record, sort_keys=True).encode() + b"\n"
        with FileLock(self._lock("append")), (self.directory / f"{experiment}.jsonl").open("a+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._records[record["key"]] = {**record, "experiment": experiment}

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
