"""By stage: that what a search found is what a run does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from srclib.experiments import protocols
from srclib.experiments.protocols.sleep import Section
from srclib.experiments.run import Runner, run
from srclib.learning.training import reproducible
from srclib.search.by_stage import Network
from srclib.search.parameters import config_of
from srclib.sleep import SleepConfig

from .tiny import SLEEP, TINY, WHOLE, conducted, with_sleep


@pytest.fixture(scope="module")
def slept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Section, dict[str, Any], pd.DataFrame]:
    return conducted(SLEEP, tmp_path_factory.mktemp("search"))


def start_of(study: Any) -> tuple[Section, SleepConfig]:
    start = study.start()
    return start, config_of(start)


def test_a_run_with_the_sleep_found_reaches_the_scores_of_the_search(slept: tuple) -> None:
    best, outcome, _ = slept
    for number, network in enumerate(SLEEP.networks):
        phases = run(SLEEP.cell(best, network))["phases"]
        after = {phase["task"]: phase for phase in phases if phase["kind"] == "sleep"}
        assert sorted(after) == [1, 2, 3, 4]
        for stage in outcome["stages"]:
            seen = stage["stage"]
            accuracy = after[seen - 1]["accuracy"][:seen]
            assert stage["after"][number] == pytest.approx(sum(accuracy) / seen)  # as many held-out images in each


def test_every_stage_has_its_trials_and_its_best_one(slept: tuple) -> None:
    best, outcome, trials = slept
    assert best.steps == (0, *(stage["values"]["steps"] for stage in outcome["stages"]))
    for stage in outcome["stages"]:
        mine = trials[trials.stage == stage["stage"]]
        assert len(mine) == SLEEP.trials
        assert stage["score"] == mine.score.max() == pytest.approx(sum(stage["after"]) / 2)
        for name, (low, high) in SLEEP.space.items():
            assert mine[name].between(low, high).all()
            assert stage["values"][name] in mine.loc[mine.score == stage["score"], name].to_numpy()


def test_a_search_that_starts_from_a_whole_set_sleeps_with_it_after_the_first_task(tmp_path: Path) -> None:
    best, outcome, _ = conducted(WHOLE, tmp_path)
    assert best.steps[0] == 60
    assert best.config[0].beta == (0.5, 0.4)
    slept = [phase for phase in run(WHOLE.cell(best, 7))["phases"] if phase["kind"] == "sleep"]
    assert [phase["task"] for phase in slept] == [0, 1, 2, 3, 4]
    assert outcome["stages"][-1]["after"][0] == pytest.approx(sum(slept[-1]["accuracy"]) / 5)


def test_a_start_without_a_sleep_after_the_first_task_has_none(tmp_path: Path) -> None:
    best, *_ = conducted(with_sleep(replace(WHOLE, trials=1, tasks=2), steps=[0, 60]), tmp_path)
    assert best.steps == (0, 60)


def test_what_was_found_says_what_was_tried_without_shorthands(tmp_path: Path) -> None:
    shorthands = {"streams": 2, "averaged": True, "max_steps": 40, "discard_first": True}
    study = with_sleep(replace(WHOLE, trials=1, tasks=2), **shorthands, drive="random", reset_velocity=True)
    best, outcome, _ = conducted(study, tmp_path)
    start, config = start_of(study)
    assert best.sleep(2).nights == (None, start.night(1)) != (None, config)
    assert (best.drive, best.reset_velocity) == ("random", True)
    assert run(study.cell(best, 7))["final"] == pytest.approx(outcome["stages"][-1]["score"])


@pytest.mark.parametrize("reset", [False, True])
def test_training_goes_on_after_a_sleep_as_in_a_run(reset: bool) -> None:
    study = with_sleep(replace(WHOLE, tasks=2), steps=[60, 0], reset_velocity=reset)
    study = replace(study, changes=study.changes | {"awake": TINY["awake"] | {"momentum": 0.9}})
    start, config = start_of(study)
    network = Network(study.cell(start, 7))
    network.learn(0)
    network.sleep(config)
    network.go_on()
    network.learn(1)
    with reproducible(7):
        runner = Runner(study.cell(start, 7))
        runner.run()
    for ours, theirs in zip(network.awake, runner.state.weights(), strict=True):
        assert ours.equal(theirs)


def test_stages_start_from_the_sleep_before_grown_by_its_growth_within_the_bounds(tmp_path: Path) -> None:
    best, _, trials = conducted(with_sleep(replace(WHOLE, trials=1), growth=2.0), tmp_path)
    assert trials.inc.tolist() == pytest.approx([0.02, 0.04, 0.08, 0.1])
    assert best.growth == 1.0  # the changes of each sleep are its own
    assert [best.night(task).inc for task in range(5)] == pytest.approx([0.01, 0.02, 0.04, 0.08, 0.1])
    _, _, trials = conducted(with_sleep(replace(WHOLE, trials=1), growth=0.05), tmp_path / "shrunk")
    assert trials.inc.tolist() == pytest.approx([5e-4, 1e-4, 1e-4, 1e-4])


def test_a_search_ahead_scores_every_sleep_by_the_end_of_the_run(tmp_path: Path) -> None:
    changes = WHOLE.changes | {"awake": TINY["awake"] | {"momentum": 0.9}}
    study = replace(WHOLE, ahead=True, trials=(1, 1, 1, 1, 3), changes=changes)
    best, outcome, trials = conducted(study, tmp_path)
    start, _ = start_of(study)
    final = run(study.cell(start, 7))["final"]
    first = trials.groupby("stage").score.first()
    assert first.tolist() == pytest.approx([final] * 5)  # each stage came back to where it began
    assert trials.groupby("stage").size().tolist() == [1, 1, 1, 1, 3]
    assert best.config[:4] == tuple(start.night(task) for task in range(4))
    assert run(study.cell(best, 7))["final"] == outcome["stages"][-1]["score"] >= final


def test_a_runaway_scores_nothing_and_is_not_followed_by_other_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    start, config = start_of(WHOLE)
    network = Network(WHOLE.cell(start, 7))
    network.learn(0)
    excited = replace(config, beta=1e-6, steps=100)
    assert network.sleep(excited) > 0
    wild = replace(excited, max_updates=10_000)
    assert network.sleep(wild) == 0
    monkeypatch.setattr(network, "learn", None)  # nothing more is to be learned
    assert network.score(wild, [wild]) == 0


@pytest.mark.parametrize(
    ("part", "setting"), [("rehearsal", {"fraction": 0.1}), ("icarl", {"memory": 30})], ids=["rehearsal", "icarl"]
)
def test_methods_beside_act_in_the_search_as_in_a_run(part: str, setting: dict[str, Any], tmp_path: Path) -> None:
    study = replace(SLEEP, beside=(part,), networks=(7,), trials=1, changes=TINY | {part: setting})
    expected = protocols.load("described", "mnist", study.changes, parts=[part])
    cell = study.cell(study.start(), 7)
    assert cell.awake == expected.awake and cell.plugins[1] == expected.methods[part]
    best, outcome, _ = conducted(study, tmp_path)
    phases = run(study.cell(best, 7))["phases"]
    assert phases[-1]["overall"] == pytest.approx(outcome["stages"][-1]["score"])


def test_a_search_may_end_early(tmp_path: Path) -> None:
    best, outcome, _ = conducted(replace(SLEEP, tasks=2, networks=(7,), trials=1), tmp_path)
    assert [stage["stage"] for stage in outcome["stages"]] == [2]
    assert len(best.steps) == 2
