"""Outcomes: that they are written whole and read again, and what they say of parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
import yaml

from srclib.search import outcomes
from srclib.search.outcomes import Stage

from .tiny import STRENGTH

STAGE = Stage(
    stage=1, score=0.5, values={"strength": 2.0, "awake.lr": 0.25}, seconds=3.0,
    trials=pd.DataFrame({"stage": [1, 1], "score": [0.25, 0.5], "strength": [1.0, 2.0], "seconds": [1.0, 2.0]}),
)  # fmt: skip


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    second = replace(STAGE, stage=2, before=[0.1], after=[0.2])
    outcomes.write("some", STRENGTH, STRENGTH.start(), [STAGE, second], {"commit": "abc"}, tmp_path)
    outcome = outcomes.outcome("some", tmp_path)
    assert list(outcome) == ["study", "stages", "found", "awake", "provenance"]
    assert outcome["study"]["networks"] == [7] and outcome["study"]["population"] == 2
    one = {"stage": 1, "score": 0.5, "values": STAGE.values, "seconds": 3.0}
    assert outcome["stages"] == [one, one | {"stage": 2, "before": [0.1], "after": [0.2]}]
    assert outcome["awake"] == {"lr": 0.25}
    assert outcome["provenance"] == {"commit": "abc"}
    assert outcomes.trials("some", tmp_path).equals(pd.concat([STAGE.trials] * 2, ignore_index=True))


def test_an_outcome_whose_writing_fails_is_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(score: float) -> None:
        outcomes.write("some", STRENGTH, STRENGTH.start(), [replace(STAGE, score=score)], {}, tmp_path)

    def tear(outcome: object, file: object, **options: object) -> None:
        file.write("study: [")  # type: ignore[attr-defined]
        raise OSError("no space")

    write(0.5)
    monkeypatch.setattr(yaml, "safe_dump", tear)
    with pytest.raises(OSError, match="no space"):
        write(0.75)
    assert outcomes.outcome("some", tmp_path)["stages"][0]["score"] == 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some.csv", "some.yaml"]


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
