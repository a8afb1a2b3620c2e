"""Search spaces: lowest and highest value of every parameter, drawn between on a logarithmic scale."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import optuna

from .arguments import is_finite

T = TypeVar("T")
Values = Mapping[str, int | float]  # by parameter; `beta[1]` is the second of several numbers


def split_key(key: str) -> tuple[str, int | None]:
    """Return the name of a parameter and, of one of several numbers, its place."""
    name, _, index = key.rstrip("]").partition("[")
    return name, int(index) if index else None


def with_values(settings: T, values: Values) -> T:
    """Return a dataclass of settings with other values; those of `name[0]`, `name[1]` … become one tuple.

    `leak` is 1 - decay.
    """
    merged: dict[str, Any] = {}
    for key, value in values.items():
        name, index = split_key(key)
        if name == "leak":
            name, value = "decay", 1 - value
        merged[name] = value if index is None else (*merged.get(name, ()), value)
    return replace(settings, **merged)  # type: ignore[type-var]


def check_space(space: Mapping[str, Sequence[int | float]]) -> None:
    """Raise ValueError if the lowest and highest value of a parameter are no bounds of a logarithmic scale."""
    for name, bounds in space.items():
        numbers = len(bounds) == 2 and all(is_finite(bound) for bound in bounds)
        if not numbers or not 0 < bounds[0] < bounds[1] or type(bounds[0]) is not type(bounds[1]):
            raise ValueError(f"space: {name} = {list(bounds)}: allowed are two rising numbers > 0 of one type")


def suggest(trial: optuna.trial.BaseTrial, space: Mapping[str, Sequence[int | float]]) -> Values:
    """Return a value of every parameter between its bounds, drawn log-uniformly; whole numbers stay whole."""
    return {
        key: (trial.suggest_int if isinstance(low, int) else trial.suggest_float)(key, low, high, log=True)  # type: ignore[arg-type]
        for key, (low, high) in space.items()
    }


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Let Optuna report warnings only, and at the end whatever it did before. Importing it takes a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm misses notebook widgets, which are not used here
        import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)
