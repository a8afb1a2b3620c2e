"""Drawing: one style and one set of colours for every figure. Nothing here computes a result."""

from __future__ import annotations

import html
import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import HTML, display
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from ..data import STREAMS
from ..verdicts import statistics
from .templates import filled

NOTHING = "–"  # in place of a number of no run
CAPTIONED = "srclib"  # where the metadata of an output hold the caption
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


def show(
    figure: Figure, name: str, *, caption: str, alt: str, data: pd.DataFrame | None = None, raster: bool = False
) -> None:
    """Show a figure with its caption and text alternative, and its numbers as a file.

    name: by which the text refers to it. caption, alt: with numbers from the store, as all sentences. data: what is
    drawn; None: what `drawn` finds in the figure. raster: as pixels, for thousands of points; else as SVG.

    A built page shows the caption below the figure: the build takes it from the metadata of the output (CAPTIONED).
    """
    form, kind = ("png", "image/png") if raster else ("svg", "image/svg+xml")
    file = io.BytesIO()
    figure.savefig(file, format=form, transparent=True, dpi=200, metadata={"Date": None} if form == "svg" else None)
    plt.close(figure)
    content = b64encode(file.getvalue()).decode() if raster else file.getvalue().decode()
    metadata = {kind: {CAPTIONED: {"name": name, "caption": caption, "alt": alt}}}
    display({kind: content}, raw=True, metadata=metadata)
    table = drawn(figure) if data is None else data
    display(HTML(filled("data.html", name=html.escape(name), content=quote(table.to_csv(index=False)))))


def drawn(figure: Figure) -> pd.DataFrame:
    """Return the numbers that a figure draws as lines, dots and bars: a row for each point, (panel, series, x, y)."""
    rows: list[tuple[str, str, object, object]] = []
    for number, ax in enumerate(figure.axes, 1):
        panel = ax.get_title() or ax.get_ylabel() or str(number)
        for line in ax.get_lines():
            xs, ys = (np.asarray(values) for values in line.get_data())
            rows += [(panel, str(line.get_label()), x, y) for x, y in zip(xs, ys, strict=True)]
        for points in ax.collections:
            if isinstance(points, PathCollection):
                offsets = np.ma.getdata(points.get_offsets())
                rows += [(panel, str(points.get_label()), x, y) for x, y in np.asarray(offsets, float)]
        for bar in ax.patches:
            if isinstance(bar, Rectangle):
                rows.append(
                    (panel, str(bar.get_label()), bar.get_x() + bar.get_width() / 2, bar.get_y() + bar.get_height())
                )
    found = pd.DataFrame(rows, columns=["panel", "series", "x", "y"])
    found["series"] = found["series"].where(~found["series"].str.startswith("_"), "")
    return found


def use_style() -> None:
    """Set the style of every figure: no background (the page has one, light or dark), no frame above and right.

    Jitter is the same whenever a figure is drawn.
    """
    np.random.seed(0)  # noqa: NPY002 (seaborn draws its jitter from here)
    sns.set_theme(
        context="notebook",
        style="ticks",
        palette="colorblind",
        rc={
            "figure.dpi": 150,
            "savefig.dpi": 150,
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "svg.fonttype": "path",
            "svg.hashsalt": "srclib",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "font.size": 11,
            "axes.titlesize": 11,
            "axes.labelsize": 11,
            "legend.frameon": False,
        },
    )


def diverged(values: ArrayLike) -> str:
    """Return how many of some runs diverged, those that are not finite, as text; "" if none did."""
    runs, known = np.size(values), statistics.finite(values).size
    return f"{runs - known} of {runs} diverged" if known < runs else ""


def spread(values: ArrayLike, *, count: bool = False) -> str:
    """Return the mean of runs and, of more than one, their standard deviation as text, and how many diverged, if any.

    Those that diverged have no part in mean and standard deviation. count: say how many runs there are in any case.
    Without a run, a dash.
    """
    if not np.size(values):
        return NOTHING
    known, lost = statistics.finite(values), diverged(values)
    if lost and not known.size:
        return lost
    text = f"{statistics.mean(known):.1f}" + (f" ± {statistics.sd(known):.1f}" if known.size > 1 else "")
    if not lost and not count:
        return text
    return f"{text} ({lost or np.size(values)})"


def gain(values: ArrayLike) -> str:
    """Return the mean change of runs with its sign and, of more than one, its standard error as text."""
    mean, error = statistics.mean_and_error(statistics.finite(values))
    return f"{mean:+.1f}" + (f" ± {error:.1f}" if np.size(values) > 1 else "")


def change(values: ArrayLike, control: ArrayLike, digits: int = 1) -> str:
    """Return the mean difference of two runs of every network, in the same order, with its 95 % interval as text.

    Where either is without a run, a dash.
    """
    if not (np.size(values) and np.size(control)):
        return NOTHING
    pairs = np.subtract(*(np.asarray(runs, float) for runs in (values, control)))
    return interval(pairs, digits)


def interval(values: ArrayLike, digits: int = 1, *, sign: bool = True) -> str:
    """Return the mean over networks with its 95 % interval as text, "?" where no number is finite.

    digits: behind the point. sign: with a plus, as of a change.
    """
    if not statistics.finite(values).size:
        return "?"
    found, form = statistics.of_mean(statistics.Sample.of(values)), f"{'+' * sign}.{digits}f"
    limits = f" [{found.low:{form}}, {found.high:{form}}]" if np.isfinite(found.half) else ""
    return f"{found.mean:{form}}{limits}".replace("-", "−")


def resolved(changes: Mapping[str, ArrayLike]) -> str:
    """Return where the 95 % interval of a mean change lies above zero, where below, and where it holds zero, as text.

    changes: one change of every network, by the name of the place; of a single network, nothing is resolved.
    """
    sides: dict[str, list[str]] = {"above zero at": [], "below zero at": [], "undecided at": []}
    for place, values in changes.items():
        known = statistics.finite(values)
        low, high = (-1.0, 1.0)  # of none
        if known.size:
            found = statistics.of_mean(statistics.Sample.of(known))
            low, high = found.low, found.high
        sides["above zero at" if low > 0 else "below zero at" if high < 0 else "undecided at"].append(place)
    return "; ".join(f"{side} {', '.join(places)}" for side, places in sides.items() if places)


def images(axes: Sequence[Axes], x: ArrayLike, titles: Sequence[str]) -> None:
    """Show square images, x (n, side * side), one per axes."""
    for ax, image, title in zip(axes, np.asarray(x), titles, strict=True):
        side = int(len(image) ** 0.5)
        ax.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        ax.set(title=title, xticks=[], yticks=[])
        sns.despine(ax=ax, left=False, bottom=False, top=False, right=False)


def mean_line(ax: Axes, data: pd.DataFrame, x: str, y: str, **style: Any) -> None:
    """Draw the mean of y over seeds against x, with the standard error of the mean as error bars."""
    groups = data.groupby(x)[y]
    ax.errorbar(groups.mean().index, groups.mean(), yerr=groups.sem().fillna(0), capsize=2, **style)


def row_means(ax: Axes, table: pd.DataFrame, x: ArrayLike | None = None, **style: Any) -> None:
    """Draw the mean of every row of a table over its columns, the networks, with its standard error as error bars.

    x: where; None: at 0, 1, 2 and so on.
    """
    mean, error = statistics.mean_and_error(table.to_numpy().T)
    ax.errorbar(range(len(table)) if x is None else x, mean, error, **{"capsize": 2, "ms": 5} | style)


def dots(ax: Axes, row: float, values: ArrayLike, color: object, *, mean: bool = False, **style: Any) -> None:
    """Draw every network as a dot in a row, and write at its end how many diverged; mean: and their mean as a line."""
    values = np.asarray(values, float)
    look: dict[str, Any] = {"color": color, "ms": 5.5, "alpha": 0.6} | style
    ax.plot(values, [row] * len(values), "o", **look)
    if lost := diverged(values):
        place: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "ha": "right", "va": "center", "size": 9}
        ax.annotate(lost, (0.99, row), **place)
    if mean:
        ax.plot([statistics.mean(values)] * 2, [row - 0.3, row + 0.3], color="k", lw=2)


def published(ax: Axes, row: float, value: Mapping[str, Any] | pd.Series) -> None:
    """Draw a published value, with `value` and `sd`, as a grey square with its standard deviation in a row."""
    color = COLORS["published"]
    ax.errorbar(value["value"], row, xerr=value["sd"], fmt="s", color=color, capsize=3, ms=5)


def name_rows(ax: Axes, names: Iterable[str]) -> None:
    """Name the rows of a picture, from the top down."""
    names = list(names)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()


def bars(ax: Axes, values: Mapping[str, Mapping[str, ArrayLike]], colors: Mapping[str, object]) -> None:
    """Draw groups of bars: values[group][bar] are runs; error bars are the standard error over runs."""
    width = 0.8 / len(colors)
    for place, bars_of in enumerate(values.values()):
        for i, (name, runs) in enumerate(bars_of.items()):
            mean, error = statistics.mean_and_error(runs)
            x = place + (i - (len(colors) - 1) / 2) * width
            label = name if place == 0 else None
            ax.bar(x, mean, width * 0.92, yerr=error, capsize=2, color=colors[name], label=label)
    ax.axhline(0, color="k", lw=0.8)
    ax.set_xticks(range(len(values)), list(values))


def phase_names(data: pd.DataFrame) -> pd.Series:
    """Return the names of phases, T for training and S for sleep with the task's number, by the number of the phase.

    data: as `summary.phases` returns it.
    """
    kinds = data.drop_duplicates("phase").sort_values("phase").set_index("phase")
    names: pd.Series = kinds.kind.str[0].str.upper() + (kinds.task + 1).astype(str)
    return names


def shade_sleeps(ax: Axes, data: pd.DataFrame) -> None:
    """Shade the phases of sleep, data as of `summary.phases`, and name the phases below."""
    names = phase_names(data)
    for phase in names.index[names.str.startswith("S")]:
        ax.axvspan(phase - 0.5, phase + 0.5, color="0.94", lw=0, zorder=0)
    ax.set_xticks(names.index, names)


def task_heatmap(ax: Axes, data: pd.DataFrame) -> None:
    """Show the accuracy of every task (rows) after every phase (columns), mean ± standard error over networks.

    data: as `summary.phases` returns it.
    """
    groups = data.groupby(["tested", "phase"]).accuracy
    mean, error = groups.mean().unstack(), groups.sem().unstack().fillna(0)
    sns.heatmap(
        mean, ax=ax, fmt="", cmap="cividis", vmin=0, vmax=100,
        annot=mean.map("{:.0f}".format) + "\n±" + error.map("{:.0f}".format), annot_kws={"size": 9},
        xticklabels=phase_names(data), yticklabels=[f"task {k + 1}" for k in mean.index],
        linewidths=0.5, cbar_kws={"label": "accuracy (%)", "pad": 0.02},
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)
    plt.setp(ax.get_yticklabels(), rotation=0)
    plt.setp(ax.get_xticklabels(), rotation=0)


def two_tasks(ax: Axes, data: pd.DataFrame) -> None:
    """Draw the accuracy of two tasks after every phase, a thin line for each network and a thick one for their mean.

    data: as `summary.phases` returns it.
    """
    for k, marker in enumerate("oD"):
        runs = data[data.tested == k].pivot(index="phase", columns="seed", values="accuracy")
        color = COLORS[f"task {k + 1}"]
        ax.plot(runs.index, runs, color=color, lw=0.8, alpha=0.5)
        ax.plot(runs.index, runs.mean(axis=1), color=color, marker=marker, lw=2.5, ms=7, label=f"task {k + 1}")
    shade_sleeps(ax, data)
    ax.set(xlabel="phase: training (T) or sleep (S)", ylabel="accuracy (%)", ylim=(-3, 103))
