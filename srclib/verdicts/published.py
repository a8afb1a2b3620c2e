"""Published values, each with its source and how sure it is.

The tables stand in `data/published/`, one CSV file per place of publication; its README explains columns and sources.
"""

from __future__ import annotations

import csv
import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from ..data import STREAMS
from ..data.places import committed

PUBLISHED = committed("published")

COLUMNS = (
    "id", "dataset", "method", "quantity", "unit", "value", "sd", "sd_as_printed",
    "trials", "margin", "against", "confidence", "source", "reason",
)  # fmt: skip
ALLOWED = {
    "dataset": ("", *STREAMS),
    "method": (
        "", "sequential", "ewc", "si", "owm", "src", "rehearsal", "src+rehearsal", "parallel", "icarl", "icarl+src",
        "weight_averaging",
    ),
    "unit": ("percent", "epochs", "pixels", "1"),
    "confidence": ("high", "medium-high", "medium", "none"),
}  # fmt: skip
REQUIRED = ("id", "quantity", "unit", "confidence", "source")
NUMBERS = ("value", "sd", "sd_as_printed", "trials", "margin")
NUMBER = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)")


def load(directory: Path | None = None) -> pd.DataFrame:
    """Read every published value, indexed by `id`.

    `value`, `sd`, `sd_as_printed`, `trials` and `margin` are floats (nan: not known, or not to be judged), the other
    columns text ("" for empty).

    Raises ValueError that names file, line and column of the first fault.
    """
    directory = PUBLISHED if directory is None else Path(directory)
    paths = sorted(directory.glob("*.csv"))
    if not paths:
        raise ValueError(f"no table of published values (*.csv) in {directory}")
    rows: dict[str, dict[str, str]] = {}
    places: dict[str, str] = {}
    for path in paths:
        for line, row in read_rows(path, COLUMNS):
            place = f"{path}, line {line}"
            for column, fault in _faults(row, path.stem):
                raise ValueError(f"{place}, column {column}: {fault}")
            if row["id"] in rows:
                raise ValueError(f"{place}, column id: {row['id']!r} is already in {places[row['id']]}")
            rows[row["id"]], places[row["id"]] = row, place
    for key, row in rows.items():
        if row["against"]:
            other = rows.get(row["against"])
            place = f"{places[key]}, column against"
            if other is None or other is row:
                near = near_matches(row["against"], rows)
                raise ValueError(f"{place}: {row['against']!r} is not the id of another row{near}")
            if (other["dataset"], other["quantity"]) != (row["dataset"], row["quantity"]):
                raise ValueError(f"{place}: {row['against']!r} has another data set or quantity than {key!r}")
    frame = pd.DataFrame(list(rows.values()), columns=list(COLUMNS)).set_index("id")
    for column in NUMBERS:
        frame[column] = frame[column].map(lambda printed: float(printed) if printed else math.nan).astype(float)
    return frame


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row) of a CSV file that has exactly these columns, in this order."""
    line = 1
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            for given, wanted in zip([*header, *[None] * len(columns)], columns, strict=False):
                if given != wanted:
                    raise ValueError(f"{path}, line 1, column {wanted}: found {given!r} in its place")
            if len(header) > len(columns):
                raise ValueError(f"{path}, line 1, column {header[len(columns)]}: not one of {', '.join(columns)}")
            for cells in reader:
                line = reader.line_num
                if len(cells) != len(columns):
                    column = columns[min(len(cells), len(columns) - 1)]
                    raise ValueError(f"{path}, line {line}, column {column}: {len(cells)} cells, not {len(columns)}")
                yield line, dict(zip(columns, cells, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}, near line {line + 1}, all columns: not a UTF-8 CSV file ({error})") from None


def _faults(row: Mapping[str, str], stem: str) -> Iterator[tuple[str, str]]:
    """Yield (column, what is wrong) for one row of the file <stem>.csv."""
    for column, cell in row.items():
        if cell != cell.strip():
            yield column, f"{cell!r} has blanks around it"
        if column in REQUIRED and not cell:
            yield column, "is empty"
        if column in ALLOWED and cell not in ALLOWED[column]:
            yield column, not_one_of(cell, ALLOWED[column])
        if column in NUMBERS and cell and not NUMBER.fullmatch(cell):
            yield column, f"{cell!r} is not a plain decimal number"
    if not row["id"].startswith(f"{stem}/"):
        yield "id", f"{row['id']!r} does not start with '{stem}/', the name of its file"
    if bool(row["value"]) == (row["confidence"] == "none"):
        yield "confidence", f"{row['confidence']!r} does not fit the value {row['value']!r}: none goes with no value"
    if bool(row["margin"]) != bool(row["trials"]) or (row["margin"] and not row["value"]):
        yield "margin", "margin and trials go together, and with a value: it is judged by both"
    if NUMBER.fullmatch(row["trials"]) and not float(row["trials"]).is_integer():
        yield "trials", f"{row['trials']} is no whole number"
    for column in ("trials", "margin"):
        if NUMBER.fullmatch(row[column]) and float(row[column]) < (1 if column == "trials" else 0):
            yield column, f"{row[column]} is too small: allowed is 1 or more trials, a margin of 0 or more"
    if not row["value"] and not row["reason"]:
        yield "reason", "is empty, and so is the value: say why it is missing"
    if bool(row["sd"]) != bool(row["sd_as_printed"]) or (row["sd"] and not row["value"]):
        yield "sd", "sd and sd_as_printed go together, and with a value"
    elif row["sd"]:
        sd, printed = float(row["sd"]), float(row["sd_as_printed"])
        if sd < 0 or not any(math.isclose(sd, factor * printed) for factor in (1, 100)):
            yield "sd", f"{sd:g} is neither {printed:g} as printed nor 100 times that (a fraction in percentage points)"


def not_one_of(given: str, allowed: Iterable[str]) -> str:
    return f"{given!r} is not one of {', '.join(name or '(empty)' for name in allowed)}"


def near_matches(key: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(key, list(known), n=5, cutoff=0.5)
    return f"; near matches: {', '.join(matches)}" if matches else ""
