"""Drawing: one style and one set of colours for every figure. Nothing here computes a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ..data import STREAMS

_COLORBLIND = sns.color_palette("colorblind")
COLORS = {
    "task 1": _COLORBLIND[0],
    "task 2": _COLORBLIND[1],
    "sleep": _COLORBLIND[2],
    "rehearsal": _COLORBLIND[0],
    "unique to T1": _COLORBLIND[2],
    "unique to T2": _COLORBLIND[1],
    "overlapping": _COLORBLIND[4],
    "published": (0.45, 0.45, 0.45),
}
DATASETS = {name: stream.label for name, stream in STREAMS.items()}
TASKS = sns.color_palette("viridis", 5)  # tasks in the order they are learned


def use_style() -> None:
    """Set the style of every figure: white background (readable on a dark page), no frame above and right."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        palette="colorblind",
        rc={
            "figure.dpi": 150,
            "savefig.dpi": 150,
            "figure.facecolor": "white",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "font.size": 11,
            "axes.titlesize": 11,
            "axes.labelsize": 11,
            "legend.frameon": False,
        },
    )


def spread(values: ArrayLike) -> str:
    """Return the mean of runs and, of more than one, their standard deviation as text."""
    values = np.asarray(values, float)
    return f"{values.mean():.1f}" + (f" ± {values.std(ddof=1):.1f}" if values.size > 1 else "")


def images(axes: Sequence[Axes], x: ArrayLike, titles: Sequence[str]) -> None:
    """Show square images, x (n, side * side), one per axes."""
    for ax, image, title in zip(axes, np.asarray(x), titles, strict=True):
        side = int(len(image) ** 0.5)
        ax.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        ax.set(title=title, xticks=[], yticks=[])
        sns.despine(ax=ax, left=False, bottom=False, top=False, right=False)


def mean_line(ax: Axes, data: pd.DataFrame, x: str, y: str, **style: object) -> None:
    """Draw the mean of y over seeds against x, with the standard error of the mean as error bars."""
    groups = data.groupby(x)[y]
    ax.errorbar(groups.mean().index, groups.mean(), yerr=groups.sem().fillna(0), capsize=2, **style)  # type: ignore[arg-type]


def bars(ax: Axes, values: Mapping[str, Mapping[str, ArrayLike]], colors: Mapping[str, object]) -> None:
    """Draw groups of bars: values[group][bar] are runs; error bars are the standard error over runs."""
    width = 0.8 / len(colors)
    for place, bars_of in enumerate(values.values()):
        for i, (name, runs) in enumerate(bars_of.items()):
            runs = np.asarray(runs, float)
            error = runs.std(ddof=1) / len(runs) ** 0.5 if len(runs) > 1 else 0
            x = place + (i - (len(colors) - 1) / 2) * width
            label = name if place == 0 else None
            ax.bar(x, runs.mean(), width * 0.92, yerr=error, capsize=2, color=colors[name], label=label)
    ax.axhline(0, color="k", lw=0.8)
    ax.set_xticks(range(len(values)), list(values))


def task_heatmap(ax: Axes, accuracy: pd.DataFrame, error: pd.DataFrame | None = None) -> None:
    """Show accuracies in percent, tasks (rows) by phases (columns), each cell with its number."""
    text = accuracy.map("{:.0f}".format)
    if error is not None:
        text = text + "\n±" + error.map("{:.0f}".format)
    sns.heatmap(
        accuracy, ax=ax, annot=text, fmt="", cmap="cividis", vmin=0, vmax=100, annot_kws={"size": 9},
        linewidths=0.5, cbar_kws={"label": "accuracy (%)", "pad": 0.02},
    )  # fmt: skip
    ax.tick_params(length=0)
    plt.setp(ax.get_yticklabels(), rotation=0)
    plt.setp(ax.get_xticklabels(), rotation=0)


def two_tasks(ax: Axes, data: pd.DataFrame) -> None:
    """Draw the accuracy of two tasks after every phase, a thin line for each network and a thick one for their mean.

    data: as `summary.phases` returns it. Phases are named T for training and S for sleep, with the task's number.
    """
    kinds = data.drop_duplicates("phase").sort_values("phase")
    for k, marker in enumerate("oD"):
        runs = data[data.tested == k].pivot(index="phase", columns="seed", values="accuracy")
        color = COLORS[f"task {k + 1}"]
        ax.plot(runs.index, runs, color=color, lw=0.8, alpha=0.5)
        ax.plot(runs.index, runs.mean(axis=1), color=color, marker=marker, lw=2.5, ms=7, label=f"task {k + 1}")
    for phase in kinds.phase[kinds.kind == "sleep"]:
        ax.axvspan(phase - 0.5, phase + 0.5, color="0.94", lw=0, zorder=0)
    names = [f"{'S' if kind == 'sleep' else 'T'}{task + 1}" for kind, task in zip(kinds.kind, kinds.task, strict=True)]
    ax.set_xticks(kinds.phase, names)
    ax.set(xlabel="phase: training (T) or sleep (S)", ylabel="accuracy (%)", ylim=(-3, 103))
