"""The dialect of the project's YAML files: sections that begin like others, and values that a search found.

A section stands on its own or begins with `like: <section>` and lists only what differs. Where a mapping has the key
`found`, it is what the study of that name found (data/searches), in place of all that was there before; other keys
beside it are changes. `awake: {found: …}` takes the settings of the awake phase that a study found, too, and leaves the
others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..data.places import committed

OUTCOMES = committed("searches")
DEEPEST = 30  # mappings and lists within each other
LARGEST = 1_000_000  # values in a file, those that an alias repeats included


class LOADER(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C, where there is one
    """A safe loader that refuses a key which is there twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter((key.tag, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if twice := [value for (_, value), count in keys.items() if count > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice[0]!r} is there twice", node.start_mark)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def read(path: Path) -> Any:
    """Read a YAML file, once unless it changes.

    Raises ValueError, which names it, if it is none, has a key twice, or is nested too deeply.
    """
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, changed_at: int) -> Any:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), LOADER)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no text in UTF-8: {error}") from None
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply: allowed are {DEEPEST} levels") from None
    except (yaml.YAMLError, ValueError) as error:  # such as a date of the 30th of February
        raise ValueError(f"{path.name} is no YAML: {error}") from None
    check_shape(content, path.name)
    return content


def check_shape(content: Any, where: str) -> None:
    """Raise ValueError, which begins with `where`, for data nested too deeply or within themselves, or too many."""
    waiting, count = [(content, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise ValueError(f"{where} is nested too deeply: allowed are {DEEPEST} levels")
        if count > LARGEST:
            raise ValueError(f"{where} holds too much: allowed are {LARGEST:,} values")
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
        waiting += [(each, depth + 1) for each in inner]


def section(sections: Mapping[str, Any], name: str, file: str, below: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a section with what it is like; ValueError, which names file and section, for one that is like no other.

    below: the sections that are like this one, directly or not.
    """
    if not isinstance(sections[name], Mapping):
        raise ValueError(f"{file}: {name} is {sections[name]!r}: allowed is a mapping")
    own = dict(sections[name])
    parent = own.pop("like", None)
    if parent is None:
        return merge({}, own)
    others = [other for other in sections if other not in (*below, name)]
    if parent not in others:
        raise ValueError(
            f"{file}: {name}: like = {parent!r} names no other section: allowed is one of {', '.join(map(str, others))}"
        )
    return merge(section(sections, parent, file, (*below, name)), own)


def merge(base: Mapping[str, Any], *changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with changes, nested like it; a change to a list of mappings is one to each of them."""
    merged = dict(base)
    for change in changes:
        for key, value in change.items():
            old = merged.get(key)
            if key == "awake" and isinstance(value, Mapping) and "found" in value:
                value = _awake_found(value)
            if not isinstance(value, Mapping):
                merged[key] = value
            elif "found" in value:
                merged[key] = value  # nothing is left of what was there before
            elif isinstance(old, list) and old and all(isinstance(entry, Mapping) for entry in old):
                merged[key] = [merge(entry, value) for entry in old]
            else:
                merged[key] = merge(old, value) if isinstance(old, Mapping) else value
    return merged


def found_by(part: str, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the values of a part that a study found, `values["found"]`, with other values for some of them."""
    found = values["found"]
    outcome = _outcome(where, found)
    if (other := outcome["study"]["part"]) != part:
        raise ValueError(f"{where}: found = {found!r}: allowed is a study of this part, it has searched {other}")
    return merge(outcome["found"], _others(values))


def _awake_found(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the awake phase that a study found, with other values for some of them."""
    outcome = _outcome("awake", values["found"])
    if "awake" not in outcome:
        raise ValueError(f"awake: found = {values['found']!r}: allowed is a study that searched the awake phase, too")
    return {**outcome["awake"], **_others(values)}


def _others(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != "found"}


def _outcome(where: str, found: Any) -> dict[str, Any]:
    known = sorted(path.stem for path in OUTCOMES.glob("*.yaml"))
    if found not in known:
        raise ValueError(
            f"{where}: found = {found!r}: allowed is a study with an outcome in {OUTCOMES}, one of {', '.join(known)}"
        )
    outcome = read(OUTCOMES / f"{found}.yaml")
    if not isinstance(outcome, Mapping) or not all(isinstance(outcome.get(k), Mapping) for k in ("study", "found")):
        raise ValueError(f"{found}.yaml is no outcome: allowed is a mapping with the keys study and found")
    if not isinstance(outcome.get("awake", {}), Mapping) or "part" not in outcome["study"]:
        raise ValueError(f"{found}.yaml is no outcome: allowed is a study with its part, and a mapping awake")
    return dict(outcome)
