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
from srclib.protocols import FOLDER, Protocol, load, load_file
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
        assert len(protocol.sleep.config.per_layer("beta", len(protocol.awake.layers) - 1)) >= 1


def test_the_two_protocols_differ_where_the_paper_and_the_code_do() -> None:
    described, released = load("described", "mnist").awake, load("released", "mnist").awake
    assert (described.loss, described.epochs, described.images_per_task) == ("softmax_ce", 10, None)
    assert (released.loss, released.epochs, released.images_per_task) == ("relu_mse", 2, 5000)


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


def test_unknown_protocol_and_data_set() -> None:
    with pytest.raises(ValueError, match="protocol 'relased' is unknown: allowed is one of described, released"):
        load("relased", "mnist")
    with pytest.raises(
        ValueError, match=r"released\.yaml has no section 'cifar': it has mnist, fashion_mnist, patches"
    ):
        load("released", "cifar")
