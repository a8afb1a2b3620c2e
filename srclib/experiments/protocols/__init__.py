"""Protocols: what a published experiment fixes, as data. One YAML file each, one section per data set.

Sections are in the dialect of `dialect`. An unknown or missing key, or a value of the wrong type, is a ValueError that
names the file and the key.

`with` holds what a method brings with it: changes to the section, by the part that the method has. Those in a list
`by_<setting>` are made from the value of that part's setting in `from` on, the others always:

    with: {rehearsal: {by_fraction: [{from: 0.1, sleep: {config: {rate: 21.0}}}]}}
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ...data import stream
from ...learning.methods import PARTS
from ...learning.methods.plugin import Plugin
from ...learning.methods.sleep import Sleep
from ...learning.training import AwakeConfig
from ...sleep.arguments import is_finite
from .. import dialect
from ..cell import check_tested
from ..dialect import found_by, merge
from ..typed import from_mapping
from .sleep import Section

FOLDER = Path(__file__).parent
SECTIONS: dict[str, type] = {**PARTS, "sleep": Section}  # what stands in a protocol, by part


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How one data set is learned under one protocol, and the settings of every method that has some."""

    source: str  # where the values stand
    classes_per_task: int
    tested: tuple[str, ...] = ("test",)  # images, as in a cell
    awake: AwakeConfig
    joint_epochs: int  # parallel training: all tasks at once, always on all images
    tasks: int  # of the whole stream
    sections: dict[str, Plugin | Section] = field(default_factory=dict)  # by part

    def __post_init__(self) -> None:
        if self.joint_epochs < 1:
            raise ValueError(f"joint_epochs = {self.joint_epochs}: allowed is a whole number >= 1")
        check_tested(self.tested)

    @cached_property
    def methods(self) -> dict[str, Plugin]:
        """Return the plugins of the methods by part."""
        return {part: s.sleep(self.tasks) if isinstance(s, Section) else s for part, s in self.sections.items()}

    @property
    def sleep(self) -> Sleep | None:
        """Return how the network sleeps, if parameters are known."""
        sleep = self.methods.get("sleep")
        assert sleep is None or isinstance(sleep, Sleep)
        return sleep


def names() -> list[str]:
    """Return the names of all protocols."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def datasets(name: str) -> list[str]:
    """Return the data sets that a protocol has a section for."""
    return list(dialect.read(FOLDER / f"{name}.yaml"))


def load(name: str, dataset: str, *changes: Mapping[str, Any], parts: Collection[str] = ()) -> Protocol:
    """Load one data set's section of a protocol, as it is for a method with these parts, with some values changed.

    changes: nested like the section, for example {"sleep": {"statistics": "trained"}}; later ones win, and all of them
    over what the parts bring with them.
    Raises ValueError for an unknown protocol, data set or key.
    """
    if name not in names():
        raise ValueError(f"protocol {name!r} is unknown: allowed is one of {', '.join(names())}")
    return load_file(FOLDER / f"{name}.yaml", dataset, *changes, parts=parts)


def load_file(path: Path, dataset: str, *changes: Mapping[str, Any], parts: Collection[str] = ()) -> Protocol:
    """Load one data set's section of a protocol file, as `load` does."""
    dialect.check_shape(changes, f"changes to {path.name}: {dataset}")
    given = json.dumps(changes, default=lambda value: dict(value) if isinstance(value, Mapping) else repr(value))
    return _load_file(path, path.stat().st_mtime_ns, dataset, given, frozenset(parts))


@cache
def _load_file(path: Path, changed_at: int, dataset: str, given: str, parts: frozenset[str]) -> Protocol:
    """Load a section with changes, as JSON; kept, since the many cells of a grid ask for few."""
    changes = json.loads(given)
    if changes:
        _load_file(path, changed_at, dataset, "[]", frozenset())  # a section has to be right by itself
    sections = dialect.read(path)
    if not isinstance(sections, dict) or dataset not in sections:
        known = ", ".join(map(str, sections)) if isinstance(sections, dict) else "none"
        raise ValueError(f"{path.name} has no section {dataset!r}: it has {known}")
    section = dialect.section(sections, dataset, path.name)
    where = f"{path.name}: {dataset}"
    changed = merge(section, *changes)
    protocol = _protocol(changed, dataset, where)
    brought = changed.get("with", {})
    if not isinstance(brought, Mapping) or not set(brought) <= set(SECTIONS):
        raise ValueError(f"{where}: with = {brought!r}: allowed is a mapping with the keys {', '.join(SECTIONS)}")
    for part, change in brought.items():
        setting, entries = _entries(part, {} if change is None else change, f"{where}: with: {part}")
        for i, (_, entry) in enumerate(() if changes else entries):  # each is built, so that a slip in any is found
            _protocol(merge(section, entry), dataset, f"{where}: with: {part}[{i}]")
        if part in parts and part in protocol.sections:
            value = getattr(protocol.sections[part], setting) if setting else 0
            section = merge(section, [entry for start, entry in entries if start <= value][-1])
    return _protocol(merge(section, *changes), dataset, where)


def _protocol(section: Mapping[str, Any], dataset: str, where: str) -> Protocol:
    """Build a protocol from a section in which nothing is left to merge."""
    own = {key: value for key, value in section.items() if key not in ("with", *SECTIONS)}
    sections: dict[str, Any] = {}
    for part, kind in SECTIONS.items():
        values = section.get(part)
        here = f"{where}: {part}"
        if isinstance(values, Mapping) and "found" in values:
            values, here = found_by(part, values, here), f"{here}, found by {values['found']}"
        if values is not None:
            sections[part] = from_mapping(kind, values, here)
    if unknown := {"tasks", "sections"} & set(own):
        raise ValueError(f"{where}: unknown key {unknown.pop()!r}")
    draft = from_mapping(Protocol, own | {"tasks": 0}, where)
    outputs, each = draft.awake.layers[-1], draft.classes_per_task
    if not 1 <= each <= outputs:
        raise ValueError(f"{where}: classes_per_task = {each}: allowed is 1 to {outputs}, the number of outputs")
    return dataclasses.replace(draft, tasks=stream(dataset).count(outputs, each), sections=sections)


def _entries(part: str, changes: Any, where: str) -> tuple[str | None, list[tuple[float, dict[str, Any]]]]:
    """Return the setting of a part that changes depend on, if any, and the changes from each of its values on."""
    if not isinstance(changes, Mapping):
        raise ValueError(f"{where} = {changes!r}: allowed is a mapping of changes")
    settings = {f"by_{own.name}": own.name for own in dataclasses.fields(SECTIONS[part])}
    listed = next((key for key in changes if key in settings), "")
    always = {key: value for key, value in changes.items() if key != listed}
    entries = changes.get(listed, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError(f"{where}: {listed} = {entries!r}: allowed is a list of changes, each with the key `from`")
    values = [entry.get("from") for entry in entries]
    numbers = [value for value in values if is_finite(value)]
    if len(numbers) < len(values) or numbers != sorted(set(numbers)):
        raise ValueError(f"{where}: {listed}: `from` = {values}: allowed are rising numbers")
    own = [{key: value for key, value in entry.items() if key != "from"} for entry in entries]
    return settings.get(listed), [
        (-math.inf, always), *((start, merge(always, entry)) for start, entry in zip(numbers, own, strict=True))
    ]  # fmt: skip
