"""The methods by the names that the tables use: which plugins each is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .plugin import Plugin


@dataclass(frozen=True)
class Method:
    """A method: its plugins under a protocol, or joint training on all tasks at once."""

    label: str
    parts: tuple[str, ...] = ()  # sections of a protocol, in the order in which the hooks of their plugins run
    joint: bool = False

    def plugins(self, settings: Any) -> tuple[Plugin, ...]:
        """Return the plugins by the settings of a protocol; ValueError when it has none for one of the parts."""
        found: dict[str, Plugin | None] = {part: getattr(settings, part) for part in self.parts}
        for part, plugin in found.items():
            if plugin is None:
                raise ValueError(f"{part} is null: no {part} parameters are known ({settings.source})")
        return tuple(plugin for plugin in found.values() if plugin is not None)


# Their order is that of the plugins in a combination. Sleep comes first, so that the weights are protected, and their
# importance is measured, as it left them; OWM comes after SI, which follows the gradient of the loss itself, and iCaRL
# after rehearsal, whose images need a target too.
METHODS = {
    "sequential": Method("Sequential"),
    "src": Method("SRC", ("sleep",)),
    "ewc": Method("EWC", ("ewc",)),
    "si": Method("SI", ("si",)),
    "owm": Method("OWM", ("owm",)),
    "rehearsal": Method("Rehearsal", ("rehearsal",)),
    "icarl": Method("iCaRL", ("icarl",)),
    "parallel": Method("Parallel (ideal)", joint=True),
}


def find(name: str) -> Method:
    """Return a method: one of METHODS, or several of them joined by `+`, in any order, such as `src+rehearsal`.

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
    return Method(" + ".join(method.label for method in chosen), tuple(p for method in chosen for p in method.parts))
