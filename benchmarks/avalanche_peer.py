"""Seconds to train one Split-MNIST run in this package and in Avalanche, in turns, on one thread.

    pip install torch==2.14.1 torchvision==0.29.1 avalanche-lib==0.6.0
    python -m benchmarks.avalanche_peer --json peer.json

Both get the same network, optimizer, images, batch and epochs: five tasks of two digits, a 784-1200-1200-10 network
with dropout, the first 5000 images of each task. Measured is training with all that a method does at the end of a task;
making data sets and testing are not. No metrics or loggers are attached. What differs:

    EWC      here the exact Fisher information, image by image; there the empirical one, in batches
    SI       there Omega stays zero on a CPU, where it keeps views of the weights for copies; its work is done all the
             same. The report has the largest Omega.
    Replay   100 images of every old task are stored, and each is trained on once an epoch: here shuffled among the new
             images and weighted so that all tasks count alike, there a few added to every batch of new ones (by default
             as many as there are new, twice the work) and not weighted
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.utils import as_classification_dataset
from avalanche.training import EWC as AvalancheEWC
from avalanche.training import ExperienceBalancedBuffer, Naive, SynapticIntelligence
from avalanche.training.plugins import ReplayPlugin
from torch.utils.data import TensorDataset

from srclib.data import Task, class_incremental, load
from srclib.experiments import run
from srclib.experiments.cell import Cell
from srclib.learning import training
from srclib.learning.methods.ewc import EWC
from srclib.learning.methods.plugin import Plugin
from srclib.learning.methods.rehearsal import Rehearsal
from srclib.learning.methods.si import SI
from srclib.learning.training import AwakeConfig

TASKS = 5
FRACTION = 0.02  # of the images of every old task, stored for replay
EWC_HERE = EWC(10.0)
METHODS: dict[str, tuple[Plugin, ...]] = {
    "Sequential": (),
    "EWC": (EWC_HERE,),
    "SI": (SI(5.0, 0.1),),
    "Replay": (Rehearsal(FRACTION),),
}
PACKAGES = ("torch", "torchvision", "avalanche-lib", "numpy")

Outcome = dict[str, float]  # seconds, accuracy on all test images, and what else a method tells


def ours(method: str, awake: AwakeConfig) -> Outcome:
    order = tuple(range(TASKS))
    cell = Cell(dataset="mnist", awake=awake, classes_per_task=2, plugins=METHODS[method], order=order, seed=0)
    found = run.run(cell)
    return {"seconds": found["seconds"]["training"] + found["seconds"]["plugins"], "accuracy": found["final"]}


def theirs(method: str, awake: AwakeConfig) -> Outcome:
    data = load("mnist")
    tasks = class_incremental(data, range(TASKS))
    stream = benchmark_from_datasets(train=[_dataset(task, awake.images_per_task) for task in tasks]).train_stream
    with training.reproducible(0):
        model = awake.network()
        learner = _strategy(method, awake.images_per_task)(
            model=model,
            optimizer=torch.optim.SGD(model.parameters(), awake.task_lr(0), awake.momentum, fused=True),
            criterion=torch.nn.CrossEntropyLoss(),
            train_mb_size=awake.batch,
            train_epochs=awake.epochs,
            evaluator=None,
        )
        plugin = learner.plugins[0]
        start = time.perf_counter()
        for t, task in enumerate(stream):
            if method == "Replay":
                plugin.batch_size_mem = round(FRACTION * awake.batch) * t
            learner.train(task)
        outcome = {"seconds": time.perf_counter() - start}
        outcome["accuracy"] = float((training.predict(model, data.x_test) == data.y_test).double().mean())
    if method == "SI":
        outcome["largest_omega"] = max(float(omega.data.abs().max()) for omega in plugin.ewc_data[1].values())
    return outcome


def _dataset(task: Task, images: int | None) -> Any:
    kept: Any = TensorDataset(task.x_train[:images], task.y_train[:images])
    kept.targets = kept.tensors[1].tolist()  # Avalanche reads labels here
    return as_classification_dataset(kept)


def _strategy(method: str, images: int | None) -> Callable[..., Any]:
    """Return a strategy with the strength that the method has here; Avalanche's is scaled by 1/2 in EWC, 2 in SI."""
    naive: Callable[..., Any] = Naive
    for plugin in METHODS[method]:
        if isinstance(plugin, EWC):
            return partial(AvalancheEWC, ewc_lambda=plugin.strength / 2)
        if isinstance(plugin, SI):
            return partial(SynapticIntelligence, si_lambda=2 * plugin.strength, eps=plugin.damping)
        size = TASKS * round(FRACTION * (images or 0))
        buffer = ExperienceBalancedBuffer(size, adaptive_size=False, num_experiences=TASKS)
        return partial(naive, plugins=[ReplayPlugin(size, storage_policy=buffer)])
    return naive


def measure(awake: AwakeConfig, methods: Sequence[str], repeats: int) -> dict[str, Any]:
    """Run all in turns and return the report as plain data; who begins changes from round to round."""
    load, contenders = os.getloadavg(), {"srclib": ours, "avalanche": theirs}
    outcomes: dict[str, dict[str, list[Outcome]]] = {m: {name: [] for name in contenders} for m in methods}
    for turn in range(repeats):
        for method in methods:
            for name in list(contenders)[:: 1 if turn % 2 == 0 else -1]:
                outcomes[method][name].append(contenders[name](method, awake))
    seconds = {
        m: {name: statistics.median(o["seconds"] for o in found) for name, found in outcomes[m].items()}
        for m in methods
    }
    return {
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": {"before": load, "after": os.getloadavg()},
        "settings": asdict(awake) | {"tasks": TASKS, "replay_fraction": FRACTION, "threads": 1},
        "fisher": {"srclib": EWC_HERE.fisher, "avalanche": f"empirical, in batches of {awake.batch}"},
        "rounds": outcomes,
        "median_seconds": seconds,
        "ratio": {m: times["avalanche"] / times["srclib"] for m, times in seconds.items()},
    }


def show(report: dict[str, Any]) -> None:
    print(f"{report['machine']}; {', '.join(f'{k} {v}' for k, v in report['versions'].items())}; load {report['load']}")
    print(f"Fisher information: {report['fisher']}")
    print(f"{'':12}{'seconds (median)':>24}{'accuracy (last round)':>28}{'ratio':>10}")
    print(f"{'':12}{'srclib':>12}{'avalanche':>12}{'srclib':>16}{'avalanche':>12}")
    for method, seconds in report["median_seconds"].items():
        last = {name: found[-1] for name, found in report["rounds"][method].items()}
        cells = f"{seconds['srclib']:12.2f}{seconds['avalanche']:12.2f}"
        cells += f"{last['srclib']['accuracy']:16.3f}{last['avalanche']['accuracy']:12.3f}"
        omega = last["avalanche"].get("largest_omega")
        note = "" if omega is None else f"   largest Omega there: {omega:g}"
        print(f"{method:12}{cells}{report['ratio'][method]:10.2f}{note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="rounds, of which the median is taken")
    parser.add_argument("--images", type=int, default=5000, help="of each task, a multiple of 100")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    options = parser.parse_args()
    if options.repeats < 1 or options.images < 100 or options.images % 100:
        parser.error(f"--repeats {options.repeats} --images {options.images}: allowed are 1 or more, a multiple of 100")
    awake = AwakeConfig(
        layers=(784, 1200, 1200, 10), init=0.01, loss="softmax_ce", epochs=2, batch=100, lr=0.1, momentum=0.5,
        dropout=0.25, dropout_scaling="train", images_per_task=options.images,
    )  # fmt: skip
    logging.captureWarnings(True)  # Avalanche warns that nothing is logged, and of its own deprecated calls
    measure(replace(awake, images_per_task=100), options.methods[:1], 1)  # loads code and data
    report = measure(awake, options.methods, options.repeats)
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
