"""The commands on experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ..data.command import Command
from ..data.stopping import telling
from ..data.terminal import line, log_stages
from . import compute, grid, protocols
from . import lab as networks
from .store import Store

PROTOCOLS = "|".join(protocols.names())

Directory = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Directory of results; default: $SRCLIB_RESULTS, else data/results."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Dask scheduler, tcp://HOST:PORT; default: own workers, one per core."),
]


class WithSettings(Command):
    """A command that takes `--set KEY VALUE`; `--set KEY=VALUE`, which typer knows, is understood as well."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _join_settings(args))


def _join_settings(args: Iterable[str]) -> list[str]:
    joined: list[str] = []
    rest = iter(args)
    for argument in rest:
        joined.append(argument)
        if argument in ("-s", "--set"):
            key = next(rest, None)
            if key is not None:
                joined.append(key if "=" in key else f"{key}={next(rest, '')}")
    return joined


def run(
    experiment: Annotated[str, typer.Argument(help=f"One of {', '.join(grid.experiments())}, or all.")],
    profile: Annotated[
        str, typer.Option(metavar="full|ci|smoke", help="How much: all seeds, some of them, or next to nothing.")
    ] = "full",
    protocol: Annotated[
        str, typer.Option(metavar=PROTOCOLS, help="The authors' code as it runs (released) or the paper's text.")
    ] = "released",
    scheduler: Scheduler = None,
    store: Directory = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", "-s", metavar="KEY VALUE", help="Change a setting of experiments.yaml, as `seeds 1`; repeatable."
        ),
    ] = None,
) -> None:
    """Compute the results of an experiment that the store lacks.

    Killing it loses only the runs in flight; start it again and it goes on.

    Example: `python -m srclib run fig1_patches --profile ci -s overlap_max 20 -s seeds 1`
    """
    log_stages()
    names = grid.experiments() if experiment == "all" else [experiment]
    changes = {name: _changes(name, profile, protocol, settings or []) for name in names}
    grids = {name: grid.grid(name, profile, protocol, **changes[name]) for name in names}
    for name, cells in grids.items():
        if not cells and experiment != "all":
            raise ValueError(f"{name}: these settings leave nothing to compute")
    kept = Store(store)

    def done() -> tuple[int, int]:
        every = {cell.key(): cell for cells in grids.values() for cell in cells}
        return sum(cell in kept for cell in every.values()), len(every)

    with telling(done, "results "):
        for name, cells in grids.items():
            records = compute.complete(name, cells, store=kept, scheduler=scheduler)
            line(f"{name}: {len(records)} results in {kept.directory}")


def _changes(name: str, profile: str, protocol: str, pairs: list[str]) -> dict[str, Any]:
    """Return the settings given as KEY=VALUE, each with the type that it has in `experiments.yaml`."""
    changes = {}
    for pair in pairs:
        key, _, text = pair.partition("=")
        present = grid.settings(name, profile, protocol, **{key: None})[key]  # ValueError for an unknown key
        if type(present) not in _TYPES:
            raise ValueError(f"setting {key} of {name} is {present!r}: it can be changed in experiments.yaml only")
        convert, allowed = _TYPES[type(present)]
        try:
            changes[key] = convert(text)
        except ValueError:
            raise ValueError(f"setting {key} of {name} = {text!r}: allowed is {allowed}") from None
    return changes


_TYPES: dict[type, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number"),
    bool: (lambda text: bool(("false", "true").index(text.lower())), "true or false"),
    str: (str, "a text"),
    list: (lambda text: [part.strip() for part in text.strip("[]").split(",")], "names with commas between them"),
}


def migrate(store: Directory = None) -> None:
    """Rewrite a store in the present schema, one line for each run; every file whole or not at all.

    Results stay as they are. What is stored in an older schema is read without this, too.

    Example: `python -m srclib results migrate --store build/results`
    """
    kept = existing(store)
    for file, lines in kept.migrate().items():
        line(f"{file}: {lines} lines written anew")
    line(f"{kept.directory}: {len(kept.records())} results")


def lab(
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder to write the files to; default: data/lab.")
    ] = None,
) -> None:
    """Train the networks of the sleep lab and write them as files that its page reads; it takes some minutes.

    Example: `python -m srclib lab --to build/lab`
    """
    files = networks.write(to)
    size = sum(path.stat().st_size for path in files)
    line(f"{len(files)} files, {size / 1e6:.1f} MB in {files[0].parent}")


def existing(directory: Path | None) -> Store:
    """Return the store of a directory; FileNotFoundError if there is none."""
    store = Store(directory)
    if not store.directory.is_dir():
        raise FileNotFoundError(f"{store.directory} is not a directory of results")
    return store
