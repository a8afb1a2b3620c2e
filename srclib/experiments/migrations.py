"""Migrations: what is stored in an older schema as it is stored today. Cells and metrics are plain data here.

A migration knows no class of the present and is never changed: it turns what was written into what was read then. It
changes names and spelling, never a number. `MIGRATIONS[n]` makes schema n + 1 of schema n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Plain = dict[str, Any]


def migrate(cell: Plain) -> Plain:
    """Return a cell of any schema in the present one.

    Raises ValueError for a schema that is not known.
    """
    while (schema := schema_of(cell)) in MIGRATIONS:
        cell = MIGRATIONS[schema](cell)
    if schema != max(MIGRATIONS) + 1:
        raise ValueError(f"schema = {schema!r}: allowed is 1 to {max(MIGRATIONS) + 1}")
    return cell


def schema_of(cell: Mapping[str, Any]) -> Any:
    """Return the number of the schema that a cell is stored in; the first one was not numbered."""
    return cell.get("schema", 1)


def to_2(cell: Plain) -> Plain:
    """Spell every field out; a sleep is a list of nights; training on all tasks at once has epochs of its own.

    Schema 1 left out fields at their default, named plugins by their class, and had several spellings for one sleep.
    """
    tasks = cell.get("tasks") or len(cell["order"])
    joint = cell.get("joint", False)
    awake = {"restart_from_initial": False, "spiking": None, **cell["awake"]}
    joint_epochs = awake.pop("joint_epochs")
    if joint:
        awake |= {"epochs": joint_epochs, "images_per_task": None}
    for name in ("epochs", "lr"):
        awake[name] = _one_or_all(awake[name], 1 if joint else tasks)
    return {
        "schema": 2,
        "arithmetic": cell["version"],
        "dataset": cell["dataset"],
        "awake": awake,
        "classes_per_task": cell["classes_per_task"],
        "methods": [_method_2(plugin, tasks) for plugin in cell["plugins"]],
        "order": cell["order"],
        "seed": cell["seed"],
        "joint": joint,
        "overlap": cell.get("overlap"),
        "held_out": cell.get("held_out", 0),
        "tested": cell.get("tested", ["test"]),
        "keep_weights": cell.get("keep_weights", False),
        "tasks": None if tasks == len(cell["order"]) else tasks,
        "measures": cell.get("measures", []),
    }


def _one_or_all(value: Any, tasks: int) -> Any:
    """Return a number per task as one number where all tasks have the same."""
    if not isinstance(value, list):
        return value
    own = value[:tasks]
    return own[0] if len(own) == tasks and all(v == own[0] for v in own) else own


DEFAULTS_1: dict[str, Plain] = {
    "EWC": {"fisher": "exact"},
    "SI": {},
    "OWM": {"clip": None},
    "Rehearsal": {"released": False},
    "ICaRL": {
        "head": "nearest_mean", "normalized": True, "first": "nearest", "dropout": False, "pool": False, "pad": None,
        "herding": True, "distillation": True,
    },
    "Sleep": {"drive": "mean", "reset_velocity": False},
}  # fmt: skip
SLEEP_CONFIG_1: Plain = {
    "decay": 1.0, "gate": None, "strict": True, "steps": 15_000, "rate": 100.0, "dt": 0.001, "window": None,
    "max_updates": None, "batch": 1,
}  # fmt: skip


def _method_2(plugin: Mapping[str, Any], tasks: int) -> Plain:
    settings = {key: value for key, value in plugin.items() if key != "is"}
    found = {"method": plugin["is"].lower(), **DEFAULTS_1[plugin["is"]]}
    if plugin["is"] != "Sleep":
        return found | settings
    nights = [_night_2(settings, task) for task in range(tasks)]
    while len(nights) > 1 and nights[-1] == nights[-2]:
        del nights[-1]
    own = {name: settings[name] for name in ("statistics", "drive", "reset_velocity") if name in settings}
    return found | own | {"nights": nights}


def _night_2(sleep: Mapping[str, Any], task: int) -> Plain | None:
    """Return the sleep after a task."""
    steps = sleep["steps"][min(task, len(sleep["steps"]) - 1)]
    if not steps or (sleep.get("discard_first") and not task):
        return None
    configs = sleep["config"] if isinstance(sleep["config"], list) else [sleep["config"]]
    config: Plain = SLEEP_CONFIG_1 | configs[min(task, len(configs) - 1)]
    streams = sleep.get("streams", 1)
    size = sleep.get("growth", 1.0) ** task / (streams if sleep.get("averaged") else 1)
    for name in ("alpha", "beta"):
        if isinstance(config[name], list) and all(v == config[name][0] for v in config[name]):
            config[name] = config[name][0]
    return config | {
        "steps": max(1, round(min(steps, sleep.get("max_steps") or steps) / streams)),
        "batch": streams * config["batch"],
        "inc": config["inc"] * size,
        "dec": config["dec"] * size,
    }


MIGRATIONS: dict[int, Callable[[Plain], Plain]] = {1: to_2}
