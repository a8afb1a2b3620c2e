"""The statistics of the book, in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats


def paired(before: Sequence[float], after: Sequence[float]) -> dict[str, float]:
    """Compare two numbers of every network: `change`, its mean; `t`, `p`, two-sided paired t-test; `d`, Cohen's d_z.

    d_z is the mean change over its standard deviation. With a single network, t, p and d are nan; so they are if the
    change is the same in all of them.
    """
    changes = np.subtract(after, before)
    spread = changes.std(ddof=1) if len(changes) > 1 else 0.0
    if not spread:
        return {"change": float(changes.mean()), "t": math.nan, "p": math.nan, "d": math.nan}
    test = stats.ttest_rel(after, before)
    change = float(changes.mean())
    return {"change": change, "t": float(test.statistic), "p": float(test.pvalue), "d": change / float(spread)}
