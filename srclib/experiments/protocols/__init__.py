"""Protocols: what a published experiment fixes, as data. One YAML file each, one section per data set.

A section stands on its own or begins with `like: <data set>` and lists only what differs. An unknown or missing key,
or a value of the wrong type, is a ValueError that names the file and the key.

`with` holds what a method brings with it: changes to the section, by the part that the method has. Those in a list
`by_<setting>` are made from the value of that part's setting in `from` on, the others always:

    with: {rehearsal: {by_fraction: [{from: 0.1, sleep: {config: {rate: 21.0}}}]}}

A part that a search found may be called by the name of its study, as in `sleep: {found: tuned_mnist_sleep_stages}`: its
values are those in `data/searches`, in place of all that the part had before.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ...data.datasets import DATA
from ...learning.methods.ewc import EWC
from ...learning.methods.icarl import ICaRL
from ...learning.methods.owm import OWM
from ...learning.methods.rehearsal import Rehearsal
from ...learning.methods.si import SI
from ...learning.methods.sleep import Sleep
from ...learning.training import AwakeConfig

FOLDER = Path(__file__).parent
OUTCOMES = DATA / "searches"
T = TypeVar("T")
_hints = cache(typing.get_type_hints)


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How one data set is learned under one protocol, and the settings of every method; None: none are known."""

    source: str  # where the values stand
    classes_per_task: int
    tested: tuple[str, ...] = ("test",)  # images, as in a cell
    awake: AwakeConfig
    sleep: Sleep | None
    ewc: EWC | None = None
    si: SI | None = None
    owm: OWM | None = None
    rehearsal: Rehearsal | None = None
    icarl: ICaRL | None = None

    def __post_init__(self) -> None:
        outputs = self.awake.layers[-1]
        if self.classes_per_task < 1 or outputs % self.classes_per_task:
            raise ValueError(
                f"classes_per_task = {self.classes_per_task}: allowed are parts of {outputs} outputs, 1 or more"
            )


PARTS: dict[str, type] = {  # the parts that methods are made of, and what they become
    name: typing.get_args(hint)[0] for name, hint in _hints(Protocol).items() if isinstance(hint, types.UnionType)
}


def names() -> list[str]:
    """Return the names of all protocols."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def datasets(name: str) -> list[str]:
    """Return the data sets that a protocol has a section for."""
    return list(_read(path := FOLDER / f"{name}.yaml", path.stat().st_mtime_ns))


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
    given = json.dumps(changes, default=lambda value: dict(value) if isinstance(value, Mapping) else repr(value))
    return _load_file(path, path.stat().st_mtime_ns, dataset, given, frozenset(parts))


@cache
def _load_file(path: Path, changed_at: int, dataset: str, given: str, parts: frozenset[str]) -> Protocol:
    """Load a section with changes, as JSON; kept, since the many cells of a grid ask for few."""
    changes = json.loads(given)
    sections = _read(path, changed_at)
    if not isinstance(sections, dict) or dataset not in sections:
        known = ", ".join(sections) if isinstance(sections, dict) else "none"
        raise ValueError(f"{path.name} has no section {dataset!r}: it has {known}")
    section = _resolve(sections, dataset, path.name)
    where = f"{path.name}: {dataset}"
    changed = _merge(section, *changes)
    protocol = _protocol(changed, where)
    brought = changed.get("with", {})
    if not isinstance(brought, Mapping) or not set(brought) <= set(PARTS):
        raise ValueError(f"{where}: with = {brought!r}: allowed is a mapping with the keys {', '.join(PARTS)}")
    for part, change in brought.items():
        setting, entries = _entries(part, {} if change is None else change, f"{where}: with: {part}")
        for i, (_, entry) in enumerate(entries):  # each is built, so that a slip in any of them is found
            _protocol(_merge(section, entry, *changes), f"{where}: with: {part}[{i}]")
        if part in parts and (plugin := getattr(protocol, part)) is not None:
            value = getattr(plugin, setting) if setting else 0
            section = _merge(section, [entry for start, entry in entries if start <= value][-1])
    return _protocol(_merge(section, *changes), where)


def _protocol(section: Mapping[str, Any], where: str) -> Protocol:
    own = {key: value for key, value in section.items() if key != "with"}
    found = {key: _found(key, **own[key]) for key in PARTS if isinstance(own.get(key), Mapping) and "found" in own[key]}
    return from_mapping(Protocol, own | found, where)


def _entries(part: str, changes: Any, where: str) -> tuple[str | None, list[tuple[float, dict[str, Any]]]]:
    """Return the setting of a part that changes depend on, if any, and the changes from each of its values on."""
    if not isinstance(changes, Mapping):
        raise ValueError(f"{where} = {changes!r}: allowed is a mapping of changes")
    settings = {f"by_{field.name}": field.name for field in dataclasses.fields(PARTS[part])}
    listed = next((key for key in changes if key in settings), "")
    always = {key: value for key, value in changes.items() if key != listed}
    entries = changes.get(listed, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError(f"{where}: {listed} = {entries!r}: allowed is a list of changes, each with the key `from`")
    values = [entry.get("from") for entry in entries]
    numbers = [value for value in values if isinstance(value, (int, float))]
    if len(numbers) < len(values) or numbers != sorted(set(numbers)):
        raise ValueError(f"{where}: {listed}: `from` = {values}: allowed are rising numbers")
    own = [{key: value for key, value in entry.items() if key != "from"} for entry in entries]
    return settings.get(listed), [
        (-math.inf, always), *((start, _merge(always, entry)) for start, entry in zip(numbers, own, strict=True))
    ]  # fmt: skip


@cache
def _read(path: Path, changed: int) -> Any:
    try:
        return yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is no YAML: {error}") from None


def _resolve(sections: Mapping[str, Any], dataset: str, file: str, below: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(sections[dataset], Mapping):
        raise ValueError(f"{file}: {dataset} is {sections[dataset]!r}: allowed is a mapping")
    section = dict(sections[dataset])
    parent = section.pop("like", None)
    if parent is None:
        return section
    others = [name for name in sections if name not in (*below, dataset)]
    if parent not in others:
        raise ValueError(
            f"{file}: {dataset}: like = {parent!r} names no other section: allowed is one of {', '.join(others)}"
        )
    return _merge(_resolve(sections, parent, file, (*below, dataset)), section)


def _merge(base: Mapping[str, Any], *changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with changes, nested like it; a change to a list of mappings is one to each of them."""
    merged = dict(base)
    for change in changes:
        for key, value in change.items():
            old = merged.get(key)
            if not isinstance(value, Mapping):
                merged[key] = value
            elif "found" in value:
                merged[key] = value  # nothing is left of what was there before
            elif isinstance(old, list) and old and all(isinstance(entry, Mapping) for entry in old):
                merged[key] = [_merge(entry, value) for entry in old]
            else:
                merged[key] = _merge(old, value) if isinstance(old, Mapping) else value
    return merged


def _found(part: str, found: str, **others: Any) -> dict[str, Any]:
    """Return the values of a part that a study found, with other values for some of them."""
    path = OUTCOMES / f"{found}.yaml"
    if not path.exists():
        known = ", ".join(sorted(path.stem for path in OUTCOMES.glob("*.yaml")))
        raise ValueError(f"{part}: found = {found!r}: allowed is a study with an outcome in {OUTCOMES}, one of {known}")
    values = _read(path, path.stat().st_mtime_ns)["found"]
    if (kind := values["is"]) != PARTS[part].__name__:
        raise ValueError(f"{part}: found = {found!r}: allowed is a study of this part, it has found a {kind}")
    return _merge({key: value for key, value in values.items() if key != "is"}, others)


def from_mapping(cls: type[T], values: Any, where: str) -> T:
    """Build a dataclass from a mapping; every field without a default must be there, and nothing else may be."""
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} is {values!r}: allowed is a mapping with the keys of {cls.__name__}")
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = [key for key in values if key not in fields]
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}: allowed are {', '.join(fields)}")
    none = dataclasses.MISSING
    missing = [n for n, f in fields.items() if f.default is none and f.default_factory is none and n not in values]
    if missing:
        raise ValueError(f"{where}: key {missing[0]!r} is missing")
    hints = _hints(cls)  # type: ignore[arg-type]
    converted = {key: _convert(hints[key], value, f"{where}: {key}") for key, value in values.items()}
    try:
        return cls(**converted)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Return the value as the hinted type: dataclasses from mappings, tuples from lists, floats from whole numbers."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        if dataclasses.is_dataclass(option) and isinstance(value, Mapping):
            return from_mapping(typing.cast(type, option), value, where)
        if typing.get_origin(option) is tuple and isinstance(value, list):
            return tuple(_convert(typing.get_args(option)[0], v, f"{where}[{i}]") for i, v in enumerate(value))
        if typing.get_origin(option) is dict and isinstance(value, Mapping):
            return {key: _convert(typing.get_args(option)[1], v, f"{where}: {key}") for key, v in value.items()}
        if option is Any:
            return value
        if option is types.NoneType and value is None:
            return None
        if option is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if option in (int, str, bool) and type(value) is option:
            return value
    allowed = str(hint) if isinstance(hint, types.UnionType) else getattr(hint, "__name__", str(hint))
    raise ValueError(f"{where} = {value!r}: allowed is {allowed}")
