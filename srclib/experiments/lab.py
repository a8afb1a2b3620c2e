"""Networks small enough for a web page, with all that a sleep of them needs: the data of the sleep lab.

A network lies in `<name>.bin`: the mean input, float64 (inputs,), then the weights of every layer, float16 (out, in).
The images that it is tested on lie in `<name>.bin`, too: uint8 (n, inputs), then their labels, uint8 (n,). `lab.json`
describes both, gives the parameters of sleeps by protocol, and says where all this comes from. Numbers are
little-endian.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..data import provenance, registry
from ..data.files import whole
from ..data.places import committed
from ..learning import training
from ..learning.methods.sleep import Sleep, mean_of
from ..learning.networks import mlp
from ..sleep import layer_scales
from ..sleep.layers import sleepable
from . import grid
from .cell import Cell
from .run import Runner

HIDDEN = 200  # units of each hidden layer of the networks of MNIST, in place of 1,200: all stay below 6 MB together
TASKS = {  # after which a network of each protocol is kept
    "released": (1, 2, 3, 4, 5),
    "described": (2, 3, 4, 5),
    "tuned": (2, 3, 4, 5),
}
OVERLAPS = (10, 12, 14, 15, 16)  # of the patches, in pixels
TESTED = 50  # test images of every class
SEED = 0


@dataclass(frozen=True)
class Network:
    """A network after the training of a task and before the sleep that follows it."""

    name: str
    entry: dict[str, Any]  # what `lab.json` says of it
    mean: NDArray[np.float64]  # (inputs,)
    weights: list[NDArray[np.float16]]  # (out, in) each
    tests: tuple[str, NDArray[np.uint8], NDArray[np.uint8]]  # name, images (n, inputs) of values from 0 to 255, labels


def mnist(protocol: str) -> Iterator[Network]:
    """Train a narrow network on MNIST, task after task with the sleeps between; yield those to be kept."""
    cell = grid.cell("mnist", "src", protocol, seed=SEED)
    cell = replace(cell, awake=replace(cell.awake, layers=(784, HIDDEN, HIDDEN, 10)))
    for number, runner in _course(cell, last=max(TASKS[protocol])):
        if number in TASKS[protocol]:
            yield _network(f"mnist_{protocol}_{number}", "mnist", protocol, runner, _mnist_tests())


def patches(overlap: int) -> Network:
    """Train the network of Fig. 1 on both tasks."""
    cell = grid.cell("patches", "src", "released", overlap=overlap, seed=SEED)
    *_, (_, runner) = _course(cell, last=2)
    x = torch.cat([task.x_test for task in runner.tasks]).numpy()
    y = torch.cat([task.y_test for task in runner.tasks]).numpy()
    tests = (f"patches_{overlap}_test", (255 * x).astype(np.uint8), y.astype(np.uint8))
    return _network(f"patches_{overlap}", "patches", "released", runner, tests, overlap=overlap)


def _course(cell: Cell, last: int) -> Iterator[tuple[int, Runner]]:
    """Yield a run after the training of each task, from 1; it sleeps when the next one is asked for."""
    with training.reproducible(cell.seed):
        runner = Runner(cell)
        for index in range(last):
            runner.learn(index)
            yield index + 1, runner
            if index + 1 < last:
                for plugin in cell.plugins:
                    plugin.after_task(runner.state)


def _network(
    name: str,
    dataset: str,
    protocol: str,
    runner: Runner,
    tests: tuple[str, NDArray[np.uint8], NDArray[np.uint8]],
    **more: Any,
) -> Network:
    awake, task = runner.cell.awake, len(runner.state.seen)
    (asleep,) = (plugin for plugin in runner.cell.plugins if isinstance(plugin, Sleep))
    inputs = asleep.inputs(runner.state)
    weights = [w.detach().numpy().astype(np.float16) for w in runner.state.weights()]
    kept = mlp(awake.layers, init=awake.init, output=training.LOSSES[awake.loss])  # scaled as it is kept, rounded
    for linear, w in zip((m for m in kept if isinstance(m, nn.Linear)), weights, strict=True):
        linear.weight.data = torch.from_numpy(w.astype(np.float32))
    entry = {
        "dataset": dataset,
        "protocol": protocol,
        "task": task,
        "tasks": [list(seen.classes) for seen in runner.tasks],
        "layers": list(awake.layers),
        "rectified": training.LOSSES[awake.loss] == "relu",
        "scales": layer_scales(sleepable(kept), inputs),
        "tests": tests[0],
        **more,
    }
    return Network(name, entry, mean_of(inputs, asleep.drive).numpy(), weights, tests)


def _mnist_tests() -> tuple[str, NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the first test images of every class, in the order of the data set."""
    arrays = registry.source("mnist").arrays()
    x, y = arrays["x_test"], arrays["y_test"]
    rows = np.sort(np.concatenate([np.flatnonzero(y == digit)[:TESTED] for digit in range(10)]))
    return "mnist_test", x[rows].reshape(len(rows), -1), y[rows]


def sleeps() -> dict[str, dict[str, list[dict[str, Any] | None]]]:
    """Return the settings of the sleep after every task, by data set and protocol."""
    found: dict[str, dict[str, list[dict[str, Any] | None]]] = {}
    for dataset, protocols, tasks in (("mnist", tuple(TASKS), 5), ("patches", ("released", "described"), 2)):
        found[dataset] = {}
        for protocol in protocols:
            overlap = OVERLAPS[0] if dataset == "patches" else None
            cell = grid.cell(dataset, "src", protocol, overlap=overlap, seed=SEED)
            (asleep,) = (plugin for plugin in cell.plugins if isinstance(plugin, Sleep))
            nights = [asleep.night(task) for task in range(tasks)]
            found[dataset][protocol] = [None if night is None else asdict(night) for night in nights]
    return found


def write(folder: Path | None = None) -> list[Path]:
    """Train all networks and write everything into a folder, data/lab unless given; return the files."""
    folder = committed("lab") if folder is None else folder
    networks = [network for protocol in TASKS for network in mnist(protocol)]
    networks += [patches(overlap) for overlap in OVERLAPS]
    tests = {network.tests[0]: network.tests[1:] for network in networks}
    files = {n.name: _bytes(n.mean.astype("<f8"), *(w.astype("<f2") for w in n.weights)) for n in networks}
    files |= {name: _bytes(x, y) for name, (x, y) in tests.items()}
    said = {
        "provenance": {
            "commit": provenance.commit(),
            "command": "python -m srclib lab",
            "seed": SEED,
            "versions": provenance.versions(),
        },
        "sleeps": sleeps(),
        "tests": {name: len(y) for name, (_, y) in tests.items()},
        "networks": {network.name: network.entry for network in networks},
    }
    files = {f"{name}.bin": content for name, content in files.items()}
    files["lab.json"] = (json.dumps(said, indent=1) + "\n").encode()
    for name, content in files.items():
        with whole(folder / name) as path:
            path.write_bytes(content)
    return [folder / name for name in files]


def _bytes(*arrays: NDArray[Any]) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def read(name: str) -> tuple[dict[str, Any], NDArray[np.float64], list[NDArray[np.float16]]]:
    """Return what `lab.json` says of a network, its mean input, (inputs,), and its weights, (out, in) each.

    Raises ValueError for a network that is not there.
    """
    folder = committed("lab")
    networks = json.loads((folder / "lab.json").read_text())["networks"]
    if name not in networks:
        raise ValueError(f"network {name!r} is unknown: allowed is one of {', '.join(networks)}")
    layers = networks[name]["layers"]
    content = (folder / f"{name}.bin").read_bytes()
    mean = np.frombuffer(content, "<f8", layers[0])
    weights, at = [], mean.nbytes
    for inputs, outputs in pairwise(layers):
        weights.append(np.frombuffer(content, "<f2", inputs * outputs, at).reshape(outputs, inputs))
        at += weights[-1].nbytes
    return networks[name], mean, weights
