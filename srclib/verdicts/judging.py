"""The rules by which a reproduced value, an effect or a claim is judged.

A **value** is compared with a published one by the 95 % interval of their difference, and a margin within which the
two count as alike. An **effect** is a difference of our own runs, of which the publication claims the sign. A **claim**
is what the publication says in words, over several conditions. The page "What a verdict means" explains all three, and
shows by simulation how often each verdict comes out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .statistics import Interval, Sample, difference, finite, holm, of_mean

AGREES, DIFFERS = "agrees", "differs"  # values
CONFIRMED, NO_EFFECT, REVERSED = "confirmed", "no effect", "reversed"  # effects
UNDECIDED = "undecided"  # both
UNPUBLISHED, SHOWN, UNTESTED = "no published value", "not judged", "not tested"  # neither
DIVERGED = "diverged"  # every run of ours
MARKS = {  # shapes, so that no colour is needed
    AGREES: "✓", CONFIRMED: "✓", DIFFERS: "≠", REVERSED: "⇅", NO_EFFECT: "∅", UNDECIDED: "?",
    UNPUBLISHED: "○", SHOWN: "–", UNTESTED: "–", DIVERGED: "↯",
}  # fmt: skip
SIGNS = {"> 0": 1, "< 0": -1}  # directions that are published without a number
SIGNIFICANT = 0.05  # and 1 - SIGNIFICANT is the level of every interval
NEGLIGIBLE = {"percent": 1.0}  # an effect within this of zero is none, by unit; of other units only zero is none
MOST_RUNS = 1000  # nobody will compute more to decide a value


@dataclass(frozen=True)
class Judged:
    """The verdict on a value or an effect, and the 95 % interval that it rests on."""

    verdict: str  # a key of MARKS
    interval: Interval  # of the difference from the published value, or of the effect
    needed: int | None = None  # runs that would decide it, all else equal; None: decided, or more than MOST_RUNS


def judge_value(ours: Sample, theirs: Sample, margin: float) -> Judged:
    """Judge a value by the 95 % interval of its difference from the published one.

    Within ± `margin` (in the unit of the value) it agrees; else, if the interval excludes zero, it differs; else it is
    undecided. Welch's interval; a published standard deviation that is not known is taken as ours, and a published
    value of one trial then gets a prediction interval.
    """
    found = difference(ours, theirs)
    verdict = value_verdict(found, margin)
    if verdict != UNDECIDED:
        return Judged(verdict, found)
    needed = _fewest(lambda n: value_verdict(difference(ours._replace(n=n), theirs), margin), ours.n)
    return Judged(verdict, found, needed)


def judge_effect(changes: Iterable[float], sign: int, unit: str = "percent") -> Judged:
    """Judge an effect by the 95 % interval of the mean change, one change for every network.

    sign: 1 or -1, as it is claimed. No effect: the interval lies within ± NEGLIGIBLE of the unit. Confirmed: it
    excludes zero and the mean has the claimed sign. Reversed: it excludes zero, and the mean is on the other side by
    NEGLIGIBLE or more. Else undecided. Changes that are not finite are left out; ValueError if none is left.
    """
    known = Sample.of(list(changes))
    found = of_mean(known)
    verdict = effect_verdict(found, sign, unit)
    if verdict != UNDECIDED:
        return Judged(verdict, found)
    return Judged(verdict, found, _fewest(lambda n: effect_verdict(of_mean(known._replace(n=n)), sign, unit), known.n))


def effect_verdict(found: Interval, sign: int, unit: str, p: float | None = None) -> str:
    """Return the verdict on an effect of which the interval is known; see `judge_effect`.

    p: as corrected for other tests, which then decides whether zero is excluded.
    """
    margin = NEGLIGIBLE.get(unit, 0.0)
    if -margin <= found.low and found.high <= margin:
        return NO_EFFECT
    if not (found.excludes_zero if p is None else p < SIGNIFICANT):
        return UNDECIDED
    if found.mean * sign > 0:
        return CONFIRMED
    return REVERSED if abs(found.mean) >= margin else UNDECIDED


def value_verdict(found: Interval, margin: float) -> str:
    """Return the verdict on a value of which the interval of the difference is known; see `judge_value`."""
    if -margin <= found.low and found.high <= margin:
        return AGREES
    return DIFFERS if found.excludes_zero else UNDECIDED


def _fewest(verdict: Callable[[int], str], n: int) -> int | None:
    """Return the fewest runs, more than n, that decide; None if more than MOST_RUNS, or if spread is not known.

    One number after the other: Welch's interval may widen again while degrees of freedom fall to those of the other.
    """
    if n < 2:
        return None
    return next((more for more in range(n + 1, MOST_RUNS + 1) if verdict(more) != UNDECIDED), None)


def corrected(p: Sequence[float]) -> list[float]:
    """Return the p-values of a family of claims, corrected by Holm; one that is not known stays nan and counts not."""
    known = iter(holm(finite(p)))
    return [math.nan if math.isnan(value) else float(next(known)) for value in p]
