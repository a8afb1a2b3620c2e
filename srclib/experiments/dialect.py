"""The dialect of the project's YAML files: sections that begin like others, and values that a search found.

A section stands on its own or begins with `like: <section>` and lists only what differs. Where a mapping has the key
`found`, it is what the study of that name found (data/searches), in place of all that was there before; other keys
beside it are changes. `awake: {found: …}` takes the settings of the awake phase that a study found, too, and leaves the
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..data.places import committed

OUTCOMES = committed("searches")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C, where there is one: ten times faster


def read(path: Path) -> Any:
    """Read a YAML file, once unless it changes; ValueError, which names it, if it is none."""
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, changed_at: int) -> Any:
    try:
        return yaml.load(path.read_text(), LOADER)
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is no YAML: {error}") from None


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
            f"{file}: {name}: like = {parent!r} names no other section: allowed is one of {', '.join(others)}"
        )
    return merge(section(sections, parent, file, (*below, name)), own)


def merge(base: Mapping[str, Any], *changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with changes, nested like it; a change to a list of mappings is one to each of them."""
    merged = dict(base)
    for change in changes:
        for key, value in change.items():
            old = merged.get(key)
            if key == "awake" and isinstance(value, Mapping) and "found" in value:
                value = _awake_found(**value)
            if not isinstance(value, Mapping):
                merged[key] = value
            elif "found" in value:
                merged[key] = value  # nothing is left of what was there before
            elif isinstance(old, list) and old and all(isinstance(entry, Mapping) for entry in old):
                merged[key] = [merge(entry, value) for entry in old]
            else:
                merged[key] = merge(old, value) if isinstance(old, Mapping) else value
    return merged


def found_by(part: str, found: str, **others: Any) -> dict[str, Any]:
    """Return the values of a part that a study found, with other values for some of them."""
    outcome = _outcome(part, found)
    if (other := outcome["study"]["part"]) != part:
        raise ValueError(f"{part}: found = {found!r}: allowed is a study of this part, it has searched {other}")
    return merge(outcome["found"], others)


def _awake_found(found: str, **others: Any) -> dict[str, Any]:
    """Return the settings of the awake phase that a study found, with other values for some of them."""
    outcome = _outcome("awake", found)
    if "awake" not in outcome:
        raise ValueError(f"awake: found = {found!r}: allowed is a study that searched the awake phase, too")
    return {**outcome["awake"], **others}


def _outcome(part: str, found: str) -> dict[str, Any]:
    path = OUTCOMES / f"{found}.yaml"
    if not path.exists():
        known = ", ".join(sorted(path.stem for path in OUTCOMES.glob("*.yaml")))
        raise ValueError(f"{part}: found = {found!r}: allowed is a study with an outcome in {OUTCOMES}, one of {known}")
    outcome: dict[str, Any] = read(path)
    return outcome
