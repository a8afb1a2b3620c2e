"""Methods are lists of plugins around one training loop; a plugin adds one thing and knows no other.

A plugin is a frozen dataclass: its fields are its settings and enter the key of every result. State that it gathers in
a run lives in `run.memory[plugin]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ...data.streams import Task
from .. import training
from ..momentum import Momentum


@dataclass(frozen=True, eq=False)
class Examples:
    """What a network is trained on."""

    x: Tensor  # (n, inputs)
    y: Tensor  # labels, int64 (n,), or targets of all outputs, (n, classes)
    old: Examples | None = None  # rehearsed: as many of these as of the new ones in every step, drawn at random
    share: float = 1.0  # of the new ones in the loss, where there are old ones


@dataclass
class Run:
    """The state of one run, as the plugins see it."""

    model: nn.Sequential
    optimizer: Momentum
    seed: int
    images_per_task: int | None
    loss: str  # as `training.LOSSES` names them
    seen: list[Task] = field(default_factory=list)  # the present task is the last one
    steps: int = 0  # updates that the present training takes in all
    memory: dict[Plugin, Any] = field(default_factory=dict)

    def trained_on(self, task: Task) -> tuple[Tensor, Tensor]:
        """Return the images and labels of a task that the network is trained on."""
        return task.x_train[: self.images_per_task], task.y_train[: self.images_per_task]

    def inputs(self) -> Tensor:
        """Return all images that the network was trained on so far, (n, inputs)."""
        return torch.cat([self.trained_on(task)[0] for task in self.seen])

    def weights(self) -> list[nn.Parameter]:
        """Return the weights of every layer, (out, in) each, first layer first."""
        return list(self.model.parameters())

    def gradients(self) -> list[Tensor]:
        """Return the gradients of every layer's weights in this step, (out, in) each; they may be changed in place."""
        return [w.grad for w in self.weights() if w.grad is not None]


@dataclass(frozen=True)
class Plugin:
    """What a method may add to training; every hook does nothing unless a plugin overrides it."""

    def for_tasks(self, tasks: int) -> Plugin:
        """Return the plugin for a stream of so many tasks, without what it says of others."""
        return self

    def task_data(self, run: Run, data: Examples) -> Examples:
        """Return the data to train the present task on, given that of the plugins before."""
        return data

    def after_backward(self, run: Run) -> None:
        """Observe or change the gradient of the loss on the data, before any plugin's penalty is added to it."""

    def loss_term(self, run: Run) -> Tensor:
        """Return a term to add to the loss of this step, a scalar."""
        return torch.zeros(())

    def before_step(self, run: Run) -> None:
        """Change the gradients between the backward pass and the update."""

    def after_step(self, run: Run) -> None:
        """Observe the update."""

    def after_training(self, run: Run) -> None:
        """Act when the training of the present task ended, before the network is tested and any plugin changes it."""

    def after_task(self, run: Run) -> dict[str, Any] | None:
        """Act when the present task was learned; measurements of a phase of its own, or None if there was none."""
        return None

    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the predicted classes (n,) of every head by its name, given those so far; the first one counts.

        x: what is to be predicted, (n, inputs). hidden: the activity of the last hidden layer for it, (n, units).
        """
        return heads

    def kept(self, layers: Sequence[int], images: int) -> int:
        """Return how many numbers of the past are kept for the next task.

        layers: neurons of every layer, the inputs first. images: trained on so far.
        """
        return 0


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method that a plugin makes. Every file of this folder that has a METHOD is one."""

    name: str  # in tables and commands
    label: str  # on pages
    part: str  # the section of a protocol that has its settings, and its name where results are stored
    settings: type[Plugin]
    place: float  # among others at work together: the hooks of the plugins run in this order


def synapses(layers: Sequence[int]) -> int:
    """Return how many weights a network has, given the neurons of every layer."""
    return sum(inputs * outputs for inputs, outputs in pairwise(layers))


TRAINING_HOOKS = ("after_backward", "loss_term", "before_step", "after_step")


def overriding(plugins: Sequence[Plugin], hook: str) -> list[Plugin]:
    """Return the plugins that have something to do in a hook."""
    return [p for p in plugins if getattr(type(p), hook) is not getattr(Plugin, hook)]


def train(run: Run, plugins: Sequence[Plugin], data: Examples, *, epochs: int, batch: int) -> None:
    """Train the network of a run on examples, with the hooks of the plugins."""
    run.steps = epochs * (len(data.x) // batch)
    hooks = {hook: [partial(getattr(p, hook), run) for p in overriding(plugins, hook)] for hook in TRAINING_HOOKS}
    training.train(
        run.model,
        run.optimizer,
        data.x,
        data.y,
        loss=run.loss,
        epochs=epochs,
        batch=batch,
        old=(data.old.x, data.old.y) if data.old else None,
        share=data.share,
        after_backward=hooks["after_backward"],
        penalties=hooks["loss_term"],
        before_step=hooks["before_step"],
        after_step=hooks["after_step"],
    )
