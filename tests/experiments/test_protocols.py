"""Protocols: every committed section, and what a wrong file is told."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from srclib.data import registry
from srclib.data.entries import Patches
from srclib.experiments import dialect, protocols
from srclib.experiments.grid import EXPERIMENTS
from srclib.experiments.protocols import FOLDER, Protocol, load, load_file
from srclib.experiments.protocols.sleep import Section
from srclib.learning.methods import METHODS
from srclib.learning.methods.ewc import EWC
from srclib.learning.methods.icarl import ICaRL
from srclib.learning.methods.owm import OWM
from srclib.learning.methods.plugin import Plugin
from srclib.learning.methods.rehearsal import Rehearsal
from srclib.learning.methods.si import SI
from srclib.sleep import SleepConfig, linear_layers

from ..cells import AWAKE, CONFIG, awake

SECTIONS = [(p, dataset) for p in protocols.names() for dataset in yaml.safe_load((FOLDER / f"{p}.yaml").read_text())]

SECTION: dict[str, Any] = {
    "source": "a test",
    "classes_per_task": 2,
    "awake": AWAKE | {"layers": [100, 4]},
    "joint_epochs": 6,
    "sleep": {"statistics": "pool", "steps": [0, 200], "config": CONFIG},
}


@pytest.fixture(autouse=True)
def _streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be streams of tasks for the sections that are made up here."""
    for name in ("demo", "base", "child", "grandchild", "other"):
        monkeypatch.setitem(registry.STREAMS, name, Patches(name=name, label=name))


def section(*steps: int, statistics: str = "pool", **config: Any) -> Section:
    return Section(config=SleepConfig(**CONFIG | config), steps=steps, statistics=statistics)


LOADED = Protocol(
    source="a test", classes_per_task=2, awake=awake(), joint_epochs=6, tasks=2, sections={"sleep": section(0, 200)}
)


def with_parts(**changes: Plugin | Section | None) -> Protocol:
    """Return what was loaded with other parts; None: without one."""
    parts = {part: found for part, found in (LOADED.sections | changes).items() if found is not None}
    return dataclasses.replace(LOADED, sections=parts)


def sleep_of(protocol: Protocol) -> Section:
    """Return the section on the sleep."""
    found = protocol.sections["sleep"]
    assert isinstance(found, Section)
    return found


def config_of(found: Section) -> SleepConfig:
    """Return the settings of every sleep, where all have the same."""
    assert isinstance(found.config, SleepConfig)
    return found.config


def write(folder: Path, **sections: Any) -> Path:
    path = folder / "some.yaml"
    path.write_text(yaml.safe_dump(sections, sort_keys=False))
    return path


# The committed protocols


def test_names() -> None:
    assert {"released", "described"} <= set(protocols.names())


@pytest.mark.parametrize(("name", "dataset"), SECTIONS, ids=map("-".join, SECTIONS))
def test_every_section_loads(name: str, dataset: str) -> None:
    protocol = load(name, dataset)
    assert protocol.source
    assert protocol.joint_epochs >= 1
    model = protocol.awake.network()
    assert [layer.in_features for layer in linear_layers(model)] == list(protocol.awake.layers[:-1])
    per_task = protocol.awake.layers[-1] // protocol.classes_per_task
    assert protocol.tasks == (2 if dataset == "cross_modal" else per_task)
    for task in range(protocol.tasks):
        assert protocol.awake.task_epochs(task) >= 1
    if protocol.sleep is None:
        with pytest.raises(ValueError, match="sleep is null: no sleep parameters are known"):
            METHODS["src"].plugins(protocol.methods, protocol.source)
    else:
        assert METHODS["src"].plugins(protocol.methods, protocol.source) == (protocol.sleep,)
        for night in filter(None, protocol.sleep.nights):
            assert len(night.per_layer("beta", len(protocol.awake.layers) - 1)) >= 1


def test_the_two_protocols_differ_where_the_paper_and_the_code_do() -> None:
    described, released = load("described", "mnist").awake, load("released", "mnist").awake
    assert (described.loss, described.epochs, described.images_per_task) == ("softmax_ce", 10, None)
    assert (released.loss, released.epochs, released.images_per_task) == ("relu_mse", 2, 5000)


# Sleep after rehearsal: rate inc dec beta1 beta2 beta3 alpha of the released sweep, by fraction of old images
MNIST = (239.515363, 0.032064, 0.003344, 14.548273, 44.560317, 38.046326, 55.882454)
SWEEP = {
    ("mnist", 0.0): MNIST,
    ("mnist", 0.01): MNIST,
    ("mnist", 0.05): MNIST,
    ("mnist", 0.1): (21, 0.1, 0.000001, 22.259158, 0.318765, 0, 0.1),
    ("mnist", 0.25): MNIST,
    ("mnist", 1.0): MNIST,
    ("fashion_mnist", 0.0): MNIST,
    ("fashion_mnist", 0.01): MNIST,
    ("fashion_mnist", 0.025): (142.445655, 0.003775, 0.003577, 26.790053, 19.800337, 25.706878, 43.382730),
    ("fashion_mnist", 0.05): (21, 0.1, 0.000001, 0.862173, 0.318765, 0, 0.1),
    ("fashion_mnist", 0.1): (37.141606, 0.1, 0.000001, 37.315671, 0.318765, 0, 0.1),
    ("fashion_mnist", 0.5): (37.141606, 0.1, 0.000001, 37.315671, 0.318765, 0, 0.1),
    ("cross_modal", 0.0): (226.894481, 0.053742, 0.005592, 4.649797, 9.239378, 7.213289, 9.301153),
    ("cross_modal", 0.01): (36.472339, 0.048044, 0.042630, 38.862027, 5.929705, 26.392342, 6.717796),
    ("cross_modal", 0.025): (75.249380, 0.043078, 0.015357, 42.704997, 36.456573, 37.711485, 2.136156),
    ("cross_modal", 0.05): (131.962075, 0.058340, 0.057663, 43.537606, 11.523920, 18.678190, 1.544190),
    ("cross_modal", 0.1): (37.722339, 0.042346, 0.027100, 46.560069, 8.310178, 34.473181, 0.569274),
    ("cross_modal", 0.5): (37.722339, 0.042346, 0.027100, 46.560069, 8.310178, 34.473181, 0.569274),
}


def assert_released_vector(found: Section, plain: Section, vector: tuple[float, ...]) -> None:
    """Check the numbers of a sleep: rate, inc, dec, thresholds, scale; its rule is that of the plain one."""
    config, rule = config_of(found), config_of(plain)
    assert isinstance(config.beta, tuple)
    assert (config.rate, config.inc, config.dec, *config.beta, config.alpha) == vector
    for name in ("gate", "decay", "window", "strict"):
        assert getattr(config, name) == getattr(rule, name)
    assert config.strict is False


@pytest.mark.parametrize(("dataset", "fraction"), SWEEP, ids=lambda value: str(value))
def test_the_released_sleep_depends_on_the_fraction_rehearsed(dataset: str, fraction: float) -> None:
    change = {"rehearsal": {"fraction": fraction}}
    plain = sleep_of(load("released", dataset, change))
    found = sleep_of(load("released", dataset, change, parts=["sleep", "rehearsal"]))
    assert_released_vector(found, plain, SWEEP[dataset, fraction])
    if dataset == "cross_modal":
        assert (found.max_steps, found.statistics, found.discard_first) == (255, "first_task", True)
    else:
        assert dataclasses.replace(found, config=plain.config) == plain


# Sleep after iCaRL: the same, by memory
ICARL = {
    ("mnist", 50): (95.654279, 0.058705, 0.009112, 27.477005, 21.155469, 22.567029, 19.001764),
    ("mnist", 100): (114.365720, 0.042289, 0.005498, 38.451454, 22.198208, 6.893450, 4.253433),
    ("mnist", 1000): (27.393650, 0.019093, 0.060217, 9.625520, 34.737610, 31.296881, 2.023822),
    ("fashion_mnist", 50): (142.945655, 0.003775, 0.009083, 39.917543, 39.468197, 12.188520, 5.573700),
    ("fashion_mnist", 100): (42.162268, 0.060285, 0.003577, 36.717054, 20.800337, 30.249532, 12.253680),
    ("fashion_mnist", 1000): (20, 0.1, 0.000001, 0.862173, 0.318765, 0, 0.1),
}
AS = {50: 50, 100: 100, 200: 100, 500: 100, 1000: 1000, 2000: 1000}  # memory -> which of them


@pytest.mark.parametrize("memory", AS)
@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_the_released_sleep_depends_on_the_memory_of_icarl(dataset: str, memory: int) -> None:
    plain = sleep_of(load("released", dataset))
    found = sleep_of(load("released", dataset, {"icarl": {"memory": memory}}, parts=["sleep", "icarl"]))
    assert_released_vector(found, plain, ICARL[dataset, AS[memory]])
    assert dataclasses.replace(found, config=plain.config) == plain


def test_icarl_is_trained_in_its_own_way() -> None:
    for name, dataset, changes in (
        ("released", "mnist", {"loss": "softmax_ce", "epochs": 10}),
        ("released", "fashion_mnist", {"loss": "softmax_ce", "epochs": 10, "lr": 0.065, "dropout": 0.2}),
        ("described", "mnist", {"loss": "sigmoid_bce"}),
        ("described", "fashion_mnist", {"loss": "sigmoid_bce"}),
    ):
        own, others = load(name, dataset, parts=["icarl"]).awake, load(name, dataset).awake
        assert own == dataclasses.replace(others, **changes) != others


def test_one_vector_for_all_fractions() -> None:
    changes = {"rehearsal": {"fraction": 0.1}}, {"with": {"rehearsal": None}}
    alone, one, other = (load("released", "mnist", *c, parts=["rehearsal"]).sleep for c in ((), changes, changes[:1]))
    assert alone == one != other


def test_the_corrected_cross_modal_protocol() -> None:
    variants = yaml.safe_load(EXPERIMENTS.read_text())["variants"]
    for parts, fraction in (((), 0.0), (("rehearsal",), 0.01), (("rehearsal",), 0.5)):
        rehearsal = {"rehearsal": {"fraction": fraction}}
        before, after = (
            sleep_of(load("released", "cross_modal", rehearsal, c, parts=parts)) for c in ({}, variants["corrected"])
        )
        slips = dataclasses.replace(before, max_steps=None, statistics="pool", discard_first=False)
        assert before != slips == after


def test_cub_200_as_released() -> None:
    """The control, SRC and the script with rehearsal: the learning rates of the tasks, and the images tested."""
    for parts, rates, tested in (
        ([], 0.1, ("train", "test")),
        (["sleep"], (0.1, 0.01), ("train", "test")),
        (["rehearsal"], (0.1, 0.01), ("test",)),
        (["sleep", "rehearsal"], (0.1, 0.01), ("test",)),
    ):
        for dataset in ("cub200", "cub50"):
            found = load("released", dataset, parts=parts)
            assert (found.awake.lr, found.tested) == (rates, tested)
    assert load("described", "cub200", parts=["rehearsal"]).tested == ("test",)


@pytest.mark.parametrize("name", ["released", "described"])
def test_cub50_is_trained_in_as_many_steps_as_cub_200(name: str) -> None:
    protocols = [load(name, dataset) for dataset in ("cub200", "cub50")]
    whole, part = (protocol.awake for protocol in protocols)
    images = {"cub200": whole.images_per_task or 2_997, "cub50": part.images_per_task or 750}
    steps = {d: awake.epochs * (images[d] // awake.batch) for d, awake in (("cub200", whole), ("cub50", part))}
    assert abs(steps["cub50"] - steps["cub200"]) < 7  # an epoch of cub50
    assert dataclasses.replace(part, layers=whole.layers, epochs=50) == dataclasses.replace(
        whole, images_per_task=part.images_per_task
    )
    joint = [p.joint_epochs * (n // p.awake.batch) for p, n in zip(protocols, (5_800, 1_500), strict=True)]
    assert abs(joint[1] - joint[0]) < 15  # an epoch of cub50


# Reading a file


def test_a_file_becomes_dataclasses(tmp_path: Path) -> None:
    assert load_file(write(tmp_path, demo=SECTION), "demo") == LOADED


def test_whole_numbers_serve_as_floats(tmp_path: Path) -> None:
    section = copy.deepcopy(SECTION)
    section["awake"] |= {"lr": 1, "dropout": 0}
    section["sleep"]["config"] |= {"rate": 64, "beta": [1], "gate": 1}
    found = load_file(write(tmp_path, demo=section), "demo")
    config = config_of(sleep_of(found))
    values = (found.awake.lr, found.awake.dropout, config.rate, config.beta)
    assert repr(values) == "(1.0, 0.0, 64.0, (1.0,))"  # so that 1 and 1.0 give one key


def test_like_lists_only_what_differs(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        base=SECTION,
        child={"like": "base", "source": "b", "awake": {"epochs": [1, 2]}, "sleep": {"config": {"beta": 2.0}}},
        grandchild={"like": "child", "awake": {"lr": 0.5}, "sleep": None},
    )
    child, grandchild = load_file(path, "child"), load_file(path, "grandchild")
    changed = with_parts(sleep=section(0, 200, beta=2.0))
    assert child == dataclasses.replace(changed, source="b", awake=awake(epochs=(1, 2)))
    assert grandchild == dataclasses.replace(child, awake=awake(epochs=(1, 2), lr=0.5), sections={})
    assert load_file(path, "base") == LOADED


def test_changes_merge_at_every_depth(tmp_path: Path) -> None:
    path = write(tmp_path, base=SECTION, child={"like": "base"})
    changes = {"sleep": {"statistics": "trained", "config": {"gate": 0.001}}, "joint_epochs": 9}
    before = copy.deepcopy(changes)
    for name in ("base", "child"):
        expected = with_parts(sleep=section(0, 200, statistics="trained", gate=0.001))
        assert load_file(path, name, changes) == dataclasses.replace(expected, joint_epochs=9)
    assert changes == before
    assert load_file(path, "base", {"sleep": None}) == with_parts(sleep=None)
    assert load_file(path, "base", {}) == load_file(path, "base") == LOADED


def test_a_change_to_a_list_of_settings_is_one_to_each(tmp_path: Path) -> None:
    night = SECTION["sleep"]["config"]
    listed = SECTION | {"sleep": SECTION["sleep"] | {"config": [night, night | {"inc": 0.5}]}}
    found = sleep_of(load_file(write(tmp_path, demo=listed), "demo", {"sleep": {"config": {"gate": 0.001}}}))
    assert isinstance(found.config, tuple)
    assert [config.gate for config in found.config] == [0.001, 0.001]
    assert [config.inc for config in found.config] == [night["inc"], 0.5]


def test_a_part_may_be_what_a_study_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "OUTCOMES", tmp_path)
    slept = {"statistics": "trained", "steps": [0, 7], "config": [CONFIG, CONFIG | {"rate": 3.0}]}
    outcome = {"study": {"part": "sleep"}, "found": slept}
    (tmp_path / "some_study.yaml").write_text(yaml.safe_dump(outcome))
    path = write(tmp_path, demo=SECTION | {"sleep": SECTION["sleep"] | {"growth": 2.0}}, other={"like": "demo"})
    found = {"sleep": {"found": "some_study"}}
    plain = load_file(path, "other", found)
    nights = SleepConfig(**CONFIG), SleepConfig(**CONFIG | {"rate": 3.0})
    assert sleep_of(plain) == Section(config=nights, steps=(0, 7), statistics="trained")  # nothing is left of before
    halved = sleep_of(load_file(path, "other", found, {"sleep": {"config": {"inc": 0}}}))
    assert isinstance(halved.config, tuple) and [config.inc for config in halved.config] == [0, 0]
    assert sleep_of(load_file(path, "demo", {"sleep": {"found": "some_study", "steps": [5]}})).steps == (5,)
    grown = SECTION | {"sleep": SECTION["sleep"] | {"growth": 2.0}, "rehearsal": {"fraction": 0.1}}
    brought = write(
        tmp_path, demo=grown | {"with": {"rehearsal": found}}, other={"like": "demo", "with": {"rehearsal": found}}
    )
    for dataset in ("demo", "other"):
        assert load_file(brought, dataset, parts=["rehearsal"]).sections["sleep"] == sleep_of(plain)
    written = write(tmp_path, demo=SECTION | found)
    assert load_file(written, "demo") == plain
    with pytest.raises(ValueError, match=r"sleep: found = 'none': allowed is a study with an outcome in .*some_study"):
        load_file(path, "demo", {"sleep": {"found": "none"}})
    with pytest.raises(ValueError, match=r"ewc: found = 'some_study': allowed is a study of this part, .* sleep"):
        load_file(path, "demo", {"ewc": {"found": "some_study"}})


def test_sections_of_other_methods(tmp_path: Path) -> None:
    methods: dict[str, Any] = {
        "ewc": {"strength": 3},
        "si": {"strength": 0.5, "damping": 0.1},
        "owm": {"alpha": [1, 2], "decay": [0.1, 1]},
        "rehearsal": {"fraction": 0.01, "released": True},
        "icarl": {"memory": 50, "head": "network"},
    }
    found = load_file(write(tmp_path, demo=SECTION | methods), "demo", {"ewc": {"fisher": "empirical"}})
    assert found == with_parts(
        ewc=EWC(3.0, "empirical"),
        si=SI(0.5, 0.1),
        owm=OWM((1.0, 2.0), (0.1, 1.0)),
        rehearsal=Rehearsal(0.01, True),
        icarl=ICaRL(50, "network"),
    )


def test_a_part_may_bring_changes(tmp_path: Path) -> None:
    brought = {
        "rehearsal": {
            "sleep": {"discard_first": True},
            "by_fraction": [{"from": 0.01, "sleep": {"config": {"beta": 2}}}, {"from": 0.1, "sleep": {"steps": [7]}}],
        },
        "icarl": {"awake": {"lr": 0.5}},
    }
    parts: dict[str, Any] = {"rehearsal": {"fraction": 0}, "icarl": {"memory": 9}}
    path = write(tmp_path, demo=SECTION | parts | {"with": brought}, child={"like": "demo"}, other={"like": "demo"})
    loaded = with_parts(rehearsal=Rehearsal(0.0), icarl=ICaRL(9))
    none, small, large = (
        dataclasses.replace(night, discard_first=True)
        for night in (section(0, 200), section(0, 200, beta=2.0), section(7))
    )
    for name in ("demo", "child"):
        assert load_file(path, name) == load_file(path, name, parts=["sleep", "ewc"]) == loaded
        for fraction, night in ((0, none), (0.009, none), (0.01, small), (0.09, small), (0.1, large), (1, large)):
            changes = {"rehearsal": {"fraction": fraction}}
            found = load_file(path, name, changes, parts=["sleep", "rehearsal"])
            expected = with_parts(sleep=night, rehearsal=Rehearsal(float(fraction)), icarl=ICaRL(9))
            assert found == expected
            both = load_file(path, name, changes, parts=["icarl", "rehearsal"])
            assert both == dataclasses.replace(expected, awake=awake(lr=0.5))
        assert load_file(path, name, parts=["icarl"]) == dataclasses.replace(loaded, awake=awake(lr=0.5))
        missing = load_file(path, name, {"rehearsal": None, "icarl": None}, parts=["rehearsal", "icarl"])
        assert missing == LOADED


def test_changes_win_over_what_a_part_brings(tmp_path: Path) -> None:
    by_memory = [{"from": 5, "sleep": {"steps": [7]}, "awake": {"epochs": 8}}]
    brought = {"icarl": {"awake": {"lr": 0.5, "epochs": 9}, "by_memory": by_memory}}
    path = write(tmp_path, demo=SECTION | {"icarl": {"memory": 4}, "with": brought})
    changes = {"awake": {"epochs": 3}}, {"icarl": {"memory": 5}}
    found = load_file(path, "demo", *changes, parts=["icarl"])
    assert found == dataclasses.replace(with_parts(sleep=section(7), icarl=ICaRL(5)), awake=awake(lr=0.5, epochs=3))
    other = load_file(path, "demo", *changes, {"with": {"icarl": {"awake": {"lr": 0.2}}}}, parts=["icarl"])
    assert other == dataclasses.replace(found, awake=awake(lr=0.2, epochs=3))
    nothing = load_file(path, "demo", *changes, {"with": {"icarl": None}}, parts=["icarl"])
    assert nothing == dataclasses.replace(with_parts(icarl=ICaRL(5)), awake=awake(epochs=3))


# Wrong files


def put(value: Any, *keys: str) -> Callable[[dict[str, Any]], None]:
    """Return a change that sets one key of a section."""

    def change(section: dict[str, Any]) -> None:
        for key in keys[:-1]:
            section = section[key]
        section[keys[-1]] = value

    return change


def drop(*keys: str) -> Callable[[dict[str, Any]], None]:
    def change(section: dict[str, Any]) -> None:
        for key in keys[:-1]:
            section = section[key]
        del section[keys[-1]]

    return change


WRONG = {
    "unknown": (put(1, "epochs"), "demo: unknown key 'epochs': allowed are source, classes_per_task"),
    "unknown_awake": (put(1, "awake", "epoch"), "demo: awake: unknown key 'epoch': allowed are layers"),
    "unknown_config": (put(1, "sleep", "config", "betta"), "demo: sleep: config: unknown key 'betta'"),
    "missing": (drop("classes_per_task"), "demo: key 'classes_per_task' is missing"),
    "missing_joint_epochs": (drop("joint_epochs"), "demo: key 'joint_epochs' is missing"),
    "missing_awake": (drop("awake", "lr"), "demo: awake: key 'lr' is missing"),
    "missing_config": (drop("sleep", "config", "inc"), "demo: sleep: config: key 'inc' is missing"),
    "text_for_number": (put("fast", "awake", "lr"), "demo: awake: lr = 'fast': allowed is float"),
    "number_for_text": (put(3, "source"), "demo: source = 3: allowed is str"),
    "float_for_int": (put(2.5, "awake", "batch"), "demo: awake: batch = 2.5: allowed is int"),
    "bool_for_int": (put(True, "awake", "batch"), "demo: awake: batch = True: allowed is int"),
    "bool_for_float": (put(True, "awake", "init"), "demo: awake: init = True: allowed is float"),
    "int_for_bool": (put(1, "sleep", "config", "strict"), "demo: sleep: config: strict = 1: allowed is bool"),
    "null": (put(None, "awake", "lr"), "demo: awake: lr = None: allowed is float"),
    "number_for_list": (put(100, "awake", "layers"), "demo: awake: layers = 100: allowed is tuple"),
    "text_in_list": (put([100, "4"], "awake", "layers"), "demo: awake: layers[1] = '4': allowed is int"),
    "text_for_either": (put("2", "awake", "epochs"), "demo: awake: epochs = '2': allowed is int | tuple[int, ...]"),
    "list_for_section": (put([1], "awake"), "demo: awake = [1]: allowed is AwakeConfig"),
    "bad_awake_value": (put("mse", "awake", "loss"), "demo: awake: loss = 'mse': allowed is one of"),
    "bad_statistics": (put("all", "sleep", "statistics"), "demo: sleep: statistics = 'all': allowed is one of"),
    "bad_config_value": (put(2.0, "sleep", "config", "decay"), "demo: sleep: config: decay = 2.0: allowed is"),
    "bad_joint_epochs": (put(0, "joint_epochs"), "demo: joint_epochs = 0: allowed is a whole number >= 1"),
    "joint_epochs_awake": (put(6, "awake", "joint_epochs"), "demo: awake: unknown key 'joint_epochs'"),
    "tasks": (put(2, "tasks"), "demo: unknown key 'tasks'"),
    "bad_steps": (put([], "sleep", "steps"), "demo: sleep: steps = (): allowed are whole numbers >= 0"),
    "bad_ewc": (put({"strength": -1}, "ewc"), "demo: ewc: strength = -1.0: allowed is a finite number >= 0"),
    "with_text": (put("no", "with"), "demo: with = 'no': allowed is a mapping with the keys sleep, closed_form, shuf"),
    "with_null": (put(None, "with"), "demo: with = None: allowed is a mapping"),
    "with_unknown": (put({"rehersal": {}}, "with"), "demo: with = {'rehersal': {}}: allowed is a mapping with the"),
    "with_list": (put({"icarl": [1]}, "with"), "demo: with: icarl = [1]: allowed is a mapping of changes"),
    "with_key": (put({"icarl": {"awake": {"lrr": 3}}}, "with"), "demo: with: icarl[0]: awake: unknown key 'lrr'"),
    "with_by_unknown": (put({"icarl": {"by_fraction": []}}, "with"), "demo: with: icarl[0]: unknown key 'by_fraction'"),
    "with_by_key": (
        put({"rehearsal": {"by_fraction": [{"from": 0}, {"from": 1, "sleep": {"step": 3}}]}}, "with"),
        "demo: with: rehearsal[2]: sleep: unknown key 'step'",
    ),
    "by_fraction": (
        put({"rehearsal": {"by_fraction": {0.1: {}}}}, "with"),
        "demo: with: rehearsal: by_fraction = {0.1: {}}: allowed is a list",
    ),
    "by_fraction_no_from": (
        put({"rehearsal": {"by_fraction": [{"from": 0}, {"steps": [3]}]}}, "with"),
        "demo: with: rehearsal: by_fraction: `from` = [0, None]: allowed are rising numbers",
    ),
    "by_fraction_falls": (
        put({"rehearsal": {"by_fraction": [{"from": 0.1}, {"from": 0.1}]}}, "with"),
        "demo: with: rehearsal: by_fraction: `from` = [0.1, 0.1]: allowed are rising numbers",
    ),
    "unknown_like": (put("mnits", "like"), "demo: like = 'mnits' names no other section: allowed is one of"),
    "like_itself": (put("demo", "like"), "demo: like = 'demo' names no other section"),
    "like_in_a_circle": (put("child", "like"), "child: like = 'demo' names no other section"),
    "like_is_no_name": (put(["child"], "like"), "demo: like = ['child'] names no other section"),
    "like_nothing": (put("empty", "like"), "empty is None: allowed is a mapping"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_names_the_key(change: Callable[[dict[str, Any]], None], message: str, tmp_path: Path) -> None:
    section = copy.deepcopy(SECTION)
    change(section)
    with pytest.raises(ValueError, match=re.escape(f"some.yaml: {message}")):
        load_file(write(tmp_path, demo=section, child={"like": "demo"}, empty=None), "demo")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slep": {}}, "demo: unknown key 'slep'"),
        ({"sleep": {"step": 3}}, "demo: sleep: unknown key 'step'"),
        ({"awake": {"lr": "x"}}, "demo: awake: lr = 'x'"),
    ],
    ids=["section", "key", "type"],
)
def test_wrong_changes_name_the_key(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"some.yaml: {message}"):
        load_file(write(tmp_path, demo=SECTION), "demo", changes)


@pytest.mark.parametrize("text", ["", "- demo\n", "demo"], ids=["empty", "list", "text"])
def test_a_file_without_sections(text: str, tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"some\.yaml has no section 'demo': it has none"):
        load_file(path, "demo")


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("demo: {source: [\n")
    with pytest.raises(ValueError, match=r"(?s)some\.yaml is no YAML: .*line 2"):
        load_file(path, "demo")


@pytest.mark.parametrize("classes", [0, -1, 5])
def test_tasks_have_outputs(classes: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"demo: classes_per_task = {classes}: allowed is 1 to 4, the number of out"):
        load_file(write(tmp_path, demo=SECTION), "demo", {"classes_per_task": classes})


def test_unknown_protocol_and_data_set() -> None:
    with pytest.raises(ValueError, match="protocol 'relased' is unknown: allowed is one of described, released"):
        load("relased", "mnist")
    with pytest.raises(
        ValueError,
        match=r"released\.yaml has no section 'cifar': it has mnist, .*, cifar10, cub200, cub50, patches$",
    ):
        load("released", "cifar")
