"""Tables of pages as HTML."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from srclib.experiments.records import Record
from srclib.pages import tables
from srclib.pages.templates import filled
from srclib.verdicts.reproduced import Verdict

from .judgements import claim, effect, frame, frame_of_claims, value


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


def test_a_template_needs_all_its_values() -> None:
    assert filled("region.html", label="L", table="$T").endswith(">$T</div>")  # values are taken as they are
    with pytest.raises(KeyError, match="table"):
        filled("region.html", label="L")


def body(text: str) -> list[list[str]]:
    """Return the cells of the rows of a table of verdicts or claims, the name of the row first, with their tags."""
    rows = re.findall(r"<tr id=.*?</tr>", text, re.DOTALL)
    return [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]


def test_a_row_of_verdicts() -> None:
    ((name, verdict, published, ours, difference),) = body(tables.verdicts(frame(value(label="A & B"))).data)
    assert name == "A &amp; B"
    assert verdict == '<span class="verdict agrees">✓ agrees</span>'
    assert published.startswith("48.47 ± 5.03 (n = 5)<sup")
    assert ours == "48.3 ± 2.2 (n = 10)"
    assert difference == "−0.17 [−2.50, +2.20]"


def test_columns_of_effects_and_protocols_stand_where_there_are_any() -> None:
    def head(text: str) -> list[str]:
        return re.findall(r'<th scope="col">(.*?)</th>', text)

    plain = ["value", "verdict", "published", "ours", "difference"]
    assert head(tables.styled(frame(value()))) == plain
    both = tables.styled(frame(value(**effect()), value(protocol="described")))
    assert head(both) == ["value", "protocol", *plain[1:], "effect of the method"]
    released, described = body(both)
    assert (released[1], described[1]) == ("released", "described")
    assert released[-1] == '<span class="verdict confirmed">✓ confirmed</span><br>+28.5 [+26.2, +31.9] (n = 10)'
    assert described[-1] == "–"


def test_an_effect_without_a_claimed_sign_has_no_badge() -> None:
    shown = tables.styled(
        frame(value(**effect(effect_verdict="not judged", effect=-0.5, effect_low=-2, effect_high=1)))
    )
    assert body(shown)[0][-1] == "−0.50 [−2.00, +1.00] (n = 10)"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"needed": 24.0}, "about 24 networks would decide it"),
        ({"needed": math.nan}, "no number of networks would decide it"),
        ({"other_reading": "agrees"}, "agrees, if the printed deviation is no fraction"),
    ],
)
def test_what_an_undecided_verdict_wants(changes: dict[str, Any], said: str) -> None:
    verdict = body(tables.styled(frame(value(verdict="undecided", **changes))))[0][1]
    assert f'<span class="reason">{said}</span>' in verdict
    assert "would decide" not in tables.styled(frame(value()))


def test_runs_that_diverged_are_counted() -> None:
    some = value(diverged=2)
    none = value(n=0, diverged=5, reproduced=math.nan, reproduced_sd=math.nan, verdict="diverged", low=math.nan)
    ours = [row[3] for row in body(tables.styled(frame_of([some, none])))]
    assert ours == ["48.3 ± 2.2 (n = 10, 2 of 12 diverged)", "5 of 5 diverged"]


def test_a_reason_stands_below_its_value() -> None:
    assert '<span class="reason">Two epochs.</span>' in body(tables.styled(frame(value(reason="Two epochs."))))[0][0]


def test_every_published_value_has_its_source() -> None:
    found = [value(source=f"<p. {page}>") for page in (6, 7, 6)]
    nowhere = value(published=math.nan, published_sd=math.nan, source="not read")
    text = tables.styled(frame_of([*found, nowhere]))
    assert re.findall(r'<sup class="source".*?>(\w+)</sup>', text) == ["a", "b", "a"]
    assert 'tabindex="0" title="&lt;p. 6&gt;; confidence: text" aria-label="source: &lt;p. 6&gt;' in text
    (listed,) = re.findall(r'<details class="sources">.*</details>', text)
    assert re.findall("<li>(.*?)</li>", listed) == [
        "<sup>a</sup> &lt;p. 6&gt;; confidence: text",
        "<sup>b</sup> &lt;p. 7&gt;; confidence: text",
    ]
    assert "sources" not in tables.styled(frame(nowhere))


def test_marks_go_on_after_z() -> None:
    text = tables.styled(frame_of([value(source=str(page)) for page in range(28)]))
    assert re.findall(r'<sup class="source".*?>(\w+)</sup>', text)[24:] == ["y", "z", "aa", "ab"]


def test_rows_can_be_linked_to() -> None:
    text = tables.styled(frame(value("table1/mnist/src+rehearsal"), value("text/a_b", protocol="described")))
    assert re.findall('<tr id="(.*?)"', text) == ["row-released-table1-mnist-src-rehearsal", "row-described-text-a-b"]


def test_a_filter_where_it_is_asked_for() -> None:
    assert "filter-rows" in tables.verdicts(frame(value()), filtered=True).data
    assert "filter-rows" not in tables.verdicts(frame(value())).data


def test_a_claim_has_one_row_for_all_protocols() -> None:
    found = [
        claim(55, words="SRC > none."),
        claim(55, protocol="described", verdict="undecided", sentence="+1.0 `points`.", published="> 0, 5 data sets"),
        claim(56, protocol="described", sentence="As said."),
    ]
    text = tables.claims(frame_of_claims(found), "Claims of Table 1").data
    assert "<caption>Claims of Table 1</caption>" in text
    assert re.findall('<tr id="(.*?)"', text) == ["claim-55", "claim-56"]
    first, second = body(text)
    assert first[0] == '<span class="number">55</span> SRC &gt; none.'
    assert first[1:4] == [
        '<span class="verdict confirmed">✓ confirmed</span>',
        '<span class="verdict undecided">? undecided</span>',
        "&gt; 0, 5 data sets",
    ]
    assert first[4] == "<p><code>released</code>: +28.5 points.</p><p><code>described</code>: +1.0 points.</p>"
    assert first[5] == '<a href="table1_accuracy.html">table1 accuracy</a>'
    assert (second[1], second[4]) == ("", "<p>As said.</p>")


def test_what_both_protocols_say_is_said_once() -> None:
    text = tables.claims(frame_of_claims([claim(), claim(protocol="described")])).data
    assert body(text)[0][4] == "<p>+28.5 points.</p>"


def frame_of(found: list[Verdict]) -> pd.DataFrame:
    """Return several verdicts as a table, told apart by their ids."""
    return frame(*(replace(each, id=f"{each.id}/{number}") for number, each in enumerate(found)))
