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
from . import judging, manifest, published, reproduced
from .drift import drift


def verdicts(
    protocol: Annotated[str | None, typer.Option(metavar=PROTOCOLS, help="Judge one protocol; default: all.")] = None,
    store: Directory = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit 1 if verdicts differ from the expected ones, or results from the manifest."),
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write the manifest anew: the results of the store are as they should be.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Exit 1 if results in DIR, computed anew, drift from those of the store."),
    ] = None,
) -> None:
    """Compare the results of the store with the published values.

    --check compares them with data/published/expected_verdicts.csv, and what they rest on with the manifest of the
    store. --against looks at final accuracies of runs that both directories hold: one drifts if it is further than 3
    points from the committed run of its seed, and further than 3 standard deviations and than 3 points from the mean of
    the runs with any seed.

    Example: `python -m srclib verdicts --check --against build/fresh`
    """
    if check and accept:
        raise ValueError(
            "--check asks whether the results are as the manifest says, --accept makes it say so: one of both"
        )
    if check and protocol:
        raise ValueError("--check compares the verdicts of all protocols: leave out --protocol")
    kept = existing(store)
    frame = pd.concat([reproduced.table(kept, name) for name in ([protocol] if protocol else protocols.names())])
    if as_json:
        print(frame.to_json(orient="records", indent=2))
    else:
        console().print(_verdict_table(frame))
    if accept:
        line(f"{manifest.write(kept)} is written")
    failures = judging.check_expected(frame, published.EXPECTED) + manifest.check(kept) if check else []
    for failure in failures:
        line(failure, "red")
    if check and not failures:
        line(f"all {len(frame)} verdicts are as expected, all results as the manifest says")
    if against:
        for group in drift(kept, existing(against)):
            line(("DRIFT " if group.drifted else "ok    ") + str(group), "red" if group.drifted else "")
            failures += [str(group)] if group.drifted else []
    if failures:
        raise typer.Exit(1)


def _verdict_table(frame: pd.DataFrame) -> Table:
    table = Table(Column("value", overflow="fold"), "protocol", "published", "reproduced", "n", "difference", "verdict")
    for row in frame.to_dict("records"):
        reproduced_sd = "" if pd.isna(row["reproduced_sd"]) else f" ± {row['reproduced_sd']:.2f}"
        known = not pd.isna(row["published"])
        table.add_row(
            row["id"],
            row["protocol"],
            judging.as_published(row),
            f"{row['reproduced']:.2f}{reproduced_sd}",
            str(row["n"]),
            f"{row['difference']:+.2f}" if known else "",
            f"{judging.MARKS[row['verdict']]} {row['verdict']}",
        )
    return table
