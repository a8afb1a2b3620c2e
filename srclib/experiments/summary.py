"""Records of runs as numbers to show: accuracies by phase, final ones, sleeps, and where they come from."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import getitem
from typing import Any

import pandas as pd

from .protocols import PARTS
from .store import Record


def phases(records: Iterable[Record], images: str | None = None) -> pd.DataFrame:
    """Return the accuracies of records as a table: one row per record, phase and tested task.

    images: test or train, of runs that were tested on both; None: those that count.
    Columns: seed, overlap, phase (its number, from 0), kind, task (learned last), tested (the task tested), accuracy
    and overall (percent), cosine (with the weights after the first task).
    """
    return pd.DataFrame(
        {
            "seed": record["seed"],
            "overlap": record["cell"].get("overlap"),
            "phase": number,
            "kind": phase["kind"],
            "task": phase["task"],
            "tested": tested,
            "accuracy": 100 * accuracy,
            "overall": 100 * on["overall"],
            "cosine": phase["cosine"],
        }
        for record in records
        for number, phase in enumerate(record["metrics"]["phases"])
        for on in [phase["images"][images] if images else phase]
        for tested, accuracy in enumerate(on["accuracy"])
    )


def final(records: Iterable[Record], head: str | None = None) -> list[float]:
    """Return the final accuracy of every record, in percent: of the head that counts, or of one of several by name."""
    found = [record["metrics"] for record in records]
    return [100 * (m["phases"][-1]["heads"][head]["overall"] if head else m["final"]) for m in found]


def finals(records: Iterable[Record], *over: str, head: str | None = None) -> pd.DataFrame:
    """Return final accuracies in percent as a table: a row per value of the settings `over`, a column per seed.

    over: one setting or more, such as `icarl.memory`, as in `experiments.yaml`. head: as in `final`.
    """
    rows = [_values(r, over) | {"seed": r["seed"], "final": final([r], head)[0]} for r in records]
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
    """Return the values of settings such as `sleep.config.rate` in a record's cell; those of several numbers as tuples.

    A cell leaves out what is at its default.
    """
    parts = {plugin["is"].lower(): plugin for plugin in record["cell"]["plugins"]} | record["cell"]
    found: dict[str, Any] = {}
    for path in over:
        part, name, *inner = path.split(".")
        value = reduce(getitem, inner, parts[part][name] if name in parts[part] else getattr(PARTS[part], name))
        found[path] = tuple(value) if isinstance(value, list) else value
    return found


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
