"""The course of forgetting and sleeping to step through: self-contained HTML, a still picture without JavaScript."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.colors import to_hex

from . import figures
from .templates import filled

WIDTH, HEIGHT, BAR = 640, 230, 84  # pixels
TOP, BOTTOM, LEFT = 16, 196, 40


def recovery(phases: pd.DataFrame, tasks: Sequence[str], name: str = "recovery") -> str:
    """Return HTML in which a reader steps through trainings and sleeps and sees every task fall and come back.

    phases: as `summary.phases` returns it, with five tasks at most; the bars are means over networks. tasks: what they
    are called. name: starts every id on the page. Without JavaScript the end of the last sleep is shown.
    """
    means = phases.groupby(["phase", "tested"])["accuracy"].mean().unstack()
    names = figures.phase_names(phases).to_dict()
    frames: list[dict[str, Any]] = []
    for phase, accuracy in zip(means.index.tolist(), means.to_numpy(), strict=True):
        learned = int(phases.loc[phases["phase"] == phase, "task"].iloc[0])
        kind, number = names[phase][0], names[phase][1:]
        when = f"After {'training on task' if kind == 'T' else 'the sleep after task'} {number}"
        told = ", ".join(f"{task} {value:.0f} %" for task, value in zip(tasks, accuracy[: learned + 1], strict=False))
        heights = [round(float(value), 1) if k <= learned else 0.0 for k, value in enumerate(accuracy)]
        frames.append({"heights": heights, "said": f"{when}: {told}.", "name": names[phase]})
    bars = []
    for k, (task, value) in enumerate(zip(tasks, frames[-1]["heights"], strict=True)):
        x = LEFT + 30 + k * (BAR + 34)
        height = value / 100 * (BOTTOM - TOP)
        place = f'x="{x}" y="{BOTTOM - height:.1f}" width="{BAR}" height="{height:.1f}"'
        bars.append(
            f'<rect {place} fill="{to_hex(figures.TASKS[k])}"/>'
            f'<text class="value" x="{x + BAR / 2}" y="{BOTTOM - height - 4:.1f}">{value:.0f}</text>'
            f'<text class="task" x="{x + BAR / 2}" y="{BOTTOM + 20}">{html.escape(task)}</text>'
        )
    name = html.escape(name)
    return filled(
        "recovery.html",
        name=name,
        style=filled("recovery.css", name=name),
        script=filled("recovery.js", name=name, frames=json.dumps(frames), top=TOP, bottom=BOTTOM),
        bars="".join(bars),
        ticks="".join(f"<span>{frame['name']}</span>" for frame in frames),
        said=html.escape(frames[-1]["said"]),
        last=len(frames) - 1,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        bottom=BOTTOM,
        top=TOP,
    )
