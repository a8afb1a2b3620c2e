"""The guard of the numbers: what each file of results and each verdict rests on, committed beside the results.

A number that is altered by hand, a run that is lost, changed or added, makes the manifest differ, whether a verdict
changes or not; so does a verdict that is altered there. It is written anew on purpose only: `python -m srclib verdicts
--accept`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from ..data.files import whole
from ..experiments.records import Record
from ..experiments.store import Store
from .claims import Judgement, judge_all
from .published import read_rows

FILE = "manifest.csv"
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?")


@dataclass(frozen=True)
class Entry:
    """What one file or verdict rests on, as text."""

    what: str  # a file of the store, the id of a published value, or a claim by its number
    protocol: str  # of a verdict; of a file empty
    n: str  # runs in the file; networks that a verdict rests on
    mean: str  # of these networks; of a file empty
    sd: str  # of the networks behind a value
    verdict: str  # on the value or the claim
    effect: str  # the verdict on the effect of a value against its control
    sha256: str  # of the records


def manifest(store: Store, judgements: Iterable[Judgement] | None = None) -> list[Entry]:
    """Return the entries of a store: its files, then its verdicts under every protocol.

    judgements: all of its verdicts, where they are known.
    """
    files: dict[str, list[Record]] = {}
    lines: dict[int, str] = {}
    for record in store.records():
        files.setdefault(record["experiment"], []).append(record)
    entries = [
        Entry(f"{name}.jsonl", "", str(len(own)), "", "", "", "", _digest(own, lines))
        for name, own in sorted(files.items())
    ]
    for judgement in judgements if judgements is not None else judge_all(store):
        for key, each in judgement.values.items():
            v = each.verdict
            told = (str(v.n), _number(v.reproduced), _number(v.reproduced_sd), v.verdict, v.effect_verdict)
            entries.append(Entry(key, judgement.protocol, *told, _digest(each.records, lines)))
        for claim in judgement.claims:
            if claim.records:
                told = (str(claim.n), _number(claim.effect), "", claim.verdict, "")
                entries.append(Entry(f"claim {claim.number}", judgement.protocol, *told, _digest(claim.records, lines)))
    return entries


def _number(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))


def write(store: Store, judgements: Iterable[Judgement] | None = None) -> Path:
    """Write the manifest of a store into its directory, whole or not at all; return its path."""
    path = store.directory / FILE
    with whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(field.name for field in fields(Entry))
        table.writerows(astuple(entry) for entry in manifest(store, judgements))
    return path


def check(store: Store, judgements: Iterable[Judgement] | None = None) -> list[str]:
    """Compare a store with its manifest; a line for each entry that differs, [] for none.

    Raises FileNotFoundError where there is no manifest, ValueError for a damaged one.
    """
    path = store.directory / FILE
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: `python -m srclib verdicts --accept` writes it")
    expected = _read(path)
    found = {(entry.what, entry.protocol): entry for entry in manifest(store, judgements)}
    lines = []
    for key in [*expected, *(key for key in found if key not in expected)]:
        was, now = expected.get(key), found.get(key)
        name = f"{key[0]} ({key[1]})" if key[1] else key[0]
        if was is None or now is None:
            lines.append(f"{name}: {'not in' if was is None else 'only in'} {path}")
        elif was != now and not _alike(was, now):
            lines.append(f"{name}: {_told(now)}; {path} has {_told(was)}")
    return lines


def _read(path: Path) -> dict[tuple[str, str], Entry]:
    """Return the entries of a manifest by what and protocol."""
    found: dict[tuple[str, str], Entry] = {}
    for line, row in read_rows(path, [field.name for field in fields(Entry)]):
        entry = Entry(**row)
        if (entry.what, entry.protocol) in found:
            raise ValueError(f"{path}, line {line}, column what: {entry.what} {entry.protocol} stands there twice")
        for column in ("mean", "sd"):
            if row[column] and not NUMBER.fullmatch(row[column]):
                raise ValueError(f"{path}, line {line}, column {column}: {row[column]!r} is no number")
        found[entry.what, entry.protocol] = entry
    return found


def _alike(one: Entry, other: Entry) -> bool:
    """Return whether entries differ at most in the last digits of their mean and deviation."""
    numbers = ((one.mean, other.mean), (one.sd, other.sd))
    close = all(a == b or (a and b and math.isclose(float(a), float(b), rel_tol=1e-12)) for a, b in numbers)
    same = [(each.n, each.verdict, each.effect, each.sha256) for each in (one, other)]
    return bool(close) and same[0] == same[1]


def _told(entry: Entry) -> str:
    if not entry.protocol:
        return f"{entry.n} runs, sha256 {entry.sha256[:10]}"
    sd = f" ± {float(entry.sd):.2f}" if entry.sd else ""
    mean = f"{float(entry.mean):.2f}{sd} " if entry.mean else ""
    verdict = ", ".join(filter(None, [entry.verdict, entry.effect and f"effect {entry.effect}"]))
    return f"{mean}(n = {entry.n}, sha256 {entry.sha256[:10]}), {verdict}"


def _digest(records: Collection[Record], lines: dict[int, str]) -> str:
    """Return the SHA-256 of records, in hex, whatever their order; `experiment` is not theirs but their file's.

    lines: what was written of a record before, by its identity: many verdicts rest on the same ones.
    """
    for record in records:
        if id(record) not in lines:
            own = {key: value for key, value in record.items() if key != "experiment"}
            lines[id(record)] = json.dumps(own, sort_keys=True)
    each = {record["key"]: lines[id(record)] for record in records}
    return hashlib.sha256("\n".join(sorted(each.values())).encode()).hexdigest()
