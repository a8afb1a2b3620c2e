"""The command line: `python -m srclib --help`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from typer.core import TyperCommand

from . import bench as benchmark
from . import datasets, protocols, published, results
from . import search as searching
from . import verdicts as judged
from .store import Store

PROTOCOLS = "|".join(protocols.names())
WIDTH = 140  # columns where the output is no terminal

Directory = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Directory of results; default: $SRCLIB_RESULTS, else data/results."),
]


class Command(TyperCommand):
    """A command whose expected errors are one red line and exit code 2, and that takes `--set KEY VALUE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _join_settings(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, OSError, ArithmeticError) as error:
            _line(f"error: {error}", "red")
            raise typer.Exit(2) from None


def _join_settings(args: Iterable[str]) -> list[str]:
    """Turn `--set KEY VALUE` into `--set KEY=VALUE`, which is understood as well."""
    joined: list[str] = []
    rest = iter(args)
    for argument in rest:
        joined.append(argument)
        if argument in ("-s", "--set"):
            key = next(rest, None)
            if key is not None:
                joined.append(key if "=" in key else f"{key}={next(rest, '')}")
    return joined


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Sleep Replay Consolidation: compute results, judge them against the paper, measure, check data.",
)
data = typer.Typer(no_args_is_help=True, help="List, verify and prepare the data sets.")
app.add_typer(data, name="data")


@app.command(cls=Command)
def run(
    experiment: Annotated[str, typer.Argument(help=f"One of {', '.join(results.experiments())}, or all.")],
    profile: Annotated[
        str, typer.Option(metavar="full|ci|smoke", help="How much: all seeds, some of them, or next to nothing.")
    ] = "full",
    protocol: Annotated[
        str, typer.Option(metavar=PROTOCOLS, help="The authors' code as it runs (released) or the paper's text.")
    ] = "released",
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler, tcp://HOST:PORT; default: own workers, one per core."),
    ] = None,
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
    results.log_stages()
    names = results.experiments() if experiment == "all" else [experiment]
    changes = {name: _changes(name, profile, protocol, settings or []) for name in names}
    grids = {name: results.grid(name, profile, protocol, **changes[name]) for name in names}
    for name, cells in grids.items():
        if not cells:
            raise ValueError(f"{name}: these settings leave nothing to compute")
    kept = Store(store)
    for name, cells in grids.items():
        records = results.run(name, cells, store=kept, scheduler=scheduler)
        _line(f"{name}: {len(records)} results in {kept.directory}")


@app.command(cls=Command)
def verdicts(
    protocol: Annotated[str | None, typer.Option(metavar=PROTOCOLS, help="Judge one protocol; default: all.")] = None,
    store: Directory = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 if verdicts differ from data/published/expected_verdicts.csv.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Exit 1 if results in DIR, computed anew, drift from those of the store."),
    ] = None,
) -> None:
    """Compare the results of the store with the published values.

    --against looks at final accuracies of runs that both directories hold. They drift if one is further from the mean
    of its group (the same run with any seed) than 3 standard deviations and than 3 points.

    Example: `python -m srclib verdicts --check --against build/fresh`
    """
    if check and protocol:
        raise ValueError("--check compares the verdicts of all protocols: leave out --protocol")
    kept = _existing(store)
    frame = pd.concat([judged.table(kept, name) for name in ([protocol] if protocol else protocols.names())])
    if as_json:
        print(frame.to_json(orient="records", indent=2))
    else:
        _console().print(_verdict_table(frame))
    failures = published.check_expected(frame, published.EXPECTED) if check else []
    for line in failures:
        _line(line, "red")
    if check and not failures:
        _line(f"all {len(frame)} verdicts are as expected")
    if against:
        for group in judged.drift(kept, _existing(against)):
            _line(("DRIFT " if group.drifted else "ok    ") + str(group), "red" if group.drifted else "")
            failures += [str(group)] if group.drifted else []
    if failures:
        raise typer.Exit(1)


@app.command(cls=Command)
def search(
    study: Annotated[str, typer.Argument(help=f"One of {', '.join(searching.studies())}.")],
) -> None:
    """Search for the parameters of a method on held-out training images.

    Killing it loses only the trial in flight; start it again and it goes on. The outcome goes to data/searches; put the
    values found into the protocol.

    Example: `python -m srclib search described_mnist_sleep`
    """
    results.log_stages()
    searching.run(study)
    _line((searching.OUTCOMES / f"{study}.yaml").read_text())


@app.command(cls=Command)
def bench(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 5,
    threads: Annotated[str, typer.Option(metavar="N,M", help="Numbers of threads to time with.")] = "1,2",
    no_runs: Annotated[bool, typer.Option("--no-runs", help="Skip the two whole runs on MNIST.")] = False,
    file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report there too.")] = None,
) -> None:
    """Time a sleep step of the kernels and of a textbook loop, and measure the memory of a sleep.

    The case is the first sleep of Fashion-MNIST: 15,000 steps of a 784-1200-1200-10 network, released parameters. The
    whole runs are one seed of sequential training and of SRC on MNIST. It takes some minutes of a quiet machine.

    Example: `python -m srclib bench --repeats 3 --threads 1 --no-runs --json bench.json`
    """
    if not all(part.isdecimal() and int(part) > 0 for part in threads.split(",")):
        raise ValueError(f"--threads {threads!r}: allowed are whole numbers >= 1 with commas between them")
    runs = {} if no_runs else {name: results.cell("mnist", name) for name in ("sequential", "src")}
    numbers = [int(part) for part in threads.split(",")]
    report = benchmark.measure(benchmark.standard_case(), repeats=repeats, threads=numbers, runs=runs)
    if file:
        file.write_text(json.dumps(report, indent=2) + "\n")
    benchmark.show(report, _console())


Folder = Annotated[
    Path,
    typer.Option("--directory", metavar="DIR", show_default="data of the project", help="Directory of the data sets."),
]


@data.command("list", cls=Command)
def list_data(directory: Folder = datasets.DATA) -> None:
    """List the data sets: name, images, classes, where they are, size on disk.

    Example: `python -m srclib data list`
    """
    table = Table("name", "training images", "test images", "classes", "size", "where")
    for name in datasets.NAMES:
        files = {key: datasets.file_of(directory / name, key) for key in datasets.IDX_FILES}
        images = [
            f"{len(datasets.read_idx(files[key], datasets.SHA256[name][key])):,}" for key in ("y_train", "y_test")
        ]
        size = sum(path.stat().st_size for path in files.values())
        table.add_row(name, *images, str(len(datasets.CLASSES[name])), f"{size / 1e6:.1f} MB", str(directory / name))
    _console().print(table)


@data.command(cls=Command)
def verify(directory: Folder = datasets.DATA) -> None:
    """Check the SHA-256 of the content of every file; exit 1 and name those that are damaged or missing.

    Example: `python -m srclib data verify`
    """
    damaged = [error for name in datasets.NAMES for error in _faults(directory / name, name)]
    for error in damaged:
        _line(error, "red")
    if damaged:
        raise typer.Exit(1)
    _line(f"{', '.join(datasets.NAMES)}: all {len(datasets.NAMES) * len(datasets.IDX_FILES)} files are whole")


@data.command(cls=Command)
def prepare(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(datasets.NAMES)}.")],
    directory: Folder = datasets.DATA,
) -> None:
    """Make a data set ready for use. Those that come with the project are only checked.

    Example: `python -m srclib data prepare mnist`
    """
    found = datasets.load(name, directory)
    _line(f"{name} is ready: {len(found.y_train):,} training and {len(found.y_test):,} test images")


def _faults(folder: Path, name: str) -> Iterable[str]:
    for key, sha256 in datasets.SHA256[name].items():
        try:
            datasets.read_idx(datasets.file_of(folder, key), sha256)
        except (ValueError, OSError) as error:
            yield str(error)


def _changes(name: str, profile: str, protocol: str, pairs: list[str]) -> dict[str, Any]:
    """Return the settings given as KEY=VALUE, each with the type that it has in `experiments.yaml`."""
    changes = {}
    for pair in pairs:
        key, _, text = pair.partition("=")
        present = results.settings(name, profile, protocol, **{key: None})[key]  # ValueError for an unknown key
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


def _existing(directory: Path | None) -> Store:
    store = Store(directory)
    if not store.directory.is_dir():
        raise FileNotFoundError(f"{store.directory} is not a directory of results")
    return store


def _verdict_table(frame: pd.DataFrame) -> Table:
    table = Table(Column("value", overflow="fold"), "protocol", "published", "reproduced", "n", "difference", "verdict")
    for row in frame.to_dict("records"):
        published_sd, reproduced_sd = (
            "" if pd.isna(row[key]) else f" ± {row[key]:.2f}" for key in ("published_sd", "reproduced_sd")
        )
        known = not pd.isna(row["published"])
        table.add_row(
            row["id"],
            row["protocol"],
            f"{row['published']:g}{published_sd}" if known else published.NOT_AVAILABLE,
            f"{row['reproduced']:.2f}{reproduced_sd}",
            str(row["n"]),
            f"{row['difference']:+.2f}" if known else "",
            f"{published.MARKS[row['verdict']]} {row['verdict']}",
        )
    return table


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDTH)


def _line(text: str, style: str = "") -> None:
    """Print one line that is never wrapped, to the error stream."""
    _console(stderr=True).print(Text(text, style), soft_wrap=True)


if __name__ == "__main__":
    app(prog_name="python -m srclib")
