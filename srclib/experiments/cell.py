"""One run as data: a cell says everything that decides a number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ..learning.methods.plugin import Plugin
from ..learning.training import AwakeConfig

VERSION = 1  # of the arithmetic: raise it when results change, and every stored result is computed anew


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run and all that decides its result."""

    dataset: str
    awake: AwakeConfig
    classes_per_task: int
    plugins: tuple[Plugin, ...]
    order: tuple[int, ...]  # of the tasks
    seed: int
    joint: bool = False  # parallel training: all tasks at once
    overlap: int | None = None  # of the patches, in pixels
    held_out: int = 0  # the last so many training images of a task are tested in place of its test images
    tested: tuple[str, ...] = ("test",)  # of each task, its test or train images, or both; the first ones count
    keep_weights: bool = False  # keep the weights after every phase; for tiny networks
    tasks: int | None = None  # the stream ends after so many
    measures: tuple[str, ...] = ()  # of `measures.MEASURES`, taken at the end; the run ends with a sleep

    def canonical(self) -> dict[str, Any]:
        """Return the cell as plain data, what its key is made of.

        Plugins carry their class name. A field at its default is left out, so that a field added later changes no key.
        """
        return {"version": VERSION, **plain(self)}

    def key(self) -> str:
        """Return the SHA-256 of the canonical cell, in hex."""
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True).encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return a value as plain data: dataclasses as mappings without what stands at its default, tuples as lists."""
    if isinstance(value, Mapping):
        return {key: plain(v) for key, v in value.items()}
    if is_dataclass(value):
        chosen = {f.name: plain(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) != f.default}
        return {"is": type(value).__name__, **chosen} if isinstance(value, Plugin) else chosen
    return [plain(v) for v in value] if isinstance(value, (tuple, list)) else value
