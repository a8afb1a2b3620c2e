"""Grids: the cells of every experiment of `experiments.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, reduce
from itertools import product
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..data import task_order
from ..learning import methods
from ..sleep.memory import require
from . import dialect, protocols
from .cell import Cell

EXPERIMENTS = Path(__file__).with_name("experiments.yaml")
CELL = 2_000  # bytes that one takes, about
PROFILES = ("smoke", "ci", "full")


@cache
def _file(part: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = dialect.read(EXPERIMENTS)[part]
    return found


def experiments() -> list[str]:
    """Return the names of all experiments in `experiments.yaml`."""
    return list(_file("experiments"))


def settings(name: str, profile: str = "full", protocol: str = "released", **changes: Any) -> dict[str, Any]:
    """Return the settings of an experiment under a profile and protocol; a change of None leaves the file's value.

    Raises ValueError for an unknown experiment, profile, protocol or setting.
    """
    known = _file("experiments")
    _check("experiment", name, known)
    _check("profile", profile, PROFILES)
    _check("protocol", protocol, protocols.names())
    values: dict[str, Any] = {}
    for part in (known[name], known[name].get(protocol, {})):
        values |= part.get("full", {}) | (part.get(profile) or {})
    for key in changes:
        _check(f"setting of {name}", key, values)
    return values | {key: value for key, value in changes.items() if value is not None}


@cache
def keys(name: str) -> frozenset[str]:
    """Return the keys of all cells of an experiment, under every profile and protocol; none of an unknown one."""
    found: set[str] = set()
    for profile, protocol in product(PROFILES, protocols.names()) if name in experiments() else ():
        values = settings(name, profile, protocol)
        for dataset, run in product(values["datasets"], values["runs"]):
            try:
                found |= {cell.key() for cell in grid(name, profile, protocol, datasets=[dataset], runs=[run])}
            except ValueError:  # a protocol that has not all of them
                continue
    return frozenset(found)


Point = dict[str, Any]  # a value of each setting that an experiment is `over`, such as {"rehearsal.fraction": 0.1}


def grid(name: str, profile: str = "full", protocol: str = "released", **changes: Any) -> list[Cell]:
    """Return the cells of an experiment: its runs on every data set, overlap, value of `over` and seed."""
    return [cell for _, cell in points(name, profile, protocol, **changes)]


def points(name: str, profile: str = "full", protocol: str = "released", **changes: Any) -> list[tuple[Point, Cell]]:
    """Return the cells of an experiment, each with the point of the grid where it lies."""
    values = settings(name, profile, protocol, **changes)
    overlaps = range(values["overlap_min"], values["overlap_max"] + 1) if "overlap_min" in values else [None]
    count = len(values["datasets"]) * len(values["runs"]) * len(overlaps) * values["seeds"]
    require(CELL * count * sum(prod(map(len, each.values())) for each in _over(values)), f"{name}: {count:,} cells")
    over = [dict(zip(each, point, strict=True)) for each in _over(values) for point in product(*each.values())]
    return [
        (point, cell(dataset, run, protocol, order=values["order"], overlap=overlap, at=point,
                     seed=seed, keep_weights=values.get("keep_weights", False), tasks=values.get("tasks"),
                     measures=values.get("measures", ()), changes=values.get("changes", {})))
        for dataset, run, overlap, point, seed in product(
            values["datasets"], values["runs"], overlaps, over, range(values["seeds"])
        )
    ]  # fmt: skip


def _over(values: Mapping[str, Any]) -> list[dict[str, list[Any]]]:
    """Return `over` of an experiment as a list: in each entry, all combinations of its values."""
    over = values.get("over", {})
    return over if isinstance(over, list) else [over]


def cell(
    dataset: str,
    run: str,
    protocol: str = "released",
    *,
    order: str = "sorted",
    seed: int = 0,
    overlap: int | None = None,
    at: Mapping[str, Any] = MappingProxyType({}),
    keep_weights: bool = False,
    tasks: int | None = None,
    measures: Sequence[str] = (),
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> Cell:
    """Return one cell.

    run: a method, or several joined by `+`, then `/variant` for a variant of `experiments.yaml`. at: settings of the
    protocol's parts, such as {"rehearsal.fraction": 0.1} or {"sleep.config.rate": 50}. tasks, measures: see `Cell`.
    changes: to the protocol's section, before the variant's.
    """
    name, _, variant = run.partition("/")
    method = methods.find(name)
    variants = _file("variants")
    if variant:
        _check("variant", variant, variants)
    all_changes = [changes, _of_seed(variants[variant], seed) if variant else {}]
    known = protocols.load(protocol, dataset, *all_changes) if at else None
    for path, value in at.items():
        part, *inner = path.split(".")
        assert known is not None
        if part != "awake" and part not in known.sections:
            raise ValueError(f"{path} = {value}: {protocol} has no {part} for {dataset}")
        all_changes.append({part: reduce(lambda change, key: {key: change}, reversed(inner), value)})
    found = protocols.load(protocol, dataset, *all_changes, parts=method.parts)
    awake = found.awake
    if method.joint:
        awake = replace(awake, epochs=found.joint_epochs)
    return Cell(
        dataset=dataset,
        awake=awake,
        classes_per_task=found.classes_per_task,
        plugins=method.plugins(found.methods, found.source),
        joint=method.joint,
        tested=found.tested,
        order=task_order(order, found.tasks, seed),
        seed=seed,
        overlap=overlap,
        keep_weights=keep_weights,
        tasks=tasks,
        measures=tuple(measures),
    )


def _of_seed(value: Any, seed: int) -> Any:
    """Return a variant with the seed in place of `{seed}` in its texts."""
    if isinstance(value, Mapping):
        return {key: _of_seed(inner, seed) for key, inner in value.items()}
    return value.replace("{seed}", str(seed)) if isinstance(value, str) else value


def _check(what: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{what} {value!r} is unknown: allowed is one of {', '.join(allowed)}")
