"""One run as data: a cell says everything that decides a number. Stored, it is plain data in a numbered schema.

The schema has names of its own. Where a class or a field is renamed, `STORED` keeps the name in which it is stored, or
a migration (`migrations`) turns what is stored into what is read. Every field is stored, whatever its default: a
default that changes later changes no result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, cached_property
from typing import Any

from ..learning.methods import PARTS, part_of
from ..learning.methods.plugin import Plugin
from ..learning.training import AwakeConfig
from .typed import from_mapping

SCHEMA = 2  # of stored cells: raise it with a migration
ARITHMETIC = 1  # raise it when results change: every stored result is computed anew


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run and all that decides its result. What says nothing is dropped, so that one run has one cell."""

    dataset: str
    awake: AwakeConfig
    classes_per_task: int
    plugins: tuple[Plugin, ...]
    order: tuple[int, ...]  # of the tasks
    seed: int
    joint: bool = False  # parallel training: all tasks at once, on all their images
    overlap: int | None = None  # of the patches, in pixels
    held_out: int = 0  # the last so many training images of a task are tested in place of its test images
    tested: tuple[str, ...] = ("test",)  # of each task, its test or train images, or both; the first ones count
    keep_weights: bool = False  # keep the weights after every phase; for tiny networks
    tasks: int | None = None  # the stream ends after so many
    measures: tuple[str, ...] = ()  # of `measures.MEASURES`, taken at the end; the run ends with a sleep

    def __post_init__(self) -> None:
        check_tested(self.tested)
        least = {"classes_per_task": 1, "seed": 0, "held_out": 0}
        for name, low in least.items():
            if not getattr(self, name) >= low:
                raise ValueError(f"{name} = {getattr(self, name)}: allowed is a whole number >= {low}")
        if sorted(self.order) != list(range(len(self.order))) or not self.order:
            raise ValueError(f"order = {self.order}: allowed is a permutation of the tasks, from 0")
        if self.tasks is not None and not 1 <= self.tasks <= len(self.order):
            raise ValueError(f"tasks = {self.tasks}: allowed is 1 to {len(self.order)}, or None for all")
        if self.tasks == len(self.order):
            object.__setattr__(self, "tasks", None)
        tasks = self.tasks or len(self.order)
        awake = replace(self.awake, images_per_task=None).for_tasks(1) if self.joint else self.awake.for_tasks(tasks)
        object.__setattr__(self, "awake", awake)
        object.__setattr__(self, "plugins", tuple(plugin.for_tasks(tasks) for plugin in self.plugins))

    def to_plain(self) -> dict[str, Any]:
        """Return the cell as plain data, what is stored and what its key is made of."""
        return {"schema": SCHEMA, "arithmetic": ARITHMETIC, **_plain(self)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Cell:
        """Return the cell of plain data, the inverse of `to_plain`.

        Raises ValueError, which names the key, for another schema or arithmetic, and for data that are no cell.
        """
        for name, present in (("schema", SCHEMA), ("arithmetic", ARITHMETIC)):
            if plain.get(name) != present:
                raise ValueError(f"cell: {name} = {plain.get(name)!r}: allowed is {present}")
        own = {key: value for key, value in plain.items() if key not in ("schema", "arithmetic")}
        cell: Cell = _read(cls, own, "cell")
        return cell

    def key(self) -> str:
        """Return the name of the cell in a store, a SHA-256 in hex."""
        return self._key

    @cached_property
    def _key(self) -> str:
        return key_of(self.to_plain())


TESTED = ("test", "train")


def check_tested(tested: Sequence[str]) -> None:
    """Raise ValueError unless these are test or train images, or both."""
    if not tested or len(set(tested)) < len(tested) or not set(tested) <= set(TESTED):
        raise ValueError(f"tested = {list(tested)}: allowed are {' and '.join(TESTED)}, one or both, each once")


STORED: dict[type, dict[str, str]] = {Cell: {"plugins": "methods"}}  # names of fields in store, where they differ


def key_of(plain: Mapping[str, Any]) -> str:
    """Return the key of a cell as plain data, of any schema."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


@cache
def _stored(cls: type) -> dict[str, str]:
    """Return the names of all fields of a class in store, by their names here."""
    return {f.name: STORED.get(cls, {}).get(f.name, f.name) for f in fields(cls)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if not is_dataclass(value) or isinstance(value, type):
        return value
    kind = {"method": part_of(value)} if isinstance(value, Plugin) else {}
    return kind | {stored: _plain(getattr(value, name)) for name, stored in _stored(type(value)).items()}


def _read(cls: type[Any], plain: Any, where: str) -> Any:
    """Return plain data as an object of a class; every field must be there."""
    if not isinstance(plain, Mapping):
        raise ValueError(f"{where} is {plain!r}: allowed is a mapping")
    if cls is Plugin:
        part, settings = plain.get("method"), {key: value for key, value in plain.items() if key != "method"}
        if part not in PARTS:
            raise ValueError(f"{where}: method = {part!r}: allowed is one of {', '.join(PARTS)}")
        return _read(PARTS[part], settings, where)
    names = {stored: name for name, stored in _stored(cls).items()}  # type: ignore[arg-type]
    if unknown := [key for key in plain if key not in names]:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}: allowed are {', '.join(names)}")
    if missing := [stored for stored in names if stored not in plain]:
        raise ValueError(f"{where}: key {missing[0]!r} is missing")
    return from_mapping(cls, {names[key]: value for key, value in plain.items()}, where, read=_read)
