"""Trials: which of them count, and that none is made twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from srclib.search import trials
from srclib.search.studies import Values

from .test_search import STRENGTH


def test_the_trials_that_count_are_settled_once(tmp_path: Path) -> None:
    import optuna

    def score(candidates: Sequence[Values]) -> list[float]:
        if not late:
            late.append(study_of("stage 1").ask())  # of another worker, still in flight when there are enough
        return [0.5 for _ in candidates]

    def study_of(name: str) -> optuna.Study:
        return optuna.load_study(study_name=name, storage=trials._storage(journal))

    journal, late = tmp_path / "some.journal", []
    first = trials.optimize(journal, STRENGTH, 0, 1, score, None)
    late[0].suggest_float("strength", 0.01, 100, log=True)
    late[0].set_user_attr("seconds", 0.0)
    study_of("stage 1").tell(late[0], 0.9)
    assert trials.counter(journal)() == 3
    again = trials.optimize(journal, STRENGTH, 1, 1, score, None)
    assert again[0] == first[0] and again[1]["score"] == 0.5
    more = trials.optimize(journal, replace(STRENGTH, trials=3), 1, 1, score, None)
    assert more[1]["score"] == 0.9


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_values_are_tried_twice_unless_there_are_no_others(at_once: int, tmp_path: Path) -> None:
    study = replace(STRENGTH, space={"strength": (1, 6)}, trials=6, population=2, at_once=at_once)
    tried: list[int] = []

    def score(candidates: Sequence[Values]) -> list[float]:
        tried.extend(int(values["strength"]) for values in candidates)
        return [values["strength"] / 10 for values in candidates]

    values, report = trials.optimize(tmp_path / "some.journal", study, 0, 1, score, {"strength": 3})
    assert tried[0] == 3 and sorted(tried) == [1, 2, 3, 4, 5, 6]
    assert values == {"strength": 6} and len(report["trials"]) == 6
    trials.optimize(tmp_path / "some.journal", replace(study, trials=7), 0, 1, score, None)
    assert len(tried) == 7
