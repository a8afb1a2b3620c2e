"""The commands on verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.table import Column, Table

from ..data.terminal import console, line
from ..experiments import protocols
from ..experiments.commands import PROTOCOLS, Directory, existing
from . import claims, manifest, reproduced
from .drift import drift
from .judging import MARKS


def verdicts(
    protocol: Annotated[str | None, typer.Option(metavar=PROTOCOLS, help="Judge one protocol; default: all.")] = None,
    store: Directory = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit 1 if results or verdicts differ from the manifest."),
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write the manifest anew: the results of the store are as they should be.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Exit 1 if results in DIR, computed anew, drift from those of the store."),
    ] = None,
) -> None:
    """Judge the published values, and the claims of the paper, by the results of the store.

    --check compares verdicts, and the results that they rest on, with the manifest of the store. --against looks at
    final accuracies of runs that both directories hold: one drifts if it is further than 3 points from the committed
    run of its seed, and further than 3 standard deviations and than 3 points from the mean of the runs with any seed.

    Example: `python -m srclib verdicts --check --against build/fresh`
    """
    if check and accept:
        raise ValueError(
            "--check asks whether the results are as the manifest says, --accept makes it say so: one of both"
        )
    if check and protocol:
        raise ValueError("--check compares the verdicts of all protocols: leave out --protocol")
    kept = existing(store)
    values: list[pd.DataFrame] = []
    judged: list[pd.DataFrame] = []
    for name in [protocol] if protocol else protocols.names():
        found = reproduced.reproduced(kept, name)
        values.append(reproduced.frame(found))
        judged.append(claims.frame(claims.tested(kept, found, name)))
    frame, claimed = pd.concat(values), pd.concat(judged)
    if as_json:
        parts = {"values": frame, "claims": claimed}
        print(
            "{"
            + ",\n".join(f'"{name}": {part.to_json(orient="records", indent=2)}' for name, part in parts.items())
            + "}"
        )
    else:
        console().print(_value_table(frame))
        console().print(_claim_table(claimed))
    if accept:
        line(f"{manifest.write(kept)} is written")
    failures = manifest.check(kept) + reproduced.without_verdict(frame) if check else []
    for failure in failures:
        line(failure, "red")
    if check and not failures:
        line(f"all {len(frame)} values and {len(claimed)} claims are judged as the manifest says, on its results")
    if against:
        for group in drift(kept, existing(against)):
            line(("DRIFT " if group.drifted else "ok    ") + str(group), "red" if group.drifted else "")
            failures += [str(group)] if group.drifted else []
    if failures:
        raise typer.Exit(1)


def _value_table(frame: pd.DataFrame) -> Table:
    head = ("protocol", "published", "reproduced", "n", "difference", "verdict", "effect", "verdict on it")
    table = Table(Column("value", overflow="fold"), *head)
    for row in frame.to_dict("records"):
        sd = reproduced.with_sd(row["reproduced_sd"], ".2f")
        table.add_row(
            row["id"],
            row["protocol"],
            reproduced.as_published(row),
            f"{row['reproduced']:.2f}{sd}" if row["n"] else "",
            str(row["n"]) + (f" ({row['diverged']} diverged)" if row["diverged"] else ""),
            _interval(row["difference"], row["low"], row["high"]),
            f"{MARKS[row['verdict']]} {row['verdict']}",
            _interval(row["effect"], row["effect_low"], row["effect_high"]),
            f"{MARKS[row['effect_verdict']]} {row['effect_verdict']}" if row["effect_verdict"] else "",
        )
    return table


def _claim_table(frame: pd.DataFrame) -> Table:
    table = Table("claim", "protocol", Column("words", overflow="fold"), Column("ours", overflow="fold"), "verdict")
    for row in frame.to_dict("records"):
        verdict = f"{MARKS[row['verdict']]} {row['verdict']}"
        table.add_row(str(row["number"]), row["protocol"], row["words"], row["sentence"], verdict)
    return table


def _interval(mean: float, low: float, high: float) -> str:
    return "" if pd.isna(mean) or pd.isna(low) else f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"
