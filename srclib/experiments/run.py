"""One run: `run` computes what a cell says."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..data import Task, hold_out, registry
from ..learning import training
from ..learning.methods import part_of
from ..learning.methods.plugin import TRAINING_HOOKS, Examples, Run, overriding, train
from ..learning.methods.sleep import Sleep
from ..learning.networks import body_and_head
from ..sleep import SleepConfig
from . import measures
from .cell import Cell


@dataclass(frozen=True)
class Learned:
    """A network after the training of its first task, with all that the rest of the run goes on from."""

    model: dict[str, Any]
    velocity: list[Tensor | None]
    random: Tensor  # state of torch's generator


Shared = dict[str, Learned]  # by the key of the run without plugins
SHARED = 8  # first trainings kept, the weights and velocities of a network each


def run(cell: Cell, shared: Shared | None = None) -> dict[str, Any]:
    """Run a cell on one thread and return its metrics as plain data.

    shared: first trainings of earlier runs. Runs that differ only in what happens later, in the method above all, begin
    with the same one: it is taken from here, with exactly the same results, or added for others; the last used stay.

    `phases`: one entry after every training and every sleep, with `kind`, `task` (its place in the stream), `accuracy`
    of every task of the stream and `overall` (fractions of the images tested), `cosine` of all weights with those after
    the first task, what the plugin measured, and `weights` if kept. Where a plugin brings a second head, accuracies are
    those of the head that counts, and `heads` has the accuracies of all by name, of the network's outputs as `network`.
    Where both test and training images are tested, accuracies are those of the first, and `images` has those of both.
    `final`: the last overall accuracy. `diverged`: true where weights were no numbers any more; the phases from there
    on have no `cosine`, and their accuracies mean nothing. `measures`: by name, if there are any. `seconds`: spent in
    training, in the plugins' phases and in evaluation.
    """
    with training.reproducible(cell.seed):
        return Runner(cell, shared).run()


class Runner:
    """A run in progress."""

    def __init__(self, cell: Cell, shared: Shared | None = None) -> None:
        self.cell = cell
        self.shared = shared
        awake = cell.awake
        self.tasks = stream(cell)
        model = awake.network()
        self.state = Run(model, awake.optimizer(model), cell.seed, awake.images_per_task, awake.loss)
        self.initial = copy.deepcopy(model.state_dict())
        self.images = {split: _images(self.tasks, split) for split in cell.tested}
        self.phases: list[dict[str, Any]] = []
        self.seconds = {"training": 0.0, "plugins": 0.0, "evaluation": 0.0}
        self.first_weights: Tensor | None = None
        self.diverged = False
        self.kept: dict[str, list[Tensor]] = {}  # weights by phase, such as "sleep 1"; for the measures
        if cell.measures:
            self._last_sleep()
            for name in cell.measures:
                measures.find(name)

    def run(self) -> dict[str, Any]:
        if self.cell.joint:
            self.state.seen = list(self.tasks)
            x, y = torch.cat([t.x_train for t in self.tasks]), torch.cat([t.y_train for t in self.tasks])
            self._train(Examples(x, y), 0)
        else:
            for index in range(len(self.tasks)):
                self.learn(index)
                for plugin in overriding(self.cell.plugins, "after_task"):
                    start = time.perf_counter()
                    measured = plugin.after_task(self.state)
                    self.seconds["plugins"] += time.perf_counter() - start
                    if measured is not None:
                        self._evaluate(part_of(plugin), index, measured)
        metrics = {"phases": self.phases, "final": self.phases[-1]["overall"], "seconds": self.seconds}
        if self.diverged:
            metrics["diverged"] = True
        return metrics | ({"measures": self._measure()} if self.cell.measures else {})

    def learn(self, index: int) -> None:
        """Train on a task, without what the plugins do after it."""
        self.state.seen.append(self.tasks[index])
        self._train(Examples(*self.state.trained_on(self.tasks[index])), index)

    def _train(self, data: Examples, index: int) -> None:
        start = time.perf_counter()
        awake, plugins, state = self.cell.awake, self.cell.plugins, self.state
        if awake.restart_from_initial:
            state.model.load_state_dict(self.initial)
            state.optimizer = awake.optimizer(state.model)
        epochs = awake.task_epochs(index)
        state.optimizer.lr = awake.task_lr(index)
        own = data
        for plugin in plugins:
            data = plugin.task_data(state, data)
        hooked = any(overriding(plugins, hook) for hook in TRAINING_HOOKS)
        plain_first = not self.phases and not self.cell.joint and data is own and not hooked
        if not (plain_first and self._take_shared()):
            train(state, plugins, data, epochs=epochs, batch=awake.batch)
            if plain_first:
                self._share()
        trained = time.perf_counter()
        self.seconds["training"] += trained - start
        for plugin in overriding(plugins, "after_training"):
            plugin.after_training(state)
        self.seconds["plugins"] += time.perf_counter() - trained
        self._evaluate("training", index, {})

    def _shared_key(self) -> str:
        return replace(self.cell, plugins=(), keep_weights=False, tasks=None, measures=(), tested=("test",)).key()

    def _share(self) -> None:
        if self.shared is not None:
            state = copy.deepcopy((self.state.model.state_dict(), self.state.optimizer.velocity))
            self.shared[self._shared_key()] = Learned(*state, torch.get_rng_state())
            if len(self.shared) > SHARED:
                del self.shared[next(iter(self.shared))]

    def _take_shared(self) -> bool:
        if self.shared is None or (found := self.shared.pop(self._shared_key(), None)) is None:
            return False
        self.shared[self._shared_key()] = found  # now the newest
        self.state.model.load_state_dict(found.model)
        self.state.optimizer.velocity = copy.deepcopy(found.velocity)
        torch.set_rng_state(found.random)
        return True

    def _evaluate(self, kind: str, index: int, measured: Mapping[str, Any]) -> None:
        start = time.perf_counter()
        tested = {
            split: {head: _accuracy(predicted, y) for head, predicted in self.predict(x).items()}
            for split, (x, y) in self.images.items()
        }
        first = {split: next(iter(heads.values())) for split, heads in tested.items()}
        heads = tested[self.cell.tested[0]]
        weights = [m.weight.detach() for m in self.state.model if isinstance(m, nn.Linear)]
        flat = torch.cat([w.flatten() for w in weights])
        if self.first_weights is None:
            self.first_weights = flat.clone()
        diverged = not bool((flat.isfinite() & self.first_weights.isfinite()).all())
        self.diverged |= diverged
        self.phases.append(
            {
                "kind": kind,
                "task": index,
                **first[self.cell.tested[0]],
                **({"images": first} if len(first) > 1 else {}),
                "cosine": None if diverged else float(torch.cosine_similarity(flat, self.first_weights, dim=0)),
                **({"heads": heads} if len(heads) > 1 else {}),
                **measured,
                **({"weights": [w.tolist() for w in weights]} if self.cell.keep_weights else {}),
            }
        )
        if self.cell.measures:
            self.kept[f"{kind} {index + 1}"] = [w.clone() for w in weights]
        self.seconds["evaluation"] += time.perf_counter() - start

    def _last_sleep(self) -> Sleep:
        sleeps = [p for p in self.cell.plugins if isinstance(p, Sleep) and p.night(len(self.tasks) - 1)]
        if not sleeps or self.cell.joint:
            raise ValueError(f"measures = {self.cell.measures}: allowed is none where no sleep follows the last task")
        return sleeps[-1]

    def _measure(self) -> dict[str, Any]:
        """Take every measure from the same random state, so that none depends on the others."""
        asleep, last = self._last_sleep(), len(self.tasks) - 1
        subject = measures.Subject(
            model=self.state.model,
            tasks=self.tasks,
            initial=[self.initial[name] for name, _ in self.state.model.named_parameters()],
            phases=self.kept,
            config=cast(SleepConfig, asleep.night(last)),
            inputs=asleep.inputs(self.state),
            seed=(self.cell.seed, last),
            alone=self._alone,
        )
        found = {}
        for name in self.cell.measures:
            with training.reproducible(self.cell.seed):
                found[name] = measures.find(name)(subject)
        return found

    def _alone(self, index: int) -> list[Tensor]:
        """Return the weights of a network that starts as this one did and learns one task only."""
        if index == 0:
            return self.kept["training 1"]
        runner = Runner(replace(self.cell, plugins=(), measures=()))
        runner.state.model.load_state_dict(self.initial)
        runner.learn(index)
        return [w.detach() for w in runner.state.weights()]

    def predict(self, x: Tensor) -> dict[str, Tensor]:
        """Return the predicted classes (n,) of every head by its name; the first one counts."""
        body, head = body_and_head(self.state.model)
        hidden = training.evaluate(body, x)
        heads = {"network": training.predict(head, hidden)}
        for plugin in overriding(self.cell.plugins, "predict"):
            heads = plugin.predict(self.state, x, hidden, heads)
        return heads


def _images(tasks: Sequence[Task], split: str) -> tuple[Tensor, list[Tensor]]:
    """Return all test or training images of tasks, (n, inputs), and their labels, task by task."""
    return torch.cat([getattr(t, f"x_{split}") for t in tasks]), [getattr(t, f"y_{split}") for t in tasks]


def _accuracy(predicted: Tensor, labels: Sequence[Tensor]) -> dict[str, Any]:
    correct = predicted == torch.cat([*labels])
    parts = correct.split([len(y) for y in labels])
    return {"accuracy": [float(part.double().mean()) for part in parts], "overall": float(correct.double().mean())}


def stream(cell: Cell) -> list[Task]:
    """Return the tasks of a cell, in its order."""
    tasks = registry.stream(cell.dataset).tasks(
        cell.order, cell.classes_per_task, overlap=cell.overlap, seed=cell.seed, inputs=cell.awake.layers[0]
    )
    tasks = tasks[: cell.tasks]
    return [hold_out(task, cell.held_out) for task in tasks] if cell.held_out else tasks
