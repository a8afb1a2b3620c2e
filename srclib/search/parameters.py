"""Parameters by name, as a study lists them: values put into the settings of a method, and taken from them.

Those of a sleep are fields of its `SleepConfig`; `leak` is 1 - decay, and `growth` belongs to the section of a
protocol. `beta[1]` is the second of several numbers. With `awake.` in front it is a setting of the awake phase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..experiments.protocols.sleep import Section
from ..learning.methods.plugin import Plugin
from ..learning.training import AwakeConfig
from ..sleep import SleepConfig, space
from ..sleep.space import Values, split_key

AWAKE = "awake."

Settings = Plugin | Section  # of a method, as a protocol has them


def with_values(settings: Settings, values: Values) -> Settings:
    """Return settings of a method with other values; the awake phase is none of them.

    A sleep with other values follows every task, as long as its config says.
    """
    own = {key: value for key, value in values.items() if not key.startswith(AWAKE)}
    if not isinstance(settings, Section):
        return space.with_values(settings, own)
    growth = own.pop("growth", settings.growth)
    config = space.with_values(config_of(settings), own)
    return replace(settings, config=config, steps=(config.steps,), growth=growth)


def values_of(settings: Settings | SleepConfig, awake: AwakeConfig, names: Iterable[str]) -> dict[str, int | float]:
    """Return the present values of parameters by name, those of the awake phase, too."""
    values = {}
    for key in names:
        name, index = split_key(key.removeprefix(AWAKE))
        owner: Any = awake if key.startswith(AWAKE) else settings
        if isinstance(owner, Section) and name != "growth":
            owner = config_of(owner)
        value = 1 - owner.decay if name == "leak" else getattr(owner, name)
        values[key] = value if index is None else value[index]
    return values


def awake_values(values: Values) -> dict[str, Any]:
    """Return those values that are settings of the awake phase, by their names there."""
    return {key.removeprefix(AWAKE): value for key, value in values.items() if key.startswith(AWAKE)}


def config_of(section: Section) -> SleepConfig:
    """Return what a sleep is like that is the same after all tasks, but for its growth."""
    assert isinstance(section.config, SleepConfig)  # `Study.start` has one
    return section.config
