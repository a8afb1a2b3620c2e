"""Tables of the pages as HTML: of verdicts, and of rows that a page makes."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

import pandas as pd
from IPython.display import HTML
from numpy.typing import ArrayLike

from ..experiments import summary
from ..experiments.records import Record
from ..verdicts import statistics
from ..verdicts.judging import MARKS, SHOWN, UNDECIDED
from ..verdicts.reproduced import as_published, as_reproduced
from .figures import spread
from .templates import filled

ABSENT = "Not part of this profile."
CAPTION = (
    "Published and reproduced values, as mean ± standard deviation over n networks, accuracies in percent; differences "
    "and effects with their 95 % interval. Agrees: the interval lies within the margin (3 points, 1 epoch, 1 pixel)."
)


def plain(
    rows: Sequence[Mapping[Any, Any]] | Mapping[Any, Mapping[Any, Any]] | pd.DataFrame,
    *,
    missing: str | None = None,
    columns: Sequence[Any] | None = None,
    empty: str | None = None,
    label: str | None = None,
    **style: Any,
) -> HTML:
    """Return a table: a list of rows, or rows by their names, which stand in front; a frame stays as it is.

    missing: what stands in a cell of which a row knows nothing. columns: their order, if it is not that of the rows.
    empty: what is said in place of a table without rows. label: of a table wider than a phone, which then scrolls by
    itself. style: as of `pandas.DataFrame.to_html`.
    """
    if empty is not None and not len(rows):
        return HTML(empty)
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    frame = frame.T if isinstance(rows, Mapping) else frame
    frame = frame if columns is None else frame.reindex(columns=list(columns))
    frame = frame if missing is None else frame.fillna(missing)
    named = isinstance(rows, (Mapping, pd.DataFrame))
    text = frame.to_html(**{"index": named, "border": 0} | style)
    return HTML(text if label is None else filled("region.html", label=label, table=text))


def counts(means: pd.Series) -> dict[str, str]:
    """Return steps and spikes, as of `summary.last_sleeps`, as whole numbers in text."""
    return {str(name): f"{value:,.0f}" for name, value in means.items()}


def ends(records: Iterable[Record], tasks: Sequence[str], together: str, images: str | None = None) -> dict[str, str]:
    """Return the accuracy in percent in the end as text: on every task by its name, and on all of them `together`.

    images: as of `summary.phases`.
    """
    last = summary.last_phase(records, images)
    each = {name: spread(part.accuracy) for name, (_, part) in zip(tasks, last.groupby("tested"), strict=False)}
    return each | {together: spread(last.overall[last.tested == 0])}


def compared(pairs: Mapping[str, tuple[ArrayLike, ArrayLike]], of: str) -> HTML:
    """Return a table of accuracies before and after a sleep, one of every network, and of the paired test of them.

    of: what the first column is called, the names of the pairs.
    """
    return plain(
        [
            {of: name, "before the sleep": spread(before), "after it": spread(after)}
            | {key: f"{n:.2g}" if key == "p" else f"{n:.1f}" for key, n in statistics.paired(before, after).items()}
            for name, (before, after) in pairs.items()
        ]
    )


def verdicts(frame: pd.DataFrame, *, filtered: bool = False) -> HTML:
    """Return the table of verdicts on values, a frame of `reproduced.table`; see `styled`.

    filtered: with a field in which a reader types what the rows shall contain.
    """
    return HTML((filled("filter.html") if filtered else "") + styled(frame))


def folded(title: str, content: HTML) -> HTML:
    """Return something below a line that unfolds it."""
    return HTML(f"<details><summary>{html.escape(title)}</summary>{content.data}</details>")


def styled(frame: pd.DataFrame, caption: str = CAPTION) -> str:
    """Draw a frame of `reproduced.table` as an accessible HTML table without colours, the verdict first.

    Every published value has its source and confidence: on hover, on focus, and in a list below the table. A column
    `protocol` appears if the frame holds more than one, one of effects if there are any.
    """
    several = frame["protocol"].nunique() > 1
    effects = bool((frame["effect_verdict"] != "").any())
    head = ["value", *(["protocol"] if several else []), "verdict", "published", "ours", "difference"]
    head += ["effect of the method"] if effects else []
    sources = _Sources()
    body = []
    for row in frame.to_dict("records"):
        name = html.escape(row["label"]) + (
            f'<span class="reason">{html.escape(row["reason"])}</span>' if row["reason"] else ""
        )
        cells = [
            *([row["protocol"]] if several else []),
            _badge(row["verdict"]) + _needed(row["needed"], row["verdict"]) + _other_reading(row),
            html.escape(as_published(row)) + _trials(row) + sources.mark(row),
            html.escape(as_reproduced(row, _form(row["reproduced"]))),
            _interval(row["difference"], row["low"], row["high"]),
            *([_effect(row)] if effects else []),
        ]
        body.append(_row(anchor_of(row["id"], row["protocol"]), name, cells))
    content = quote(_networks(frame).round(6).to_csv(index=False))
    data = filled("data.html", name="verdicts", content=content) if len(frame) else ""
    return _table("Verdicts", caption, head, body) + data + sources.listed()


def _row(anchor: str, name: str, cells: Iterable[str]) -> str:
    """Return a row of a table of verdicts, all of it HTML, that can be linked to."""
    return f'<tr id="{anchor}"><th scope="row">{name}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(label: str, caption: str, head: Iterable[str], body: Iterable[str]) -> str:
    """Return a table of verdicts, of rows as of `_row`, that scrolls by itself."""
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    table = filled("verdicts.html", caption=html.escape(caption), head=columns, body="\n".join(body))
    return filled("region.html", label=label, table=f"\n{table}\n")


def _networks(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers behind verdicts, a row for each network: its value, and the effect in it."""
    return pd.DataFrame(
        [
            (row["id"], row["protocol"], number, value, change)
            for row in frame.to_dict("records")
            for number, (value, change) in enumerate(zip_longest(row["networks"], row["changes"]))
        ],
        columns=["id", "protocol", "network", "value", "effect"],
    )


def _trials(row: Mapping[Any, Any]) -> str:
    return "" if math.isnan(row["trials"]) else f" (n = {row['trials']:.0f})"


def claims(frame: pd.DataFrame, caption: str = "") -> HTML:
    """Return a table of claims, a frame of `claims.frame`: one row for each, with its verdict under every protocol."""
    protocols = list(dict.fromkeys(frame["protocol"]))
    head = ["claim", *protocols, "published", "ours", "shown on"]
    body = []
    for number, group in frame.groupby("number", sort=True):
        first = group.iloc[0]
        by = {row["protocol"]: row for row in group.to_dict("records")}
        said = {name: by[name]["sentence"] for name in protocols if name in by}
        if len(set(said.values())) == 1:
            said = {"": next(iter(said.values()))}
        ours = "".join(
            f"<p>{f'<code>{name}</code>: ' if name else ''}{html.escape(text)}</p>" for name, text in said.items()
        )
        published = max((by[name]["published"] for name in by), key=len)
        cells = [
            *(_badge(by[name]["verdict"]) if name in by else "" for name in protocols),
            html.escape(published),
            ours.replace("`", ""),
            f'<a href="{first["page"]}.html">{first["page"].replace("_", " ")}</a>',
        ]
        name = f'<span class="number">{number}</span> {html.escape(first["words"])}'
        body.append(_row(f"claim-{number}", name, cells))
    return HTML(_table("Claims", caption, head, body))


def linked(verdict: str, link: str, name: str) -> str:
    """Return the badge of a verdict, linked to what it is about."""
    told = html.escape(name, quote=True)
    return f'<a class="badge-link" href="{link}" title="{told}">{_badge(verdict)} <span>{told}</span></a>'


def anchor_of(key: str, protocol: str) -> str:
    """Return the name of the row of a value in its table of verdicts, for links to it."""
    return f"row-{protocol}-" + re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")


class _Sources:
    """The sources of the published values of one table, each with a mark."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    def mark(self, row: Mapping[Any, Any]) -> str:
        """Return the mark of a row's source, with the source itself on hover and focus."""
        if math.isnan(row["published"]) and not row["claim"]:
            return ""
        told = html.escape(f"{row['source']}; confidence: {row['confidence']}", quote=True)
        mark = self._marks.setdefault(told, _letters(len(self._marks)))
        return f'<sup class="source" tabindex="0" title="{told}" aria-label="source: {told}">{mark}</sup>'

    def listed(self) -> str:
        """Return the sources by their marks, folded on a screen and open in print."""
        if not self._marks:
            return ""
        lines = "".join(f"<li><sup>{mark}</sup> {told}</li>" for told, mark in self._marks.items())
        return f'<details class="sources"><summary>Sources of the published values</summary><ul>{lines}</ul></details>'


def _letters(count: int) -> str:
    """Return a, b, …, z, aa, ab, …"""
    return (_letters(count // 26 - 1) if count >= 26 else "") + chr(ord("a") + count % 26)


def _badge(verdict: str) -> str:
    return f'<span class="verdict {verdict.replace(" ", "-")}">{MARKS[verdict]} {verdict}</span>'


def _needed(count: float, verdict: str) -> str:
    if verdict != UNDECIDED:
        return ""
    told = (
        "no number of networks would decide it" if math.isnan(count) else f"about {count:.0f} networks would decide it"
    )
    return f'<span class="reason">{told}</span>'


def _other_reading(row: Mapping[Any, Any]) -> str:
    if not row["other_reading"]:
        return ""
    return f'<span class="reason">{row["other_reading"]}, if the printed deviation is no fraction</span>'


def _interval(mean: float, low: float, high: float) -> str:
    if math.isnan(mean) or math.isnan(low):
        return "–"
    form = _form(mean)
    return f"{mean:+{form}} [{low:+{form}}, {high:+{form}}]".replace("-", "−")


def _effect(row: Mapping[Any, Any]) -> str:
    if not row["effect_verdict"]:
        return "–"
    badge = "" if row["effect_verdict"] == SHOWN else _badge(row["effect_verdict"]) + "<br>"
    return badge + _interval(row["effect"], row["effect_low"], row["effect_high"]) + f" (n = {row['effect_n']})"


def _form(value: float) -> str:
    return ".1f" if abs(value) >= 10 else ".2f" if abs(value) >= 0.1 or value == 0 else ".2g"
