"""The check for drift: a fresh run against the committed one of its seed, then against the spread of its group."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest

from srclib.data.places import committed
from srclib.experiments import grid
from srclib.experiments.cell import Cell
from srclib.experiments.store import Store
from srclib.verdicts.drift import Drift, drift

from ..made_up import phase
from .cases import constant, stored, table1


def group_of(folder: Path, committed: Sequence[float], fresh: Sequence[float], run: str = "sequential") -> Drift:
    """Return what drifts where runs of the seeds 0, 1, … have these final accuracies."""

    def one(name: str, finals: Sequence[float]) -> Store:
        cells = table1(run, seeds=len(finals))
        return stored(folder / name, cells, lambda cell: [phase("training", 4, finals[cell.seed])])

    found = drift(one("committed", committed), one("fresh", fresh))
    return next(group for group in found if len(group.group) == len(committed))


def test_a_copy_of_committed_results_never_drifts(tmp_path: Path) -> None:
    for folder, name in product(("old", "new"), ("table1_accuracy", "fig1_patches")):
        (tmp_path / folder).mkdir(exist_ok=True)
        shutil.copy(committed("results") / f"{name}.jsonl", tmp_path / folder)
    found = drift(Store(tmp_path / "old"), Store(tmp_path / "new"))
    assert {group.runs.split(",")[0] for group in found} >= {"table1_accuracy", "fig1_patches"}
    assert not [str(group) for group in found if group.drifted]
    assert all(str(group).endswith("% as committed") for group in found)


FAR = (*(50.0,) * 30, 90.0)  # the last one is further than three standard deviations from the mean of all


@pytest.mark.parametrize(
    ("fresh", "drifted"),
    [(90.0, False), (92.0, False), (50.0, False), (72.0, False), (95.0, True), (80.0, True)],
    ids=["as_committed", "near_its_seed", "near_all_others", "within_three_deviations", "above", "below"],
)
def test_a_run_that_is_far_from_its_group(fresh: float, drifted: bool) -> None:
    """Only one that is neither near the committed run of its seed nor near the others drifts."""
    group = Drift("some runs", (fresh,), (90.0,), FAR)
    assert FAR[-1] - statistics.fmean(FAR) > group.tolerance
    assert group.drifted == drifted


NAN = float("nan")


@pytest.mark.parametrize(
    ("fresh", "committed", "group", "drifted", "says"),
    [
        (NAN, NAN, (20.0, 21.0, NAN), False, "diverged % as committed"),
        (NAN, 20.0, (20.0, 21.0, NAN), False, "diverged (committed 20.00) %, within 20.50 ± 3.00 % of 3 seeds"),
        (NAN, 20.0, (20.0, 21.0), True, "diverged (committed 20.00) %, outside"),
        (22.0, NAN, (20.0, 21.0, NAN), False, "22.00 (committed diverged) %, within"),
        (30.0, NAN, (20.0, 21.0, NAN), True, "30.00 (committed diverged) %, outside"),
        (30.0, NAN, (NAN, NAN), True, "30.00 (committed diverged) %, outside"),
    ],
    ids=["both", "like_another", "like_none", "no_more", "no_more_and_far", "no_more_in_any"],
)
def test_diverged_is_a_state(
    fresh: float, committed: float, group: tuple[float, ...], drifted: bool, says: str
) -> None:
    found = Drift("some runs", (fresh,), (committed,), group)
    assert found.drifted == drifted
    assert f"some runs: {says}" in str(found)


@pytest.mark.parametrize(
    ("shift", "drifted"), [(0.1, True), (-0.1, True), (0.031, True), (-0.031, True), (0.029, False), (0.02, False)]
)
def test_a_steady_group_allows_three_points(tmp_path: Path, shift: float, drifted: bool) -> None:
    group = group_of(tmp_path, [0.2] * 5, [0.2 + shift])
    assert group.drifted == drifted
    assert group.fresh == pytest.approx((20 + 100 * shift,))
    assert (group.committed, group.group) == ((20,), (20,) * 5)
    assert ("outside" if drifted else "within") in str(group)
    assert f"{20 + 100 * shift:.2f} (committed 20.00) %" in str(group)
    assert "table1_accuracy, released, mnist sequential" in str(group)


WIDE = [0.4, 0.45, 0.5, 0.55, 0.6]  # mean 50 %, standard deviation 7.9 points


@pytest.mark.parametrize(
    ("final", "drifted"), [(0.4, False), (0.42, False), (0.3, False), (0.5, False), (0.73, False), (0.75, True)]
)
def test_a_wide_group_allows_three_standard_deviations(tmp_path: Path, final: float, drifted: bool) -> None:
    """The first seed ended at 40 %; ten points away is within the spread of the others."""
    group = group_of(tmp_path, WIDE, [final], run="src")
    assert group.tolerance == pytest.approx(3 * 7.9057, abs=1e-3)
    assert group.drifted == drifted


def test_one_run_that_drifts_is_enough(tmp_path: Path) -> None:
    group = group_of(tmp_path, [0.2] * 5, [0.2, 0.2, 0.3])
    assert group.drifted
    assert "20.00, 20.00, 30.00 (committed 20.00) %, outside 20.00 ± 3.00 % of 5 seeds" in str(group)


def test_groups_are_runs_that_differ_in_the_seed_only(tmp_path: Path) -> None:
    def cells(seeds: int) -> list[Cell]:
        patches = grid.grid("fig1_patches", runs=["src"], overlap_min=11, overlap_max=12, seeds=seeds)
        return [*table1("sequential", seeds=seeds), *table1("src", seeds=seeds), *patches]

    committed = stored(tmp_path / "old", cells(3), constant(0.5))
    groups = drift(committed, stored(tmp_path / "new", cells(2), constant(0.5)))
    assert len({group.runs for group in groups}) == len(groups) == 4  # src on MNIST belongs to several experiments
    assert [(len(g.group), len(g.fresh), len(g.committed)) for g in groups] == [(3, 2, 2)] * 4


def test_a_check_for_drift_that_compares_nothing_fails(tmp_path: Path) -> None:
    committed = stored(tmp_path / "old", table1("sequential"), constant(0.2))
    other = stored(tmp_path / "new", table1("src"), constant(0.2))
    with pytest.raises(ValueError, match="no cell of an experiment is both in"):
        drift(committed, other)
    with pytest.raises(ValueError, match="cannot drift from itself"):
        drift(committed, Store(tmp_path / "old"))
