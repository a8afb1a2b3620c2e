"""Typed data: dataclasses from mappings as YAML and JSON hold them, and back. An error names the place and the key."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
Read = Callable[[type[Any], Any, str], Any]
_hints = cache(typing.get_type_hints)


def from_mapping(cls: type[T], values: Any, where: str, read: Read | None = None) -> T:
    """Build a dataclass from a mapping; every field without a default must be there, and nothing else may be.

    read: how the dataclasses within are built, by default as this one.
    Raises ValueError, which begins with `where`, for an unknown or missing key, a value of the wrong type, or one that
    the class refuses.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} is {values!r}: allowed is a mapping with the keys of {cls.__name__}")
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if unknown := [key for key in values if key not in fields]:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}: allowed are {', '.join(fields)}")
    none = dataclasses.MISSING
    missing = [n for n, f in fields.items() if f.default is none and f.default_factory is none and n not in values]
    if missing:
        raise ValueError(f"{where}: key {missing[0]!r} is missing")
    expected = _hints(cls)  # type: ignore[arg-type]
    converted = {
        key: _convert(expected[key], value, f"{where}: {key}", read or from_mapping) for key, value in values.items()
    }
    try:
        return cls(**converted)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _convert(hint: Any, value: Any, where: str, read: Read) -> Any:
    """Return the value as the hinted type: dataclasses from mappings, tuples from lists, floats from whole numbers."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        if dataclasses.is_dataclass(option) and isinstance(value, Mapping):
            return read(typing.cast(type, option), value, where)
        if typing.get_origin(option) is tuple and isinstance(value, list):
            return tuple(_convert(typing.get_args(option)[0], v, f"{where}[{i}]", read) for i, v in enumerate(value))
        if typing.get_origin(option) is dict and isinstance(value, Mapping):
            name, kind = typing.get_args(option)
            return {
                _convert(name, key, f"{where}: a key", read): _convert(kind, v, f"{where}: {key}", read)
                for key, v in value.items()
            }
        if option is Any:
            return value
        if option is types.NoneType and value is None:
            return None
        if option is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                break
        if option in (int, str, bool) and type(value) is option:
            return value
    allowed = str(hint) if isinstance(hint, types.UnionType) else getattr(hint, "__name__", str(hint))
    raise ValueError(f"{where} = {value!r}: allowed is {allowed}")


def to_mapping(value: Any) -> Any:
    """Return a value as plain data: dataclasses as mappings without what stands at its default, tuples as lists."""
    if isinstance(value, Mapping):
        return {key: to_mapping(v) for key, v in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_mapping(v) for f in dataclasses.fields(value) if (v := getattr(value, f.name)) != f.default}
    return [to_mapping(v) for v in value] if isinstance(value, (tuple, list)) else value
