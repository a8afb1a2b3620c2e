"""The commands on data sets: `python -m srclib data --help`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from . import datasets, natural
from .terminal import console, line

Folder = Annotated[
    Path | None,
    typer.Option("--directory", metavar="DIR", help="Where they are; default: data of the project, $SRCLIB_DATA."),
]


def list_data(directory: Folder = None) -> None:
    """List the data sets: name, images, classes, size on disk, where they are; `-` for one that is not prepared.

    Example: `python -m srclib data list`
    """
    table = Table("name", "training images", "test images", "classes", "size", "where")
    for name in datasets.EMBEDDED:
        folder = (directory or datasets.DATA) / name
        files = {key: datasets.file_of(folder, key) for key in datasets.IDX_FILES}
        images = [
            f"{len(datasets.read_idx(files[key], datasets.SHA256[name][key])):,}" for key in ("y_train", "y_test")
        ]
        size = sum(path.stat().st_size for path in files.values())
        table.add_row(name, *images, str(len(datasets.CLASSES[name])), f"{size / 1e6:.1f} MB", str(folder))
    for name, source in natural.SOURCES.items():
        path = natural.path_of(name, directory)
        there = f"{path.stat().st_size / 1e6:.1f} MB" if path.exists() else "-"
        table.add_row(name, f"{source.train:,}", f"{source.test:,}", str(source.classes), there, str(path))
    console().print(table)


def verify(directory: Folder = None) -> None:
    """Check every file of the data sets that are there; exit 1 and name those that are damaged or missing.

    Example: `python -m srclib data verify`
    """
    damaged = [fault for name in datasets.EMBEDDED for fault in _faults((directory or datasets.DATA) / name, name)]
    there = [name for name in natural.SOURCES if natural.path_of(name, directory).exists()]
    for name in there:
        try:
            natural.arrays(name, directory)
        except ValueError as error:
            damaged.append(str(error))
    for fault in damaged:
        line(fault, "red")
    if damaged:
        raise typer.Exit(1)
    files = len(datasets.EMBEDDED) * len(datasets.IDX_FILES) + len(there)
    line(f"{', '.join([*datasets.EMBEDDED, *there])}: all {files} files are whole")


def prepare(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(datasets.NAMES)}.")],
    directory: Folder = None,
) -> None:
    """Make a data set ready for use: check one that is embedded, download and convert another.

    Example: `python -m srclib data prepare cifar10`
    """
    found = datasets.load(name, directory)
    line(f"{name} is ready: {len(found.y_train):,} training and {len(found.y_test):,} test images")


def _faults(folder: Path, name: str) -> Iterable[str]:
    for key, sha256 in datasets.SHA256[name].items():
        try:
            datasets.read_idx(datasets.file_of(folder, key), sha256)
        except (ValueError, OSError) as error:
            yield str(error)
