"""Tables of the pages as HTML: of verdicts, and of rows that a page makes."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import HTML
from numpy.typing import ArrayLike

from ..experiments import summary
from ..experiments.records import Record
from ..verdicts import statistics
from ..verdicts.judging import CAPTION, MARKS, as_published, with_sd
from .figures import spread
from .templates import filled

ABSENT = "Not part of this profile."


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


def verdicts(frame: pd.DataFrame) -> HTML:
    """Return the table of verdicts; see `styled`."""
    return HTML(styled(frame))


def styled(frame: pd.DataFrame, caption: str = CAPTION) -> str:
    """Draw a frame of `verdicts` as an accessible HTML table without colours: readable in light and dark mode.

    A column `label` gives a row another name than its id. A column `protocol` appears if the frame holds more than one.
    """
    protocols = frame["protocol"].nunique() > 1
    head = ["published", "reproduced (n)", "difference", "verdict"]
    head = ["value", *(["protocol"] if protocols else []), *head]
    body = []
    for row in frame.to_dict("records"):
        known = not math.isnan(row["published"])
        form = ".2f" if abs(row["reproduced"]) >= 0.1 or row["reproduced"] == 0 else ".2g"
        cells = [
            *([row["protocol"]] if protocols else []),
            as_published(row),
            f"{row['reproduced']:{form}}{with_sd(row['reproduced_sd'], form)} ({row['n']})",
            f"{row['difference']:+{form}}" if known else "–",
            f"{MARKS[row['verdict']]} {row['verdict']}",
        ]
        name = html.escape(row.get("label", row["id"]))
        body.append(f'<tr><th scope="row">{name}</th>' + "".join(f"<td>{html.escape(c)}</td>" for c in cells) + "</tr>")
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    table = filled("verdicts.html", caption=html.escape(caption), head=columns, body="\n".join(body))
    return filled("region.html", label="Verdicts", table=f"\n{table}\n")
