"""The methods by the names that the tables use: which plugins each is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .plugins import Plugin
from .protocols import Protocol


@dataclass(frozen=True)
class Method:
    """A method: its plugins under a protocol, or joint training on all tasks at once."""

    label: str
    plugins: Callable[[Protocol], tuple[Plugin, ...]] = lambda protocol: ()
    joint: bool = False


def _sleep(protocol: Protocol) -> tuple[Plugin, ...]:
    if protocol.sleep is None:
        raise ValueError(f"sleep is null: no sleep parameters are known ({protocol.source})")
    return (protocol.sleep,)


METHODS = {
    "sequential": Method("Sequential"),
    "src": Method("SRC", _sleep),
    "parallel": Method("Parallel (ideal)", joint=True),
}
