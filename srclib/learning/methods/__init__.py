"""The methods by the names that the tables use: which plugins each is made of. Every other file here is one method."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from .plugin import Method, Plugin


@dataclass(frozen=True)
class Combination:
    """What a network is trained with: the plugins of some methods, or all tasks at once."""

    label: str
    parts: tuple[str, ...] = ()  # sections of a protocol, in the order in which the hooks of their plugins run
    joint: bool = False

    def plugins(self, settings: Mapping[str, Plugin], source: str) -> tuple[Plugin, ...]:
        """Return the plugins, given those of a protocol by part; ValueError when it has none for one of the parts."""
        for part in self.parts:
            if part not in settings:
                raise ValueError(f"{part} is null: no {part} parameters are known ({source})")
        return tuple(settings[part] for part in self.parts)


def _methods() -> list[Method]:
    modules = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return sorted((m.METHOD for m in modules if hasattr(m, "METHOD")), key=lambda method: method.place)


# Sleep comes first, so that the weights are protected, and their importance is measured, as it left them; OWM comes
# after SI, which follows the gradient of the loss itself, and iCaRL after rehearsal, whose images need a target too.
PARTS: dict[str, type[Plugin]] = {method.part: method.settings for method in _methods()}
METHODS = {
    "sequential": Combination("Sequential"),
    **{method.name: Combination(method.label, (method.part,)) for method in _methods()},
    "parallel": Combination("Parallel (ideal)", joint=True),
}


def part_of(plugin: Plugin) -> str:
    """Return the part of a plugin, as PARTS has it; ValueError if its class is no method."""
    for part, settings in PARTS.items():
        if type(plugin) is settings:
            return part
    raise ValueError(f"{type(plugin).__name__} is no method: allowed is one of {', '.join(PARTS)}")


def find(name: str) -> Combination:
    """Return one of METHODS, or several of them joined by `+`, in any order, such as `src+rehearsal`.

    Raises ValueError for an unknown method, one that is there twice, or one that adds no plugin to others.
    """
    names = name.split("+")
    for part in names:
        if part not in METHODS:
            raise ValueError(f"method {part!r} is unknown: allowed is one of {', '.join(METHODS)}, or some joined by +")
    if len(names) == 1:
        return METHODS[name]
    if len(set(names)) < len(names) or not all(METHODS[part].parts for part in names):
        combinable = ", ".join(key for key, method in METHODS.items() if method.parts)
        raise ValueError(f"method {name!r} is no combination: allowed are {combinable}, each once, joined by +")
    chosen = [method for key, method in METHODS.items() if key in names]
    label = " + ".join(method.label for method in chosen)
    return Combination(label, tuple(part for method in chosen for part in method.parts))
