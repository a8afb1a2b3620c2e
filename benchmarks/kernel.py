"""How fast a sleep is, how much memory it takes, and how long a run is: `python -m benchmarks kernel`.

The standard case is the first sleep of Fashion-MNIST with the released parameters: 15,000 steps of a 784-1200-1200-10
network trained on its first task. Before anything is timed, all contenders must give the same spikes on a shortened
stimulus. They then take turns, so that what else the machine does meets all of them.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor

from srclib.data import class_incremental, load, provenance
from srclib.experiments import protocols, run
from srclib.experiments.cell import Cell
from srclib.learning import training
from srclib.sleep import InputSpikes, SleepConfig, layer_scales, linear_layers, reference, run_layers
from srclib.sleep.reference import Rule

STEPS = 200  # of the contenders that are slow
MEMORY_LIMIT = 3  # times the weights, plus the raster of the input
STREAMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

Step = Callable[[list[Tensor], list[Tensor], Tensor, Rule], list[Tensor]]  # as `reference.step`


@dataclass(frozen=True, eq=False)
class Case:
    """A sleep to measure: weights float32 (out_l, in_l), mean input (in_1,), alpha with the layer scales in it."""

    weights: list[Tensor]
    mean_input: NDArray[np.float64]
    config: SleepConfig

    def stimulus(self) -> InputSpikes:
        return self.config.noise(self.mean_input, (0, 0))


def standard_case() -> Case:
    """Train on the first Fashion-MNIST task (T-shirts, trousers) and return the sleep after it; protocol `released`."""
    protocol = protocols.load("released", "fashion_mnist")
    assert protocol.sleep is not None  # the protocol has one
    awake, config = protocol.awake, protocol.sleep.night(0)
    assert config is not None
    task = class_incremental(load("fashion_mnist"), range(5))[0]
    x, y = task.x_train[: awake.images_per_task], task.y_train[: awake.images_per_task]
    with training.reproducible(seed=0):
        model = awake.network()
        optimizer = awake.optimizer(model)
        training.train(model, optimizer, x, y, loss=awake.loss, epochs=awake.task_epochs(0), batch=awake.batch)
    weights = [linear.weight.detach() for linear in linear_layers(model)]
    return Case(weights, x.double().mean(0).numpy(), config.scaled(layer_scales(list(model), x)))


def textbook_step(weights: list[Tensor], potentials: list[Tensor], spikes: Tensor, rule: Rule) -> list[Tensor]:
    """Advance every layer by one time step as one would first write it: every product and every update dense.

    Arguments, changes in place and result as in `reference.step`.
    """
    layers = []
    for w, v, alpha, beta in zip(weights, potentials, rule.alpha, rule.beta, strict=True):
        v.copy_(rule.decay * v + alpha * (w @ spikes.to(w.dtype)))
        fired = v > beta if rule.strict else v >= beta
        both, only_post = torch.outer(fired, spikes), torch.outer(fired, ~spikes)
        change = torch.where(both, rule.inc, 0.0) - torch.where(only_post, rule.dec, 0.0)
        w += change if rule.gate is None else change * 2 * torch.sigmoid(-w / rule.gate)
        v.masked_fill_(fired, 0)
        spikes = fired
        layers.append(fired)
    return layers


def measure(
    case: Case,
    *,
    repeats: int = 5,
    threads: Sequence[int] = (1, 2),
    steps: int = STEPS,
    runs: Mapping[str, Cell] | None = None,
) -> dict[str, Any]:
    """Measure a case and return the report as plain data.

    Times are medians over `repeats` rounds, for each number of threads. steps: of the slow contenders, so many untimed
    ones to get the network under way and as many timed. runs: whole runs to time once each on one thread, by name.
    Raises ValueError for a number below 1, and ArithmeticError, before anything is timed, if contenders disagree.
    """
    if min(repeats, steps, *threads) < 1:
        raise ValueError(f"repeats = {repeats}, steps = {steps}, threads = {threads}: allowed are whole numbers >= 1")
    load, gated, no_gate = os.getloadavg(), case.config, replace(case.config, gate=None)
    raster = torch.from_numpy(case.stimulus().dense())  # (steps, inputs)
    short, rest = raster[: 2 * steps], raster[steps : 2 * steps]
    with training.reproducible(0):
        same = {"gated": check(case.weights, short, gated), "no gate": check(case.weights, short, no_gate)}
    contenders: dict[str, Callable[[], float]] = {"event": partial(time_event, case)}
    for name, step, config in (
        ("reference", reference.step, gated),
        ("textbook, gated", textbook_step, gated),
        ("textbook, no gate", textbook_step, no_gate),
    ):
        state = walk(reference.step, case.weights, raster[:steps], config)[1:]
        contenders[name] = partial(time_steps, step, state, rest, config)
    timed = {name: case.config.steps if name == "event" else len(rest) for name in contenders}
    rounds: dict[int, dict[str, list[float]]] = {n: {name: [] for name in contenders} for n in threads}
    for n in threads:
        with training.reproducible(0, n):
            for _ in range(repeats):
                for name, seconds in contenders.items():
                    rounds[n][name].append(1e6 * seconds() / timed[name])
    medians = {n: {name: statistics.median(values) for name, values in times.items()} for n, times in rounds.items()}
    spikes = run_layers(case.weights, case.stimulus(), gated, backend="event").spike_counts
    weight_bytes = sum(w.nbytes for w in case.weights)
    return {
        **header(case, load),
        "processor": provenance.device(),
        "spikes": [int(raster.sum()), *(int(count.sum()) for count in spikes)],
        "same_spikes": {"steps": len(short), **same},
        "memory": {
            "sleep": peak_memory(case),
            "weights": weight_bytes,
            "input_raster": raster.numel(),
            "limit": MEMORY_LIMIT * weight_bytes + raster.numel(),
        },
        "runs": {name: run.run(cell)["seconds"] for name, cell in (runs or {}).items()},
        "steps_timed": timed,
        "microseconds_per_step": medians,
        "rounds": rounds,
        "ratios": {
            n: {k: t / times["event"] for k, t in times.items() if k != "event"} for n, times in medians.items()
        },
    }


def minibatches(
    case: Case, streams: Sequence[int] = STREAMS, *, repeats: int = 3, device: str = "cpu"
) -> dict[str, Any]:
    """Measure whole sleeps whose steps are split over streams of noise; return the report as plain data.

    Times are on one thread and include the noise. `sleeps`: for every number of streams, once for each backend that
    takes it (`event` and `reference`; on the device "cuda" `cuda` and `reference`), its `steps`, the `spikes` of each
    layer, the `seconds` of every round, and their `median`.
    Raises ValueError for a number below 1.
    """
    if min(repeats, *streams) < 1:
        raise ValueError(f"repeats = {repeats}, streams = {streams}: allowed are whole numbers >= 1")
    load, weights = os.getloadavg(), [w.to(device) for w in case.weights]
    sleeps: list[dict[str, Any]] = [
        {"streams": n, "backend": backend, "steps": case.config.split(n).steps, "seconds": []}
        for n in streams
        for backend in ("event" if device == "cpu" else "cuda", "reference")
        if n == 1 or backend != "cuda"
    ]
    with training.reproducible(0):
        for turn in range(repeats + 1):
            for entry in sleeps:
                config = case.config.split(entry["streams"])
                if turn == 0:  # not counted: loads compiled code
                    config = replace(config, steps=1)
                start = time.perf_counter()
                noise = config.noise(case.mean_input, (0, 0))
                record = run_layers(weights, noise, config, backend=entry["backend"], progress=False)
                if turn:
                    entry["seconds"].append(time.perf_counter() - start)
                entry["spikes"] = [int(count.sum()) for count in record.spike_counts]
    return {
        **header(case, load),
        "device": provenance.device() if device == "cpu" else torch.cuda.get_device_name(),
        "sleeps": [entry | {"median": statistics.median(entry["seconds"])} for entry in sleeps],
    }


def header(case: Case, load: tuple[float, ...]) -> dict[str, Any]:
    """Return what every report tells: the source, when it was measured, the network, and how busy the machine was.

    load: its load average before the measurement; the one after it is taken now.
    """
    return {
        "versions": {"python": platform.python_version()} | {p: version(p) for p in provenance.VERSIONS},
        "commit": provenance.commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "layers": [case.weights[0].shape[1], *(len(w) for w in case.weights)],
        "load": {"before": load, "after": os.getloadavg()},
    }


def check(weights: list[Tensor], raster: Tensor, config: SleepConfig) -> list[int]:
    """Count the spikes of each layer under a stimulus, bool (steps, in_1).

    Raises ArithmeticError if contenders disagree on any of them, or if there is none.
    """
    expected = run_layers(weights, raster, config, backend="reference", record=True).spikes or []
    event = run_layers(weights, raster, config, backend="event", record=True).spikes or []
    for name, spikes in (("event", event), ("textbook", walk(textbook_step, weights, raster, config)[0])):
        differ = sum(int((a != b).sum()) for a, b in zip(expected, spikes, strict=True))
        if differ:
            raise ArithmeticError(f"{name} and reference differ in {differ} spikes of {len(raster)} steps: not timed")
    if not any(layer.any() for layer in expected):
        raise ArithmeticError(f"no neuron fired in {len(raster)} steps: not timed")
    return [int(layer.sum()) for layer in expected]


def peak_memory(case: Case) -> int | None:
    """Return by how many bytes a sleep (stimulus and `event`) raises the memory of a process above what it had before.

    A new process, which holds the case and has loaded the compiled code, resets its peak of resident memory, sleeps and
    reads the peak. So every allocation counts, whoever made it. None where the peak cannot be reset (needs Linux).
    """
    arrays = [w.numpy() for w in case.weights]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_peak_of_sleep, arrays, case.mean_input, case.config).result()


def _peak_of_sleep(arrays: list[NDArray[np.float32]], mean: NDArray[np.float64], config: SleepConfig) -> int | None:
    small = replace(config, alpha=1.0, beta=1.0, steps=10, window=None)
    time_event(Case([torch.ones(256, 256)], np.ones(256), small))  # loads compiled code, starts threads
    case = Case([torch.from_numpy(a) for a in arrays], mean, config)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    before = _memory("VmRSS")
    time_event(case)
    return _memory("VmHWM") - before


def _memory(entry: str) -> int:
    return 1024 * int(re.findall(rf"{entry}:\s*(\d+) kB", Path("/proc/self/status").read_text())[0])


def time_event(case: Case) -> float:
    start = time.perf_counter()
    run_layers(case.weights, case.stimulus(), case.config, backend="event", progress=False)
    return time.perf_counter() - start


def time_steps(step: Step, state: tuple[list[Tensor], ...], raster: Tensor, config: SleepConfig) -> float:
    weights, potentials = ([tensor.clone() for tensor in part] for part in state)
    rule = Rule.of(config, len(weights))
    if raster.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    for spikes in raster:
        step(weights, potentials, spikes, rule)
    if raster.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def walk(step: Step, weights: list[Tensor], raster: Tensor, config: SleepConfig) -> tuple[list[Tensor], ...]:
    """Take a step for each row of a raster; return the spikes (steps, out_l), weights and potentials of all layers."""
    weights, rule = [w.clone() for w in weights], Rule.of(config, len(weights))
    potentials = [w.new_zeros(len(w)) for w in weights]
    layers = zip(*(step(weights, potentials, spikes, rule) for spikes in raster), strict=True)
    return [torch.stack(layer) for layer in layers], weights, potentials


def show(report: Mapping[str, Any], console: Console) -> None:
    """Print a report; the ratios come last."""
    memory, same, timed = report["memory"], report["same_spikes"], report["steps_timed"]
    before, after = (" ".join(f"{x:.2f}" for x in load) for load in report["load"].values())
    console.print(
        f"{report['processor']}; {', '.join(f'{k} {v}' for k, v in report['versions'].items())}\n"
        f"load average: {before} before, {after} after\n"
        f"network {'-'.join(map(str, report['layers']))}, {timed['event']} steps; spikes by layer, inputs first: "
        f"{report['spikes']}\n"
        f"event, reference and textbook gave the same spikes in {same['steps']} steps: {same['gated']} by layer, "
        f"{same['no gate']} without the gate"
    )
    sleep, weights, raster, limit = (memory[key] for key in ("sleep", "weights", "input_raster", "limit"))
    rise = (
        "not measured, needs Linux" if sleep is None else f"{sleep / 1e6:.1f} MB, {sleep / weights:.2f} × the weights"
    )
    console.print(
        f"rise of peak resident memory in a sleep: {rise}; limit {limit / 1e6:.1f} MB, {MEMORY_LIMIT} × the weights "
        f"({weights / 1e6:.1f} MB) + the input raster ({raster / 1e6:.1f} MB)",
        style="red" if sleep is not None and sleep > limit else None,
    )
    table = Table("one seed on one thread, seconds", "training", "sleep", "evaluation")
    for name, seconds in report["runs"].items():
        table.add_row(name, *(f"{seconds[part]:.1f}" for part in ("training", "plugins", "evaluation")))
    if report["runs"]:
        console.print(table)
    for title, key in (("µs per step (median)", "microseconds_per_step"), ("ratio to event", "ratios")):
        columns = report[key]
        table = Table(title, "steps timed", *(f"{n} thread{'s' * (n > 1)}" for n in columns))
        for name in next(iter(columns.values())):
            table.add_row(name, str(timed[name]), *(f"{column[name]:.2f}" for column in columns.values()))
        console.print(table)
