"""Maps: all verdicts on one screen, each mark a link to where it is shown."""

from __future__ import annotations

import html
import re
from typing import Any

import pandas as pd
from IPython.display import HTML

from ..data import STREAMS
from ..learning.methods import find
from ..verdicts.judging import MARKS
from .tables import anchor_of
from .templates import filled

CELL = re.compile(r"table1/(?P<dataset>\w+)/(?P<method>[\w+]+)(/task\d)?")


def table1(judged: pd.DataFrame) -> HTML:
    """Return the map of Table 1: methods by data sets and protocols.

    judged: as of `reproduced.table`, of one protocol or more. A cell has the mark of the level and, behind it, that of
    the effect against sequential training; of CUB-200 both tasks.
    """
    protocols = list(dict.fromkeys(judged["protocol"]))
    cells: dict[tuple[str, str, str], str] = {}
    for row in judged.to_dict("records"):
        if found := CELL.fullmatch(row["id"]):
            place = (found["method"], found["dataset"], row["protocol"])
            cells[place] = cells.get(place, "") + _marks(row)
    methods = list(dict.fromkeys(method for method, _, _ in cells))
    datasets = list(dict.fromkeys(dataset for _, dataset, _ in cells))
    head = "".join(f'<th scope="colgroup" colspan="{len(protocols)}">{_dataset(name)}</th>' for name in datasets)
    under = "".join(f'<th scope="col">{name[:4]}.</th>' for _ in datasets for name in protocols)
    body = "\n".join(
        f'<tr><th scope="row">{html.escape(find(method).label)}</th>'
        + "".join(f"<td>{cells.get((method, dataset, p), '')}</td>" for dataset in datasets for p in protocols)
        + "</tr>"
        for method in methods
    )
    return HTML(
        filled("region.html", label="Map of Table 1", table=filled("map.html", head=head, under=under, body=body))
    )


def chips(judged: pd.DataFrame) -> HTML:
    """Return the map of claims: for every family its numbers, each with a mark for every protocol and a link.

    judged: as of `claims.frame`, of one protocol or more.
    """
    rows = []
    for family, group in judged.sort_values("number", kind="stable").groupby("family", sort=False):
        links = "".join(_chip(same) for _, same in group.groupby("number"))
        rows.append(f'<tr><th scope="row">{family}</th><td class="chips">{links}</td></tr>')
    table = f'<table class="table map"><tbody>{"".join(rows)}</tbody></table>'
    return HTML(filled("region.html", label="Map of claims", table=table))


def legend() -> HTML:
    """Return what the marks mean."""
    marks: dict[str, list[str]] = {}
    for verdict, mark in MARKS.items():
        marks.setdefault(mark, []).append(verdict)
    return HTML('<p class="legend">' + " · ".join(f"{m} {' or '.join(names)}" for m, names in marks.items()) + "</p>")


def _marks(row: dict[Any, Any]) -> str:
    level, effect = row["verdict"], row["effect_verdict"]
    told = f"{row['label']}, {row['protocol']}: level {level}" + (f", effect {effect}" if effect else "")
    text = MARKS[level] + (f"&thinsp;{MARKS[effect]}" if effect else "")
    return _link(f"{row['page']}.html#{anchor_of(row['id'], row['protocol'])}", told, text) + " "


def _chip(same: pd.DataFrame) -> str:
    rows = same.to_dict("records")
    number = rows[0]["number"]
    told = f"claim {number}: {rows[0]['words']} " + ", ".join(f"{row['protocol']}: {row['verdict']}" for row in rows)
    marks = "".join(MARKS[row["verdict"]] for row in rows)
    return _link(f"claims.html#claim-{number}", told, f"{number}&thinsp;{marks}")


def _link(target: str, told: str, text: str) -> str:
    name = html.escape(told, quote=True)
    return f'<a href="{target}" title="{name}" aria-label="{name}">{text}</a>'


def _dataset(name: str) -> str:
    return STREAMS[name].label if name in STREAMS else name
