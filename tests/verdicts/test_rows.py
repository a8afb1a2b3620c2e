"""Published ids and the runs behind them, on made-up results."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from srclib.experiments import grid
from srclib.experiments.cell import Cell
from srclib.experiments.store import Store
from srclib.learning.methods.icarl import ICaRL
from srclib.verdicts import published, rows

from .. import made_up
from ..made_up import phase
from .cases import Phases, constant, ended, stored, table1


def values(store: Store, protocol: str = "released") -> dict[str, list[float]]:
    """Return the numbers of every published value that a store has runs of."""
    found = {key: rows.numbers(row, store, protocol) for key, row in rows.rows().items()}
    return {key: numbers.values for key, numbers in found.items() if numbers is not None}


def patches(cell: Cell) -> Phases:
    """Task 1 is forgotten from 12 shared pixels on; the sleep brings it back up to 14 + seed."""
    assert cell.overlap is not None
    before = 1.0 if cell.overlap < 12 else 0.5
    after = 1.0 if cell.overlap <= 14 + cell.seed else before
    return [phase("training", 0, 0.5), phase("training", 1, before), phase("sleep", 1, after)]


def test_every_row_names_a_published_value_and_runs_that_exist() -> None:
    table = published.load()
    units = {"accuracy": "percent", "measure": "1", "overlap_improved_first": "pixels"}
    units |= {"overlap_improved_last": "pixels", "epochs_to_match": "epochs", "gain": "percent"}
    settings_of = cache(grid.settings)
    for key, row in rows.rows().items():
        assert key in table.index
        assert row.dataset.replace("cub50", "cub200") == table.loc[key, "dataset"]  # 50 of its classes stand in for all
        assert units[row.quantity] == table.loc[key, "unit"]
        for part in filter(None, (row, row.compared(), row.effect().compared())):
            settings = settings_of(part.experiment)
            assert part.run in settings["runs"]
            assert part.dataset in settings["datasets"]
            for path, value in part.over.items():
                for one in value if isinstance(value, list) else [value]:
                    assert one in settings["over"][path]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: {label: l, experiment: e, dataset: d}", "key 'run' is missing"),
        ("a: {label: l, experiment: e, dataset: d, run: r, step: 1}", "unknown key 'step'"),
        ("a: {label: l, experiment: e, dataset: d, run: r, quantity: speed}", "quantity = 'speed'"),
        ("a: {label: l, experiment: e, dataset: d, run: r, quantity: measure}", "at = (): allowed is one place"),
        ("a: {label: l, experiment: e, dataset: d, run: r, at: [x]}", "at = ('x',): allowed is .* none for anything"),
        ("a: {label: l, experiment: e, dataset: d, run: r, quantity: patches}", "at = (): allowed is one place"),
        ("a: {label: l, experiment: e, dataset: d, run: r, less: {runs: s}}", "less = .*'runs' is no field of a row"),
        (
            "a: {label: l, experiment: e, dataset: d, run: r, control: {runs: s}}",
            "control = .*'runs' is no field of a row",
        ),
        ("a: {experiment: e, dataset: d, run: r}", "key 'label' is missing"),
        ('a: {label: l, experiment: e, dataset: d, run: r, claim: "= 0"}', "claim = '= 0': allowed is one of > 0, < 0"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "rows.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"rows.yaml: a: .*{says.replace('(', '[(]').replace(')', '[)]')}"):
        rows.rows(path)


def test_final_accuracies_come_in_percent_one_per_seed(tmp_path: Path) -> None:
    store = stored(tmp_path, table1("src"), constant(0.45))
    assert values(store)["table1/mnist/src"] == pytest.approx([45, 46, 47, 48, 49])


def test_a_value_names_the_records_that_it_rests_on(tmp_path: Path) -> None:
    stored(tmp_path, table1("sequential"), constant(0.19))
    store = stored(tmp_path, table1("src"), constant(0.45))
    row = rows.rows()["table1/mnist/src"]
    level, effect = rows.numbers(row, store, "released"), rows.numbers(row.effect(), store, "released")
    assert level is not None
    assert effect is not None
    assert [record["key"] for record in level.records] == [cell.key() for cell in table1("src")]
    both = {cell.key() for cell in (*table1("src"), *table1("sequential"))}
    assert {record["key"] for record in effect.records} == both


def test_all_stored_seeds_are_used_up_to_the_first_that_is_missing(tmp_path: Path) -> None:
    store = stored(tmp_path, table1("src", seeds=8), constant(0.45))
    assert values(store)["table1/mnist/src"] == pytest.approx([45, 46, 47, 48, 49, 50, 51, 52])
    other = stored(tmp_path / "other", [*table1("src"), *table1("src", seeds=7)[6:]], constant(0.45))
    assert len(values(other)["table1/mnist/src"]) == 5


def test_an_effect_is_paired_by_the_seeds_that_both_have(tmp_path: Path) -> None:
    store = ended(tmp_path, "mnist", sequential=[19, 18, 17, 16, 15], src=[40, 41, 42, 43, 44, 45, 46])
    effect = rows.numbers(rows.rows()["table1/mnist/src"].effect(), store, "released")
    assert effect is not None
    assert effect.values == pytest.approx([21, 23, 25, 27, 29])


def test_a_run_that_diverged_is_counted_and_has_no_number(tmp_path: Path) -> None:
    store = ended(tmp_path, "mnist", sequential=[19, None, 19, 19, 19], src=[40, 41, None, 43, 44])
    row = rows.rows()["table1/mnist/src"]
    level, effect = rows.numbers(row, store, "released"), rows.numbers(row.effect(), store, "released")
    assert level is not None
    assert effect is not None
    assert (level.values, level.diverged) == ([40, 41, 43, 44], 1)
    assert (effect.values, effect.diverged) == (pytest.approx([21, 24, 25]), 2)
    assert [math.isnan(value) for value in level.by_seed.values()] == [False, False, True, False, False]
    assert len(level.records) == 5


def test_a_value_needs_every_run_behind_it(tmp_path: Path) -> None:
    store = stored(tmp_path, table1("src", seeds=4), constant(0.45))
    assert values(store) == {}


def test_results_of_one_protocol_are_not_those_of_another(tmp_path: Path) -> None:
    store = stored(tmp_path, table1("sequential"), constant(0.19))
    assert list(values(store, "released")) == ["table1/mnist/sequential"]
    assert values(store, "described") == {}
    with pytest.raises(ValueError, match=r"protocol 'relaesed' is unknown: allowed is one of .*released"):
        values(store, "relaesed")


def test_accuracies_of_the_patches_are_means_over_their_overlaps(tmp_path: Path) -> None:
    found = values(stored(tmp_path, grid.grid("fig1_patches", runs=["src"]), patches))
    assert found["text/patches/sequential/after_task1"] == [50] * 5
    assert found["text/patches/sequential/after_task2_overlap_below_12"] == [100] * 5
    assert found["text/patches/sequential/after_task2_overlap_above_12"] == [50] * 5
    assert found["text/patches/src/overlap_12_to_16"] == pytest.approx([80, 90, 100, 100, 100])
    assert found["text/patches/src/overlap_14"] == [100] * 5
    assert found["text/patches/src/overlap_first"] == [12] * 5
    assert found["text/patches/src/overlap_last"] == [14, 15, 16, 17, 18]


def test_no_improvement_anywhere_is_no_value(tmp_path: Path) -> None:
    cells = grid.grid("fig1_patches", runs=["src"])
    found = values(stored(tmp_path, cells, lambda cell: [*patches(cell)[:2], phase("sleep", 1, 0.5)]))
    assert "text/patches/src/overlap_14" in found
    assert "text/patches/src/overlap_first" not in found
    assert "text/patches/src/overlap_last" not in found


def test_a_phase_that_a_run_does_not_have_is_an_error(tmp_path: Path) -> None:
    store = stored(tmp_path, grid.grid("fig1_patches", runs=["src"]), lambda cell: [phase("training", 0, 0.5)] * 2)
    with pytest.raises(ValueError, match="after = 'training 2': allowed is one of training 1"):
        values(store)


def test_two_tasks_count_by_their_images(tmp_path: Path) -> None:
    def phases(cell: Cell) -> Phases:
        first = phase("training", 0, 0.2, (1.0, 0.0, 0.0, 0.0, 0.0))
        second = phase("training", 1, 0.2, (0.0, 1.0, 0.0, 0.0, 0.0))
        return [first, second, phase("sleep", 1, 0.3, (1.0, 0.5, 0.0, 0.0, 0.0))]

    found = values(stored(tmp_path, table1("src"), phases))
    first, second = 980 + 1135, 1032 + 1010  # test images of 0, 1 and of 2, 3
    assert found["text/mnist_two_tasks/sequential"] == pytest.approx([100 * second / (first + second)] * 5)
    assert found["text/mnist_two_tasks/src"] == pytest.approx([100 * (first + second / 2) / (first + second)] * 5)
    assert found["text/mnist/src/figure2/task2"] == [50] * 5


def icarl(accuracy: Callable[[int, int, bool], float]) -> Callable[[Cell], Phases]:
    """Return phases with a final accuracy by memory, epochs, and whether it sleeps; a little more for every seed."""

    def phases(cell: Cell) -> Phases:
        memory = next(plugin.memory for plugin in cell.plugins if isinstance(plugin, ICaRL))
        sleeps = len(cell.plugins) > 1
        final = accuracy(memory, cell.awake.task_epochs(0), sleeps) + (0.02 if sleeps else 0.01) * cell.seed
        return [phase("training", 4, final)]

    return phases


def test_one_value_of_a_setting_and_the_difference_of_two_methods(tmp_path: Path) -> None:
    cells = grid.grid("table2_icarl", datasets=["mnist"])
    stored(tmp_path, cells, icarl(lambda memory, epochs, sleeps: memory / 4000 + 0.1 * sleeps))
    store = stored(tmp_path, grid.grid("table1_orders", datasets=["mnist"], runs=["owm"]), constant(0.2))
    found = values(store)
    assert found["table2/mnist/icarl/k200"] == pytest.approx([5, 6, 7])
    assert found["table2/mnist/icarl+src/k1000"] == pytest.approx([35, 37, 39])
    assert found["text/mnist/icarl+src/k1000/gain"] == pytest.approx([10, 11, 12])
    assert found["text/mnist/icarl+src/k100/above_owm"] == pytest.approx(
        [-7.5, -6.5, -5.5]
    )  # by seed, of which OWM has more
    assert not any("fashion" in key for key in found)
    assert found["text/mnist/icarl+src/k2000/gain"] == pytest.approx([10, 11, 12])


def test_a_difference_needs_both_runs(tmp_path: Path) -> None:
    cells = grid.grid("table2_icarl", datasets=["mnist"], runs=["src+icarl"])
    found = values(stored(tmp_path, cells, icarl(lambda memory, epochs, sleeps: 0.5)))
    assert "table2/mnist/icarl+src/k200" in found
    assert not any(key.startswith("text/") for key in found)


def test_epochs_that_a_method_needs_to_match_another(tmp_path: Path) -> None:
    def accuracy(memory: int, epochs: int, sleeps: bool) -> float:
        if memory == 1000:
            return 0.8 - 0.1 * sleeps  # never matched
        return 0.05 * epochs + 0.3 * sleeps  # with sleep, 4 epochs are as good as 10 without

    cells, seeds = (
        grid.grid("supplement7_epochs", datasets=["mnist"]),
        grid.settings("supplement7_epochs")["seeds"],
    )
    found = values(stored(tmp_path, cells, icarl(accuracy)))
    assert found["text/mnist/icarl+src/k50/epochs_to_match"] == [4] * seeds
    assert found["text/mnist/icarl+src/epochs_saved"] == [6] * seeds  # 4, 4 and, for want of a match, 10
    assert found["text/mnist/icarl+src/k1000/epochs8"] == pytest.approx([70, 72, 74][:seeds])


def test_the_gain_of_a_sleep(tmp_path: Path) -> None:
    def phases(cell: Cell) -> Phases:
        gain = 0.3 / cell.awake.task_epochs(0) + 0.01 * cell.seed
        return [phase("training", 0, 0.5), phase("sleep", 0, 0.5 + gain)]

    found = values(stored(tmp_path, grid.grid("supplement5_undertrained"), phases))
    assert found["text/mnist/src/undertrained"] == pytest.approx([3, 4, 5, 6, 7])
    assert found["text/mnist/src/undertrained_less_trained"] == pytest.approx([2.25] * 5)


def measured(between: Callable[[Cell], float | None]) -> Callable[[Cell], dict[str, Any]]:
    """Return made-up measures: correlations in two layers, `between` as given, all else missing or 0."""

    def measures(cell: Cell) -> dict[str, Any]:
        layers = [{"between": between(cell), "within": 0.5}, {"between": None, "within": None}]
        before = [{"between": 0.25, "within": 0.5}] * 2
        tests = {"tasks": {"d": 0.0, "t": 0.0, "df": 398}, "subset_all": {"d": 0.0}}
        entry = {"difference": 0.0, "tasks": [{"change": 0.0}] * 2}
        return {
            "correlations": {"before": before, "after": layers},
            "sparseness": {"before": {"mean": [0.5, 0.5]}, "after": {"mean": [0.75 + 0.01 * cell.seed, None]}},
            "received": {"active": [entry] * 2},
            "replay": {"random": [{"active": tests}] * 2},
            "course": {},
            "synapses": {},
        }

    return measures


def test_a_measure_is_read_at_its_places(tmp_path: Path) -> None:
    cells = grid.grid("fig4_two_tasks")
    store = stored(tmp_path, cells, constant(0.9), measured(lambda cell: 0.01 * cell.seed))
    found = values(store)
    start = "text/mnist_two_tasks/src"
    assert found[f"{start}/correlation/layer1"] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])
    assert found[f"{start}/correlation_change/layer1"] == pytest.approx([-0.25, -0.24, -0.23, -0.22, -0.21])
    contrast = [0.25, 0.24, 0.23, 0.22, 0.21]  # (0.5 - between) - (0.5 - 0.25)
    assert found[f"{start}/correlation_contrast_change/layer1"] == pytest.approx(contrast)
    assert f"{start}/correlation/layer2" not in found  # it does not exist
    assert found[f"{start}/sparseness_change/layer1"] == pytest.approx([0.25, 0.26, 0.27, 0.28, 0.29])
    assert f"{start}/sparseness_change/layer2" not in found


def test_how_the_gain_changes_when_the_memory_doubles(tmp_path: Path) -> None:
    """Gains fall by 3 points with every doubling, and by one more with every seed: by least squares."""

    def phases(cell: Cell) -> Phases:
        memory = next(plugin.memory for plugin in cell.plugins if isinstance(plugin, ICaRL))
        gain = 0.3 - (0.03 + 0.01 * cell.seed) * math.log2(memory / 50) if len(cell.plugins) > 1 else 0
        return [phase("training", 4, 0.5 + gain)]

    store = stored(tmp_path, grid.grid("table2_icarl", datasets=["mnist"]), phases)
    row = rows.Row(
        experiment="table2_icarl", dataset="mnist", run="src+icarl", quantity="memory_slope", less={"run": "icarl"}
    )
    found = rows.numbers(row, store, "released")
    assert found is not None
    assert found.values == pytest.approx([-3, -4, -5])


def test_how_long_sleeps_took_and_how_near_weights_stayed(tmp_path: Path) -> None:
    cells = table1("src")
    records = [made_up.record(cell, phase("training", 0, 0.5, cosine=0.5 + 0.01 * cell.seed)) for cell in cells]
    for record in records:
        record["metrics"]["seconds"] = {"training": 4.0, "plugins": 2.0 + record["seed"]}
    made_up.write(tmp_path, "made_up", records)
    row, store = rows.Row(experiment="table1_accuracy", dataset="mnist", run="src"), Store(tmp_path)
    for quantity, expected in (
        ("seconds_of_sleep", [2, 3, 4, 5, 6]),
        ("sleep_per_training", [0.5, 0.75, 1, 1.25, 1.5]),
        ("cosine", [0.5, 0.51, 0.52, 0.53, 0.54]),
    ):
        found = rows.numbers(replace(row, quantity=quantity), store, "released")
        assert found is not None
        assert found.values == pytest.approx(expected)
