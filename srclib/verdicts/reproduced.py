"""The verdict on every published value of which the store holds the runs, and on its effect."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from ..experiments import dialect
from ..experiments.records import Record
from ..experiments.store import Store
from ..experiments.typed import from_mapping
from . import judging, published
from .judging import DIVERGED, SHOWN, SIGNS, UNPUBLISHED, Judged
from .rows import Numbers, Row, numbers, rows
from .statistics import Sample

REASONS = Path(__file__).with_name("reasons.yaml")
OWN = ("tuned",)  # protocols of our own, which reproduce nothing


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A published value beside its reproduction, all in the unit of the published row; nan stands for "not known"."""

    id: str
    label: str
    protocol: str
    page: str  # where it is shown
    # As published
    unit: str
    published: float
    published_sd: float
    trials: float
    claim: str  # the direction, where one is published without a number
    confidence: str
    source: str
    # As reproduced
    reproduced: float  # mean over n networks
    reproduced_sd: float  # sample standard deviation (n - 1); nan for one
    n: int
    diverged: int  # further networks, which are not averaged
    networks: tuple[float, ...]  # the number of each of the n
    # The level
    margin: float
    difference: float  # reproduced - published; of a direction, what is judged
    low: float  # of its 95 % interval
    high: float
    verdict: str  # a key of judging.MARKS
    needed: float  # networks that would decide it; nan: decided, or more than 1000
    other_reading: str  # the verdict if the printed standard deviation is no fraction, where that is another one
    # The effect against the control
    control: str  # in words; "" where there is none
    effect: float = math.nan  # mean over effect_n networks, paired by seed
    effect_low: float = math.nan
    effect_high: float = math.nan
    effect_n: int = 0
    published_effect: float = math.nan
    effect_verdict: str = ""
    effect_needed: float = math.nan
    changes: tuple[float, ...] = ()  # the effect in each of the effect_n networks
    reason: str = ""  # what explains the verdict, where it is known


@dataclass(frozen=True)
class Reason:
    """What explains a verdict: it is shown only beside that verdict."""

    ids: str  # a regular expression that the whole id matches
    protocol: str
    verdict: str
    reason: str

    def fits(self, verdict: Verdict) -> bool:
        """Return whether it speaks of a verdict."""
        same = (verdict.protocol, verdict.verdict) == (self.protocol, self.verdict)
        return same and bool(re.fullmatch(self.ids, verdict.id))


@cache
def reasons(path: Path = REASONS) -> list[Reason]:
    """Read what explains verdicts; ValueError names an entry with an unknown or missing field."""
    return [from_mapping(Reason, entry, f"{path.name}[{i}]") for i, entry in enumerate(dialect.read(path))]


@dataclass(frozen=True)
class Reproduction:
    """A verdict and the records that it rests on."""

    verdict: Verdict
    records: list[Record]


def reproduced(store: Store, protocol: str = "released", ids: str = "") -> dict[str, Reproduction]:
    """Judge the published values of which the store holds every run of the profile `full`, by id.

    ids: a regular expression with which the wanted ones begin. None for a protocol that is our own. Raises ValueError
    for an unknown protocol.
    """
    table, found = published.load(), {}
    for key, row in ({} if protocol in OWN else rows()).items():
        if not re.match(ids, key):
            continue
        own = numbers(row, store, protocol)
        if own is None:
            continue
        effect = numbers(row.effect(), store, protocol) if row.control else None
        verdict = _judged(key, row, protocol, own, effect, table)
        records = {record["key"]: record for record in [*own.records, *(effect.records if effect else [])]}
        found[key] = Reproduction(verdict, list(records.values()))
    return found


def frame(found: Mapping[str, Reproduction]) -> pd.DataFrame:
    """Return verdicts as a table, one row each, with the fields of `Verdict`."""
    columns = [each.name for each in fields(Verdict)]
    return pd.DataFrame([asdict(each.verdict) for each in found.values()], columns=columns)


def table(store: Store, protocol: str = "released", ids: str = "") -> pd.DataFrame:
    """Judge what the store holds: as `reproduced`, in the form of `frame`."""
    return frame(reproduced(store, protocol, ids))


def without_verdict(found: pd.DataFrame) -> list[str]:
    """Return a line for every reason that no verdict of a table has any more."""
    known = list(zip(found["id"], found["protocol"], found["verdict"], strict=True))
    return [
        f"{REASONS.name}: {each.ids} ({each.protocol}) explains why it {each.verdict}, which no verdict says"
        for each in reasons()
        if not any(each.protocol == p and each.verdict == v and re.fullmatch(each.ids, i) for i, p, v in known)
    ]


def _judged(key: str, row: Row, protocol: str, own: Numbers, effect: Numbers | None, table: pd.DataFrame) -> Verdict:
    printed = table.loc[key]
    assert isinstance(printed, pd.Series)  # ids are unique
    ours = Sample.of(own.values) if own.values else Sample(math.nan, math.nan, 0)
    theirs = Sample(printed["value"], printed["sd"], 1 if math.isnan(printed["trials"]) else int(printed["trials"]))
    direction = "" if row.control else row.claim
    level, verdict = _level(ours, theirs, own, printed, direction)
    values: dict[str, Any] = {}
    if effect is not None and effect.values:
        values = _effect(effect, row.claim, printed, table)
    known = Verdict(
        id=key, label=row.label, protocol=protocol, page=row.shown,
        unit=printed["unit"], published=theirs.mean, published_sd=theirs.sd, trials=printed["trials"],
        claim=direction, confidence=printed["confidence"], source=printed["source"],
        reproduced=ours.mean, reproduced_sd=ours.sd, n=ours.n, diverged=own.diverged, networks=tuple(own.values),
        margin=printed["margin"], verdict=verdict, needed=_number(level.needed if level else None),
        difference=level.interval.mean if level else ours.mean - theirs.mean,
        low=level.interval.low if level else math.nan, high=level.interval.high if level else math.nan,
        other_reading=_other_reading(ours, theirs, printed, verdict) if level and not direction else "",
        control=_control(row), **values,
    )  # fmt: skip
    fitting = [each.reason for each in reasons() if each.fits(known)]
    return Verdict(**(asdict(known) | {"reason": " ".join(fitting)}))


def _level(ours: Sample, theirs: Sample, own: Numbers, printed: pd.Series, direction: str) -> tuple[Judged | None, str]:
    if not own.values:
        return None, DIVERGED
    if direction:
        judged = judging.judge_effect(own.values, SIGNS[direction], printed["unit"])
        return judged, judged.verdict
    if math.isnan(theirs.mean):
        return None, UNPUBLISHED
    if math.isnan(printed["margin"]):
        return None, SHOWN
    judged = judging.judge_value(ours, theirs, printed["margin"])
    return judged, judged.verdict


def _effect(effect: Numbers, claim: str, printed: pd.Series, table: pd.DataFrame) -> dict[str, Any]:
    """Judge the difference from the control; of which the sign is claimed, or that of the published difference."""
    against = printed["against"]
    theirs = printed["value"] - table["value"][against] if against else math.nan
    sign = SIGNS[claim] if claim else 0 if math.isnan(theirs) else int(math.copysign(1, theirs))
    judged = judging.judge_effect(effect.values, sign or 1, printed["unit"])
    return {
        "effect": judged.interval.mean,
        "effect_low": judged.interval.low,
        "effect_high": judged.interval.high,
        "effect_n": len(effect.values),
        "changes": tuple(effect.values),
        "published_effect": theirs,
        "effect_verdict": judged.verdict if sign else SHOWN,
        "effect_needed": _number(judged.needed if sign else None),
    }


def _other_reading(ours: Sample, theirs: Sample, printed: pd.Series, verdict: str) -> str:
    """Return the verdict with the standard deviation exactly as printed, if that is another one; else ""."""
    if math.isnan(printed["sd_as_printed"]) or printed["sd_as_printed"] == theirs.sd:
        return ""
    other = judging.judge_value(ours, theirs._replace(sd=printed["sd_as_printed"]), printed["margin"]).verdict
    return "" if other == verdict else other


def _control(row: Row) -> str:
    return ", ".join(str(value) for value in row.control.values() if not isinstance(value, dict))


def _number(count: int | None) -> float:
    return math.nan if count is None else float(count)


def as_published(row: Mapping[Any, Any]) -> str:
    """Return what was published of a row of `table`: value and standard deviation, or the direction, as text."""
    if math.isnan(row["published"]):
        return row.get("claim") or "not available"
    return f"{row['published']:.6g}" + with_sd(row["published_sd"], ".6g")


def as_reproduced(row: Mapping[Any, Any], form: str) -> str:
    """Return what was reproduced of a row of `table` as text: mean, deviation, networks, and how many diverged."""
    lost = f"{row['diverged']} of {row['n'] + row['diverged']} diverged" if row["diverged"] else ""
    if not row["n"]:
        return lost
    count = ", ".join(filter(None, [f"n = {row['n']}", lost]))
    return f"{row['reproduced']:{form}}{with_sd(row['reproduced_sd'], form)} ({count})"


def with_sd(sd: float, form: str) -> str:
    """A standard deviation behind its mean; nothing where it is not known."""
    return "" if math.isnan(sd) else f" ± {sd:{form}}"
