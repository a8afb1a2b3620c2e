"""The one function that says whether a reproduced value agrees with a published one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from .published import EXPECTED, load, near_matches, not_one_of, read_rows

AGREES, DIFFERS, OPPOSITE, UNPUBLISHED = "agrees", "differs", "opposite", "no published value"


CLAIMS = {"> 0": 1, "< 0": -1}  # directions that are published without a number
SIGNIFICANT = 0.05
NOT_AVAILABLE = "not available"
MARKS = {AGREES: "✓", DIFFERS: "≠", OPPOSITE: "⇅", UNPUBLISHED: "○"}  # shapes, so that no colour is needed
CAPTION = (
    "Published and reproduced values in the unit of the publication (accuracies in percent), as mean ± standard "
    "deviation (n runs). Agrees: within two standard deviations of both. Where a direction is published without a "
    "number (> 0, < 0), it agrees if the mean lies there with p < 0.05 (two-sided t-test over the runs)."
)


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


def judge(
    row: pd.Series,
    reproduced: Sequence[float],
    baseline: Sequence[float] | None = None,
    published_baseline: float | None = None,
    claim: str = "",
) -> Verdict:
    """Compare one row of `published.load()` with the runs that reproduce it.

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
    in `table` (None: `published.load()`), with near matches.
    """
    table = load() if table is None else table
    judged = []
    for key, runs in reproduced.items():
        if key not in table.index:
            raise ValueError(f"no published row {key!r}{near_matches(key, table.index)}")
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
    for line, row in read_rows(path, ("id", "protocol", "verdict", "note")):
        key = row["id"], row["protocol"]
        if row["verdict"] not in MARKS:
            raise ValueError(f"{path}, line {line}, column verdict: {not_one_of(row['verdict'], MARKS)}")
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


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def as_published(row: Mapping[Any, Any]) -> str:
    """Return what was published of a row of `verdicts`: value and standard deviation, or the direction, as text."""
    if math.isnan(row["published"]):
        return row.get("claim") or NOT_AVAILABLE
    return f"{row['published']:.6g}" + with_sd(row["published_sd"], ".6g")


def with_sd(sd: float, form: str) -> str:
    """A standard deviation behind its mean; nothing where it is not known."""
    return "" if math.isnan(sd) else f" ± {sd:{form}}"
