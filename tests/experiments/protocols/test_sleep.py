"""The section on the sleep: its shorthands, spelled out as one sleep after each task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srclib.experiments.protocols.sleep import Section
from srclib.learning.methods.sleep import Sleep
from srclib.sleep import SleepConfig

from ...cells import CONFIG, sleep

NIGHT = SleepConfig(**CONFIG)


def section(*steps: int, **changes: Any) -> Section:
    values: dict[str, Any] = {"config": NIGHT, "steps": steps, "statistics": "pool"}
    return Section(**values | changes)


def steps_of(found: Section, tasks: int) -> list[int]:
    """Return how long the sleep after every task is, 0 for none."""
    return [night.steps if night else 0 for night in map(found.night, range(tasks))]


@pytest.mark.parametrize(
    ("steps", "slept"),
    [((7,), [7, 7, 7]), ((7, 9), [7, 9, 9]), ((0, 9), [0, 9, 9]), ((7, 0), [7, 0, 0]), ((0,), [0, 0, 0])],
    ids=str,
)
def test_the_last_length_serves_all_later_tasks(steps: tuple[int, ...], slept: list[int]) -> None:
    assert steps_of(section(*steps), 3) == slept
    assert section(*steps).sleep(3) == sleep(*slept).for_tasks(3)


def test_every_sleep_may_have_its_own_settings() -> None:
    other = replace(NIGHT, inc=0.2)
    nights = replace(NIGHT, steps=70), None, replace(other, steps=90)
    assert section(70, 0, 90, config=(NIGHT, other)).sleep(5) == Sleep(nights, "pool")


@pytest.mark.parametrize(
    ("switches", "slept"),
    [
        ({}, [70, 90, 90]),
        ({"max_steps": 80}, [70, 80, 80]),
        ({"max_steps": 100}, [70, 90, 90]),
        ({"discard_first": True}, [0, 90, 90]),
        ({"max_steps": 80, "discard_first": True}, [0, 80, 80]),
    ],
    ids=["none", "some_saturate", "none_saturates", "discard_first", "both"],
)
def test_slips_of_the_released_sleep(switches: dict[str, Any], slept: list[int]) -> None:
    assert steps_of(section(70, 90, **switches), 3) == slept


@pytest.mark.parametrize("averaged", [False, True])
def test_a_sleep_may_be_split_over_streams(averaged: bool) -> None:
    share = 4 if averaged else 1
    split = replace(NIGHT, steps=75, batch=4, inc=NIGHT.inc / share, dec=NIGHT.dec / share)
    assert section(300, streams=4, averaged=averaged).sleep(2).nights == (split,)
    assert section(300, streams=1, averaged=averaged).sleep(2) == section(300).sleep(2)


def test_a_longest_sleep_is_one_before_it_is_split() -> None:
    (night,) = section(300, streams=4, max_steps=200).sleep(1).nights
    assert night is not None
    assert (night.steps, night.batch) == (50, 4)


def test_changes_of_the_weights_may_grow() -> None:
    nights = section(0, 50, growth=2.0).sleep(4).nights
    assert nights[0] is None
    grown = [replace(NIGHT, steps=50, inc=NIGHT.inc * size, dec=NIGHT.dec * size) for size in (2, 4, 8)]
    assert list(nights[1:]) == grown


def test_the_rest_is_as_the_sleep_has_it() -> None:
    found = section(5, statistics="trained", drive="random", reset_velocity=True).sleep(2)
    assert (found.statistics, found.drive, found.reset_velocity) == ("trained", "random", True)


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=4), st.integers(1, 5), st.none() | st.integers(1, 300),
    st.booleans(), st.integers(1, 4), st.booleans(), st.sampled_from([0.5, 1.0, 1.5]),
)  # fmt: skip
def test_a_section_spelled_out_says_the_same(
    steps: list[int], tasks: int, max_steps: int | None, discard: bool, streams: int, averaged: bool, growth: float
) -> None:
    """Written as a section for every sleep, with no other shorthand, it is the same `Sleep`."""
    found = section(
        *steps, max_steps=max_steps, discard_first=discard, streams=streams, averaged=averaged, growth=growth
    )
    nights = [found.night(task) for task in range(tasks)]
    plain = section(*(night.steps if night else 0 for night in nights), config=tuple(n or NIGHT for n in nights))
    assert found.sleep(tasks) == plain.sleep(tasks)
    assert [found.sleep(tasks).night(task) for task in range(tasks)] == nights


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": ()}, r"steps = \(\): allowed are whole numbers >= 0, at least one"),
        ({"steps": (5, -1)}, r"steps = \(5, -1\)"),
        ({"config": ()}, "config is empty: allowed is one, or one for the sleep after each task"),
        ({"max_steps": 0}, "max_steps = 0: allowed is a whole number >= 1, or None"),
        ({"streams": 0}, "streams = 0: allowed is a whole number >= 1"),
        ({"growth": 0.0}, "growth = 0.0: allowed is a finite number > 0"),
        ({"growth": float("inf")}, "growth = inf"),
        ({"growth": float("nan")}, "growth = nan"),
        ({"statistics": "all"}, r"statistics = 'all': allowed is one of \('trained', 'pool', 'first_task'\)"),
        ({"drive": "noise"}, r"drive = 'noise': allowed is one of \('mean', 'random'\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_section(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        section(5, **wrong)
