"""The command line: `python -m srclib --help`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.table import Column, Table

from . import backbone as backbones
from . import bench as benchmark
from . import bench_gpu, data_commands, datasets, protocols, published, results
from . import search as searching
from . import verdicts as judged
from .store import Store
from .studies import studies
from .terminal import Command, console, line

PROTOCOLS = "|".join(protocols.names())

Directory = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Directory of results; default: $SRCLIB_RESULTS, else data/results."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Dask scheduler, tcp://HOST:PORT; default: own workers, one per core."),
]
ReportFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report there too.")]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Sleep Replay Consolidation: compute results, judge them against the paper, measure, check data.",
)
app.add_typer(data_commands.app, name="data")


@app.command(cls=Command)
def run(
    experiment: Annotated[str, typer.Argument(help=f"One of {', '.join(results.experiments())}, or all.")],
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
    results.log_stages()
    names = results.experiments() if experiment == "all" else [experiment]
    changes = {name: _changes(name, profile, protocol, settings or []) for name in names}
    grids = {name: results.grid(name, profile, protocol, **changes[name]) for name in names}
    for name, cells in grids.items():
        if not cells and experiment != "all":
            raise ValueError(f"{name}: these settings leave nothing to compute")
    kept = Store(store)
    for name, cells in grids.items():
        records = results.run(name, cells, store=kept, scheduler=scheduler)
        line(f"{name}: {len(records)} results in {kept.directory}")


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
        console().print(_verdict_table(frame))
    failures = published.check_expected(frame, published.EXPECTED) if check else []
    for failure in failures:
        line(failure, "red")
    if check and not failures:
        line(f"all {len(frame)} verdicts are as expected")
    if against:
        for group in judged.drift(kept, _existing(against)):
            line(("DRIFT " if group.drifted else "ok    ") + str(group), "red" if group.drifted else "")
            failures += [str(group)] if group.drifted else []
    if failures:
        raise typer.Exit(1)


@app.command(cls=Command)
def search(
    study: Annotated[str, typer.Argument(help=f"One of {', '.join(studies())}.")],
    scheduler: Scheduler = None,
) -> None:
    """Search for the parameters of a method on held-out training images.

    Every worker of the scheduler takes part. Killing it loses only the trials in flight; start it again and it goes on.
    The outcome goes to data/searches; a protocol takes it by its name: `sleep: {found: described_mnist_sleep}`.

    Example: `python -m srclib search described_mnist_sleep`
    """
    results.log_stages()
    searching.run(study, scheduler=scheduler)
    line((searching.OUTCOMES / f"{study}.yaml").read_text())


@app.command(cls=Command)
def bench(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 5,
    threads: Annotated[str, typer.Option(metavar="N,M", help="Numbers of threads to time with.")] = "1,2",
    no_runs: Annotated[bool, typer.Option("--no-runs", help="Skip the two whole runs on MNIST.")] = False,
    file: ReportFile = None,
) -> None:
    """Time a sleep step of the kernels and of a textbook loop, and measure the memory of a sleep.

    The case is the first sleep of Fashion-MNIST: 15,000 steps of a 784-1200-1200-10 network, released parameters. The
    whole runs are one seed of sequential training and of SRC on MNIST. It takes some minutes of a quiet machine.

    Example: `python -m srclib bench --repeats 3 --threads 1 --no-runs --json bench.json`
    """
    counts = _numbers("--threads", threads)
    runs = {} if no_runs else {name: results.cell("mnist", name) for name in ("sequential", "src")}
    report = benchmark.measure(benchmark.standard_case(), repeats=repeats, threads=counts, runs=runs)
    _write(report, file)
    benchmark.show(report, console())


@app.command(cls=Command)
def minibatches(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 3,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the network sleeps.")] = "cpu",
    file: ReportFile = None,
) -> None:
    """Time a sleep whose steps are split over 1 to 256 streams of noise that run at once.

    The case is that of `bench`. It takes some minutes of a quiet machine.

    Example: `python -m srclib minibatches --repeats 3 --json data/benchmarks/minibatches.json`
    """
    report = benchmark.minibatches(benchmark.standard_case(), repeats=repeats, device=device)
    _write(report, file)
    table = Table("streams", "backend", "steps", "spikes by layer", "seconds (median)")
    for entry in report["sleeps"]:
        values = (entry[key] for key in ("streams", "backend", "steps", "spikes"))
        table.add_row(*map(str, values), f"{entry['median']:.3f}")
    console().print(table)


@app.command(cls=Command)
def gpu(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 5,
    networks: Annotated[str, typer.Option(metavar="N,M", help="How many networks sleep at once.")] = ",".join(
        map(str, bench_gpu.NETWORKS)
    ),
    file: ReportFile = None,
) -> None:
    """Time a sleep on the GPU, of one network and of many at once, beside the CPU and a textbook loop.

    The case is that of `bench`. A GPU holds 512 of these networks in 80 GB.

    Example: `python -m srclib gpu --networks 1,64 --json data/benchmarks/gpu.json`
    """
    report = bench_gpu.measure(benchmark.standard_case(), _numbers("--networks", networks), repeats=repeats)
    _write(report, file)
    table = Table("backend, networks at once", "milliseconds a sleep", "times as fast as the textbook on the CPU")
    for name, seconds in report["seconds_per_sleep"].items():
        table.add_row(name, f"{1000 * seconds:.3f}", f"{report['ratios'][name]:.0f}")
    console().print(f"{report['device']['gpu']}, {report['device']['cpu']}; spikes: {report['agreement']}")
    console().print(table)


@app.command(cls=Command)
def backbone(
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the 100,000 images.")] = 30,
    peak: Annotated[float, typer.Option(help="Highest learning rate of the one-cycle schedule.")] = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="Of the weights, the order and the shifts of the images.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="On a CPU; default: one per core.")] = None,
) -> None:
    """Train the VGG that makes the features of CIFAR-10, on Tiny ImageNet at 32 x 32 pixels.

    Killing it loses only the epoch in flight; start it again and it goes on. Weights, model card and log go to
    data/backbones. It runs on a GPU where there is one: an epoch takes 8 seconds on an H100, minutes on a CPU.

    Example: `python -m srclib backbone --epochs 30 --threads 2`
    """
    results.log_stages()
    backbones.run(backbones.Schedule(epochs=epochs, peak=peak, seed=seed), threads=threads)
    line(datasets.BACKBONE.with_suffix(".yaml").read_text())


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


def _numbers(option: str, text: str) -> list[int]:
    """Read whole numbers >= 1 with commas between them."""
    if not all(part.isdecimal() and int(part) > 0 for part in text.split(",")):
        raise ValueError(f"{option} {text!r}: allowed are whole numbers >= 1 with commas between them")
    return [int(part) for part in text.split(",")]


def _write(report: dict[str, Any], file: Path | None) -> None:
    if file:
        file.write_text(json.dumps(report, indent=2) + "\n")


def _existing(directory: Path | None) -> Store:
    store = Store(directory)
    if not store.directory.is_dir():
        raise FileNotFoundError(f"{store.directory} is not a directory of results")
    return store


def _verdict_table(frame: pd.DataFrame) -> Table:
    table = Table(Column("value", overflow="fold"), "protocol", "published", "reproduced", "n", "difference", "verdict")
    for row in frame.to_dict("records"):
        reproduced_sd = "" if pd.isna(row["reproduced_sd"]) else f" ± {row['reproduced_sd']:.2f}"
        known = not pd.isna(row["published"])
        table.add_row(
            row["id"],
            row["protocol"],
            published.as_published(row),
            f"{row['reproduced']:.2f}{reproduced_sd}",
            str(row["n"]),
            f"{row['difference']:+.2f}" if known else "",
            f"{published.MARKS[row['verdict']]} {row['verdict']}",
        )
    return table


if __name__ == "__main__":
    app(prog_name="python -m srclib")
