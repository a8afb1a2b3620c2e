"""The statistics of the book, in one place.

Everywhere a number that is not finite, as of a run that diverged, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


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
