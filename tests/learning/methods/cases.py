"""Small runs in double precision, shared by the tests of the plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srclib.data.streams import Task
from srclib.experiments.run import run
from srclib.learning.methods.plugin import Examples, Plugin, Run, train

from ...cells import awake, tiny

CLASSES = 4


def task(index: int, images: int = 12, inputs: int = 6) -> Task:
    """Return a task of two of four classes with random images in [0, 1]; there are no test images."""
    generator = torch.Generator().manual_seed(index)
    x = torch.rand(images, inputs, dtype=torch.float64, generator=generator)
    classes = (2 * index % CLASSES, 2 * index % CLASSES + 1)
    return Task(classes, x, torch.tensor(classes).repeat(images // 2), torch.empty(0), torch.empty(0))


def a_run(loss: str = "softmax_ce", sizes: tuple[int, ...] = (6, 5, CLASSES), seed: int = 3, **config: Any) -> Run:
    """Return the state of a run before its first task, with strong random weights."""
    torch.manual_seed(seed)
    options = {"init": 0.6, "momentum": 0.0, "batch": 3, "dropout": 0.0} | config
    settings = awake(layers=sizes, loss=loss, **options)
    model = settings.network().double()
    return Run(model, settings.optimizer(model), seed, settings.images_per_task, loss)


def learn(state: Run, present: Task, *plugins: Plugin, epochs: int = 2, batch: int = 3) -> None:
    """Train on a task as an experiment does, with every hook of the plugins; its shuffles are always the same."""
    torch.manual_seed(len(state.seen))
    state.seen.append(present)
    data = Examples(*state.trained_on(present))
    for plugin in plugins:
        data = plugin.task_data(state, data)
    train(state, plugins, data, epochs=epochs, batch=batch)
    for hook in ("after_training", "after_task"):
        for plugin in plugins:
            getattr(plugin, hook)(state)


def recorded_by_avalanche() -> dict[str, NDArray[Any]]:
    """Return what `golden/avalanche_penalties.py` recorded."""
    with np.load(Path(__file__).parents[2] / "golden" / "avalanche_penalties.npz") as file:
        return dict(file)


def relearn(data: dict[str, NDArray[Any]], plugin: Plugin, batch: int) -> Iterator[Run]:
    """Learn the recorded tasks from the recorded weights; yield the state after each task."""
    state = a_run(sizes=(6, 5, 6), lr=float(data["lr"]))
    for i, w in enumerate(state.weights(), 1):
        w.data.copy_(torch.from_numpy(data[f"W{i}_before"]))
    for x, y in zip(torch.from_numpy(data["x"]), torch.from_numpy(data["y"]), strict=True):
        learn(state, Task((), x, y, x, y), plugin, epochs=int(data["epochs"]), batch=batch)
        yield state


def weights_of(state: Run) -> list[Tensor]:
    """Return a copy of the weights of every layer."""
    return [w.detach().clone() for w in state.weights()]


def pull(state: Run, plugin: Plugin) -> list[Tensor]:
    """Return the gradients that a plugin alone sends into every layer."""
    state.model.zero_grad(set_to_none=False)
    plugin.before_step(state)
    return [g.clone() for g in state.gradients()]


@torch.no_grad()
def push(state: Run) -> None:
    """Move all weights at random."""
    for w in state.weights():
        w += torch.randn_like(w)


def moved(found: list[dict[str, Any]]) -> float:
    """Return how far all weights went in the second task, as a distance."""
    before, after = (torch.cat([torch.tensor(w).flatten() for w in phase["weights"]]) for phase in found)
    return float((after - before).norm())


def phases(*plugins: Plugin, loss: str = "softmax_ce", **changes: Any) -> list[dict[str, Any]]:
    """Return the phases of a run on the patches, with one hidden layer, dropout and momentum, weights kept."""
    options = {"awake": awake(layers=(100, 20, 4), loss=loss, init=0.3, dropout=0.2, epochs=12)} | changes
    return run(tiny(plugins=plugins, keep_weights=True, **options))["phases"]
