"""Numbers as text on the pages."""

from __future__ import annotations

import math

import pytest

from srclib.pages import figures


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"0": [4, 5, 6], "5": [-4, -5, -6], "10": [-1, 0, 1]}, "above zero at 0; below zero at 5; undecided at 10"),
        ({"50": [1, 1, 1], "100": [2, 2.1, 1.9]}, "above zero at 50, 100"),
        ({"one network": [9.0], "none": [], "lost": [math.nan]}, "undecided at one network, none, lost"),
        ({}, ""),
    ],
)
def test_where_a_change_is_resolved(changes: dict[str, list[float]], text: str) -> None:
    assert figures.resolved(changes) == text
