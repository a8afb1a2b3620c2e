"""Many runs: grids, schedulers, provenance, and the committed results."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from distributed import LocalCluster

from srclib.data import prepared, provenance
from srclib.data.places import committed
from srclib.experiments import compute, measures, protocols, records
from srclib.experiments import grid as grids
from srclib.experiments.cell import Cell
from srclib.experiments.compute import complete
from srclib.experiments.grid import EXPERIMENTS, PROFILES, cell, experiments, grid, settings
from srclib.experiments.protocols.sleep import Section
from srclib.experiments.records import Record
from srclib.experiments.run import run as run_cell
from srclib.experiments.store import Store
from srclib.learning.methods.icarl import ICaRL
from srclib.learning.methods.sleep import Sleep
from srclib.sleep import SleepConfig

from ..cells import sleep, tiny
from ..made_up import record
from ..pictures import embeddings, expect


@cache
def cells_of(name: str, profile: str) -> list[Cell]:
    return grid(name, profile)


@cache
def keys_of(name: str, profile: str) -> set[str]:
    return {c.key() for c in cells_of(name, profile)}


def keys_of_any_protocol(name: str) -> set[str]:
    """Return the keys of an experiment's cells under every protocol that has all it needs."""
    keys: set[str] = set()
    for protocol in protocols.names():
        with suppress(ValueError):  # no sleep parameters, or no such data set
            keys |= {c.key() for c in grid(name, "full", protocol)}
    return keys


def sleep_of(found: Cell) -> Sleep:
    """Return the plugin that sleeps."""
    (plugin,) = (plugin for plugin in found.plugins if isinstance(plugin, Sleep))
    return plugin


def last_night(found: Cell) -> SleepConfig:
    """Return how the network sleeps after the last task."""
    night = sleep_of(found).night((found.tasks or len(found.order)) - 1)
    assert night is not None
    return night


def never(cell: Cell) -> Record:
    raise AssertionError("nothing is to be computed")


# Grids


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", experiments())
def test_size_of_a_grid(name: str, profile: str) -> None:
    chosen = settings(name, profile)
    overlaps = chosen["overlap_max"] - chosen["overlap_min"] + 1 if "overlap_min" in chosen else 1
    over = chosen.get("over", {})
    points = sum(math.prod(map(len, each.values())) for each in (over if isinstance(over, list) else [over]))
    expected = len(chosen["datasets"]) * len(chosen["runs"]) * overlaps * points * chosen["seeds"]
    assert len(cells_of(name, profile)) == expected
    assert expected or (profile != "full" and not chosen["datasets"])
    same = [run for run in chosen["runs"] if run.endswith(("/one_vector", "/published"))]  # where nothing else is known
    met_again = (len(over) - 1) * chosen["seeds"] if isinstance(over, list) else 0  # the values that all start from
    averaged = chosen["seeds"] if any(run.endswith("/averaged") for run in chosen["runs"]) else 0  # over one stream
    most = expected * len(same) // len(chosen["runs"]) + met_again + averaged
    assert expected - len(keys_of(name, profile)) <= most


@pytest.mark.parametrize(
    ("name", "profile", "size"),
    [
        ("fig1_patches", "full", 125), ("fig1_patches", "ci", 50), ("fig1_patches", "smoke", 3),
        ("fig1_weights", "full", 15), ("fig2_recovery", "full", 10), ("fig2_recovery", "ci", 1),
        ("table1_accuracy", "full", 10), ("table1_accuracy", "ci", 1), ("table1_accuracy", "smoke", 1),
    ],
)  # fmt: skip
def test_size_of_one_run(name: str, profile: str, size: int) -> None:
    """The paper's counts: 25 overlaps of 5 networks, 5 networks on each data set."""
    assert len(grid(name, profile, runs=["src"])) == size


@pytest.mark.parametrize("name", experiments())
def test_cells_of_ci_are_some_of_full(name: str) -> None:
    assert keys_of(name, "ci") <= keys_of(name, "full")


def test_a_grid_spans_overlaps_and_seeds() -> None:
    cells = grid("fig1_patches", "smoke", seeds=2, overlap_min=3, overlap_max=5, runs=["src"])
    assert [(c.overlap, c.seed) for c in cells] == [(o, s) for o in (3, 4, 5) for s in (0, 1)]
    assert all(c.dataset == "patches" and c.order == (0, 1) and not c.keep_weights for c in cells)
    assert all(c.keep_weights for c in cells_of("fig1_weights", "smoke"))


def test_a_grid_spans_data_sets_and_runs() -> None:
    runs = ["sequential", "src", "src/trained_statistics", "parallel", "parallel/ten_epochs"]
    cells = grid("table1_accuracy", "full", seeds=1, runs=runs)
    assert [c.dataset for c in cells] == ["mnist"] * 5 + ["fashion_mnist"] * 5
    assert [len(c.plugins) for c in cells] == [0, 1, 1, 0, 0] * 2
    assert [c.joint for c in cells] == [False, False, False, True, True] * 2


def test_a_variant_changes_its_values_only() -> None:
    plain, trained = cell("mnist", "src"), cell("mnist", "src/trained_statistics")
    assert sleep_of(plain).statistics == "pool"
    assert replace(plain, plugins=(replace(sleep_of(plain), statistics="trained"),)) == trained
    assert cell("mnist", "parallel/ten_epochs").awake.epochs == 10


def test_training_on_all_tasks_at_once_has_epochs_of_its_own() -> None:
    """And takes all images."""
    one_by_one, at_once = (cell("mnist", run) for run in ("src", "parallel"))
    protocol = protocols.load("released", "mnist")
    assert one_by_one.awake == protocol.awake
    assert at_once.awake == replace(protocol.awake, epochs=protocol.joint_epochs, images_per_task=None)
    assert one_by_one.awake.images_per_task == 5000


def test_a_variant_may_depend_on_the_seed() -> None:
    change = {"sleep": {"found": "own_mnist_sleep_{seed}", "steps": [5]}, "awake": {"init": 0.1}}
    assert grids._of_seed(change, 3) == {
        "sleep": {"found": "own_mnist_sleep_3", "steps": [5]}, "awake": {"init": 0.1}
    }  # fmt: skip


def test_a_run_may_combine_methods() -> None:
    found = cell("mnist", "src+rehearsal")
    assert found.plugins == (cell("mnist", "src").plugins[0], cell("mnist", "rehearsal").plugins[0])
    assert cell("mnist", "rehearsal+src").key() == found.key()


def test_a_grid_spans_settings_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = settings("table1_accuracy", "ci", datasets=["mnist"], runs=["rehearsal", "src+rehearsal"])
    values |= {"over": {"rehearsal.fraction": [0, 0.1, 0.25]}}
    monkeypatch.setattr(grids, "settings", lambda *args, **changes: values)
    cells = grid("any")
    assert [c.plugins[-1].fraction for c in cells] == [0.0, 0.1, 0.25] * 2
    assert [len(c.plugins) for c in cells] == [1] * 3 + [2] * 3
    rates = [last_night(c).rate for c in cells[3:]]
    assert rates == [239.515363, 21.0, 239.515363]  # a sleep of its own for one of them
    assert len({c.key() for c in cells}) == 6
    assert grid("any")[0].key() == cell("mnist", "rehearsal", at={"rehearsal.fraction": 0.0}).key()  # 0 and 0.0 are one


def test_a_fraction_needs_a_rehearsal() -> None:
    with pytest.raises(ValueError, match=r"rehearsal.fraction = 0.1: released has no rehearsal for patches"):
        cell("patches", "sequential", at={"rehearsal.fraction": 0.1})


def test_a_memory_in_place_of_the_protocols() -> None:
    plain, other = cell("mnist", "icarl"), cell("mnist", "src+icarl", at={"icarl.memory": 1000})
    assert (plain.plugins[0].memory, other.plugins[1].memory) == (100, 1000)
    assert (plain.awake.epochs, plain.awake.loss) == (10, "softmax_ce")
    assert (last_night(other).rate, last_night(cell("mnist", "src+icarl")).rate) == (27.393650, 114.365720)
    assert cell("mnist", "icarl", changes={"awake": {"epochs": 4}}).awake.epochs == 4
    with pytest.raises(ValueError, match=r"icarl.memory = 5: released has no icarl for cross_modal"):
        cell("cross_modal", "sequential", at={"icarl.memory": 5})


def test_a_grid_may_end_early_and_measure() -> None:
    cells = grid("fig4_two_tasks")
    assert {c.tasks for c in cells} == {2}
    assert {c.measures for c in cells} == {
        tuple(name for name in measures.MEASURES if name not in ("rasters", "agreement"))
    }
    assert [c.order for c in cells] == [(0, 1, 2, 3, 4)] * 5
    assert {(c.tasks, c.measures) for c in grid("fig2_recovery")} == {(None, ())}


def test_cross_modal_has_two_tasks() -> None:
    assert cell("cross_modal", "src").order == (0, 1)
    orders = {cell("cross_modal", "sequential", order="random", seed=seed).order for seed in range(9)}
    assert orders == {(0, 1), (1, 0)}


def test_variants_of_the_cross_modal_slips() -> None:
    def slept(variant: str) -> tuple[str, list[int]]:
        found = sleep_of(cell("cross_modal", f"src{variant}"))
        return found.statistics, [night.steps if night else 0 for night in map(found.night, range(2))]

    section = protocols.load("released", "cross_modal").sections["sleep"]
    assert isinstance(section, Section)
    whole = slept("/full_length")[1]
    assert whole == [night.steps if night else 0 for night in map(replace(section, max_steps=None).night, range(2))]
    assert max(whole) > 255
    assert slept("") == ("first_task", [min(255, steps) for steps in whole])
    assert slept("/full_length") == ("first_task", whole)
    assert slept("/all_statistics") == ("pool", [min(255, steps) for steps in whole])
    assert slept("/corrected") == ("pool", whole)
    assert cell("cross_modal", "sequential/restarted").awake.restart_from_initial
    assert not cell("cross_modal", "sequential").awake.restart_from_initial
    one = cell("mnist", "src+rehearsal/one_vector", at={"rehearsal.fraction": 0.1}).plugins[0]
    assert (
        one
        == cell("mnist", "src").plugins[0]
        != cell("mnist", "src+rehearsal", at={"rehearsal.fraction": 0.1}).plugins[0]
    )


def test_variants_of_the_cub_slips() -> None:
    plain, same_rate, kept = (cell("cub50", f"src{variant}") for variant in ("", "/same_rate", "/first_sleep"))
    assert replace(plain, awake=replace(plain.awake, lr=0.1)) == same_rate
    assert same_rate.awake == cell("cub50", "sequential").awake != plain.awake
    (first, second), first_kept = sleep_of(plain).nights, sleep_of(kept).night(0)
    assert first is None
    assert first_kept is not None
    assert replace(plain, plugins=(replace(sleep_of(plain), nights=(first_kept, second)),)) == kept
    assert {c.tested for c in grid("table1_cub", runs=["sequential", "src", "parallel"])} == {("train", "test")}
    assert {c.tested for c in grid("table1_cub", protocol="described")} == {("test",)}


def test_too_small_a_fraction_of_the_birds_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0.75 % of 150 images, rounded to hundreds as in the release: SRC with rehearsal is SRC."""
    monkeypatch.setenv("SRCLIB_DATA", str(tmp_path))
    expect(monkeypatch, "cub50", train=300, test=100, classes=50)
    prepared.write(tmp_path / "cub50.npz", embeddings(300, 100, 50, inputs=1280))
    small = {"awake": {"epochs": 1}, "sleep": {"steps": [50]}}
    alone, both = (run_cell(cell("cub50", name, changes=small))["phases"] for name in ("src", "src+rehearsal"))
    assert [{key: phase[key] for key in ("kind", "cosine")} for phase in both] == [
        {key: phase[key] for key in ("kind", "cosine")} for phase in alone
    ]
    assert [phase["overall"] for phase in both] == [phase["images"]["test"]["overall"] for phase in alone]


def test_two_tasks_and_a_longer_second_one() -> None:
    """As in the released scripts: two epochs of task 1, and the first two tasks of the data set."""
    cifar10, cross_modal = (grid(name, seeds=1) for name in ("task2_length", "task2_length_cross_modal"))
    for cells, images in ((cifar10, 5000), (cross_modal, None)):
        assert [c.awake.epochs for c in cells] == [(2, n) for n in (1, 3, 5, 7, 9)]
        assert {(c.order[:2], c.awake.images_per_task) for c in cells} == {((0, 1), images)}
    assert {c.tasks for c in cifar10} == {2}
    statistics = [sleep_of(cells[0]).statistics for cells in (cifar10, cross_modal)]
    assert statistics == ["pool", "first_task"]
    assert last_night(cross_modal[0]).steps == 255
    for cells in (cifar10, cross_modal):  # the settings of the sweep of Figure 3
        known = last_night(cell(cells[0].dataset, "src+rehearsal", at={"rehearsal.fraction": 0.0}))
        assert replace(last_night(cells[0]), steps=1) == replace(known, steps=1)


def test_random_orders_belong_to_the_seed() -> None:
    orders = [c.order for c in grid("table1_accuracy", "smoke", order="random", runs=["sequential"], seeds=8)]
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in orders)
    assert len(set(orders)) > 3
    assert orders == [c.order for c in grid("table1_accuracy", "smoke", order="random", runs=["src"], seeds=8)]


# Settings


def test_settings_of_a_profile() -> None:
    full = settings("fig1_patches")
    assert (full["seeds"], full["overlap_min"], full["overlap_max"]) == (5, 1, 25)
    assert settings("fig1_patches", "ci") == full | {"seeds": 2}
    changed = settings("fig1_patches", "ci", seeds=3, overlap_max=None)
    assert changed == full | {"seeds": 3}  # None leaves the profile's value


@pytest.mark.parametrize("name", experiments())
def test_profiles_change_known_settings_only(name: str) -> None:
    found = yaml.safe_load(EXPERIMENTS.read_text())["experiments"][name]
    assert set(PROFILES) <= set(found) <= {*PROFILES, *protocols.names()}
    for part in (found, *(found[name] for name in protocols.names() if name in found)):
        assert set(part) - set(protocols.names()) <= set(PROFILES)
        for profile in set(part) & set(PROFILES):
            assert set(part[profile]) <= {*found["full"], "changes"}


def test_settings_may_vary_one_after_another() -> None:
    over = [{"sleep.config.rate": [50, 100]}, {"sleep.steps": [[10]]}]
    nights = [last_night(c) for c in grid("fig3_mnist", runs=["src"], seeds=1, over=over)]
    plain = last_night(cell("mnist", "src"))
    assert nights == [replace(plain, rate=50.0), replace(plain, rate=100.0), replace(plain, steps=10)]


def test_a_protocol_changes_settings() -> None:
    settings_of = partial(settings, "table1_accuracy")
    assert (settings_of()["order"], settings_of(protocol="described")["order"]) == ("sorted", "random")
    assert settings_of("ci", "described")["seeds"] == 1
    assert settings_of("ci", "described")["order"] == "random"
    assert settings_of("ci", "described", seeds=2)["seeds"] == 2
    with pytest.raises(ValueError, match="protocol 'printed' is unknown: allowed is one of described, released"):
        settings_of(protocol="printed")


def test_a_profile_may_change_the_protocol() -> None:
    small = grid("table1_accuracy", "smoke", runs=["src"])[0]
    assert (small.awake.epochs, small.awake.images_per_task) == (1, 300)
    assert small.plugins[0].statistics == "trained"
    assert cell("mnist", "src/trained_statistics", changes={"sleep": {"statistics": "first_task"}}) == cell(
        "mnist", "src/trained_statistics"
    )  # the variant has the last word


WRONG = {
    "experiment": (lambda: grid("fig9"), "experiment 'fig9' is unknown: allowed is one of fig1_patches, fig1_weights"),
    "profile": (lambda: grid("fig1_patches", "fast"), "profile 'fast' is unknown: allowed is one of smoke, ci, full"),
    "setting": (
        lambda: grid("fig1_patches", seed=3),
        "setting of fig1_patches 'seed' is unknown: allowed is one of datasets, runs, order, seeds, overlap_min",
    ),
    "setting_of_another": (lambda: settings("fig2_recovery", overlap_max=3), "setting of fig2_recovery 'overlap_max'"),
    "unknown_and_none": (lambda: settings("fig2_recovery", overlap_max=None), "setting of fig2_recovery 'overlap_max'"),
    "method": (lambda: cell("mnist", "scr"), "method 'scr' is unknown: allowed is one of sequential, src, "),
    "variant": (lambda: cell("mnist", "src/trained"), "variant 'trained' is unknown: allowed is one of trained_stat"),
    "protocol": (lambda: cell("mnist", "src", "published"), "protocol 'published' is unknown"),
    "data_set": (lambda: cell("svhn", "src"), "released.yaml has no section 'svhn'"),
    "order": (lambda: cell("mnist", "src", order="reversed"), "order 'reversed' is unknown: allowed is sorted"),
    "no_owm": (lambda: cell("patches", "owm"), "owm is null: no owm parameters are known"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_what_is_unknown_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


# Running


def test_the_environment_names_a_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # no cluster can be made
    monkeypatch.setenv("SRCLIB_SCHEDULER", "inline")
    assert complete("demo", [tiny()], store=Store(tmp_path))
    monkeypatch.delenv("SRCLIB_SCHEDULER")
    with pytest.raises(ImportError):
        complete("demo", [tiny(1)], store=Store(tmp_path))


def test_a_profile_may_leave_an_experiment_out(tmp_path: Path) -> None:
    assert compute.collect("fig3_mnist", "ci", "described", store=Store(tmp_path)) == {}


def test_records_come_with_what_their_experiment_varies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of a cell is the cell itself here."""
    monkeypatch.setattr(compute, "complete", lambda name, cells, *, store: [{"cell": cell} for cell in cells])
    found = compute.collect("fig1_patches", "ci")
    assert all(one["at"] == {"overlap": one["cell"].overlap} for group in found.values() for one in group)
    found = compute.collect("supplement7_epochs", datasets=["mnist"])
    varied = ("icarl.memory", "awake.epochs")
    for one in found["mnist", "src+icarl"]:
        memory = next(p.memory for p in one["cell"].plugins if isinstance(p, ICaRL))
        assert one["at"] == dict(zip(varied, (memory, one["cell"].awake.epochs), strict=True))
    over = [{"sleep.config.rate": [50, 100]}, {"sleep.config.beta": [[1, 2, 3], [4, 5, 6]]}]
    found = compute.collect("robustness_parameters", over=over, seeds=2)
    for one in found["mnist", "src"]:
        ((path, value),) = one["at"].items()
        assert value == getattr(one["cell"].plugins[0].night(0), path.rpartition(".")[2])
    assert [type(one["at"].get("sleep.config.beta")) for one in found["mnist", "src"]] == [type(None)] * 4 + [tuple] * 4
    assert [record["at"] for record in compute.collect("fig2_recovery", "ci")["mnist", "src"]] == [{}]


def test_a_data_set_that_is_not_at_hand_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SRCLIB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(prepared, "fetch", never)
    monkeypatch.setattr(compute, "compute", never)
    store = Store(tmp_path / "results")
    two = partial(compute.collect, "table1_cifar10", "ci", store=store, datasets=["cifar10", "mnist"])
    (other,) = grid("table1_cifar10", "ci", datasets=["mnist"])
    store.append("table1_cifar10", record(other))
    with caplog.at_level(logging.INFO):
        assert list(two()) == [("mnist", "src")]
    assert "table1_cifar10: cifar10 skipped: no data" in caplog.text
    caplog.clear()
    (cell,) = grid("table1_cifar10", "ci")
    store.append("table1_cifar10", record(cell))  # all of it is stored: no data are needed
    with caplog.at_level(logging.INFO):
        found = two()
    assert {pair: each["key"] for pair, (each,) in found.items()} == {
        ("cifar10", "src"): cell.key(),
        ("mnist", "src"): other.key(),
    }
    assert "skipped" not in caplog.text


def test_inline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path)
    cells = [tiny(2), tiny(0), tiny(2), tiny(1)]
    with caplog.at_level(logging.INFO, "srclib"):
        records = complete("demo", cells, store=store, scheduler="inline")
    assert "demo: 4 cells, 3 to compute" in caplog.text
    assert [record["key"] for record in records] == [c.key() for c in cells]  # in their order
    lines = (tmp_path / "demo.jsonl").read_text().splitlines()
    assert len(lines) == 3  # one each
    monkeypatch.setattr(compute, "compute", never)
    for known in (store, Store(tmp_path)):
        assert complete("demo", cells, store=known, scheduler="inline") == records
    assert complete("other", cells, store=store, scheduler="inline") == records  # a cell of another experiment
    assert (tmp_path / "demo.jsonl").read_text().splitlines() == lines


def test_only_what_is_missing_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = complete("demo", [tiny(0), tiny(1)], store=Store(tmp_path), scheduler="inline")
    computed: list[int] = []
    real = compute.compute

    def counted(cell: Cell) -> Record:
        computed.append(cell.seed)
        return real(cell)

    monkeypatch.setattr(compute, "compute", counted)
    records = complete("demo", [tiny(seed) for seed in range(4)], store=Store(tmp_path), scheduler="inline")
    assert computed == [2, 3]
    assert records[:2] == first


def test_the_default_store_is_that_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCLIB_RESULTS", str(tmp_path))
    complete("demo", [tiny()], scheduler="inline")
    assert tiny() in Store(tmp_path)


def test_a_failing_cell_keeps_the_others_and_frees_its_claim(tmp_path: Path) -> None:
    cells = [tiny(0), tiny(1), tiny(2, overlap=1000)]
    with pytest.raises(ValueError, match="overlap = 1000: allowed is 0 to 100 pixels"):
        complete("demo", cells, store=Store(tmp_path), scheduler="inline")
    claim = Store(tmp_path).claim(cells[2])
    assert claim is not None
    claim.release()
    assert [c in Store(tmp_path) for c in cells] == [True, True, False]
    assert len((tmp_path / "demo.jsonl").read_text().splitlines()) == 2


def test_a_dask_cluster_by_its_address(tmp_path: Path) -> None:
    cells = [tiny(seed, plugins=(sleep(0, 100, beta=0.3),), keep_weights=True) for seed in range(3)]
    options: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with LocalCluster(protocol="tcp://", host="127.0.0.1", silence_logs=logging.ERROR, **options) as cluster:
        assert cluster.scheduler_address.startswith("tcp://127.0.0.1:")
        far = complete("demo", cells, store=Store(tmp_path / "far"), scheduler=cluster.scheduler_address)
    near = complete("demo", cells, store=Store(tmp_path / "near"), scheduler="inline")
    for one, other in zip(far, near, strict=True):
        assert one["key"] == other["key"]
        assert one["metrics"]["phases"] == other["metrics"]["phases"]
    assert len((tmp_path / "far" / "demo.jsonl").read_text().splitlines()) == 3


def test_one_thread_whatever_the_caller_uses(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    (record,) = complete("demo", [tiny()], store=Store(tmp_path), scheduler="inline")
    try:
        torch.set_num_threads(2)
        (again,) = complete("demo", [tiny()], store=Store(tmp_path / "again"), scheduler="inline")
    finally:
        torch.set_num_threads(threads)
    assert record["metrics"]["phases"] == again["metrics"]["phases"]


# Provenance


def test_a_record_says_where_it_comes_from(tmp_path: Path) -> None:
    start = datetime.now(UTC)
    complete("demo", [tiny(7, plugins=(sleep(50),))], store=Store(tmp_path), scheduler="inline")
    record = json.loads((tmp_path / "demo.jsonl").read_text())
    assert set(record) == {"key", "cell", "metrics", "seed", "commit", "versions", "device", "seconds", "date"}
    canonical = json.dumps(record["cell"], sort_keys=True)
    assert hashlib.sha256(canonical.encode()).hexdigest() == record["key"]  # the key can be checked from the file
    assert record["seed"] == record["cell"]["seed"] == 7
    assert re.fullmatch(r"[0-9a-f]{40}\+?|unknown", record["commit"])
    assert set(record["versions"]) == {"python", "torch", "numpy", "numba"}
    assert all(record["versions"][package] == version(package) for package in ("torch", "numpy", "numba"))
    assert re.fullmatch(r".+, \d+ cores", record["device"])
    assert sum(record["metrics"]["seconds"].values()) <= record["seconds"] + 0.001
    date = datetime.fromisoformat(record["date"])
    assert start - timedelta(seconds=1) <= date <= datetime.now(UTC)


def test_commit_outside_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provenance.commit.cache_clear()
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "results.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    try:
        assert provenance.commit() == "unknown"
        provenance.commit.cache_clear()
        monkeypatch.setenv("PATH", str(tmp_path))  # no git at all
        assert provenance.commit() == "unknown"
    finally:
        provenance.commit.cache_clear()


# The committed results


@pytest.mark.parametrize("path", sorted(committed("results").glob("*.jsonl")), ids=lambda path: path.stem)
def test_committed_results_are_those_of_their_experiment(path: Path) -> None:
    assert path.stem in experiments()
    lines = path.read_bytes().splitlines(keepends=True)
    found = [records.read(line) for line in lines]
    assert [records.to_line(each) for each in found] == lines  # whole, and in the present schema
    keys = [each["key"] for each in found]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= keys_of_any_protocol(path.stem)  # the cells of today still find every one of them
