"""What searches found, read again."""

from __future__ import annotations

import numpy as np
import optuna
import pandas as pd
import pytest

from srclib.search import outcomes


@pytest.mark.parametrize("name", outcomes.names())
def test_an_outcome_names_its_best_trials(name: str) -> None:
    found, trials = outcomes.outcome(name), outcomes.trials(name)
    assert [stage["stage"] for stage in found["stages"]] == sorted(trials.stage.unique())
    for stage in found["stages"]:
        best = trials[trials.stage == stage["stage"]].sort_values("score").iloc[-1]
        assert best.score == pytest.approx(stage["score"])
        assert set(stage["values"]) == set(found["study"]["space"]) <= set(trials)


def test_the_parameter_that_decides_the_score_is_the_important_one() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"steps": rng.integers(1, 1001, 200), "rate": 10 ** rng.uniform(0, 2, 200)})
    table["score"] = -abs(np.log(table.rate / 10))
    found = outcomes.importances(table, {"steps": (1, 1000), "rate": (1.0, 100.0)})
    assert list(found.index) == ["steps", "rate"]
    assert found.sum() == pytest.approx(1)
    assert found["rate"] > 0.9


def test_optuna_reports_as_much_as_before(caplog: pytest.LogCaptureFixture) -> None:
    optuna.logging.set_verbosity(optuna.logging.INFO)
    optuna.logging.enable_propagation()
    try:
        outcomes.importances(pd.DataFrame({"rate": [1.0, 2.0, 3.0], "score": [0.1, 0.2, 0.3]}), {"rate": (1.0, 3.0)})
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.disable_propagation()
    assert not [record for record in caplog.records if record.name.startswith("optuna")]
