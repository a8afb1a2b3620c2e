"""Records of runs as numbers to show: accuracies by phase, final ones, sleeps, and where they come from."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from ..learning.methods import part_of
from .cell import Cell
from .records import Record


def phases(records: Iterable[Record], images: str | None = None) -> pd.DataFrame:
    """Return the accuracies of records as a table: one row per record, phase and tested task.

    images: test or train, of runs that were tested on both; None: those that count.
    Columns: seed, overlap, phase (its number, from 0), kind, task (learned last), tested (the task tested), accuracy
    and overall (percent), cosine (with the weights after the first task). Accuracies are nan once a run has diverged.
    """
    return pd.DataFrame(
        {
            "seed": record["seed"],
            "overlap": record.get("at", {}).get("overlap"),
            "phase": number,
            "kind": phase["kind"],
            "task": phase["task"],
            "tested": tested,
            "accuracy": math.nan if lost else 100 * accuracy,
            "overall": math.nan if lost else 100 * on["overall"],
            "cosine": math.nan if lost else phase["cosine"],
        }
        for record in records
        for number, phase in enumerate(record["metrics"]["phases"])
        for lost in [record["metrics"].get("diverged", False) and phase["cosine"] is None]
        for on in [phase["images"][images] if images else phase]
        for tested, accuracy in enumerate(on["accuracy"])
    )


def last_phase(records: Iterable[Record], images: str | None = None) -> pd.DataFrame:
    """Return the rows of `phases` after the last phase."""
    found = phases(records, images)
    last: pd.DataFrame = found[found.phase == found.phase.max()]
    return last


def final(records: Iterable[Record], head: str | None = None) -> list[float]:
    """Return the final accuracy of every record, in percent; nan where the run diverged.

    head: which of several counts, by name; None: the one that the run counts.
    """
    return [_final(record, head) for record in records]


def _final(record: Record, head: str | None) -> float:
    metrics = record["metrics"]
    if metrics.get("diverged"):
        return math.nan
    return 100 * float(metrics["phases"][-1]["heads"][head]["overall"] if head else metrics["final"])


def finals(records: Iterable[Record], *over: str, head: str | None = None) -> pd.DataFrame:
    """Return final accuracies in percent as a table: a row per value of the settings `over`, a column per seed.

    over: one setting or more, such as `icarl.memory`, as in `experiments.yaml`. head: as in `final`.
    """
    rows = [_values(record, over) | {"seed": record["seed"], "final": _final(record, head)} for record in records]
    return pd.DataFrame(rows).pivot(index=list(over), columns="seed", values="final")


def last_sleeps(records: Iterable[Record], *over: str) -> pd.DataFrame:
    """Return `steps` and spikes of every layer of the last sleep, means over seeds: a row per value of `over`."""
    rows = []
    for record in records:
        sleep = [phase for phase in record["metrics"]["phases"] if phase["kind"] == "sleep"][-1]
        layers = [*(f"hidden layer {i + 1}" for i in range(len(sleep["spikes"]) - 1)), "outputs"]
        spikes = dict(zip(layers, sleep["spikes"], strict=True))
        rows.append(_values(record, over) | {"steps": sleep["steps"]} | spikes)
    return pd.DataFrame(rows).groupby(list(over)).mean()


def _values(record: Record, over: Iterable[str]) -> dict[str, Any]:
    """Return the values of settings such as `sleep.config.rate` that the experiment of a record varies."""
    at = record["at"]
    for path in over:
        if path not in at:
            raise ValueError(f"{path} is no setting that this experiment varies: allowed is one of {', '.join(at)}")
    return {path: at[path] for path in over}


def provenance(records: Iterable[Record]) -> str:
    """Return one sentence on how, when, where and from which source records were computed; each is counted once."""
    records = list({record["key"]: record for record in records}.values())
    if not records:
        return "No runs: skipped, no data."
    commits = sorted({record["commit"][:10] for record in records})
    dates = sorted(record["date"][:10] for record in records)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    versions = ", ".join(
        f"{package} {' and '.join(sorted({record['versions'][package] for record in records}))}"
        for package in records[0]["versions"]
    )
    devices = "; ".join(sorted({record["device"] for record in records}))
    seconds = sum(record["seconds"] for record in records)
    return (
        f"{len(records)} runs, computed {when} from commit {', '.join(commits)} in {seconds / 60:.1f} core-minutes "
        f"on {devices}; {versions}."
    )


def kept(record: Record, images: int, *parts: str) -> int:
    """Return how many numbers of the past the methods of a record keep for the next task.

    images: trained on so far. parts: which methods, as stored; none: all of them. What two keep, the mean input for
    example, counts once: of several methods, it is the one that keeps most that counts.
    """
    cell = Cell.from_plain(record["cell"])
    of = [plugin.kept(cell.awake.layers, images) for plugin in cell.plugins if not parts or part_of(plugin) in parts]
    return max(of, default=0)
