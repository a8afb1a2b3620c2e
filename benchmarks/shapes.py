"""What a step of the CPU kernel costs in other sleeps than the standard one: `python -m benchmarks shapes`.

One thing is varied at a time: the length of the sleep, the rate of the noise and its streams in the standard case; the
width of the hidden layers, their number and the number of inputs in networks of random weights. Beside each time stands
its limit: the sums of weights that the sleep needs, at the pace at which the machine adds.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.kernel import Case, header, time_event
from srclib.data import provenance
from srclib.learning import training
from srclib.sleep import SleepConfig, run_layers
from srclib.sleep.event_kernels import LANES, WIDTHS, run_block

AXES: dict[str, tuple[int, ...]] = {
    "steps": (76, 300, 1_500, 15_000),
    "rate": (25, 50, 100, 200, 400),  # Hz
    "streams": (1, 4, 16, 64),
    "width": (300, 600, 1_200, 2_400, 4_800),
    "depth": (1, 2, 3, 4),  # hidden layers
    "inputs": (196, 784, 3_072, 12_288),
}
STEPS = 3_000  # of random networks
SHOWN = {"L1": 32, "L2": 784}  # inputs of a block of neurons whose weights this cache holds: 16 and 400 KB
ADDED = 20  # inputs in a step of those


@dataclass(frozen=True)
class Entry:
    """A sleep of the table: one value of one axis."""

    axis: str
    value: int
    case: Case


def table(standard: Case, axes: Mapping[str, Sequence[int]] = AXES) -> list[Entry]:
    """Return the sleeps of the table."""
    config = standard.config
    make = {
        "steps": lambda n: replace(standard, config=replace(config, steps=n)),
        "rate": lambda n: replace(standard, config=replace(config, rate=float(n))),
        "streams": lambda n: replace(standard, config=config.split(n)),
        "width": lambda n: random_case(784, [n, n]),
        "depth": lambda n: random_case(784, [1_200] * n),
        "inputs": lambda n: random_case(n, [1_200, 1_200]),
    }
    return [Entry(axis, value, make[axis](value)) for axis, values in axes.items() for value in values]


def random_case(inputs: int, hidden: Sequence[int], steps: int = STEPS) -> Case:
    """Return a sleep of a network of random weights and 10 outputs, in which 3 % of the inputs fire in a step."""
    generator = torch.Generator().manual_seed(0)
    sizes = [inputs, *hidden, 10]
    weights = [torch.randn(out, into, generator=generator) / into**0.5 for into, out in pairwise(sizes)]
    beta = (30.0, *[0.1] * len(hidden))
    rule = SleepConfig(alpha=1.0, beta=beta, inc=0.002, dec=0.001, decay=0.999, gate=0.1, steps=steps, rate=100)
    return Case(weights, np.full(inputs, 0.15), rule)


def measure(
    standard: Case,
    axes: Mapping[str, Sequence[int]] = AXES,
    *,
    repeats: int = 7,
    threads: Sequence[int] = (1, 2),
) -> dict[str, Any]:
    """Measure all sleeps of the table, noise included, in turns; return the report as plain data.

    `adds_per_second`: float32 additions of one core, with the weights in its first and in its second cache. `sleeps`:
    of every sleep its `axis` and `value`, `rows` (steps times streams), the `spikes` in a row of the inputs and of each
    layer, and by number of threads the `microseconds` a row (medians over `repeats` rounds) and their `limit`, that of
    the second cache on so many cores.
    Raises ValueError for a number below 1.
    """
    if min(repeats, *threads) < 1:
        raise ValueError(f"repeats = {repeats}, threads = {threads}: allowed are whole numbers >= 1")
    load, entries = os.getloadavg(), table(standard, axes)
    seconds: dict[tuple[int, int], list[float]] = {}
    with training.reproducible(0):
        spikes = [_spikes(entry.case) for entry in entries]  # loads compiled code, too
        pace = {name: statistics.median(adds_per_second(n) for _ in range(repeats)) for name, n in SHOWN.items()}
    for n in threads:
        with training.reproducible(0, n):
            for _ in range(repeats):
                for i, entry in enumerate(entries):
                    seconds.setdefault((n, i), []).append(time_event(entry.case))
    sleeps = []
    for i, (entry, counts) in enumerate(zip(entries, spikes, strict=True)):
        rows = entry.case.config.steps * entry.case.config.batch
        adds = sum(count * len(w) for count, w in zip(counts, entry.case.weights, strict=False))  # none of the last
        sleeps.append(
            {
                "axis": entry.axis,
                "value": entry.value,
                "rows": rows,
                "spikes": [count / rows for count in counts],
                "microseconds": {n: 1e6 * statistics.median(seconds[n, i]) / rows for n in threads},
                "limit": {n: 1e6 * adds / pace["L2"] / n / rows for n in threads},
            }
        )
    return {
        **header(standard, load),
        "processor": provenance.device(),
        "adds_per_second": pace,
        "sleeps": sleeps,
    }


def _spikes(case: Case) -> list[int]:
    """Return how often the inputs and every layer fire in a sleep."""
    noise = case.stimulus()
    record = run_layers(case.weights, noise, case.config, backend="event", progress=False)
    return [len(noise.indices), *(int(count.sum()) for count in record.spike_counts)]


def adds_per_second(inputs: int, steps: int = 5_000) -> float:
    """Return how many weights the kernel adds in a second on one core, in a block of neurons that never fire."""
    vectors = WIDTHS[0]
    weight = np.zeros((LANES * vectors, inputs), np.float32)
    random = np.random.default_rng(0)
    begin, rows = np.arange(steps + 1) * ADDED, np.arange(steps)
    indices = random.integers(inputs, size=steps * ADDED).astype(np.int32)
    numbers, kept = np.array([1, 1, 0, 0, 0], np.float32), np.ones(steps, np.float32)
    block = partial(run_block, weight, np.empty_like(weight), 0, vectors)
    used = np.arange(inputs, dtype=np.int32)

    def seconds(steps: int) -> float:
        start = time.perf_counter()
        block(begin[: steps + 1], kept[:steps], rows[:steps], indices, used, indices, 1, numbers, True, 0)
        return time.perf_counter() - start

    set_up = seconds(0)
    return len(indices) * len(weight) / (seconds(steps) - set_up)


def show(report: Mapping[str, Any], console: Console) -> None:
    """Print a report; the times come last."""
    before, after = (" ".join(f"{x:.2f}" for x in load) for load in report["load"].values())
    pace = ", ".join(f"{adds / 1e9:.1f} from {name}" for name, adds in report["adds_per_second"].items())
    console.print(f"{report['processor']}; load average: {before} before, {after} after")
    console.print(f"additions in a nanosecond on one core: {pace}")
    threads = list(report["sleeps"][0]["microseconds"])
    titles = [f"{n} thread{'s' * (int(n) > 1)}" for n in threads]
    rows = Table("varied", "value", "spikes in a row, inputs first", *(f"{t}, limit" for t in titles), *titles)
    for entry in report["sleeps"]:
        spikes = " ".join(f"{count:.3g}" for count in entry["spikes"])
        limits, times = ([f"{entry[key][n]:.2f}" for n in threads] for key in ("limit", "microseconds"))
        rows.add_row(entry["axis"], f"{entry['value']:,}", spikes, *limits, *times)
    console.print(rows)
    console.print("times and limits in µs a row: a step of one stream")
