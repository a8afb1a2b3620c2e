"""What searches found, read again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from srclib import searched


@pytest.mark.parametrize("name", searched.names())
def test_an_outcome_names_its_best_trials(name: str) -> None:
    found, trials = searched.outcome(name), searched.trials(name)
    assert [stage["stage"] for stage in found["stages"]] == sorted(trials.stage.unique())
    for stage in found["stages"]:
        best = trials[trials.stage == stage["stage"]].sort_values("score").iloc[-1]
        assert best.score == pytest.approx(stage["score"])
        assert set(stage["values"]) == set(found["study"]["space"]) <= set(trials)


def test_the_parameter_that_decides_the_score_is_the_important_one() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"steps": rng.integers(1, 1001, 200), "rate": 10 ** rng.uniform(0, 2, 200)})
    table["score"] = -abs(np.log(table.rate / 10))
    found = searched.importances(table, {"steps": (1, 1000), "rate": (1.0, 100.0)})
    assert list(found.index) == ["steps", "rate"]
    assert found.sum() == pytest.approx(1)
    assert found["rate"] > 0.9
