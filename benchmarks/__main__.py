"""Measure the speed of sleeps: `python -m benchmarks --help`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from srclib.data.command import Command
from srclib.data.terminal import console
from srclib.experiments import grid

from . import gpu as on_gpu
from . import kernel as kernels
from . import shapes as of_shapes

ReportFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report there too.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", help=__doc__)


@app.command(cls=Command)
def kernel(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 5,
    threads: Annotated[str, typer.Option(metavar="N,M", help="Numbers of threads to time with.")] = "1,2",
    no_runs: Annotated[bool, typer.Option("--no-runs", help="Skip the two whole runs on MNIST.")] = False,
    file: ReportFile = None,
) -> None:
    """Time a sleep step of the kernels and of a textbook loop, and measure the memory of a sleep.

    The case is the first sleep of Fashion-MNIST: 15,000 steps of a 784-1200-1200-10 network, released parameters. The
    whole runs are one seed of sequential training and of SRC on MNIST. It takes some minutes of a quiet machine.

    Example: `python -m benchmarks kernel --repeats 3 --threads 1 --no-runs --json kernel.json`
    """
    counts = _numbers("--threads", threads)
    runs = {} if no_runs else {name: grid.cell("mnist", name) for name in ("sequential", "src")}
    report = kernels.measure(kernels.standard_case(), repeats=repeats, threads=counts, runs=runs)
    _write(report, file)
    kernels.show(report, console())


@app.command(cls=Command)
def shapes(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 7,
    threads: Annotated[str, typer.Option(metavar="N,M", help="Numbers of threads to time with.")] = "1,2",
    file: ReportFile = None,
) -> None:
    """Time a sleep step over steps, rate, streams, width, depth and inputs, beside the limit of the machine.

    It takes some minutes of a quiet machine.

    Example: `python -m benchmarks shapes --json data/benchmarks/shapes.json`
    """
    report = of_shapes.measure(kernels.standard_case(), repeats=repeats, threads=_numbers("--threads", threads))
    _write(report, file)
    of_shapes.show(report, console())


@app.command(cls=Command)
def minibatches(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 3,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the network sleeps.")] = "cpu",
    file: ReportFile = None,
) -> None:
    """Time a sleep whose steps are split over 1 to 256 streams of noise that run at once.

    The case is that of `kernel`. It takes some minutes of a quiet machine.

    Example: `python -m benchmarks minibatches --repeats 3 --json data/benchmarks/minibatches.json`
    """
    report = kernels.minibatches(kernels.standard_case(), repeats=repeats, device=device)
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
        map(str, on_gpu.NETWORKS)
    ),
    file: ReportFile = None,
) -> None:
    """Time a sleep on the GPU, of one network and of many at once, beside the CPU and a textbook loop.

    The case is that of `kernel`. A GPU holds 512 of these networks in 80 GB.

    Example: `python -m benchmarks gpu --networks 1,64 --json data/benchmarks/gpu.json`
    """
    report = on_gpu.measure(kernels.standard_case(), _numbers("--networks", networks), repeats=repeats)
    _write(report, file)
    table = Table("backend, networks at once", "milliseconds a sleep", "times as fast as the textbook on the CPU")
    for name, seconds in report["seconds_per_sleep"].items():
        table.add_row(name, f"{1000 * seconds:.3f}", f"{report['ratios'][name]:.0f}")
    console().print(f"{report['device']['gpu']}, {report['device']['cpu']}; spikes: {report['agreement']}")
    console().print(table)


def _numbers(option: str, text: str) -> list[int]:
    """Read whole numbers >= 1 with commas between them."""
    if not all(part.isdecimal() and int(part) > 0 for part in text.split(",")):
        raise ValueError(f"{option} {text!r}: allowed are whole numbers >= 1 with commas between them")
    return [int(part) for part in text.split(",")]


def _write(report: dict[str, Any], file: Path | None) -> None:
    if file:
        file.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    app()
