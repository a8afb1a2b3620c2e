"""Conducting a study: that workers share it, that it goes on, and that its outcome is whole."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from srclib.experiments.cell import Cell
from srclib.search import outcomes, whole_runs
from srclib.search.conduct import conduct
from srclib.search.studies import SAMPLERS

from .tiny import STRENGTH, WHOLE, conducted


def strength(cell: Cell) -> float:
    """Return a score without a run: of two candidates, the one with the higher strength is better."""
    return cell.plugins[0].strength / 1000  # type: ignore[attr-defined]


def test_an_unknown_study_is_named() -> None:
    with pytest.raises(ValueError, match=r"study 'none' is unknown: allowed is one of described_mnist_sleep"):
        conduct("none")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws_within_the_bounds_and_repeatably(
    sampler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_runs, "final", strength)
    study = replace(STRENGTH, sampler=sampler, trials=3, seed=5)
    one, two = (conducted(study, tmp_path / name)[2].strength for name in ("one", "two"))
    assert one.between(0.01, 100).all() and one.nunique() == 3
    assert one.tolist() == two.tolist()


def test_a_killed_search_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.1, 0.2, KeyboardInterrupt, 0.4, 0.3])
    tried = []

    def score(cell: Cell) -> float:
        tried.append(cell.plugins[0].strength)  # type: ignore[attr-defined]
        if (reached := next(scores)) is KeyboardInterrupt:
            raise KeyboardInterrupt
        assert isinstance(reached, float)
        return reached

    monkeypatch.setattr(whole_runs, "final", score)
    study = replace(STRENGTH, trials=4)
    with pytest.raises(KeyboardInterrupt):
        conducted(study, tmp_path)
    assert not (tmp_path / "tiny.yaml").exists()
    best, outcome, trials = conducted(study, tmp_path)
    assert tried[0] == study.start().strength  # type: ignore[union-attr]  # the protocol's own value comes first
    assert len(tried) == 5  # the one in flight was lost
    assert trials.score.tolist() == [0.1, 0.2, 0.4, 0.3]
    assert best.strength == tried[3] == outcome["stages"][0]["values"]["strength"]


def test_workers_share_a_study_and_agree_on_what_counts(tmp_path: Path) -> None:
    from distributed import LocalCluster

    study = replace(WHOLE, trials=4, tasks=3, sampler="tpe")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(silence_logs=logging.ERROR, **options) as cluster:
        address = cluster.scheduler_address
        best = conduct("tiny", study, scheduler=address, folder=tmp_path, journals=tmp_path / "journals")
    trials = outcomes.trials("tiny", tmp_path)
    assert trials.groupby("stage").size().between(4, 5).all()  # the last two may end together
    assert not trials.duplicated(["stage", *study.space]).any()
    alone, _, again = conducted(study, tmp_path)
    assert alone == best  # the journal has all that was tried
    assert again.equals(trials)


def test_a_worker_that_fails_ends_the_search(tmp_path: Path) -> None:
    from distributed import LocalCluster

    study = replace(STRENGTH, held_out=99_999)  # which no task has
    with (
        LocalCluster(n_workers=1, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(ValueError, match="held_out = 99999"),
    ):
        conduct("tiny", study, scheduler=cluster.scheduler_address, folder=tmp_path, journals=tmp_path)
    assert not (tmp_path / "tiny.yaml").exists()
