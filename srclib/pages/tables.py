"""Tables of verdicts as HTML."""

from __future__ import annotations

import html
import math

import pandas as pd

from ..verdicts.judging import CAPTION, MARKS, as_published, with_sd


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
    text = html.escape(caption)
    return (  # the region can be focused, so that a keyboard can scroll a table wider than a phone
        f'<div role="region" aria-label="Verdicts" tabindex="0" style="overflow-x: auto">\n'
        f'<table class="table verdicts">\n<caption>{text}</caption>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n'
        + "\n".join(body)
        + "\n</tbody>\n</table>\n</div>"
    )
