"""What a verdict is worth: how often each comes out for a difference that is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .judging import effect_verdict, value_verdict
from .statistics import Sample, difference, of_mean

SPREAD = 4.0  # points, the standard deviation of SRC over networks and of its published values
TRIALS = 5  # behind a published value
MARGIN = 3.0  # points


def simulate(
    differences: Sequence[float] = (0.0, 2.0, 10.0),
    runs: Sequence[int] = (3, 5, 10, 20),
    *,
    repeats: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """Judge made-up networks many times over, as values and as effects.

    Networks are normal with a standard deviation of SPREAD points; so is the published value, the mean of TRIALS of
    them, `difference` points lower. As an effect, the same difference is claimed to be above zero.
    Returns a row for each `kind` (value or effect), `difference`, `n` and `verdict` with its `share` of the repeats.
    """
    random = np.random.default_rng(seed)
    rows = []
    for away in differences:
        for n in runs:
            for _ in range(repeats):
                ours = Sample.of(random.normal(away, SPREAD, n))
                theirs = Sample.of(random.normal(0, SPREAD, TRIALS))
                rows.append(("value", away, n, value_verdict(difference(ours, theirs), MARGIN)))
                rows.append(("effect", away, n, effect_verdict(of_mean(ours), 1, "percent")))
    found = pd.DataFrame(rows, columns=["kind", "difference", "n", "verdict"])
    return (found.value_counts() / repeats).rename("share").reset_index().sort_values(["kind", "difference", "n"])
