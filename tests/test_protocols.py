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

from srclib import protocols
from srclib.methods import METHODS
from srclib.plugins.ewc import EWC
from srclib.plugins.owm import OWM
from srclib.plugins.rehearsal import Rehearsal
from srclib.plugins.si import SI
from srclib.protocols import FOLDER, Protocol, RehearsalSleep, load, load_file
from srclib.sleep import linear_layers

from .cells import AWAKE, CONFIG, awake, sleep

SECTIONS = [(p, dataset) for p in protocols.names() for dataset in yaml.safe_load((FOLDER / f"{p}.yaml").read_text())]

SECTION: dict[str, Any] = {
    "source": "a test",
    "classes_per_task": 2,
    "awake": AWAKE | {"layers": [100, 4]},
    "sleep": {"statistics": "pool", "steps": [0, 200], "config": CONFIG},
}
LOADED = Protocol(source="a test", classes_per_task=2, awake=awake(), sleep=sleep(0, 200))


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
    model = protocol.awake.network()
    assert [layer.in_features for layer in linear_layers(model)] == list(protocol.awake.layers[:-1])
    tasks, rest = divmod(protocol.awake.layers[-1], protocol.classes_per_task)
    assert rest == 0
    for task in range(tasks):
        assert protocol.awake.task_epochs(task) >= 1
    if protocol.sleep is None:
        with pytest.raises(ValueError, match="sleep is null: no sleep parameters are known"):
            METHODS["src"].plugins(protocol)
    else:
        assert METHODS["src"].plugins(protocol) == (protocol.sleep,)
        for config in (protocol.sleep.config_after(task) for task in range(tasks)):
            assert config is None or len(config.per_layer("beta", len(protocol.awake.layers) - 1)) >= 1


def test_rehearsal_needs_a_sleep_to_change(tmp_path: Path) -> None:
    path = write(tmp_path, demo=SECTION | {"sleep": None, "rehearsal_sleep": {"steps": [3]}})
    with pytest.raises(ValueError, match=r"demo: rehearsal_sleep = .*: allowed is a mapping of changes to `sleep`"):
        load_file(path, "demo")


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


@pytest.mark.parametrize(("dataset", "fraction"), SWEEP, ids=lambda value: str(value))
def test_the_released_sleep_depends_on_the_fraction_rehearsed(dataset: str, fraction: float) -> None:
    protocol = load("released", dataset)
    found = protocol.sleep_with(Rehearsal(fraction, True))
    assert found is not None
    assert protocol.sleep is not None
    config, rule = found.config, protocol.sleep.config
    assert isinstance(config.beta, tuple)
    assert (config.rate, config.inc, config.dec, *config.beta, config.alpha) == SWEEP[dataset, fraction]
    assert (config.gate, config.decay, config.window, config.strict) == (rule.gate, rule.decay, rule.window, False)
    if dataset == "cross_modal":
        assert (found.max_steps, found.statistics, found.discard_first) == (255, "first_task", True)
    else:
        assert dataclasses.replace(found, config=rule) == protocol.sleep


def test_one_vector_for_all_fractions() -> None:
    protocol = load("released", "mnist", {"rehearsal_sleep": None})
    assert protocol.sleep_with(Rehearsal(0.1)) == protocol.sleep


def test_the_corrected_cross_modal_protocol() -> None:
    changes = {"sleep": {"max_steps": None, "statistics": "pool"}, "rehearsal_sleep": {"discard_first": False}}
    released, corrected = (load("released", "cross_modal", c) for c in ({}, changes))
    for rehearsal in (None, Rehearsal(0.01), Rehearsal(0.5)):
        before, after = (p.sleep_with(rehearsal) if rehearsal else p.sleep for p in (released, corrected))
        assert before is not None
        slips = dataclasses.replace(before, max_steps=None, statistics="pool", discard_first=False)
        assert before != slips == after


# Reading a file


def test_a_file_becomes_dataclasses(tmp_path: Path) -> None:
    assert load_file(write(tmp_path, demo=SECTION), "demo") == LOADED


def test_whole_numbers_serve_as_floats(tmp_path: Path) -> None:
    section = copy.deepcopy(SECTION)
    section["awake"] |= {"lr": 1, "dropout": 0}
    section["sleep"]["config"] |= {"rate": 64, "beta": [1], "gate": 1}
    found = load_file(write(tmp_path, demo=section), "demo")
    assert found.sleep is not None
    values = (found.awake.lr, found.awake.dropout, found.sleep.config.rate, found.sleep.config.beta)
    assert repr(values) == "(1.0, 0.0, 64.0, (1.0,))"  # so that 1 and 1.0 give one key


def test_like_lists_only_what_differs(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        base=SECTION,
        child={"like": "base", "source": "b", "awake": {"epochs": [1, 2]}, "sleep": {"config": {"beta": 2.0}}},
        grandchild={"like": "child", "awake": {"lr": 0.5}, "sleep": None},
    )
    child, grandchild = load_file(path, "child"), load_file(path, "grandchild")
    assert child == Protocol(source="b", classes_per_task=2, awake=awake(epochs=(1, 2)), sleep=sleep(0, 200, beta=2.0))
    assert grandchild == dataclasses.replace(child, awake=awake(epochs=(1, 2), lr=0.5), sleep=None)
    assert load_file(path, "base") == LOADED


def test_changes_merge_at_every_depth(tmp_path: Path) -> None:
    path = write(tmp_path, base=SECTION, child={"like": "base"})
    changes = {"sleep": {"statistics": "trained", "config": {"gate": 0.001}}, "awake": {"joint_epochs": 9}}
    before = copy.deepcopy(changes)
    for section in ("base", "child"):
        changed = load_file(path, section, changes)
        expected = sleep(0, 200, statistics="trained", gate=0.001)
        assert changed == dataclasses.replace(LOADED, awake=awake(joint_epochs=9), sleep=expected)
    assert changes == before
    assert load_file(path, "base", {"sleep": None}) == dataclasses.replace(LOADED, sleep=None)
    assert load_file(path, "base", {}) == load_file(path, "base") == LOADED


def test_sections_of_other_methods(tmp_path: Path) -> None:
    methods: dict[str, Any] = {
        "ewc": {"strength": 3},
        "si": {"strength": 0.5, "damping": 0.1},
        "owm": {"alpha": [1, 2], "decay": [0.1, 1]},
        "rehearsal": {"fraction": 0.01, "released": True},
    }
    found = load_file(write(tmp_path, demo=SECTION | methods), "demo", {"ewc": {"fisher": "empirical"}})
    assert found == dataclasses.replace(
        LOADED,
        ewc=EWC(3.0, "empirical"),
        si=SI(0.5, 0.1),
        owm=OWM((1.0, 2.0), (0.1, 1.0)),
        rehearsal=Rehearsal(0.01, True),
    )


def test_sleep_by_fraction(tmp_path: Path) -> None:
    change: dict[str, Any] = {
        "discard_first": True,
        "by_fraction": [{"from": 0.01, "config": {"beta": 2}}, {"from": 0.1, "steps": [7]}],
    }
    path = write(tmp_path, demo=SECTION | {"rehearsal_sleep": change}, child={"like": "demo"})
    small, large = (dataclasses.replace(night, discard_first=True) for night in (sleep(0, 200, beta=2.0), sleep(7)))
    for section in ("demo", "child"):
        found = load_file(path, section)
        assert found.rehearsal_sleep == (
            RehearsalSleep(fraction=0.01, sleep=small), RehearsalSleep(fraction=0.1, sleep=large),
        )  # fmt: skip
        nights = [found.sleep_with(Rehearsal(f)) for f in (0.0, 0.009, 0.01, 0.09, 0.1, 1.0)]
        assert nights == [sleep(0, 200)] * 2 + [small] * 2 + [large] * 2
    always = load_file(path, "demo", {"rehearsal_sleep": {"by_fraction": [{"from": 0}]}})
    assert always.sleep_with(Rehearsal(0.5)) == dataclasses.replace(sleep(0, 200), discard_first=True)
    assert load_file(path, "demo", {"rehearsal_sleep": {"discard_first": False}}).sleep_with(Rehearsal(0.1)) == sleep(7)
    only = write(tmp_path, demo=SECTION | {"rehearsal_sleep": {"steps": [3]}})
    assert load_file(only, "demo").sleep_with(Rehearsal(0.0)) == sleep(3)


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
    "missing_sleep": (drop("sleep"), "demo: key 'sleep' is missing"),
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
    "bad_ewc": (put({"strength": -1}, "ewc"), "demo: ewc: strength = -1.0: allowed is a finite number >= 0"),
    "rehearsal_sleep_text": (put("no", "rehearsal_sleep"), "demo: rehearsal_sleep = 'no': allowed is a mapping of"),
    "rehearsal_sleep_key": (
        put({"step": 3}, "rehearsal_sleep"), "demo: rehearsal_sleep[0]: sleep: unknown key 'step'",
    ),
    "by_fraction": (
        put({"by_fraction": {0.1: {}}}, "rehearsal_sleep"), "demo: rehearsal_sleep: by_fraction = {0.1: {}}: allowed",
    ),
    "by_fraction_no_from": (
        put({"by_fraction": [{"from": 0}, {"steps": [3]}]}, "rehearsal_sleep"),
        "demo: rehearsal_sleep: by_fraction: `from` = [0, None]: allowed are rising numbers",
    ),
    "by_fraction_falls": (
        put({"by_fraction": [{"from": 0.1}, {"from": 0.1}]}, "rehearsal_sleep"),
        "demo: rehearsal_sleep: by_fraction: `from` = [0.1, 0.1]: allowed are rising numbers",
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


@pytest.mark.parametrize("classes", [0, -1, 3])
def test_tasks_divide_the_outputs(classes: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"demo: classes_per_task = {classes}: allowed are parts of 4 outputs"):
        load_file(write(tmp_path, demo=SECTION), "demo", {"classes_per_task": classes})


def test_unknown_protocol_and_data_set() -> None:
    with pytest.raises(ValueError, match="protocol 'relased' is unknown: allowed is one of described, released"):
        load("relased", "mnist")
    with pytest.raises(
        ValueError, match=r"released\.yaml has no section 'cifar': it has mnist, fashion_mnist, cross_modal, patches"
    ):
        load("released", "cifar")
