"""Statistics by hand, from textbooks, and beside scipy's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from srclib.verdicts.statistics import (
    Interval,
    Sample,
    bonferroni,
    changed,
    difference,
    holm,
    likeness,
    mean,
    mean_and_error,
    of_mean,
    paired,
    pooled,
    sd,
    signed_rank,
    welch,
)

NAN = math.nan
hundredths = st.integers(-10_000, 10_000).map(lambda n: n / 100)
runs = st.lists(hundredths, min_size=2, max_size=12)


def test_mean_and_standard_deviation() -> None:
    assert mean([1, 2, 6]) == 3
    assert sd([1, 2, 6]) == pytest.approx(7**0.5)  # (4 + 1 + 9) / 2
    assert math.isnan(sd([1]))
    assert math.isnan(mean([]))


def test_a_run_that_diverged_is_left_out() -> None:
    assert mean([1, math.nan, 2, math.inf, 6]) == 3
    assert sd([1, math.nan, 2, 6]) == pytest.approx(7**0.5)
    assert math.isnan(mean([math.nan]))
    assert paired([10, 20, 7, 30], [11, 22, math.nan, 33]) == paired([10, 20, 30], [11, 22, 33])
    assert welch([1, 2, 3, math.nan], [2, 4, 6]) == welch([1, 2, 3], [2, 4, 6])
    means, errors = mean_and_error([[1, 2], [math.nan, 2], [3, math.nan]])
    assert means.tolist() == [2, 2]
    assert errors.tolist() == pytest.approx([1, 0])


def test_mean_and_standard_error_over_the_first_axis() -> None:
    means, errors = mean_and_error(np.arange(12).reshape(3, 2, 2))
    assert means.tolist() == [[4, 5], [6, 7]]
    assert errors == pytest.approx(np.full((2, 2), 4 / 3**0.5))  # 0, 4, 8: sd 4
    single, none = mean_and_error([[1, 2]])
    assert single.tolist() == [1, 2]
    assert none.tolist() == [0, 0]
    value, error = mean_and_error([0, 4, 8])
    assert (float(value), float(error)) == (4, pytest.approx(4 / 3**0.5))
    value, error = mean_and_error([math.nan])
    assert math.isnan(float(value))
    assert float(error) == 0


def test_paired_changes() -> None:
    """Changes of 1, 2 and 3: t = 2 / (1 / sqrt 3), and p from the t distribution with 2 degrees of freedom."""
    found = paired([10, 20, 30], [11, 22, 33])
    assert found["change"] == found["d"] == pytest.approx(2)
    assert found["t"] == pytest.approx(2 * 3**0.5)
    assert found["p"] == pytest.approx(1 - found["t"] / (found["t"] ** 2 + 2) ** 0.5)
    assert found == changed([1, 2, 3])
    assert paired([11, 22, 33], [10, 20, 30])["d"] == pytest.approx(-2)


@pytest.mark.parametrize("after", [[3.0], [3.0, 4.0]], ids=["one_network", "the_same_in_all"])
def test_paired_changes_without_a_spread(after: list[float]) -> None:
    found = paired([x - 1 for x in after], after)
    assert found["change"] == 1
    assert all(math.isnan(found[key]) for key in ("t", "p", "d"))


def test_welch() -> None:
    """Means 2 and 4, variances 1 and 4, three each: t = -2 / sqrt(5 / 3), with 50 / 17 degrees of freedom."""
    found = welch([1, 2, 3], [2, 4, 6])
    assert found["t"] == pytest.approx(-2 / (5 / 3) ** 0.5)
    assert 0.2 < found["p"] < 0.25
    assert math.isnan(welch([1], [2, 3])["p"])


def test_signed_ranks() -> None:
    assert signed_rank([1, 2, 3, 4, 5]) == pytest.approx(2 / 2**5)  # one of 32 ways to sign five ranks, on either side
    assert math.isnan(signed_rank([1]))


def test_bonferroni() -> None:
    assert bonferroni([0.01, 0.2, None], 10).tolist() == pytest.approx([0.1, 1, 1])


def test_holm() -> None:
    """Smallest first: 0.005 · 4, 0.01 · 3, 0.03 · 2, and 0.04 · 1, which may not be below the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]).tolist() == [1, 1]
    assert holm([0.2]).tolist() == [0.2]
    assert holm([]).tolist() == []
    assert holm([0.02, 0.02]).tolist() == pytest.approx([0.04, 0.04])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_each_by_itself_and_bonferroni(p: list[float]) -> None:
    found = holm(p)
    assert (found >= p).all()
    assert (found <= bonferroni(p, len(p))).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()


# Intervals


def test_a_sample_sums_up_what_is_finite() -> None:
    assert Sample.of([1, NAN, 2, math.inf, 6]) == (3, pytest.approx(7**0.5), 3)
    one = Sample.of([4])
    assert (one.mean, one.n) == (4, 1)
    assert math.isnan(one.sd)
    for nothing in ([], [NAN], [math.inf, NAN]):
        with pytest.raises(ValueError, match=r"allowed is one finite number or more"):
            Sample.of(nothing)


def test_students_interval_of_darwins_maize() -> None:
    """Fifteen pairs of plants, crossed less self-fertilised, in eighths of an inch (Fisher, Design of Experiments).

    He has a mean of 20.933, a standard error of 9.746 and t = 2.148, against 2.145 at 5 % and 14 degrees of freedom.
    """
    found = of_mean(Sample.of([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]))
    assert (found.mean, found.error, found.df) == (pytest.approx(20.933, abs=5e-4), pytest.approx(9.746, abs=5e-4), 14)
    assert found.half == pytest.approx(2.145 * 9.746, abs=5e-3)
    assert found.excludes_zero
    assert found.p == pytest.approx(0.0497, abs=5e-5)


@given(runs)
def test_the_interval_of_a_mean_is_that_of_scipy(values: list[float]) -> None:
    assume(sd(values) > 0.01)
    test = stats.ttest_1samp(values, 0)
    interval, found = test.confidence_interval(0.95), of_mean(Sample.of(values))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(float(test.pvalue))
    assert found.excludes_zero == (interval.low > 0 or interval.high < 0)


@given(runs, runs)
def test_the_interval_of_a_difference_is_that_of_scipy(one: list[float], other: list[float]) -> None:
    assume(min(sd(one), sd(other)) > 0.01)
    test = stats.ttest_ind(one, other, equal_var=False)
    interval, found = test.confidence_interval(0.95), difference(Sample.of(one), Sample.of(other))
    assert (found.low, found.high, found.df) == pytest.approx((interval.low, interval.high, test.df))
    assert found.p == pytest.approx(float(test.pvalue))


def test_welchs_interval_by_hand() -> None:
    """Means 2 and 4, variances 1 and 4, three each: error sqrt(5 / 3), 50 / 17 degrees of freedom."""
    found = difference(Sample(2, 1, 3), Sample(4, 2, 3))
    assert found == (-2, pytest.approx((5 / 3) ** 0.5), pytest.approx(50 / 17))
    assert not found.excludes_zero


def test_a_published_deviation_that_is_not_known_is_ours() -> None:
    ours = Sample(60, 4, 10)
    assert difference(ours, Sample(50, NAN, 5)) == difference(ours, Sample(50, 4, 5))


def test_a_single_trial_has_an_interval_of_prediction() -> None:
    """Ten runs of 60 ± 4: 19 of 20 others lie within 2.262 · 4 · sqrt(1 + 1 / 10) of their mean."""
    found = difference(Sample(60, 4, 10), Sample(50, NAN, 1))
    assert (found.mean, found.df) == (10, 9)
    assert found.half == pytest.approx(2.262 * 4 * 1.1**0.5, abs=2e-3)


def test_a_single_trial_whose_deviation_is_printed() -> None:
    """What is printed is taken as exact: only ours has degrees of freedom."""
    found = difference(Sample(60, 4, 4), Sample(50, 3, 1))
    assert found == (10, pytest.approx((4 + 9) ** 0.5), pytest.approx(13**2 / (16 / 3)))


@pytest.mark.parametrize("other", [Sample(50, NAN, 1), Sample(50, NAN, 5), Sample(50, 4, 5), Sample(50, 4, 1)])
def test_one_run_of_ours_says_nothing(other: Sample) -> None:
    found = difference(Sample.of([60]), other)
    assert (found.low, found.mean, found.high) == (-math.inf, 10, math.inf)
    assert not found.excludes_zero
    assert math.isnan(found.p)
    assert of_mean(Sample.of([60])).half == math.inf


@pytest.mark.parametrize(("mean_", "p", "excludes"), [(2, 0, True), (-2, 0, True), (0, 1, False)])
def test_no_spread_at_all_is_a_point(mean_: float, p: float, excludes: bool) -> None:
    for found in (of_mean(Sample(mean_, 0, 5)), difference(Sample(50 + mean_, 0, 5), Sample(50, NAN, 5))):
        assert (found.low, found.high, found.p, found.excludes_zero) == (mean_, mean_, p, excludes)


def test_groups_of_equal_weight_by_hand() -> None:
    """Means 1 and 5 with errors 1 / sqrt 4 and 3 / sqrt 9: error sqrt(1 / 4 + 1) / 2 and, by Satterthwaite,

    (1 / 4 + 1)² / ((1 / 4)² / 3 + 1² / 8) = 75 / 7 degrees of freedom.
    """
    found = pooled([Sample(1, 1, 4), Sample(5, 3, 9)])
    assert found == (3, pytest.approx(1.25**0.5 / 2), pytest.approx(75 / 7))


@given(runs, runs)
def test_two_groups_are_welchs(one: list[float], other: list[float]) -> None:
    """The mean of a and -b is half their difference, with the same degrees of freedom."""
    assume(min(sd(one), sd(other)) > 0.01)
    a, b = Sample.of(one), Sample.of(other)
    found, whole = pooled([a, b._replace(mean=-b.mean)]), difference(a, b)
    assert (2 * found.mean, 2 * found.error, found.df) == pytest.approx(tuple(whole))


def test_a_single_group_is_itself_and_one_of_one_run_says_nothing() -> None:
    assert pooled([Sample(1, 2, 5)]) == pytest.approx(of_mean(Sample(1, 2, 5)))
    assert pooled([Sample(1, 2, 5), Sample.of([3])]).half == math.inf
    assert pooled([Sample(1, 0, 5), Sample(3, 0, 5)]) == (2, 0, 8)


@given(runs, st.floats(0.1, 10))
def test_an_interval_scales_and_turns_with_its_numbers(values: list[float], factor: float) -> None:
    assume(sd(values) > 0.01)
    found, other = of_mean(Sample.of(values)), of_mean(Sample.of([-factor * value for value in values]))
    assert (other.low, other.high) == pytest.approx((-factor * found.high, -factor * found.low), abs=1e-9)
    assert other.p == pytest.approx(found.p)


def test_an_interval_of_known_spread_holds_its_ends() -> None:
    found = Interval(1.0, 0.5, 4.0)
    assert (found.low, found.high) == pytest.approx((1 - 2.776445 * 0.5, 1 + 2.776445 * 0.5))


@pytest.mark.parametrize(
    ("differences", "expected"),
    [([1.0, 1.2, 0.9], "alike"), ([4.0, 4.2, 3.9], "apart"), ([-9.0, 9.0, 3.0], "undecided"), ([1.0], "undecided")],
)
def test_likeness(differences: list[float], expected: str) -> None:
    assert likeness(differences) == expected
    assert likeness([-d for d in differences]) == expected
