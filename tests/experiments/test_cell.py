"""Cells as plain data: what is stored, read back and refused, and that one experiment has one key."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srclib.data.places import committed
from srclib.experiments import cell as cells
from srclib.experiments import protocols
from srclib.experiments.cell import Cell, key_of
from srclib.experiments.protocols.sleep import Section
from srclib.learning.methods import PARTS
from srclib.learning.methods.alignment import Alignment
from srclib.learning.methods.averaging import Averaging
from srclib.learning.methods.calibration import Calibration
from srclib.learning.methods.class_means import ClassMeans
from srclib.learning.methods.closed_form import ClosedForm
from srclib.learning.methods.distillation import Distillation
from srclib.learning.methods.ewc import EWC, FISHERS
from srclib.learning.methods.icarl import FIRSTS, HEADS, ICaRL
from srclib.learning.methods.owm import OWM
from srclib.learning.methods.plugin import Plugin
from srclib.learning.methods.pseudo_rehearsal import PseudoRehearsal
from srclib.learning.methods.random_features import RandomFeatures
from srclib.learning.methods.rehearsal import Rehearsal
from srclib.learning.methods.shuffled import AMONG, Shuffled
from srclib.learning.methods.si import SI
from srclib.learning.methods.slda import SLDA
from srclib.learning.methods.sleep import DRIVES, STATISTICS, Sleep
from srclib.learning.methods.thresholds import Thresholds
from srclib.learning.training import LOSSES, AwakeConfig
from srclib.sleep import SleepConfig

from ..cells import CONFIG, awake, sleep, tiny

GOLDEN_KEY = "f5e00b428577735061bc581b1827337e3a17ead77b825baeedbe980aee039732"


def base() -> Cell:
    return tiny(plugins=(sleep(0, 200), EWC(3.0)))


NIGHT = {
    "alpha": 4.25, "batch": 1, "beta": 1.0, "dec": 0.0002, "decay": 1.0, "dt": 0.001, "gate": None, "inc": 0.0035,
    "max_updates": None, "rate": 64.0, "steps": 200, "strict": True, "window": None,
}  # fmt: skip
PLAIN = {
    "schema": 2,
    "arithmetic": 1,
    "dataset": "patches",
    "awake": {
        "layers": [100, 4], "init": 0.02, "loss": "softmax_ce", "epochs": 4, "batch": 2, "lr": 0.05, "momentum": 0.5,
        "dropout": 0.0, "dropout_scaling": "train", "images_per_task": None, "restart_from_initial": False,
        "spiking": None,
    },
    "classes_per_task": 2,
    "methods": [
        {
            "method": "sleep", "nights": [None, NIGHT], "statistics": "pool", "drive": "mean", "reset_velocity": False
        },
        {"method": "ewc", "strength": 3.0, "fisher": "exact"},
    ],
    "order": [0, 1],
    "seed": 0,
    "joint": False,
    "overlap": 12,
    "held_out": 0,
    "tested": ["test"],
    "keep_weights": False,
    "tasks": None,
    "measures": [],
}  # fmt: skip


# What is stored


def test_what_is_stored() -> None:
    """Everything, at its default or not, by names that outlive those of classes and fields.

    When this fails, every result has to be computed again, or a migration is due.
    """
    assert base().to_plain() == PLAIN
    assert base().key() == key_of(PLAIN) == GOLDEN_KEY
    assert Cell.from_plain(PLAIN) == base()


def test_plain_data_cannot_change_the_cell() -> None:
    cell = base()
    plain = cell.to_plain()
    assert json.loads(json.dumps(plain)) == plain
    plain["awake"]["lr"] = 9
    plain["methods"][0]["nights"].clear()
    assert cell.key() == base().key() == GOLDEN_KEY
    with pytest.raises(dataclasses.FrozenInstanceError):
        cell.seed = 9  # type: ignore[misc]


def test_the_order_of_a_mapping_does_not_enter_the_key() -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(inner) for key, inner in reversed(value.items())}
        return [turned(inner) for inner in value] if isinstance(value, list) else value

    assert json.dumps(turned(PLAIN)) != json.dumps(PLAIN)
    assert key_of(turned(PLAIN)) == hashlib.sha256(json.dumps(PLAIN, sort_keys=True).encode()).hexdigest()
    values = {"lr": 0.1, "momentum": 0.0, "loss": "relu_mse"}
    there, back = dict(values), dict(reversed(values.items()))
    first, second = (
        tiny(awake=protocols.load("released", "patches", {"awake": change}).awake) for change in (there, back)
    )
    assert first.key() == second.key()


@pytest.mark.parametrize("path", sorted(committed("results").glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_stored_cell_is_read_as_it_was_stored(path: Path) -> None:
    for line in path.read_text().splitlines():
        record = json.loads(line)
        cell = Cell.from_plain(record["cell"])
        assert cell.to_plain() == record["cell"]
        assert Cell.from_plain(cell.to_plain()) == cell
        assert cell.key() == key_of(record["cell"]) == record["key"]


positive = st.floats(1e-6, 1e6)
not_negative = st.floats(0, 1e6)
whole = st.integers(1, 10**6)
fraction = st.floats(0, 1)


def one_or_all(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return value | st.lists(value, min_size=1, max_size=3).map(tuple)


nights = st.builds(
    SleepConfig, alpha=one_or_all(positive), beta=one_or_all(st.floats(-1e6, 1e6)), inc=not_negative, dec=not_negative,
    decay=fraction, gate=st.none() | positive, strict=st.booleans(), steps=whole, rate=not_negative, dt=positive,
    window=st.none() | whole, max_updates=st.none() | whole, batch=whole,
)  # fmt: skip
plugins: dict[str, st.SearchStrategy[Plugin]] = {
    "sleep": st.builds(
        Sleep, st.lists(st.none() | nights, min_size=1, max_size=4).map(tuple), st.sampled_from(STATISTICS),
        st.sampled_from(DRIVES), st.booleans(),
    ),
    "ewc": st.builds(EWC, not_negative, st.sampled_from(FISHERS)),
    "si": st.builds(SI, not_negative, positive),
    "owm": st.builds(
        lambda layers, clip: OWM(*zip(*layers, strict=True), clip),
        st.lists(st.tuples(positive, st.floats(0.01, 1)), min_size=1, max_size=3), st.none() | positive,
    ),
    "rehearsal": st.builds(Rehearsal, fraction, st.booleans()),
    "icarl": st.builds(
        ICaRL, whole, st.sampled_from(HEADS), st.booleans(), st.sampled_from(FIRSTS), st.booleans(), st.booleans(),
        st.none() | whole, st.booleans(), st.booleans(),
    ),
    "closed_form": st.builds(ClosedForm, fraction, st.booleans()),
    "shuffled": st.builds(Shuffled, st.sampled_from(AMONG)),
    "distillation": st.builds(Distillation),
    "pseudo_rehearsal": st.builds(PseudoRehearsal, whole, st.sampled_from(DRIVES)),
    "alignment": st.builds(Alignment),
    "thresholds": st.builds(Thresholds, not_negative),
    "calibration": st.builds(Calibration),
    "averaging": st.builds(Averaging),
    "class_means": st.builds(ClassMeans),
    "slda": st.builds(SLDA, st.floats(0.001, 1)),
    "random_features": st.builds(RandomFeatures, positive, whole),
}  # fmt: skip
configs = st.builds(
    AwakeConfig, layers=st.lists(whole, min_size=2, max_size=4).map(tuple), init=positive,
    loss=st.sampled_from(list(LOSSES)), epochs=one_or_all(whole), batch=whole, lr=one_or_all(positive),
    momentum=st.floats(0, 0.99), dropout=st.floats(0, 0.99), dropout_scaling=st.sampled_from(["train", "test"]),
    images_per_task=st.none() | whole, restart_from_initial=st.booleans(), spiking=st.none() | whole,
)  # fmt: skip
drawn = st.builds(
    Cell, dataset=st.sampled_from(["mnist", "patches"]), awake=configs, classes_per_task=whole,
    plugins=st.lists(st.one_of(*plugins.values()), max_size=3).map(tuple),
    order=st.permutations(range(4)).map(tuple), seed=st.integers(0, 99), joint=st.booleans(),
    overlap=st.none() | st.integers(0, 100), held_out=st.integers(0, 99),
    tested=st.sampled_from([("test",), ("train", "test")]), keep_weights=st.booleans(),
    tasks=st.none() | st.integers(1, 4),
    measures=st.lists(st.sampled_from(["replay", "course"]), unique=True).map(tuple),
)  # fmt: skip


def test_cells_with_every_method_are_drawn() -> None:
    assert set(plugins) == set(PARTS)


@given(drawn)
def test_reading_is_the_inverse_of_storing(cell: Cell) -> None:
    stored = json.loads(json.dumps(cell.to_plain()))
    again = Cell.from_plain(stored)
    assert again == cell
    assert again.to_plain() == stored
    assert again.key() == cell.key() == key_of(stored)


@given(drawn, drawn)
def test_other_cells_have_other_keys(one: Cell, other: Cell) -> None:
    assert (one.key() == other.key()) == (one == other)


# What is refused


def at(plain: dict[str, Any], *keys: str | int) -> Any:
    for key in keys:
        plain = plain[key]  # type: ignore[index]
    return plain


def put(value: Any, *keys: str | int) -> Callable[[dict[str, Any]], None]:
    return lambda plain: at(plain, *keys[:-1]).__setitem__(keys[-1], value)


def drop(*keys: str | int) -> Callable[[dict[str, Any]], None]:
    return lambda plain: at(plain, *keys[:-1]).__delitem__(keys[-1])


REFUSED = {
    "schema": (put(1, "schema"), "cell: schema = 1: allowed is 2"),
    "no_schema": (drop("schema"), "cell: schema = None: allowed is 2"),
    "arithmetic": (put(0, "arithmetic"), "cell: arithmetic = 0: allowed is 1"),
    "no_arithmetic": (drop("arithmetic"), "cell: arithmetic = None: allowed is 1"),
    "unknown": (put(1, "sede"), "cell: unknown key 'sede': allowed are dataset, awake"),
    "name_of_the_field": (lambda plain: plain.update(plugins=plain.pop("methods")), "cell: unknown key 'plugins'"),
    "both_names": (put([], "plugins"), "cell: unknown key 'plugins': allowed are dataset, awake, cl"),
    "missing": (drop("tasks"), "cell: key 'tasks' is missing"),
    "missing_of_default": (drop("awake", "spiking"), "cell: awake: key 'spiking' is missing"),
    "unknown_awake": (put(6, "awake", "joint_epochs"), "cell: awake: unknown key 'joint_epochs'"),
    "missing_night": (drop("methods", 0, "nights", 1, "gate"), "key 'gate' is missing"),
    "unknown_night": (put(1, "methods", 0, "nights", 1, "streams"), "unknown key 'streams'"),
    "method": (put("ewd", "methods", 1, "method"), "cell: plugins[1]: method = 'ewd': allowed is one of sleep, clo"),
    "class_of_a_method": (put("EWC", "methods", 1, "method"), "method = 'EWC'"),
    "no_method": (drop("methods", 1, "method"), "method = None"),
    "missing_of_a_method": (drop("methods", 1, "fisher"), "key 'fisher' is missing"),
    "value_of_a_method": (put(-1.0, "methods", 1, "strength"), "strength = -1.0: allowed is a finite number >= 0"),
    "type": (put("0", "seed"), "cell: seed = '0': allowed is int"),
    "type_in_a_list": (put([0, "1"], "order"), "cell: order[1] = '1': allowed is int"),
    "number_for_a_mapping": (put(3, "awake"), "cell: awake = 3: allowed is AwakeConfig"),
    "value": (put("mse", "awake", "loss"), "cell: awake: loss = 'mse': allowed is one of"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_cell_is_refused_by_its_key(change: Callable[[dict[str, Any]], None], message: str) -> None:
    plain = copy.deepcopy(PLAIN)
    change(plain)
    with pytest.raises(ValueError, match=re.escape(message)):
        Cell.from_plain(plain)


def test_a_plugin_that_is_no_method_is_not_stored() -> None:
    @dataclass(frozen=True)
    class Other(Plugin):
        value: float = 0.0

    with pytest.raises(ValueError, match="Other is no method: allowed is one of sleep, closed_form"):
        tiny(plugins=(Other(),)).to_plain()


# One experiment has one key


def key(tasks: int | None = None, order: tuple[int, ...] = (0, 1, 2), joint: bool = False, **changes: Any) -> str:
    """Return the key of a cell of three tasks with some settings of its awake phase, or a method."""
    found = changes.pop("plugins", ())
    return tiny(awake=awake(**changes), plugins=found, order=order, tasks=tasks, joint=joint).key()


def slept(*found: SleepConfig | None) -> str:
    return key(plugins=(Sleep(found, "pool"),))


ONE, OTHER = SleepConfig(**CONFIG), SleepConfig(**CONFIG | {"steps": 9})


def section(**changes: Any) -> str:
    values: dict[str, Any] = {"config": ONE, "steps": (300,), "statistics": "pool"}
    return key(plugins=(Section(**values | changes).sleep(3),))


@pytest.mark.parametrize(
    "keys",
    [
        [key(), key(tasks=3), key(epochs=(4, 4, 4)), key(lr=(0.05,) * 3), key(epochs=(4, 4, 4, 9))],
        [key(tasks=2, epochs=(3, 5)), key(tasks=2, epochs=(3, 5, 7))],
        [key(joint=True, epochs=6), key(joint=True, epochs=(6, 7)), key(joint=True, epochs=6, images_per_task=2)],
        [slept(None, ONE), slept(None, ONE, ONE), slept(None, ONE, ONE, ONE, OTHER)],
        [slept(ONE), slept(replace(ONE, beta=(1.0, 1.0, 1.0))), slept(replace(ONE, alpha=(4.25,)), ONE)],
        [section(), section(averaged=True), section(steps=(300,) * 5), section(growth=1.0, max_steps=300)],
        [section(discard_first=True), section(steps=(0, 300)), section(steps=(9, 300), discard_first=True)],
        [section(streams=4), section(config=replace(ONE, batch=4), steps=(75,))],
        [section(config=(ONE, ONE)), section(config=(ONE, ONE, ONE, OTHER))],
    ],
    ids=["tasks", "later_tasks", "joint", "last_sleep", "layers", "streams", "first_sleep", "batch", "settings"],
)  # fmt: skip
def test_equal_experiments_have_one_key(keys: list[str]) -> None:
    assert len(set(keys)) == 1


def test_other_experiments_have_other_keys() -> None:
    found = [
        key(), key(tasks=2), key(epochs=(4, 4, 5)), key(epochs=(4, 4)), key(joint=True), key(images_per_task=2),
        slept(None), slept(ONE), slept(None, ONE), slept(ONE, None), slept(None, ONE, OTHER),
        slept(replace(ONE, beta=(1.0, 1.0, 2.0))), section(streams=4), section(streams=4, averaged=True),
        section(growth=2.0),
    ]  # fmt: skip
    assert len(set(found)) == len(found)


# One change of every field; each must change the key.
CHANGES: dict[type, dict[str, Any]] = {
    Cell: {
        "dataset": "mnist", "awake": awake(lr=0.06), "classes_per_task": 1, "plugins": (), "order": (1, 0), "seed": 1,
        "joint": True, "overlap": 13, "held_out": 1, "keep_weights": True, "tasks": 1, "measures": ("replay",),
        "tested": ("train",),
    },
    AwakeConfig: {
        "layers": (100, 5, 4), "init": 0.03, "loss": "relu_mse", "epochs": (4, 5), "batch": 1, "lr": 0.06,
        "momentum": 0.6, "dropout": 0.1, "dropout_scaling": "test", "images_per_task": 2,
        "restart_from_initial": True, "spiking": 20,
    },
    Sleep: {"nights": (ONE,), "statistics": "trained", "drive": "random", "reset_velocity": True},
    SleepConfig: {
        "alpha": (4.25, 4.0), "beta": 1.1, "inc": 0.004, "dec": 0.0003, "decay": 0.9, "gate": 0.001, "strict": False,
        "steps": 10, "rate": 65.0, "dt": 0.002, "window": 3, "max_updates": 10**9, "batch": 4,
    },
}  # fmt: skip


def changed(cls: type, name: str, value: Any) -> Cell:
    """Return the base cell with one field of one of its parts changed."""
    cell, change = base(), {name: value}
    plugin = cell.plugins[0]
    assert isinstance(plugin, Sleep)
    first, last = plugin.nights
    assert last is not None
    if cls is Cell:
        return replace(cell, **change)
    if cls is AwakeConfig:
        return replace(cell, awake=replace(cell.awake, **change))
    changed = replace(plugin, **change) if cls is Sleep else replace(plugin, nights=(first, replace(last, **change)))
    return replace(cell, plugins=(changed, *cell.plugins[1:]))


@pytest.mark.parametrize("cls", CHANGES, ids=lambda cls: cls.__name__)
def test_every_field_enters_the_key(cls: type) -> None:
    assert set(CHANGES[cls]) == {field.name for field in fields(cls)}
    keys = {name: changed(cls, name, value).key() for name, value in CHANGES[cls].items()}
    assert len({*keys.values(), base().key()}) == len(keys) + 1, keys


@pytest.mark.parametrize("name", ["SCHEMA", "ARITHMETIC"])
def test_schema_and_arithmetic_enter_the_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, name, getattr(cells, name) + 1)
    assert base().key() != GOLDEN_KEY


def test_methods_enter_the_key_by_name_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class One(Plugin):
        value: float = 0.0

    @dataclass(frozen=True)
    class Two(Plugin):
        value: float = 0.0

    for part in (One, Two):
        monkeypatch.setitem(PARTS, part.__name__.lower(), part)
    found = [tiny(plugins=p) for p in ((), (One(),), (Two(),), (One(), Two()), (Two(), One()), (One(1.0),))]
    assert len({cell.key() for cell in found}) == len(found)
    assert found[1].to_plain()["methods"] == [{"method": "one", "value": 0.0}]


def test_a_renamed_field_is_stored_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in store is tied to a field by `STORED` alone."""
    monkeypatch.setitem(cells.STORED, EWC, {"strength": "force"})
    cells._stored.cache_clear()
    try:
        plain = base().to_plain()
        assert plain["methods"][1] == {"method": "ewc", "force": 3.0, "fisher": "exact"}
        assert Cell.from_plain(plain) == base()
        with pytest.raises(ValueError, match="unknown key 'strength': allowed are force, fisher"):
            Cell.from_plain(PLAIN)
    finally:
        cells._stored.cache_clear()
