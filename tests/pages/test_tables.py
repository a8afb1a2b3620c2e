"""Tables of pages as HTML, and numbers in them as text."""

from __future__ import annotations

import math
import re
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from srclib.experiments.records import Record
from srclib.pages import figures, tables
from srclib.pages.templates import filled


def cells(table: Any) -> list[list[str]]:
    """Return the texts of a table of `tables.plain`, row by row, its head first."""
    rows = re.findall(r"<tr.*?</tr>", table.data, re.DOTALL)
    return [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in rows]


def test_a_list_of_rows() -> None:
    assert cells(tables.plain([{"a": "1", "b": "2"}, {"b": "4"}], missing="–")) == [["a", "b"], ["1", "2"], ["–", "4"]]


def test_rows_by_their_names() -> None:
    rows = {"x": {"b": "1"}, "y": {"a": "2", "b": "3"}}
    assert cells(tables.plain(rows, columns=["a", "b"], missing="–")) == [
        ["", "a", "b"],
        ["x", "–", "1"],
        ["y", "2", "3"],
    ]


def test_a_frame_and_its_style() -> None:
    frame = pd.DataFrame({"a": ["<b>"]}, index=["x"])
    assert cells(tables.plain(frame)) == [["", "a"], ["x", "&lt;b&gt;"]]
    styled = tables.plain(frame, index=False, escape=False, classes="verdicts")
    assert cells(styled) == [["a"], ["<b>"]]
    assert styled.data.startswith('<table class="dataframe verdicts">')


def test_a_table_without_rows() -> None:
    for rows in ([], {}, pd.DataFrame()):
        assert tables.plain(rows, empty=tables.ABSENT).data == tables.ABSENT


def test_a_wide_table_scrolls_by_itself() -> None:
    text = tables.plain([{"a": 1}], label="Wide").data
    assert text.startswith('<div role="region" aria-label="Wide" tabindex="0" style="overflow-x: auto"><table')
    assert text.endswith("</table></div>")


def test_accuracies_before_and_after() -> None:
    table = tables.compared({"task 1": ([10, 20, 30], [11, 22, 33])}, of="images of")
    assert cells(table) == [
        ["images of", "before the sleep", "after it", "change", "t", "p", "d"],
        ["task 1", "20.0 ± 10.0", "22.0 ± 11.0", "2.0", "3.5", "0.074", "2.0"],
    ]


def test_accuracies_in_the_end() -> None:
    def record(seed: int, *accuracy: float) -> Record:
        phase = {"kind": "training", "task": 1, "accuracy": accuracy, "overall": sum(accuracy) / 2, "cosine": 1.0}
        return {"seed": seed, "metrics": {"phases": [phase | {"accuracy": [0, 0], "overall": 0}, phase]}}

    found = tables.ends([record(0, 0.5, 1.0), record(1, 0.5, 0.8)], ["first", "second"], "both")
    assert found == {"first": "50.0 ± 0.0", "second": "90.0 ± 14.1", "both": "70.0 ± 7.1"}


def test_steps_and_spikes() -> None:
    assert tables.counts(pd.Series({"steps": 15000.0, "outputs": 0.4})) == {"steps": "15,000", "outputs": "0"}


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([5.04], "5.0"),
        ([1, 2, 6], "3.0 ± 2.6"),
        ([1, math.nan, 2, 6], "3.0 ± 2.6 (1 of 4 diverged)"),
        ([math.nan, 2], "2.0 (1 of 2 diverged)"),
        ([math.nan, math.nan], "2 of 2 diverged"),
    ],
)
def test_runs_as_text(runs: list[float], text: str) -> None:
    assert figures.spread(runs) == text
    assert figures.spread(runs, count=True) == (text if "diverged" in text else f"{text} ({len(runs)})")


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


def test_a_template_needs_all_its_values() -> None:
    assert filled("region.html", label="L", table="$T").endswith(">$T</div>")  # values are taken as they are
    with pytest.raises(KeyError, match="table"):
        filled("region.html", label="L")


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
