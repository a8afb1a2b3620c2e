"""Whole runs: that the score of a trial is the final accuracy of its runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from srclib.experiments.run import run
from srclib.learning.methods.ewc import EWC
from srclib.learning.training import reproducible
from srclib.search import fleet
from srclib.search.parameters import config_of, with_values
from srclib.sleep import SleepConfig

from .tiny import STRENGTH, WHOLE, conducted, with_sleep

ONE = replace(WHOLE, by_stage=False, tasks=2)  # sleep for all tasks


def test_a_method_is_scored_by_its_final_accuracy(tmp_path: Path) -> None:
    study = replace(STRENGTH, tasks=2)
    best, outcome, trials = conducted(study, tmp_path)
    assert isinstance(best, EWC)
    assert run(study.cell(best, 7))["final"] == pytest.approx(outcome["stages"][0]["score"])
    assert len(trials) == 2


def test_one_sleep_for_all_tasks_is_scored_by_the_mean_of_final_accuracies(tmp_path: Path) -> None:
    study = replace(ONE, networks=(7, 8))
    best, outcome, trials = conducted(study, tmp_path)
    assert isinstance(best.config, SleepConfig)
    assert best.steps == (best.config.steps,)
    assert trials.iloc[0][["steps", "beta[0]", "beta[1]"]].tolist() == [60, 0.5, 0.4]  # the start is tried first
    finals = [run(study.cell(best, network))["final"] for network in study.networks]
    assert sum(finals) / 2 == pytest.approx(outcome["stages"][0]["score"])
    assert outcome["stages"][0]["score"] == trials.score.max()


def test_the_awake_phase_growth_and_leak_can_be_searched(tmp_path: Path) -> None:
    space = {"awake.lr": (0.01, 0.2), "growth": (1.0, 2.0), "leak": (0.001, 0.1), "inc": (1e-4, 0.1)}
    study = with_sleep(replace(ONE, space=space, at_once=2), config={"decay": 0.95})
    best, outcome, trials = conducted(study, tmp_path)
    start = study.cell(study.start(), 7)
    assert trials.iloc[0][list(space)].tolist() == pytest.approx([start.awake.lr, 1.0, 0.05, 0.01])
    values = outcome["stages"][0]["values"]
    assert (best.growth, best.config.decay) == (values["growth"], 1 - values["leak"])
    assert outcome["awake"] == {"lr": values["awake.lr"]}
    assert run(study.cell(best, 7, values))["final"] == outcome["stages"][0]["score"]


@pytest.mark.parametrize("device", ["cpu"] + ["cuda"] * torch.cuda.is_available())
def test_on_a_device_the_runs_of_several_candidates_are_one_fleet(device: str, tmp_path: Path) -> None:
    study = replace(ONE, space={"inc": (1e-4, 0.1)}, networks=(7, 8), at_once=2, trials=3)
    with reproducible(0):  # on one thread
        best, outcome, trials = conducted(study, tmp_path, device=device)
        for seed, tried in enumerate((trials[:2], trials[2:])):  # the last one is alone
            settings = [with_values(study.start(), {"inc": value}) for value in tried.inc]
            cells = [study.cell(each, network) for each in settings for network in (7, 8)]
            finals = torch.tensor(fleet.finals(cells, seed=seed, device=device), dtype=torch.float64).view(-1, 2)
            assert tried.score.tolist() == pytest.approx(finals.mean(1).tolist())
    assert best.config.inc == trials.inc[trials.score.argmax()]
    assert ("gpu_minutes" in outcome["provenance"]) == (device == "cuda")


def test_a_sleep_that_runs_away_scores_nothing(tmp_path: Path) -> None:
    study = with_sleep(ONE, config={"max_updates": 1})
    best, outcome, trials = conducted(study, tmp_path)
    assert trials.score.tolist() == [0, 0]
    assert config_of(best).max_updates is None and "max_updates" not in outcome["found"]["config"]
