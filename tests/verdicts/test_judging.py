"""The rules of judging: every verdict, its edges, and what holds of all numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from srclib.verdicts.judging import (
    AGREES,
    CONFIRMED,
    DIFFERS,
    MARKS,
    MOST_RUNS,
    NO_EFFECT,
    REVERSED,
    UNDECIDED,
    corrected,
    effect_verdict,
    judge_effect,
    judge_value,
    value_verdict,
)
from srclib.verdicts.statistics import Interval, Sample, difference, of_mean

NAN = math.nan
T4 = 2.7764451051977987  # half an interval, in standard errors, at 4 degrees of freedom


def between(low: float, high: float) -> Interval:
    """Return the interval with these ends."""
    return Interval((low + high) / 2, (high - low) / 2 / T4, 4)


def test_each_verdict_has_a_mark_and_marks_tell_bad_from_good() -> None:
    assert MARKS[AGREES] == MARKS[CONFIRMED]
    apart = [AGREES, DIFFERS, NO_EFFECT, REVERSED, UNDECIDED]
    assert len({MARKS[verdict] for verdict in apart}) == len(apart)


# Values


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-1, 1, AGREES),
        (1, 2.9, AGREES),  # a small difference that is sure is within the margin
        (-2.9, -1, AGREES),
        (-2.9, 2.9, AGREES),
        (-3.1, 2.9, UNDECIDED),
        (-1, 3.1, UNDECIDED),
        (-30, 30, UNDECIDED),
        (0.1, 3.1, DIFFERS),
        (-3.1, -0.1, DIFFERS),
        (4, 5, DIFFERS),
        (-9, -8, DIFFERS),
        (-0.1, 20, UNDECIDED),
        (-20, 0.1, UNDECIDED),
    ],
)
def test_a_value(low: float, high: float, verdict: str) -> None:
    assert value_verdict(between(low, high), 3) == verdict


def test_the_margin_belongs_to_agreement_and_zero_to_doubt() -> None:
    assert value_verdict(Interval(3.0, 0.0, 4), 3) == value_verdict(Interval(-3.0, 0.0, 4), 3) == AGREES
    assert value_verdict(Interval(math.nextafter(3, 4), 0.0, 4), 3) == DIFFERS
    edge = Interval(8.0, 8 / T4, 4)
    assert edge.low == pytest.approx(0, abs=1e-12)
    assert value_verdict(edge._replace(error=8.001 / T4), 3) == UNDECIDED
    assert value_verdict(edge._replace(error=7.999 / T4), 3) == DIFFERS
    assert value_verdict(Interval(0.0, 0.0, 4), 0) == AGREES  # no margin, no difference


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        (Sample(64.16, 15.56, 3), Sample(90, NAN, 5), UNDECIDED),  # noise earns no agreement
        (Sample(19.3, 0.02, 20), Sample(19.49, 0.2, 5), AGREES),
        (Sample(57.9, 5.8, 5), Sample(80, NAN, 5), DIFFERS),
        (Sample(50, 5, 10), Sample(50, NAN, 1), UNDECIDED),  # 2.26 · 5 · sqrt 1.1 = 11.9
        (Sample(50, 5, 10), Sample(63, NAN, 1), DIFFERS),
        (Sample(50, 1.2, 10), Sample(50, NAN, 1), AGREES),  # 2.85
        (Sample(50, NAN, 1), Sample(50, NAN, 5), UNDECIDED),
        (Sample(50, NAN, 1), Sample(90, 1, 5), UNDECIDED),
        (Sample(50, 0, 5), Sample(50, NAN, 5), AGREES),
        (Sample(53, 0, 5), Sample(50, NAN, 5), AGREES),
        (Sample(53.01, 0, 5), Sample(50, NAN, 5), DIFFERS),
    ],
)
def test_a_value_from_samples(ours: Sample, theirs: Sample, verdict: str) -> None:
    found = judge_value(ours, theirs, 3)
    assert found.verdict == verdict
    assert found.interval == pytest.approx(difference(ours, theirs), nan_ok=True)


# Effects


@pytest.mark.parametrize(
    ("low", "high", "above", "below"),
    [
        (0.1, 1.1, CONFIRMED, UNDECIDED),  # 0.6 points are too few for a reversal, and too unsure for none
        (0.1, 0.9, NO_EFFECT, NO_EFFECT),
        (-0.9, 0.9, NO_EFFECT, NO_EFFECT),
        (-1.1, 0.9, UNDECIDED, UNDECIDED),
        (-5, 20, UNDECIDED, UNDECIDED),
        (0.5, 2, CONFIRMED, REVERSED),
        (5, 9, CONFIRMED, REVERSED),
    ],
)
def test_an_effect(low: float, high: float, above: str, below: str) -> None:
    """As it is claimed to be above, and below zero; and the same with every sign turned."""
    assert effect_verdict(between(low, high), 1, "percent") == above
    assert effect_verdict(between(low, high), -1, "percent") == below
    assert effect_verdict(between(-high, -low), -1, "percent") == above
    assert effect_verdict(between(-high, -low), 1, "percent") == below


def test_a_point_more_or_less() -> None:
    assert effect_verdict(Interval(1.0, 0.0, 4), -1, "percent") == NO_EFFECT
    assert effect_verdict(Interval(math.nextafter(1, 2), 0.0, 4), -1, "percent") == REVERSED
    assert effect_verdict(Interval(1.0, 0.1, 4), -1, "percent") == REVERSED
    assert effect_verdict(Interval(0.99, 0.1, 4), -1, "percent") == UNDECIDED


def test_other_units_have_no_margin() -> None:
    assert effect_verdict(between(0.1, 0.2), 1, "") == CONFIRMED
    assert effect_verdict(between(0.1, 0.2), -1, "") == REVERSED
    assert effect_verdict(between(-0.1, 0.2), 1, "") == UNDECIDED
    assert effect_verdict(Interval(0.0, 0.0, 4), 1, "") == NO_EFFECT


def test_a_corrected_p_value_decides_in_place_of_the_interval() -> None:
    found = between(2, 9)
    assert effect_verdict(found, 1, "percent", 0.049) == CONFIRMED
    assert effect_verdict(found, 1, "percent", 0.05) == UNDECIDED
    assert effect_verdict(found, -1, "percent", 0.2) == UNDECIDED
    assert effect_verdict(found, 1, "percent", NAN) == UNDECIDED
    assert effect_verdict(between(0.1, 0.9), 1, "percent", 1.0) == NO_EFFECT


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ([2, 2, 2], CONFIRMED),
        ([0, 0, 0], NO_EFFECT),
        ([-2, -2], REVERSED),
        ([40], UNDECIDED),
        ([0], UNDECIDED),  # one network has no interval
        ([30, NAN, 31, math.inf], CONFIRMED),
        ([1, 2, 0.2], UNDECIDED),
        ([18.4 - 7.5, 18.4, 18.4 + 7.5], UNDECIDED),  # 18.4 ± 7.5 of three networks: 18.6 either way
        ([0.5, -0.5, 0.2, -0.2], NO_EFFECT),
        ([-0.014] * 5, NO_EFFECT),
    ],
)
def test_an_effect_from_networks(changes: list[float], verdict: str) -> None:
    assert judge_effect(changes, 1).verdict == verdict
    assert judge_effect([-change for change in changes], -1).verdict == verdict


@pytest.mark.parametrize("nothing", [[], [NAN], [math.inf]])
def test_an_effect_of_no_network_is_an_error(nothing: Iterable[float]) -> None:
    with pytest.raises(ValueError, match="allowed is one finite number or more"):
        judge_effect(nothing, 1)


# How many runs would decide

some_sd = st.integers(1, 1000).map(lambda n: n / 100)
some_mean = st.integers(-1000, 1000).map(lambda n: n / 100)


@given(some_mean, some_sd, st.integers(2, 12), st.one_of(st.just(NAN), some_sd), st.integers(1, 6))
def test_runs_that_are_needed_decide_a_value_and_fewer_do_not(
    mean: float, sd: float, n: int, other: float, trials: int
) -> None:
    ours, theirs = Sample(mean, sd, n), Sample(0, other, trials)
    found = judge_value(ours, theirs, 3)

    def verdict(more: int) -> str:
        return value_verdict(difference(ours._replace(n=more), theirs), 3)

    if found.verdict != UNDECIDED:
        assert found.needed is None
        return
    last = MOST_RUNS if found.needed is None else found.needed - 1
    assert {verdict(more) for more in (*range(n, min(last, n + 40) + 1), last)} == {UNDECIDED}
    if found.needed is not None:
        assert n < found.needed <= MOST_RUNS
        assert verdict(found.needed) != UNDECIDED


def test_more_runs_may_widen_an_interval_again() -> None:
    """Degrees of freedom fall towards those of five trials: 15 runs decide what a thousand do not."""
    ours, theirs = Sample(54.9, 4, 6), Sample(50, 4, 5)
    assert judge_value(ours, theirs, 3).needed == 15
    assert value_verdict(difference(ours._replace(n=15), theirs), 3) == DIFFERS
    assert value_verdict(difference(ours._replace(n=MOST_RUNS), theirs), 3) == UNDECIDED


def test_their_own_spread_may_make_a_decision_impossible() -> None:
    """Five trials of 50 ± 5 are known to 2.776 · 5 / sqrt 5 = 6.2 points at best."""
    assert judge_value(Sample(54, 5, 10), Sample(50, 5, 5), 3).needed is None
    assert judge_value(Sample(50, NAN, 1), Sample(50, NAN, 5), 3).needed is None


@given(some_mean, some_sd, st.integers(2, 12), st.sampled_from([1, -1]))
def test_networks_that_are_needed_decide_an_effect_and_one_fewer_does_not(
    mean: float, sd: float, n: int, sign: int
) -> None:
    spread = sd * ((n - 1) / n) ** 0.5
    changes = [mean + (spread if i % 2 else -spread) for i in range(n)]  # mean and sd only nearly so, if n is odd
    found = judge_effect(changes, sign)
    if found.verdict != UNDECIDED or found.needed is None:
        assert found.needed is None
        return
    known = Sample.of(changes)
    assert found.needed > n
    assert effect_verdict(of_mean(known._replace(n=found.needed)), sign, "percent") != UNDECIDED
    assert effect_verdict(of_mean(known._replace(n=found.needed - 1)), sign, "percent") == UNDECIDED


def test_an_effect_needs_so_many() -> None:
    """A mean of 2 ± 2: half is 2.48 at n = 5, 2.10 at 6 and 1.85 at 7."""
    changes = [2 + 2 * x for x in (-1.224744871391589, 0, 1.224744871391589, 0.7071067811865476, -0.7071067811865476)]
    assert Sample.of(changes)[:2] == pytest.approx((2, 2))
    assert judge_effect(changes, 1).needed == 7
    assert judge_effect([40], 1).needed is None


# What holds of all intervals

intervals = st.builds(
    Interval, st.floats(-20, 20), st.one_of(st.just(0.0), st.just(NAN), st.floats(0.001, 20)), st.floats(1, 30)
)
signs = st.sampled_from([1, -1])
units = st.sampled_from(["percent", "", "pixels"])


@given(intervals, st.floats(0, 5), st.floats(1, 10))
def test_a_wider_interval_never_turns_doubt_into_a_value(found: Interval, margin: float, factor: float) -> None:
    wider = found._replace(error=found.error * factor)
    if value_verdict(found, margin) == UNDECIDED:
        assert value_verdict(wider, margin) == UNDECIDED


@given(intervals, signs, units, st.floats(1, 10))
def test_a_wider_interval_never_turns_doubt_into_an_effect(
    found: Interval, sign: int, unit: str, factor: float
) -> None:
    """But where the sign is a wrong one by less than a point: too small for a reversal, and it stays undecided."""
    if effect_verdict(found, sign, unit) == UNDECIDED:
        assert effect_verdict(found._replace(error=found.error * factor), sign, unit) == UNDECIDED


@given(intervals, signs, units, st.floats(0, 5))
def test_signs_turn_together(found: Interval, sign: int, unit: str, margin: float) -> None:
    turned = found._replace(mean=-found.mean)
    assert value_verdict(turned, margin) == value_verdict(found, margin)
    assert effect_verdict(turned, -sign, unit) == effect_verdict(found, sign, unit)
    assume(found.mean != 0)
    assert {effect_verdict(found, sign, unit), effect_verdict(found, -sign, unit)} != {CONFIRMED}


# Families


def test_a_family_is_corrected_by_holm_without_what_is_not_known() -> None:
    assert corrected([0.01, NAN, 0.04, 0.03, NAN, 0.005]) == pytest.approx(
        [0.03, NAN, 0.06, 0.06, NAN, 0.02], nan_ok=True
    )
    assert corrected([]) == []
    assert corrected([NAN, 0.04]) == pytest.approx([NAN, 0.04], nan_ok=True)
