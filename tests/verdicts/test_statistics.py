"""Statistics by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from srclib.verdicts.statistics import bonferroni, changed, mean, mean_and_error, paired, sd, signed_rank, welch


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
