"""Published values, and the one function that says whether a reproduced value agrees with them.

The tables stand in `data/published/`, one CSV file per place of publication; its README explains columns and sources.
"""

from __future__ import annotations

import csv
import difflib
import html
import math
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from .datasets import DATA

PUBLISHED = DATA / "published"
EXPECTED = PUBLISHED / "expected_verdicts.csv"

COLUMNS = (
    "id", "dataset", "method", "quantity", "unit", "value", "sd", "sd_as_printed",
    "against", "confidence", "source", "reason",
)  # fmt: skip
ALLOWED = {
    "dataset": ("", "patches", "mnist", "fashion_mnist", "cross_modal", "cifar10", "cub200"),
    "method": (
        "", "sequential", "ewc", "si", "owm", "src", "rehearsal", "src+rehearsal", "parallel", "icarl", "icarl+src",
        "weight_averaging",
    ),
    "unit": ("percent", "epochs", "pixels", "1"),
    "confidence": ("high", "medium-high", "medium", "none"),
}  # fmt: skip
REQUIRED = ("id", "quantity", "unit", "confidence", "source")
NUMBER = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)")

AGREES, DIFFERS, OPPOSITE, UNPUBLISHED = "agrees", "differs", "opposite", "no published value"
CLAIMS = {"> 0": 1, "< 0": -1}  # directions that are published without a number
SIGNIFICANT = 0.05
MARKS = {AGREES: "✓", DIFFERS: "≠", OPPOSITE: "⇅", UNPUBLISHED: "○"}  # shapes, so that no colour is needed
CAPTION = (
    "Published and reproduced values in the unit of the publication (accuracies in percent), as mean ± standard "
    "deviation (n runs). Agrees: within two standard deviations of both. Where a direction is published without a "
    "number (> 0, < 0), it agrees if the mean lies there with p < 0.05 (two-sided t-test over the runs)."
)
NOT_AVAILABLE = "not available"


@dataclass(frozen=True)
class Verdict:
    """A published value beside its reproduction, all in the unit of the published row; nan stands for "not known"."""

    id: str
    published: float
    published_sd: float
    reproduced: float  # mean over n runs
    reproduced_sd: float  # sample standard deviation (n - 1); nan for one run
    n: int
    difference: float  # reproduced - published
    verdict: str  # a key of MARKS


def load(directory: Path | None = None) -> pd.DataFrame:
    """Read every published value, indexed by `id`.

    `value` and `sd` are floats (nan: not known), the other columns text ("" for empty). The added column `resolution`
    is one unit of the last printed digit: 0.01 for "48.47", 1 for "44".

    Raises ValueError that names file, line and column of the first fault.
    """
    directory = PUBLISHED if directory is None else Path(directory)
    paths = [path for path in sorted(directory.glob("*.csv")) if path.name != EXPECTED.name]
    if not paths:
        raise ValueError(f"no table of published values (*.csv) in {directory}")
    rows: dict[str, dict[str, str]] = {}
    places: dict[str, str] = {}
    for path in paths:
        for line, row in _read(path, COLUMNS):
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
                near = _near(row["against"], rows)
                raise ValueError(f"{place}: {row['against']!r} is not the id of another row{near}")
            if (other["dataset"], other["quantity"]) != (row["dataset"], row["quantity"]):
                raise ValueError(f"{place}: {row['against']!r} has another data set or quantity than {key!r}")
    frame = pd.DataFrame(list(rows.values()), columns=list(COLUMNS)).set_index("id")
    decimals = frame["value"].map(lambda printed: len(printed.partition(".")[2]))
    frame["resolution"] = 10.0**-decimals
    for column in ("value", "sd"):
        frame[column] = frame[column].map(lambda printed: float(printed) if printed else math.nan).astype(float)
    return frame


def judge(
    row: pd.Series,
    reproduced: Sequence[float],
    baseline: Sequence[float] | None = None,
    published_baseline: float | None = None,
    claim: str = "",
) -> Verdict:
    """Compare one row of `load()` with the runs that reproduce it.

    - `no published value`: the row has none, and no direction is claimed.
    - where a direction is claimed in place of a value, `claim` = "> 0" or "< 0": `agrees` if our mean lies there,
      `opposite` if it lies on the other side, both with p < 0.05 in a two-sided t-test over the runs; else `differs`.
    - `opposite`: the row is published as above (below) its baseline, and our mean is below (above) our baseline's by
      more than two standard errors of that difference. Needs two runs or more on both sides.
    - `agrees`: |mean - published| <= 2 sqrt(sd_published² + sd_reproduced²) + half a unit of the last printed digit.
      A standard deviation that is not known counts as 0.
    - `differs`: anything else.

    They are tried in this order: an effect of the wrong sign is never hidden by a wide standard deviation.

    `reproduced` and `baseline` hold one number per run, in the row's unit; `baseline` and `published_baseline` belong
    to the row named in `against`, None if not known. Raises ValueError for no run or a number that is not finite.
    """
    mean, sd = _mean_sd(row.name, reproduced)
    published, published_sd = float(row["value"]), float(row["sd"])
    tolerance = 2 * math.hypot(_or_zero(published_sd), _or_zero(sd)) + row["resolution"] / 2
    reversed_effect = False
    if baseline is not None and published_baseline is not None:
        baseline_mean, baseline_sd = _mean_sd(f"baseline of {row.name}", baseline)
        effect, published_effect = mean - baseline_mean, published - published_baseline
        error = math.hypot(sd / math.sqrt(len(reproduced)), baseline_sd / math.sqrt(len(baseline)))
        reversed_effect = effect * published_effect < 0 and abs(effect) > 2 * error  # False if any of them is nan
    if math.isnan(published) and claim:
        verdict = _direction(reproduced, CLAIMS[claim])
    elif math.isnan(published):
        verdict = UNPUBLISHED
    elif reversed_effect:
        verdict = OPPOSITE
    else:
        verdict = AGREES if abs(mean - published) <= tolerance + 1e-9 else DIFFERS
    return Verdict(str(row.name), published, published_sd, mean, sd, len(reproduced), mean - published, verdict)


def verdicts(
    reproduced: Mapping[str, Sequence[float]],
    protocol: str = "released",
    table: pd.DataFrame | None = None,
    claims: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Judge many values: {id: one number per run} -> the fields of `Verdict`, `protocol` and `claim`, one row per id.

    claims: directions that are published without a number, by id. The baseline of a row is the row named in its
    `against`, if that was reproduced too. Join two protocols with `pd.concat`. Raises ValueError for an id that is not
    in `table` (None: `load()`), with near matches.
    """
    table = load() if table is None else table
    judged = []
    for key, runs in reproduced.items():
        if key not in table.index:
            raise ValueError(f"no published row {key!r}{_near(key, table.index)}")
        row = table.loc[key]
        assert isinstance(row, pd.Series)  # ids are unique
        against = str(row["against"])
        published_baseline = float(table["value"][against]) if against else None
        claim = (claims or {}).get(key, "")
        judged.append(asdict(judge(row, runs, reproduced.get(against), published_baseline, claim)) | {"claim": claim})
    frame = pd.DataFrame(judged, columns=[*(field.name for field in fields(Verdict)), "claim"])
    frame.insert(1, "protocol", protocol)
    return frame


def check_expected(frame: pd.DataFrame, path: Path = EXPECTED) -> list[str]:
    """Compare verdicts (a frame of `verdicts`) with the committed ones; one readable line per difference, [] for none.

    The file has the columns id, protocol, verdict, note. Raises ValueError, with file, line and column, if it is bad.
    """
    expected: dict[tuple[str, str], str] = {}
    for line, row in _read(path, ("id", "protocol", "verdict", "note")):
        key = row["id"], row["protocol"]
        if row["verdict"] not in MARKS:
            raise ValueError(f"{path}, line {line}, column verdict: {_not_one_of(row['verdict'], MARKS)}")
        if key in expected:
            raise ValueError(f"{path}, line {line}, column id: {' '.join(key)} stands there twice")
        expected[key] = row["verdict"]
    if frame.duplicated(["id", "protocol"]).any():
        raise ValueError("the verdicts hold an id twice under one protocol")
    found = dict(zip(zip(frame["id"], frame["protocol"], strict=True), frame["verdict"], strict=True))
    lines = []
    for key in sorted(expected.keys() | found.keys()):
        was, now = expected.get(key), found.get(key)
        name = f"{key[0]} ({key[1]})"
        if was is None:
            lines.append(f"new: {name}: {now}, without a row in {Path(path).name}")
        elif now is None:
            lines.append(f"missing: {name}: expected {was}, not reproduced")
        elif was != now:
            lines.append(f"changed: {name}: expected {was}, now {now}")
    return lines


def styled(frame: pd.DataFrame, caption: str = CAPTION) -> str:
    """Draw a frame of `verdicts` as an accessible HTML table without colours: readable in light and dark mode.

    A column `label` gives a row another name than its id. A column `protocol` appears if the frame holds more than one.
    """
    protocols = frame["protocol"].nunique() > 1
    head = ["published", "reproduced (n)", "difference", "verdict"]
    head = ["value", *(["protocol"] if protocols else []), *head]
    body = []
    for row in frame.to_dict("records"):
        known = not math.isnan(row["published"])
        form = ".2f" if abs(row["reproduced"]) >= 0.1 or row["reproduced"] == 0 else ".2g"
        cells = [
            *([row["protocol"]] if protocols else []),
            as_published(row),
            f"{row['reproduced']:{form}}{_spread(row['reproduced_sd'], form)} ({row['n']})",
            f"{row['difference']:+{form}}" if known else "–",
            f"{MARKS[row['verdict']]} {row['verdict']}",
        ]
        name = html.escape(row.get("label", row["id"]))
        body.append(f'<tr><th scope="row">{name}</th>' + "".join(f"<td>{html.escape(c)}</td>" for c in cells) + "</tr>")
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    text = html.escape(caption)
    return (  # the region can be focused, so that a keyboard can scroll a table wider than a phone
        f'<div role="region" aria-label="Verdicts" tabindex="0" style="overflow-x: auto">\n'
        f'<table class="table verdicts">\n<caption>{text}</caption>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n'
        + "\n".join(body)
        + "\n</tbody>\n</table>\n</div>"
    )


def as_published(row: Mapping[Any, Any]) -> str:
    """Return what was published of a row of `verdicts`: value and standard deviation, or the direction, as text."""
    if math.isnan(row["published"]):
        return row.get("claim") or NOT_AVAILABLE
    return f"{row['published']:.6g}" + _spread(row["published_sd"], ".6g")


def _read(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
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
            yield column, _not_one_of(cell, ALLOWED[column])
        if column in ("value", "sd", "sd_as_printed") and cell and not NUMBER.fullmatch(cell):
            yield column, f"{cell!r} is not a plain decimal number"
    if not row["id"].startswith(f"{stem}/"):
        yield "id", f"{row['id']!r} does not start with '{stem}/', the name of its file"
    if bool(row["value"]) == (row["confidence"] == "none"):
        yield "confidence", f"{row['confidence']!r} does not fit the value {row['value']!r}: none goes with no value"
    if not row["value"] and not row["reason"]:
        yield "reason", "is empty, and so is the value: say why it is missing"
    if bool(row["sd"]) != bool(row["sd_as_printed"]) or (row["sd"] and not row["value"]):
        yield "sd", "sd and sd_as_printed go together, and with a value"
    elif row["sd"]:
        sd, printed = float(row["sd"]), float(row["sd_as_printed"])
        if sd < 0 or not any(math.isclose(sd, factor * printed) for factor in (1, 100)):
            yield "sd", f"{sd:g} is neither {printed:g} as printed nor 100 times that (a fraction in percentage points)"


def _mean_sd(name: object, runs: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (nan for one run)."""
    values = [float(value) for value in runs]
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(f"{name}: runs {values} given; needed: one finite number or more")
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan


def _direction(runs: Sequence[float], sign: int) -> str:
    mean, sd = _mean_sd("direction", runs)
    significant = sd == 0 or stats.ttest_1samp(runs, 0).pvalue < SIGNIFICANT if len(runs) > 1 else False
    if not significant or not mean:
        return DIFFERS
    return AGREES if mean * sign > 0 else OPPOSITE


def _spread(sd: float, form: str) -> str:
    """A standard deviation behind its mean; nothing where it is not known."""
    return "" if math.isnan(sd) else f" ± {sd:{form}}"


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _not_one_of(given: str, allowed: Iterable[str]) -> str:
    return f"{given!r} is not one of {', '.join(name or '(empty)' for name in allowed)}"


def _near(key: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(key, list(known), n=5, cutoff=0.5)
    return f"; near matches: {', '.join(matches)}" if matches else ""
