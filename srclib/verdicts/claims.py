"""The claims of the paper, each with one verdict under every protocol; `claims.yaml` says what is tested and how."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from ..data import STREAMS
from ..experiments import dialect, protocols
from ..experiments.records import Record
from ..experiments.store import Store
from ..experiments.typed import from_mapping
from . import judging
from .judging import (
    AGREES,
    CONFIRMED,
    DIFFERS,
    DIVERGED,
    NO_EFFECT,
    REVERSED,
    SHOWN,
    SIGNIFICANT,
    UNDECIDED,
    UNTESTED,
)  # fmt: skip
from .reproduced import OWN, Reproduction, as_published, as_reproduced, reproduced
from .rows import Numbers, Row, numbers, rows
from .statistics import Interval, Sample, finite, mean, of_mean, pooled

CLAIMS = Path(__file__).with_name("claims.yaml")
DIRECTION = re.compile(r"(>|<|<=|=) (-?[0-9.]+)")
RULES = ("mean", "every", "any")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim of the paper; `claims.yaml` explains the fields."""

    words: str
    published: str = ""
    page: str = ""
    values: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    runs: dict[str, Any] = field(default_factory=dict)
    each: tuple[dict[str, Any], ...] = ({},)
    untested: str = ""
    shown: str = ""
    claim: str = ""
    margin: float = 0.0
    rule: str = "mean"
    unit: str = "points"

    def __post_init__(self) -> None:
        given = [name for name in ("values", "effects", "runs", "untested", "shown") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"{given} are given: allowed is one of values, effects, runs, untested, shown")
        if self.rule not in RULES:
            raise ValueError(f"rule = {self.rule!r}: allowed is one of {', '.join(RULES)}")
        if (self.claim or self.runs) and not DIRECTION.fullmatch(self.claim):
            raise ValueError(f"claim = {self.claim!r}: allowed is > X, < X, <= X or = X")
        if unknown := [key for key in self.values + self.effects if key not in rows()]:
            raise ValueError(f"{unknown[0]!r} is no id of rows.yaml")
        directions = {direction for _, direction in self.conditions("released")}
        if unknown := [direction for direction in directions if not DIRECTION.fullmatch(direction)]:
            raise ValueError(f"claim = {unknown[0]!r}: allowed is > X, < X, <= X or = X")
        if self.rule == "mean" and len(directions) > 1:
            raise ValueError(f"effects {sorted(directions)} are given: allowed with rule mean is one direction")

    def conditions(self, protocol: str) -> list[tuple[Row, str]]:
        """Return the rows of numbers that are tested, and what is claimed of each; none of a claim on levels."""
        if self.effects:
            return [(rows()[key].effect(), self.claim or f"{rows()[key].claim}") for key in self.effects]
        if not self.runs:
            return []
        found = []
        for own in self.each:
            given = {key: value for key, value in {**self.runs, **own}.items() if key != "protocol"}
            row = from_mapping(Row, given, "each").effect()
            if own.get("protocol", protocol) == protocol:
                found.append((row, self.claim))
        return found


@cache
def families(path: Path = CLAIMS) -> dict[str, dict[int, Claim]]:
    """Read all claims by family and number; ValueError names a claim with an unknown or missing field."""
    found: dict[str, dict[int, Claim]] = {}
    for family, section in dialect.read(path).items():
        found[family] = {}
        for number, given in section["claims"].items():
            if any(number in claims for claims in found.values()):
                raise ValueError(f"{path.name}: {family}: claim {number} stands there twice")
            values = {"page": section["page"], **given}
            found[family][number] = from_mapping(Claim, values, f"{path.name}: {family}: {number}")
    return found


@dataclass(frozen=True)
class ClaimVerdict:
    """The verdict on a claim under one protocol, and what it rests on."""

    number: int
    family: str
    words: str
    published: str
    page: str
    protocol: str
    verdict: str  # a key of judging.MARKS
    sentence: str  # with our numbers
    effect: float = math.nan  # mean over all conditions; nan where no single number is tested
    low: float = math.nan  # of its 95 % interval
    high: float = math.nan
    p: float = math.nan
    p_holm: float = math.nan  # corrected for the other claims of the family
    n: int = 0  # networks that the mean is one of, of all data sets together; of values the fewest of one
    conditions: int = 0  # that are tested
    conditions_of: int = 0  # that the claim speaks of
    records: tuple[Record, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class _Condition:
    """The numbers of one condition, and the verdict on it by itself; DIVERGED if all networks did."""

    row: Row
    claim: str
    numbers: Numbers
    verdict: str
    interval: Interval  # of the distance from the X of the claim


def judged(
    store: Store,
    protocol: str = "released",
    only: Collection[int] = (),
    values: Mapping[str, Reproduction] | None = None,
) -> list[ClaimVerdict]:
    """Judge the claims under a protocol.

    only: the numbers of those that are wanted; (): all. values: the verdicts on all values under the protocol, where
    they are known. None for a protocol that is our own. Raises ValueError for a number that no claim has, or an unknown
    protocol.
    """
    if protocol in OWN:
        return []
    every = {number for claims in families().values() for number in claims}
    if unknown := set(only) - every:
        raise ValueError(f"claim {unknown.pop()!r} is unknown: allowed is one of 1 to {max(every)}")
    wanted = {family: claims for family, claims in families().items() if not only or set(only) & set(claims)}
    ids = {key for claims in wanted.values() for claim in claims.values() for key in claim.values}
    if values is None:
        values = reproduced(store, protocol, f"({'|'.join(map(re.escape, ids))})$") if ids else {}
    found = []
    for family, claims in wanted.items():
        drafts = [(number, claim, _conditions(claim, store, protocol)) for number, claim in claims.items()]
        p = judging.corrected([_p(claim, _held(conditions)) for _, claim, conditions in drafts])
        for (number, claim, conditions), p_holm in zip(drafts, p, strict=True):
            start = ClaimVerdict(
                number, family, claim.words, claim.published, claim.page, protocol, UNTESTED, claim.untested
            )
            if claim.values:
                found.append(_of_values(start, claim, values))
            elif claim.shown:
                found.append(replace(start, verdict=SHOWN, sentence=claim.shown))
            elif claim.untested:
                found.append(start)
            else:
                found.append(_of_conditions(start, claim, conditions, p_holm))
    return sorted((each for each in found if not only or each.number in only), key=lambda each: each.number)


@dataclass(frozen=True)
class Judgement:
    """Every verdict under one protocol."""

    protocol: str
    values: dict[str, Reproduction]  # by id
    claims: list[ClaimVerdict]


def judge_all(store: Store, names: Iterable[str] = ()) -> list[Judgement]:
    """Judge all that the store holds under some protocols; (): under all but those that are our own."""
    found = []
    for name in names or [name for name in protocols.names() if name not in OWN]:
        values = reproduced(store, name)
        found.append(Judgement(name, values, judged(store, name, values=values)))
    return found


def frame(found: Sequence[ClaimVerdict]) -> pd.DataFrame:
    """Return verdicts on claims as a table, one row each, with the fields of `ClaimVerdict` but the records."""
    return pd.DataFrame([{key: value for key, value in vars(each).items() if key != "records"} for each in found])


# The level of published values


def _of_values(start: ClaimVerdict, claim: Claim, values: Mapping[str, Reproduction]) -> ClaimVerdict:
    known = [values[key] for key in claim.values if key in values]
    if not known:
        return replace(
            start,
            sentence=f"No runs under `{start.protocol}`, or none in which there is such a number.",
            published=start.published or "–",
        )
    verdicts = [each.verdict for each in known]
    shown = [as_reproduced(vars(each), f".{_digits(each.reproduced)}f") for each in verdicts]
    published = " / ".join(as_published(vars(v)) for v in verdicts)
    kinds = {v.verdict for v in verdicts}
    order = (DIFFERS, UNDECIDED, DIVERGED, AGREES)  # one that differs decides
    verdict = next((each for each in order if each in kinds), verdicts[0].verdict)
    count = Counter(v.verdict for v in verdicts)
    told = "" if len(verdicts) < 3 else "; " + ", ".join(f"{n} {name}" for name, n in count.items())
    why = " ".join(dict.fromkeys(v.reason for v in verdicts if v.reason))
    missing = _missing(len(claim.values) - len(known), len(claim.values), "values")
    sentence = " ".join(filter(None, [f"Ours: {' / '.join(shown)}{told}.", missing, why]))
    first = verdicts[0]
    single = (first.difference, first.low, first.high) if len(verdicts) == 1 else (math.nan,) * 3
    records = tuple(record for each in known for record in each.records)
    return replace(
        start, verdict=verdict, sentence=sentence, published=published, n=min(v.n for v in verdicts),
        conditions=len(known), conditions_of=len(claim.values), records=records,
        effect=single[0], low=single[1], high=single[2],
    )  # fmt: skip


def _missing(count: int, planned: int, what: str) -> str:
    return f"{count} of {planned} {what} are not computed." if count else ""


def _digits(value: float) -> int:
    return 1 if abs(value) >= 10 else 2


# Effects and other numbers of ours


def _conditions(claim: Claim, store: Store, protocol: str) -> list[_Condition]:
    found = []
    for row, direction in claim.conditions(protocol):
        own = numbers(row, store, protocol)
        if own is None:
            continue
        if not own.values:
            found.append(_Condition(row, direction, own, DIVERGED, Interval(math.nan, math.nan, math.nan)))
            continue
        relation, target = _direction(direction)
        sample = Sample.of(own.values)
        distance = of_mean(sample._replace(mean=sample.mean - target))
        if relation in "<>":
            away = [value - target for value in own.values]
            verdict = judging.judge_effect(away, _sign(direction), _unit(claim)).verdict
        else:
            verdict = _equal(distance, relation, claim)
        found.append(_Condition(row, direction, own, verdict, distance))
    return found


def _direction(claim: str) -> tuple[str, float]:
    match = DIRECTION.fullmatch(claim)
    assert match is not None
    return match[1], float(match[2])


def _sign(claim: str) -> int:
    return 1 if _direction(claim)[0] == ">" else -1


def _unit(claim: Claim) -> str:
    return "percent" if claim.unit == "points" else claim.unit


def _equal(distance: Interval, relation: str, claim: Claim) -> str:
    """Judge a claim that something equals X, or is at most X."""
    if relation == "=":
        if -claim.margin <= distance.low and distance.high <= claim.margin:
            return CONFIRMED
        return DIFFERS if distance.excludes_zero else UNDECIDED
    most = judging.NEGLIGIBLE.get(_unit(claim), 0.0)
    if distance.high <= most:
        return CONFIRMED
    return REVERSED if distance.low > 0 and distance.mean >= most else UNDECIDED


def _held(conditions: Sequence[_Condition]) -> list[_Condition]:
    """Return the conditions of which there are numbers."""
    return [each for each in conditions if each.verdict != DIVERGED]


def _strata(conditions: Sequence[_Condition]) -> list[Sample]:
    """Return a sample for each data set, of means over its conditions, one for each network that has them all.

    If no network has them all, the spread of the mean is not known.
    """
    strata = []
    for dataset in dict.fromkeys(each.row.dataset for each in conditions):
        own = [each.numbers for each in conditions if each.row.dataset == dataset]
        shared = [seed for seed in own[0].by_seed if all(seed in other.by_seed for other in own)]
        networks = [[each.by_seed[seed] for each in own] for seed in shared]
        means = finite([sum(values) / len(values) for values in networks])
        unknown = Sample(mean([mean(each.values) for each in own]), math.nan, 1)
        strata.append(Sample.of(means) if means.size else unknown)
    return strata


def _pool(conditions: Sequence[_Condition]) -> Interval:
    """Return the mean over conditions with its interval: a mean for each network and data set, then over data sets.

    Conditions of one data set share networks, so that they are averaged for each seed first; data sets are independent
    strata of equal weight.
    """
    found = pooled(_strata(conditions))
    return found._replace(mean=found.mean - _direction(conditions[0].claim)[1])


def _p(claim: Claim, conditions: Sequence[_Condition]) -> float:
    """Return the p-value of a claim that a number lies on one side of another, two-sided; nan of any other claim.

    every: the largest of all conditions (intersection-union test). any: the smallest, by Bonferroni. Both count 1 for a
    condition that lies on the other side, or near enough to count as no effect.
    """
    if not conditions or _direction(conditions[0].claim)[0] not in "<>":
        return math.nan
    if claim.rule == "mean":
        return _pool(conditions).p
    for_it = [c.verdict != NO_EFFECT and c.interval.mean * _sign(c.claim) > 0 for c in conditions]
    each = [c.interval.p if so else 1.0 for c, so in zip(conditions, for_it, strict=True)]
    return max(each) if claim.rule == "every" else min(1.0, min(each) * len(each))


def _of_conditions(start: ClaimVerdict, claim: Claim, found: Sequence[_Condition], p_holm: float) -> ClaimVerdict:
    planned, conditions = len(claim.conditions(start.protocol)), _held(found)
    if not found:
        return replace(
            start,
            sentence=f"No runs under `{start.protocol}`, or none in which there is such a number.",
            conditions_of=planned,
        )
    records = tuple({record["key"]: record for each in found for record in each.numbers.records}.values())
    networks, lost = (sum(count) for count in zip(*map(_networks, found), strict=True))
    whole_lost = len(found) - len(conditions)
    everywhere = f", all of them in {whole_lost} of {planned} conditions" if conditions and whole_lost else ""
    told = [
        _missing(planned - len(found), planned, "conditions"),
        f"{lost} of {networks} networks diverged{everywhere}." if lost else "",
    ]
    start = replace(start, conditions=len(conditions), conditions_of=planned, records=records)
    if not conditions:
        return replace(start, verdict=DIVERGED, sentence=" ".join(filter(None, told)))
    relation, target = _direction(conditions[0].claim)
    same = len({each.claim for each in conditions}) == 1
    whole = _pool(conditions) if same else None
    effect = (math.nan,) * 3 if whole is None else (whole.mean + target, whole.low + target, whole.high + target)
    return replace(
        start, verdict=_verdict(claim, conditions, p_holm, missing=planned > len(found)),
        sentence=" ".join(filter(None, [_sentence(claim, conditions, whole, target, relation), *told])),
        n=sum(stratum.n for stratum in _strata(conditions)), p=_p(claim, conditions), p_holm=p_holm,
        effect=effect[0], low=effect[1], high=effect[2],
    )  # fmt: skip


def _networks(condition: _Condition) -> tuple[int, int]:
    """Return how many networks a condition has, and how many of them diverged."""
    return len(condition.numbers.by_seed), condition.numbers.diverged


def _contradicts(condition: _Condition, of: int) -> bool:
    """Return whether a condition, one of several, speaks against a claim on every one (corrected by Bonferroni)."""
    if condition.verdict in (REVERSED, DIFFERS):
        return condition.interval.p * of < SIGNIFICANT
    return condition.verdict == NO_EFFECT


def _verdict(claim: Claim, conditions: Sequence[_Condition], p_holm: float, *, missing: bool) -> str:
    """Return the verdict on a claim; missing: some of the conditions that it speaks of have no runs."""
    relation, _ = _direction(conditions[0].claim)
    each = [condition.verdict for condition in conditions]
    if claim.rule == "any":
        if CONFIRMED in each:
            return CONFIRMED if math.isnan(p_holm) or p_holm < SIGNIFICANT else UNDECIDED
        return each[0] if len(set(each)) == 1 else UNDECIDED
    if claim.rule == "every":
        if set(each) == {CONFIRMED}:
            return CONFIRMED if not missing and (math.isnan(p_holm) or p_holm < SIGNIFICANT) else UNDECIDED
        against = [c for c in conditions if _contradicts(c, len(conditions))]
        if len(against) == len(conditions) and len(set(each)) == 1:
            return each[0]
        return DIFFERS if against else UNDECIDED
    whole = _pool(conditions)
    if relation not in "<>":
        return _equal(whole, relation, claim)
    return judging.effect_verdict(whole, _sign(conditions[0].claim), _unit(claim), p_holm)


def _sentence(
    claim: Claim, conditions: Sequence[_Condition], whole: Interval | None, target: float, relation: str
) -> str:
    """Return our numbers in words."""
    form = f".{_precision(claim)}f"
    sign = "+" if claim.unit.startswith("points") and relation != "=" else ""
    parts = []
    if whole is not None:
        mean, low, high = (f"{value + target:{sign}{form}}" for value in (whole.mean, whole.low, whole.high))
        unit = f" {claim.unit}" if claim.unit else ""
        parts.append(f"{mean}{unit} [{low}, {high}]" + (" on average" if len(conditions) > 1 else ""))
    if len(conditions) > 1:
        count = Counter(each.verdict for each in conditions)
        parts.append("; ".join(f"{verdict} in {n} of {len(conditions)}" for verdict, n in count.most_common()))
        by_mean = sorted(conditions, key=lambda each: each.interval.mean)
        ends = [f"{each.interval.mean + target:{sign}{form}} ({_told(each)})" for each in (by_mean[0], by_mean[-1])]
        if whole is not None and len({_told(each) for each in conditions}) == len(conditions):
            parts.append(f"from {ends[0]} to {ends[1]}")
    return ". ".join(parts) + "."


def _precision(claim: Claim) -> int:
    return 1 if claim.unit.startswith("points") else 2


def _told(condition: _Condition) -> str:
    row = condition.row
    more = [f"task {row.tasks[0]}"] if row.tasks else []
    more += [f"{path.rpartition('.')[2]} {value}" for path, value in row.over.items() if not isinstance(value, list)]
    return ", ".join([STREAMS[row.dataset].label, *more])
