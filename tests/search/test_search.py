"""Searches: what they see, that they go on, and that what they found is what a run does."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml

from srclib.experiments import cell, protocols
from srclib.experiments.run import run as run_cell
from srclib.learning.methods.ewc import EWC
from srclib.learning.methods.sleep import Sleep
from srclib.search import fleet, search
from srclib.search.studies import SAMPLERS, Study, with_values
from srclib.sleep import SleepConfig

TINY = {
    "awake": {"epochs": 1, "images_per_task": 400, "layers": [784, 20, 10]},
    "sleep": {
        "statistics": "trained", "steps": [0, 50], "config": {"alpha": 1.0, "beta": 1.0, "inc": 0.01, "dec": 0.001}
    },
}  # fmt: skip
SLEEP = Study(
    protocol="described", dataset="mnist", part="sleep", trials=4, population=2, networks=(7, 8), held_out=50,
    changes=TINY, space={"steps": (20, 200), "inc": (1e-4, 0.1), "beta[0]": (0.1, 2.0), "beta[1]": (0.1, 2.0)},
)  # fmt: skip
STRENGTH = replace(SLEEP, part="ewc", networks=(7,), trials=2, space={"strength": (0.01, 100.0)})


def run(study: Study, folder: Path, device: str | None = None) -> tuple[Sleep | EWC, dict, pd.DataFrame]:
    best = search.run(
        "tiny", study, scheduler="inline", device=device, outcomes=folder / "out", journals=folder / "journals"
    )
    report = yaml.safe_load((folder / "out" / "tiny.yaml").read_text())
    return best, report, pd.read_csv(folder / "out" / "tiny.csv")


@pytest.fixture(scope="module")
def slept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sleep, dict, pd.DataFrame]:
    return run(SLEEP, tmp_path_factory.mktemp("search"))


def test_a_run_with_the_sleep_found_reaches_the_scores_of_the_search(slept: tuple) -> None:
    best, report, _ = slept
    for number, network in enumerate(SLEEP.networks):
        phases = run_cell(SLEEP.cell(best, network))["phases"]
        after = {phase["task"]: phase for phase in phases if phase["kind"] == "sleep"}
        assert sorted(after) == [1, 2, 3, 4]
        for stage in report["stages"]:
            seen = stage["stage"]
            accuracy = after[seen - 1]["accuracy"][:seen]
            assert stage["after"][number] == pytest.approx(sum(accuracy) / seen)  # as many held-out images in each


MOMENTUM = TINY["awake"] | {"momentum": 0.9}
WHOLE_CONFIG = TINY["sleep"]["config"] | {"beta": [0.5, 0.4], "steps": 60}
WHOLE = replace(
    SLEEP, trials=2, networks=(7,), changes=TINY | {"sleep": TINY["sleep"] | {"steps": [60], "config": WHOLE_CONFIG}}
)


def test_a_search_that_starts_from_a_whole_set_sleeps_with_it_after_the_first_task(tmp_path: Path) -> None:
    best, report, _ = run(WHOLE, tmp_path)
    assert best.steps[0] == 60
    assert best.config[0].beta == (0.5, 0.4)
    phases = run_cell(WHOLE.cell(best, 7))["phases"]
    slept = [phase for phase in phases if phase["kind"] == "sleep"]
    assert [phase["task"] for phase in slept] == [0, 1, 2, 3, 4]
    assert report["stages"][-1]["after"][0] == pytest.approx(sum(slept[-1]["accuracy"]) / 5)


def test_a_start_without_a_sleep_after_the_first_task_has_none(tmp_path: Path) -> None:
    none_first = {"sleep": WHOLE.changes["sleep"] | {"steps": [0, 60]}}
    best, *_ = run(replace(WHOLE, trials=1, tasks=2, changes=TINY | none_first), tmp_path)
    assert best.steps == (0, 60)


def test_one_sleep_for_all_tasks_is_scored_by_the_final_accuracy(tmp_path: Path) -> None:
    study = replace(WHOLE, by_stage=False)
    best, report, trials = run(study, tmp_path)
    assert isinstance(best.config, SleepConfig)
    assert best.steps == (best.config.steps,)
    assert trials.iloc[0][["steps", "beta[0]", "beta[1]"]].tolist() == [60, 0.5, 0.4]  # the start is tried first
    assert run_cell(study.cell(best, 7))["final"] == report["stages"][0]["score"] == trials.score.max()


def test_the_awake_phase_growth_and_leak_can_be_searched(tmp_path: Path) -> None:
    space = {"awake.lr": (0.01, 0.2), "growth": (1.0, 2.0), "leak": (0.001, 0.1), "inc": (1e-4, 0.1)}
    slow = {"sleep": WHOLE.changes["sleep"] | {"config": WHOLE.changes["sleep"]["config"] | {"decay": 0.95}}}
    study = replace(WHOLE, by_stage=False, space=space, at_once=2, changes=TINY | slow)
    best, report, trials = run(study, tmp_path)
    start = study.cell(study.plugin(), 7)
    assert trials.iloc[0][list(space)].tolist() == pytest.approx([start.awake.lr, 1.0, 0.05, 0.01])
    values = report["stages"][0]["values"]
    assert (best.growth, best.config.decay) == (values["growth"], 1 - values["leak"])
    assert report["awake"] == {"lr": values["awake.lr"]}
    assert run_cell(study.cell(best, 7, values))["final"] == report["stages"][0]["score"]


@pytest.mark.parametrize("device", ["cpu"] + ["cuda"] * torch.cuda.is_available())
def test_on_a_device_the_runs_of_several_candidates_are_one_fleet(device: str, tmp_path: Path) -> None:
    study = replace(WHOLE, by_stage=False, space={"inc": (1e-4, 0.1)}, networks=(7, 8), tasks=2, at_once=2, trials=3)
    best, report, trials = run(study, tmp_path, device=device)
    for seed, tried in enumerate((trials[:2], trials[2:])):  # the last one is alone
        plugins = [with_values(study.start(), {"inc": value}) for value in tried.inc]
        cells = [study.cell(plugin, network) for plugin in plugins for network in (7, 8)]
        finals = torch.tensor(fleet.finals(cells, seed=seed, device=device), dtype=torch.float64).view(-1, 2)
        assert tried.score.tolist() == pytest.approx(finals.mean(1).tolist())
    assert best.config.inc == trials.inc[trials.score.argmax()]
    assert ("gpu_minutes" in report["provenance"]) == (device == "cuda")


def test_one_sleep_that_runs_away_scores_nothing(tmp_path: Path) -> None:
    wild = {"sleep": WHOLE.changes["sleep"] | {"config": WHOLE.changes["sleep"]["config"] | {"max_updates": 1}}}
    _, report, trials = run(replace(WHOLE, by_stage=False, changes=TINY | wild), tmp_path)
    assert trials.score.tolist() == [0, 0]
    assert "max_updates" not in report["found"]["config"]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws_within_the_bounds_and_repeatably(sampler: str, tmp_path: Path) -> None:
    study = replace(STRENGTH, sampler=sampler, trials=3, seed=5)
    tables = [run(study, tmp_path / name)[2] for name in ("one", "two")]
    assert tables[0].strength.between(0.01, 100).all() and tables[0].strength.nunique() == 3
    assert tables[0].strength.tolist() == tables[1].strength.tolist()


def test_every_stage_has_its_trials_and_its_best_one(slept: tuple) -> None:
    best, report, trials = slept
    assert best.steps == (0, *(stage["values"]["steps"] for stage in report["stages"]))
    for stage in report["stages"]:
        mine = trials[trials.stage == stage["stage"]]
        assert len(mine) == SLEEP.trials
        assert stage["score"] == mine.score.max() == pytest.approx(sum(stage["after"]) / 2)
        for name, (low, high) in SLEEP.space.items():
            assert mine[name].between(low, high).all()
            assert stage["values"][name] in mine.loc[mine.score == stage["score"], name].to_numpy()


def test_images_held_out_are_training_images_that_no_task_is_trained_on() -> None:
    cell = SLEEP.cell(SLEEP.plugin(), 7)
    whole = run.stream(replace(cell, held_out=0))
    for held, task in zip(run.stream(cell), whole, strict=True):
        assert held.x_test.equal(task.x_train[-50:]) and held.y_test.equal(task.y_train[-50:])
        assert held.x_train.equal(task.x_train[:-50]) and held.y_train.equal(task.y_train[:-50])
    with pytest.raises(ValueError, match=r"held_out = 99999: allowed is 1 to \d+ images of task"):
        run.stream(replace(cell, held_out=99_999))


def test_a_killed_search_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.1, 0.2, KeyboardInterrupt])
    calls = []

    def score(cell: cell.Cell) -> dict[str, float]:
        calls.append(cell.plugins[0].strength)
        found = next(scores)
        if found is KeyboardInterrupt:
            raise KeyboardInterrupt
        return {"final": found}

    monkeypatch.setattr(run.experiment, "run", score)
    study = replace(STRENGTH, trials=4)
    with pytest.raises(KeyboardInterrupt):
        run(study, tmp_path)
    scores = iter([0.4, 0.3])
    best, report, trials = run(study, tmp_path)
    assert calls[0] == study.plugin().strength  # the protocol's own value comes first
    assert len(calls) == 5  # the one in flight was lost
    assert trials.score.tolist() == [0.1, 0.2, 0.4, 0.3]
    assert best.strength == calls[3] == report["stages"][0]["values"]["strength"]


def test_workers_share_a_study_and_agree_on_what_counts(tmp_path: Path) -> None:
    from distributed import LocalCluster

    study = replace(WHOLE, trials=4, tasks=3, sampler="tpe")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(silence_logs=logging.ERROR, **options) as cluster:
        best = search.run(
            "tiny", study, scheduler=cluster.scheduler_address, outcomes=tmp_path, journals=tmp_path / "journals"
        )
    table = pd.read_csv(tmp_path / "tiny.csv")
    assert table.groupby("stage").size().between(4, 5).all()  # the last two may end together
    assert not table.duplicated(["stage", *study.space]).any()
    alone = run_cell("tiny", study, scheduler="inline", outcomes=tmp_path, journals=tmp_path / "journals")
    assert alone == best  # the journal has all that was tried
    assert pd.read_csv(tmp_path / "tiny.csv").equals(table)


def test_stages_start_from_the_sleep_before_grown_by_its_growth(tmp_path: Path) -> None:
    grown = {"sleep": WHOLE.changes["sleep"] | {"growth": 2.0}}
    best, _, table = run(replace(WHOLE, trials=1, changes=TINY | grown), tmp_path)
    assert table.inc.tolist() == pytest.approx([0.02, 0.04, 0.08, 0.1])  # within bounds
    assert best.growth == 1.0  # the changes of each sleep are its own
    assert [best.config_after(task).inc for task in range(5)] == pytest.approx([0.01, 0.02, 0.04, 0.08, 0.1])


def test_a_search_ahead_scores_every_sleep_by_the_end_of_the_run(tmp_path: Path) -> None:
    study = replace(WHOLE, ahead=True, trials=(1, 1, 1, 1, 3), changes=WHOLE.changes | {"awake": MOMENTUM})
    best, report, table = run(study, tmp_path)
    start = study.plugin()
    final = run_cell(study.cell(start, 7))["final"]
    first = table.groupby("stage").score.first()
    assert first.tolist() == pytest.approx([final] * 5)  # each stage came back to where it began
    assert table.groupby("stage").size().tolist() == [1, 1, 1, 1, 3]
    assert best.config[:4] == tuple(start.config_after(task) for task in range(4))
    assert run_cell(study.cell(best, 7))["final"] == report["stages"][-1]["score"] >= final


def test_a_sleep_that_runs_away_is_not_followed_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    network = run._Network(WHOLE.cell(WHOLE.plugin(), 7))
    network.learn(0)
    monkeypatch.setattr(network, "learn", None)  # nothing more is to be learned
    wild = replace(WHOLE.plugin().config, beta=1e-6, max_updates=1)
    assert network.final(wild, [wild]) == 0


def test_a_method_is_scored_by_its_final_accuracy(tmp_path: Path) -> None:
    best, report, trials = run(STRENGTH, tmp_path)
    assert isinstance(best, EWC)
    assert run_cell(STRENGTH.cell(best, 7))["final"] == pytest.approx(report["stages"][0]["score"])
    assert len(trials) == 2


def test_a_runaway_scores_nothing() -> None:
    network = run._Network(SLEEP.cell(SLEEP.plugin(), 7))
    network.learn(0)
    config = replace(SLEEP.plugin().config, beta=1e-6, steps=100)
    assert network.sleep(config) > 0
    assert network.sleep(replace(config, max_updates=10_000)) == 0


@pytest.mark.parametrize(
    ("part", "setting"), [("rehearsal", {"fraction": 0.1}), ("icarl", {"memory": 30})], ids=["rehearsal", "icarl"]
)
def test_methods_beside_act_in_the_search_as_in_a_run(part: str, setting: dict[str, Any], tmp_path: Path) -> None:
    study = replace(SLEEP, beside=(part,), networks=(7,), trials=1)
    study = replace(study, changes=study.changes | {part: setting})
    assert (
        study.cell(study.plugin(), 7).awake == protocols.load("described", "mnist", study.changes, parts=[part]).awake
    )
    best, report, _ = run(study, tmp_path)
    phases = run_cell(study.cell(best, 7))["phases"]
    assert phases[-1]["overall"] == pytest.approx(report["stages"][-1]["score"])


def test_a_search_may_end_early(tmp_path: Path) -> None:
    best, report, _ = run(replace(SLEEP, tasks=2, networks=(7,), trials=1), tmp_path)
    assert [stage["stage"] for stage in report["stages"]] == [2]
    assert len(best.steps) == 2
