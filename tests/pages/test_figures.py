"""Figures: how they are shown and what is drawn in them, and numbers as text."""

from __future__ import annotations

import io
import math
import re
from base64 import b64decode
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

from srclib.pages import figures


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Return what is displayed: (content by its kind or HTML, metadata) of each."""
    found: list[tuple[Any, Any]] = []
    monkeypatch.setattr(figures, "display", lambda content, raw=False, metadata=None: found.append((content, metadata)))
    return found


def drawing() -> Figure:
    figure, ax = plt.subplots(facecolor="white", subplot_kw={"facecolor": "white"})
    ax.plot([1, 2], [3, 4], label="one")
    ax.plot([1], [5])
    ax.scatter([6], [7], label="two")
    ax.bar([8], [9], width=1, label="three")
    ax.set_title("panel & co")
    return figure


DRAWN = [
    ("panel & co", "one", 1, 3),
    ("panel & co", "one", 2, 4),
    ("panel & co", "", 1, 5),
    ("panel & co", "two", 6, 7),
]


def test_a_figure_is_shown_with_its_caption_and_its_numbers(shown: list[tuple[Any, Any]]) -> None:
    figures.use_style()
    figure = drawing()
    figures.show(figure, "fig-x", caption="Up to 5.", alt="Five.")
    (content, metadata), (links, _) = shown
    assert metadata == {"image/svg+xml": {figures.CAPTIONED: {"name": "fig-x", "caption": "Up to 5.", "alt": "Five."}}}
    svg = ElementTree.fromstring(content["image/svg+xml"])
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    fills = [path.get("style", "") for path in svg.iter("{http://www.w3.org/2000/svg}path")]
    assert not [
        style for style in fills if "fill: #ffffff" in style and "opacity: 0" not in style
    ]  # the page's is behind
    assert "<text" not in content["image/svg+xml"]  # letters are drawn: every machine shows the same
    assert not plt.fignum_exists(figure.number)
    assert 'class="figure-links"' in links.data
    assert 'download="fig-x.csv"' in links.data
    (data,) = re.findall(r'href="data:text/csv;charset=utf-8,(.*?)"', links.data)
    lines = unquote(data).splitlines()
    assert lines[:3] == ["panel,series,x,y", "panel & co,one,1.0,3.0", "panel & co,one,2.0,4.0"]


def test_the_same_figure_is_the_same_file(shown: list[tuple[Any, Any]]) -> None:
    figures.use_style()
    for _ in range(2):
        figures.show(drawing(), "fig-x", caption="", alt="")
    assert shown[0] == shown[2]


def test_a_raster_is_shown_as_pixels_without_ground(shown: list[tuple[Any, Any]]) -> None:
    figures.show(drawing(), "fig-x", caption="", alt="", raster=True)
    (content, metadata), _ = shown
    assert list(metadata) == list(content) == ["image/png"]
    pixels = plt.imread(io.BytesIO(b64decode(content["image/png"])))
    assert pixels[0, 0, 3] == 0


def test_data_that_is_given_is_what_is_linked(shown: list[tuple[Any, Any]]) -> None:
    figures.show(drawing(), "fig-x", caption="", alt="", data=pd.DataFrame({"epoch, 1": [0.5]}))
    (data,) = re.findall(r'utf-8,(.*?)"', shown[1][0].data)
    assert unquote(data) == '"epoch, 1"\n0.5\n'


def test_what_a_figure_draws() -> None:
    figure = drawing()
    found = figures.drawn(figure)
    plt.close(figure)
    assert list(found.columns) == ["panel", "series", "x", "y"]
    assert [tuple(row) for row in found.to_numpy()[:4]] == DRAWN
    assert [tuple(row)[2:] for row in found.to_numpy()[4:]] == [(8, 9)]  # the top of a bar


def test_nothing_is_drawn() -> None:
    figure, _ = plt.subplots()
    assert figures.drawn(figure).empty
    plt.close(figure)


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([], figures.NOTHING),
        ([5.04], "5.0"),
        ([1, 2, 6], "3.0 ± 2.6"),
        ([1, math.nan, 2, 6], "3.0 ± 2.6 (1 of 4 diverged)"),
        ([math.nan, 2], "2.0 (1 of 2 diverged)"),
        ([math.nan, math.nan], "2 of 2 diverged"),
    ],
)
def test_runs_as_text(runs: list[float], text: str) -> None:
    assert figures.spread(runs) == text
    assert figures.spread(runs, count=True) == (text if "diverged" in text or not runs else f"{text} ({len(runs)})")


def test_intervals_as_text() -> None:
    assert figures.change([3, 4, 5], [1, 1, 1]) == "+3.0 [+0.5, +5.5]"  # t of two degrees of freedom is 4.303
    assert figures.interval([-0.25, -0.75], 2, sign=False) == "−0.50 [−3.68, 2.68]"
    assert figures.interval([1, float("nan")]) == "+1.0"  # one network has no interval
    assert figures.interval([]) == "?"


def test_a_gain_as_text() -> None:
    assert figures.gain([1, 3, 2]) == "+2.0 ± 0.6"
    assert figures.gain([-1.04]) == "-1.0"


def test_names_of_phases() -> None:
    data = pd.DataFrame(
        {"phase": [2, 0, 1, 1], "kind": ["sleep", "training", "training", "training"], "task": [1, 0, 1, 1]}
    )
    assert figures.phase_names(data).to_dict() == {0: "T1", 1: "T2", 2: "S2"}


@pytest.mark.parametrize(
    ("values", "control", "text"),
    [
        ([3, 4, 5], [1, 1, 1], "+3.0 [+0.5, +5.5]"),
        ([1, 1, 1], [3, 4, 5], "−3.0 [−5.5, −0.5]"),
        ([3], [1], "+2.0"),
        ([3, math.nan], [1, 1], "+2.0"),
        ([math.nan], [1], "?"),
        ([], [1], figures.NOTHING),
        ([3], [], figures.NOTHING),
    ],
)
def test_a_change_as_text(values: list[float], control: list[float], text: str) -> None:
    assert figures.change(values, control) == text


def test_an_interval_as_text() -> None:
    assert figures.interval([0.2, 0.3, 0.4], 2, sign=False) == "0.30 [0.05, 0.55]"
    assert figures.interval([2, 3, 4]) == "+3.0 [+0.5, +5.5]"


def test_dots_say_how_many_diverged() -> None:
    _, ax = plt.subplots()
    figures.dots(ax, 0, [1.0, 3.0], "k", mean=True)
    assert not list(ax.texts)
    assert [list(line.get_xdata()) for line in ax.lines] == [[1, 3], [2, 2]]
    figures.dots(ax, 1, [1.0, math.nan], "k")
    assert [text.get_text() for text in ax.texts] == ["1 of 2 diverged"]
    plt.close()


def test_means_of_rows_with_their_errors() -> None:
    _, ax = plt.subplots()
    figures.row_means(ax, pd.DataFrame([[0, 4, 8], [1, 1, math.nan]]), [10, 20])
    ((line, _, (errors,)),) = ax.containers
    assert [list(line.get_xdata()), list(line.get_ydata())] == [[10, 20], [4, 1]]
    (low, high), _ = (segment[:, 1] for segment in errors.get_segments())
    assert (high - low) / 2 == pytest.approx(4 / 3**0.5)
    plt.close()


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
