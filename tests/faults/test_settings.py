"""Every value of a protocol, a study and a cell has a kind and a range; what is neither is named, with its place."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from srclib.data import Dataset, class_incremental, registry
from srclib.experiments import dialect, grid, protocols
from srclib.experiments.cell import Cell
from srclib.experiments.protocols import load_file
from srclib.experiments.run import stream
from srclib.experiments.store import Store
from srclib.learning.methods import PARTS
from srclib.search.studies import studies

from ..cells import tiny
from ..experiments.test_protocols import SECTION, put

NAN, INF = float("nan"), float("inf")
STUDY: dict[str, Any] = {
    "protocol": "released", "dataset": "mnist", "part": "ewc", "space": {"strength": [1.0, 2.0]}, "trials": 3,
    "networks": [0], "held_out": 100,
}  # fmt: skip


def write(folder: Path, content: Any) -> Path:
    path = folder / "some.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return path


BAD_VALUES = [
    *(("awake", "dropout", value, "dropout = ") for value in (NAN, -0.1, 2, 1.0, INF)),
    *(("awake", "init", value, "init = ") for value in (NAN, INF, -INF, -0.1, 0)),
    *(("awake", "lr", value, "lr = ") for value in (INF, NAN, 0, -1, [], [0.1, INF])),
    *(("awake", "momentum", value, "momentum = ") for value in (NAN, 1, -0.1, INF)),
    *(("awake", "layers", value, "layers = ") for value in ([], [4], [100, -4], [100, 0, 4], [-1, 4])),
    *(("awake", "dropout_scaling", value, "dropout_scaling = ") for value in ("both", "", None)),
    *(("awake", "spiking", value, "spiking = ") for value in (-1, 0, 1.5, True, "5")),
    *(("awake", "epochs", value, "epochs = ") for value in (0, -1, [], [1, 0], 1.5, "2")),
    *(("awake", "batch", value, "batch = ") for value in (0, -1, 1.5, NAN)),
    *(("awake", "images_per_task", value, "images_per_task = ") for value in (0, -5, "all")),
    *(("awake", "init", value, "init = ") for value in ("1e1", "0.1", True, None, [0.1], {"a": 1}, 10**400)),
    *((None, "tested", value, "tested = ") for value in ([], ["tests"], ["test", "test"], "test", ["valid"])),
    *((None, "classes_per_task", value, "classes_per_task = ") for value in (0, -1, 5, 2.0)),
    *((None, "joint_epochs", value, "joint_epochs = ") for value in (0, -1)),
    *(("sleep", "steps", value, "steps") for value in ([], [-1], [1.5], 5, [True], "9")),
    *(("sleep", "streams", value, "streams = ") for value in (0, -1, 1.5)),
    *(("sleep", "growth", value, "growth = ") for value in (0, NAN, INF, "2")),
    *(("sleep", "max_steps", value, "max_steps = ") for value in (0, -1)),
    *(("config", "strict", value, "strict = ") for value in ("no", 0, 1, None)),
    *(("config", "alpha", value, "alpha") for value in ("3", ["3"], True, [], NAN, INF, 0, [1.0, NAN])),
    *(("config", "beta", value, "beta") for value in ("3", INF, [NAN])),
    *(("config", "decay", value, "decay = ") for value in (NAN, 1.1, "1")),
    *(("config", "window", value, "window = ") for value in (0, 1.5, "11")),
]  # fmt: skip
BAD_METHODS = {
    "ewc_nan": ("ewc", {"strength": NAN}), "ewc_inf": ("ewc", {"strength": INF}),
    "ewc_text": ("ewc", {"strength": "1"}),
    "ewc_fisher": ("ewc", {"strength": 1, "fisher": "all"}),
    "si": ("si", {"strength": 1, "damping": 0}), "si_nan": ("si", {"strength": NAN, "damping": 1}),
    "owm_alpha": ("owm", {"alpha": [NAN], "decay": [1]}), "owm_inf": ("owm", {"alpha": [INF], "decay": [1]}),
    "owm_none": ("owm", {"alpha": [], "decay": []}), "owm_decay": ("owm", {"alpha": [1], "decay": [NAN]}),
    "owm_clip": ("owm", {"alpha": [1], "decay": [1], "clip": INF}),
    "rehearsal_nan": ("rehearsal", {"fraction": NAN}), "rehearsal": ("rehearsal", {"fraction": 1.1}),
    "rehearsal_flag": ("rehearsal", {"fraction": 0.1, "released": "no"}),
    "icarl": ("icarl", {"memory": 0}), "icarl_pad": ("icarl", {"memory": 5, "pad": -1}),
    "closed_form": ("closed_form", {"share": NAN}), "closed_form_flag": ("closed_form", {"outputs": "no"}),
    "shuffled": ("shuffled", {"among": "layers"}),
    "pseudo_rehearsal": ("pseudo_rehearsal", {"items": 0}), "pseudo_drive": ("pseudo_rehearsal", {"drive": "x"}),
    "thresholds": ("thresholds", {"factor": NAN}), "thresholds_inf": ("thresholds", {"factor": INF}),
    "slda": ("slda", {"shrinkage": 0}), "slda_nan": ("slda", {"shrinkage": NAN}),
    "ridge": ("random_features", {"ridge": 0}), "features": ("random_features", {"ridge": 1, "features": 0}),
    "icarl_half": ("icarl", {"memory": 5.5}), "icarl_head": ("icarl", {"memory": 5, "head": "both"}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.STREAMS, "demo", registry.STREAMS["patches"])


@pytest.mark.parametrize(("part", "key", "value", "message"), BAD_VALUES, ids=lambda v: str(v)[:20])
def test_a_bad_value_names_file_section_and_key(
    part: str | None, key: str, value: Any, message: str, tmp_path: Path
) -> None:
    section = copy.deepcopy(SECTION)
    keys = {"config": ("sleep", "config", key), None: (key,)}.get(part, (str(part), key))
    put(value, *keys)(section)
    with pytest.raises(ValueError, match=rf"^some\.yaml: demo: .*{message}.*: allowed") as caught:
        load_file(write(tmp_path, {"demo": section}), "demo")
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(("part", "values"), BAD_METHODS.values(), ids=BAD_METHODS)
def test_a_bad_value_of_a_method_names_it(part: str, values: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"^some\.yaml: demo: {part}: .*: allowed"):
        load_file(write(tmp_path, {"demo": SECTION | {part: values}}), "demo")


def test_every_method_has_a_bad_value_here() -> None:
    settable = {part for part, settings in PARTS.items() if fields(settings)}
    assert {part for part, _ in BAD_METHODS.values()} | {"sleep"} == settable


@pytest.mark.parametrize("found", ["../x", "/etc/passwd", "", ".", "x/../y", 3, None, ["a"], {"a": 1}, "*"], ids=repr)
@pytest.mark.parametrize("part", ["ewc", "sleep", "awake"])
def test_what_was_found_is_a_study(found: Any, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "OUTCOMES", tmp_path / "searches")
    (tmp_path / "searches").mkdir()
    (tmp_path / "x.yaml").write_text("study: {part: ewc}\nfound: {strength: 1}\n")
    with pytest.raises(ValueError, match=rf"{part}: found = {re.escape(repr(found))}: allowed is a study with an out"):
        load_file(write(tmp_path, {"demo": SECTION}), "demo", {part: {"found": found}})


@pytest.mark.parametrize("content", ["", "3", "[]", "found: {}", "study: {}\nfound: {}", "study: 3\nfound: 4"])
def test_an_outcome_that_is_none_is_named(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "OUTCOMES", tmp_path / "searches")
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches" / "x.yaml").write_text(content)
    with pytest.raises(ValueError, match=r"x\.yaml is no outcome: allowed"):
        load_file(write(tmp_path, {"demo": SECTION}), "demo", {"ewc": {"found": "x"}})


FILES: dict[str, tuple[str | bytes, str]] = {
    "deep_list": ("demo: " + "[" * 900 + "]" * 900, "some.yaml is nested too deeply: allowed are 30 levels"),
    "very_deep_list": ("demo: " + "[" * 50_000 + "]" * 50_000, "some.yaml is n"),  # nested too deeply, or no YAML
    "deep_mapping": ("demo: " + "{a: " * 200 + "1" + "}" * 200, "some.yaml is nested too deeply"),
    "deep_block": ("".join(" " * i + "a:\n" for i in range(300)), "some.yaml is nested too deeply"),
    "within_itself": ("demo: &a [*a]", "some.yaml is nested too deeply"),
    "mapping_within_itself": ("demo: &a {awake: *a}", "some.yaml is nested too deeply"),
    "laughs": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "some.yaml holds too much: allowed are 1,000,000 values",
    ),
    "latin_1": ("demo: {source: \xfcber}".encode("latin-1"), "some.yaml is no text in UTF-8"),
    "utf_16": ("demo: {source: x}".encode("utf-16"), "some.yaml is no text in UTF-8"),
    "binary": (b"\x00\x01\x02", "some.yaml is no YAML"),
    "a_key_twice": ("demo: {source: a, source: b}", "some.yaml is no YAML: the key 'source' is there twice"),
    "a_section_twice": ("demo: {}\nother: {}\ndemo: {}\n", "some.yaml is no YAML: the key 'demo' is there twice"),
    "an_object": ("demo: !!python/object/apply:os.system ['true']", "some.yaml is no YAML"),
    "a_date_that_is_none": ("demo: 2024-02-30", "some.yaml is no YAML"),
    "a_list_as_key": ("demo: {? [a] : 1}", "some.yaml is no YAML"),
    "numbers_as_names": ("1: {}\n2: {}", "some.yaml has no section 'demo': it has 1, 2"),
    "a_number": ("demo: 3", "some.yaml: demo is 3: allowed is a mapping"),
    "a_date": ("demo: 2024-02-03", "some.yaml: demo is "),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_none_is_named(content: str | bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=re.escape(message)):
        load_file(path, "demo")


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"awake": value}
    return value


def test_changes_are_not_nested_without_end(tmp_path: Path) -> None:
    path = write(tmp_path, {"demo": SECTION})
    within: dict[str, Any] = {}
    within["awake"] = within
    for changes in (nested(40), nested(5_000), within):
        with pytest.raises(ValueError, match=r"changes to some\.yaml: demo is nested too deeply"):
            load_file(path, "demo", changes)


def drop(key: str) -> dict[str, Any]:
    return {name: value for name, value in STUDY.items() if name != key}


@pytest.mark.parametrize(
    ("study", "message"),
    [
        (STUDY | {"held_out": 0}, "held_out = 0, tasks = None: allowed are whole numbers >= 1"),
        (STUDY | {"tasks": 0}, "held_out = 100, tasks = 0: allowed"),
        (STUDY | {"networks": [-1]}, "networks = .* allowed are whole numbers >= 0"),
        (STUDY | {"networks": []}, "networks, trials, population and at_once: allowed"),
        (STUDY | {"seed": -1}, "seed = -1: allowed"),
        (STUDY | {"part": "sleeep"}, "part = 'sleeep': allowed is one of sleep, "),
        (STUDY | {"sampler": "grid"}, "sampler = 'grid': allowed"),
        (STUDY | {"space": {"strength": [1.0, INF]}}, r"space: strength = \[1.0, inf\]: allowed"),
        (STUDY | {"space": {"strength": [NAN, 1.0]}}, r"space: strength = \[nan, 1.0\]: allowed"),
        (STUDY | {"space": {"strength": ["1", "2"]}}, r"space: strength\[0\] = '1': allowed"),
        (STUDY | {"space": {3: [1.0, 2.0]}}, "space: a key = 3: allowed is str"),
        (STUDY | {"trials": 0}, "allowed is one or more of each"),
        (STUDY | {"trials": "many"}, "trials = 'many': allowed"),
        (drop("held_out"), "key 'held_out' is missing"),
        ([], r"s is \[\]: allowed is a mapping"),
    ],
)
def test_studies_are_read_alike(study: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"some.yaml: s.*{message}|some.yaml: {message}"):
        studies(write(tmp_path, {"s": study}))


CELLS: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (put(NAN, "awake", "dropout"), "cell: awake: dropout = nan"),
    (put("no", "awake", "restart_from_initial"), "cell: awake: restart_from_initial = 'no'"),
    (put(["tests"], "tested"), r"cell: tested = \['tests'\]"),
    (put([], "tested"), r"cell: tested = \[\]"),
    (put([], "order"), r"cell: order = \(\)"),
    (put([0, 0], "order"), r"cell: order = \(0, 0\)"),
    (put([1, 2], "order"), r"cell: order = \(1, 2\)"),
    (put(-1, "seed"), "cell: seed = -1"),
    (put(3, "tasks"), "cell: tasks = 3: allowed is 1 to 2, or None for all"),
    (put(0, "tasks"), "cell: tasks = 0"),
    (put(-1, "held_out"), "cell: held_out = -1"),
    (put(0, "classes_per_task"), "cell: classes_per_task = 0"),
    (put("1", "seed"), "cell: seed = '1': allowed is int"),
]


@pytest.mark.parametrize(("change", "message"), CELLS, ids=lambda value: value if isinstance(value, str) else "")
def test_cells_are_read_alike(change: Callable[[dict[str, Any]], None], message: str) -> None:
    plain = copy.deepcopy(tiny().to_plain())
    assert Cell.from_plain(plain) == tiny()
    change(plain)
    with pytest.raises(ValueError, match=message):
        Cell.from_plain(plain)


def test_what_is_committed_is_still_read() -> None:
    """Every cell of the store is one, with the same key; so is every section of every protocol, and every study."""
    keys = [record["key"] for record in Store().records()]
    assert len(keys) > 1_000
    assert [Cell.from_plain(record["cell"]).key() for record in Store().records()] == keys
    for name in protocols.names():
        for dataset in protocols.datasets(name):
            assert protocols.load(name, dataset).tasks > 0
    assert studies()
    assert grid.experiments()


# Tasks that do not divide the classes


def ten() -> Dataset:
    y = torch.arange(10).repeat(3)
    return Dataset("ten", tuple("0123456789"), torch.rand(30, 2), y, torch.rand(30, 2), y)


@pytest.mark.parametrize(("each", "tasks"), [(3, 4), (4, 3), (7, 2), (9, 2), (10, 1)])
def test_no_class_is_dropped(each: int, tasks: int) -> None:
    found = class_incremental(ten(), range(tasks), each)
    assert [c for task in found for c in task.classes] == list(range(10))
    assert sum(len(task.y_train) for task in found) == 30
    assert {len(task.classes) for task in found[:-1]} <= {each}


@pytest.mark.parametrize("each", [0, -1, 11])
def test_tasks_have_classes(each: int) -> None:
    with pytest.raises(ValueError, match=f"classes_per_task = {each}: allowed is 1 to 10"):
        class_incremental(ten(), [0], each)


def test_a_protocol_of_three_classes_a_task_has_a_smaller_last_one() -> None:
    cell = grid.cell("mnist", "sequential", changes={"classes_per_task": 3})
    assert cell.order == (0, 1, 2, 3)
    assert [task.classes for task in stream(cell)] == [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9,)]


def test_the_patches_are_two_tasks_of_two() -> None:
    for changes in ({"classes_per_task": 1}, {"order": (0,)}, {"order": (0, 1, 2)}):
        with pytest.raises(ValueError, match=r"order = .*, classes_per_task = \d: allowed are two tasks of 2 classes"):
            stream(tiny(**changes))
