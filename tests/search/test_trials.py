"""Trials: which of them count, that none is made twice, and that a journal is read whatever its end is like."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from srclib.search import trials
from srclib.sleep.space import Values

from .tiny import STRENGTH


def half(candidates: Sequence[Values]) -> list[float]:
    return [0.5 for _ in candidates]


def test_the_trials_that_count_are_settled_once(tmp_path: Path) -> None:
    def score(candidates: Sequence[Values]) -> list[float]:
        if not late:
            late.append(study_of("stage 1").ask())  # of another worker, still in flight when there are enough
        return half(candidates)

    def study_of(name: str) -> optuna.Study:
        return optuna.load_study(study_name=name, storage=trials._storage(journal))

    journal, late = tmp_path / "some.journal", list[optuna.Trial]()
    first = trials.optimize(journal, STRENGTH, 0, 1, score, {})
    late[0].suggest_float("strength", 0.01, 100, log=True)
    late[0].set_user_attr("seconds", 0.0)
    study_of("stage 1").tell(late[0], 0.9)
    assert trials.counter(journal)() == 3
    again = trials.optimize(journal, STRENGTH, 1, 1, score, {})
    assert again.values == first.values and again.score == 0.5
    more = trials.optimize(journal, replace(STRENGTH, trials=3), 1, 1, score, {})
    assert more.score == 0.9


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_values_are_tried_twice_unless_there_are_no_others(at_once: int, tmp_path: Path) -> None:
    study = replace(STRENGTH, space={"strength": (1, 6)}, trials=6, population=2, at_once=at_once)
    tried: list[int] = []

    def score(candidates: Sequence[Values]) -> list[float]:
        tried.extend(int(values["strength"]) for values in candidates)
        return [values["strength"] / 10 for values in candidates]

    stage = trials.optimize(tmp_path / "some.journal", study, 0, 1, score, {"strength": 3})
    assert tried[0] == 3 and sorted(tried) == [1, 2, 3, 4, 5, 6]
    assert stage.values == {"strength": 6} and len(stage.trials) == 6
    trials.optimize(tmp_path / "some.journal", replace(study, trials=7), 0, 1, score, {})
    assert len(tried) == 7


@pytest.mark.parametrize("lost", [1, 30])
def test_a_torn_line_is_cut_off(lost: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = tmp_path / "some.journal"
    first = trials.optimize(journal, STRENGTH, 0, 1, half, {})
    journal.write_bytes(journal.read_bytes()[:-lost])  # of the line that settles which trials count
    with caplog.at_level(logging.WARNING):
        more = trials.optimize(journal, replace(STRENGTH, trials=4), 0, 1, half, {})
    assert "its last whole line is torn" in caplog.text
    assert len(more.trials) == 4 and more.trials.iloc[:2].equals(first.trials)
    assert trials.counter(journal)() == 4


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    journal = tmp_path / "some.journal"
    trials.optimize(journal, STRENGTH, 0, 1, half, {})
    first, *others = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([first, others[0][9:], *others[1:]]))
    with pytest.raises(ValueError, match=r"some.journal has a damaged line, .*: allowed are lines of JSON"):
        trials.optimize(journal, STRENGTH, 0, 1, half, {})
