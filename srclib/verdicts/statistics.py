"""The statistics of the book, in one place.

Everywhere a number that is not finite, as of a run that diverged, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

Floats = NDArray[np.float64]
LEVEL = 0.95  # of every interval


class Sample(NamedTuple):
    """What is known of some runs."""

    mean: float
    sd: float  # sample standard deviation (n - 1); nan: not known
    n: int

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """Sum up numbers; ValueError if none of them is finite."""
        known = finite(values)
        if not known.size:
            raise ValueError(f"runs {values!r} given: allowed is one finite number or more")
        return cls(mean(known), sd(known), int(known.size))


class Interval(NamedTuple):
    """A mean, or a difference of means, with its 95 % interval."""

    mean: float
    error: float  # standard error
    df: float  # degrees of freedom

    @property
    def half(self) -> float:
        """Half the width of the interval; endless where the spread is not known."""
        if math.isnan(self.error):
            return math.inf
        return _quantile(self.df) * self.error if self.error else 0.0

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0

    @property
    def p(self) -> float:
        """The two-sided p-value of the t-test against zero; nan where the spread is not known."""
        if self.error == 0:
            return 1.0 if self.mean == 0 else 0.0
        return float(2 * stats.t.sf(abs(self.mean / self.error), self.df))


def _quantile(df: float) -> float:
    """Return how many standard errors half an interval of LEVEL is wide."""
    return float(special.stdtrit(df, (1 + LEVEL) / 2))  # many times faster than stats.t.ppf, which calls it


def of_mean(sample: Sample) -> Interval:
    """Return the mean of a sample with Student's interval (n - 1 degrees of freedom)."""
    return Interval(sample.mean, sample.sd / math.sqrt(sample.n), sample.n - 1)


def difference(one: Sample, other: Sample) -> Interval:
    """Return the difference of two means, one - other, with Welch's interval.

    A standard deviation of the other that is not known is taken as that of the one. With a single run of the other,
    nothing is learned about its spread: the interval then is that of a prediction, of n - 1 degrees of freedom.
    """
    spread = one.sd if math.isnan(other.sd) else other.sd
    a, b = one.sd**2 / one.n, spread**2 / other.n
    if other.n == 1 and math.isnan(other.sd):
        df = one.n - 1.0
    elif a + b == 0 or one.n == 1:
        df = max(one.n + other.n - 2.0, 1.0)
    else:
        df = (a + b) ** 2 / (a**2 / (one.n - 1) + (b**2 / (other.n - 1) if other.n > 1 else 0))
    return Interval(one.mean - other.mean, math.sqrt(a + b), df)


def pooled(groups: Sequence[Sample]) -> Interval:
    """Return the mean of the means of independent groups, each with the same weight, with Satterthwaite's interval."""
    errors = [group.sd**2 / group.n for group in groups]
    total = sum(errors)
    spreads = sum(error**2 / (group.n - 1) for error, group in zip(errors, groups, strict=True) if group.n > 1)
    df = total**2 / spreads if spreads else sum(group.n - 1 for group in groups)
    return Interval(mean([group.mean for group in groups]), math.sqrt(total) / len(groups), max(df, 1.0))


def holm(p: ArrayLike) -> Floats:
    """Return p-values corrected for being several, at most 1 (Holm, Scand. J. Statist. 6, 65, 1979)."""
    given: Floats = np.asarray(p, float)
    order = np.argsort(given, kind="stable")
    steps = given[order] * np.arange(given.size, 0, -1)
    found: Floats = np.empty_like(given)
    found[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return found


def finite(values: ArrayLike) -> Floats:
    """Return the finite ones of some numbers, (n,)."""
    found: Floats = np.asarray(values, float).ravel()
    known: Floats = found[np.isfinite(found)]
    return known


def mean(values: ArrayLike) -> float:
    """Return the mean; nan of nothing."""
    known = finite(values)
    return float(known.mean()) if known.size else math.nan


def sd(values: ArrayLike) -> float:
    """Return the sample standard deviation (n - 1); nan of fewer than two."""
    known = finite(values)
    return float(known.std(ddof=1)) if known.size > 1 else math.nan


def mean_and_error(values: ArrayLike) -> tuple[Floats, Floats]:
    """Return mean and standard error of the mean over runs, the first axis: (runs, …) -> (…), (…).

    The error of a single run is 0: there is no error bar to draw. The mean of none is nan.
    """
    known = np.ma.masked_invalid(np.asarray(values, float))
    spread = np.ma.filled(known.std(axis=0, ddof=1), 0.0)
    return np.ma.filled(known.mean(axis=0), np.nan), spread / np.sqrt(np.maximum(known.count(axis=0), 1))


def likeness(differences: ArrayLike, margin: float = 3.0) -> str:
    """Say what paired differences show: `alike` where their interval lies within the margin, else `apart` where it
    excludes 0, else `undecided`. ValueError for none."""
    found = of_mean(Sample.of(differences))
    if -margin <= found.low and found.high <= margin:
        return "alike"
    return "apart" if found.excludes_zero else "undecided"


def changed(changes: ArrayLike) -> dict[str, float]:
    """Test changes, one of every network: `change`, their mean; `t`, `p`, two-sided t-test; `d`, Cohen's d_z.

    d_z is the mean change over its standard deviation. With a single network, t, p and d are nan; so they are if the
    change is the same in all of them.
    """
    known = finite(changes)
    change, spread = mean(known), sd(known)
    if not spread > 0:
        return {"change": change, "t": math.nan, "p": math.nan, "d": math.nan}
    test = stats.ttest_1samp(known, 0)
    return {"change": change, "t": float(test.statistic), "p": float(test.pvalue), "d": change / spread}


def paired(before: ArrayLike, after: ArrayLike) -> dict[str, float]:
    """Compare two numbers of every network, in the same order, by their changes: as `changed`."""
    return changed(np.subtract(after, before))


def welch(a: ArrayLike, b: ArrayLike) -> dict[str, float]:
    """Compare two groups of networks, of unequal variance: `t` and `p`, two-sided; nan if either has fewer than two."""
    one, other = finite(a), finite(b)
    if min(one.size, other.size) < 2:
        return {"t": math.nan, "p": math.nan}
    test = stats.ttest_ind(one, other, equal_var=False)
    return {"t": float(test.statistic), "p": float(test.pvalue)}


def signed_rank(changes: ArrayLike) -> float:
    """Return p of Wilcoxon's two-sided signed-rank test on changes; nan of fewer than two."""
    known = finite(changes)
    return float(stats.wilcoxon(known).pvalue) if known.size > 1 else math.nan


def bonferroni(p: Iterable[float | None], tests: int) -> Floats:
    """Return p-values corrected for so many tests, at most 1; 1 for None, what could not be tested."""
    corrected: Floats = np.minimum(1, tests * np.array([1 if value is None else value for value in p], float))
    return corrected
