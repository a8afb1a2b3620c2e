"""The commands on data sets: `python -m srclib data --help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from .registry import load, sources
from .terminal import console, line

Folder = Annotated[
    Path | None,
    typer.Option("--directory", metavar="DIR", help="Where they are; default: data of the project, $SRCLIB_DATA."),
]


def list_data(directory: Folder = None) -> None:
    """List the data sets: name, images, classes, size on disk, where they are; `-` for one that is not there.

    Example: `python -m srclib data list`
    """
    table = Table("name", "training images", "test images", "classes", "size", "where")
    for name, source in sources().items():
        files = source.files(directory)
        size = f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB" if files else "-"
        try:
            where = str(source.where(directory))
        except FileNotFoundError:
            where = "the repository of the book"
        table.add_row(name, f"{source.train:,}", f"{source.test:,}", str(len(source.classes)), size, where)
    console().print(table)


def verify(directory: Folder = None) -> None:
    """Check every file of the data sets that are there; exit 1 and name those that are damaged or missing.

    Example: `python -m srclib data verify`
    """
    damaged = [fault for source in sources().values() for fault in source.faults(directory)]
    for fault in damaged:
        line(fault, "red")
    if damaged:
        raise typer.Exit(1)
    there = {name: len(files) for name, source in sources().items() if (files := source.files(directory))}
    line(f"{', '.join(there)}: all {sum(there.values())} files are whole")


def prepare(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(sources())}.")],
    directory: Folder = None,
) -> None:
    """Make a data set ready for use: check one that is embedded, download and convert another.

    Example: `python -m srclib data prepare cifar10`
    """
    found = load(name, directory)
    line(f"{name} is ready: {len(found.y_train):,} training and {len(found.y_test):,} test images")
