"""Whole runs of many networks at once on a GPU, for searches: one network alone leaves most of it idle.

A fleet learns its tasks and sleeps after each as `run.run` does, from the same first weights. The order of the
images, dropout and noise are drawn on the GPU, so that its accuracies are those of other draws; no result of the book
comes from one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..experiments import run
from ..experiments.cell import Cell
from ..learning.methods.sleep import Sleep
from ..learning.networks import mlp
from ..learning.training import activation, reproducible
from ..sleep import SleepConfig, cuda, linear_layers, reference
from ..sleep.scaling import scales_of

OWN = ("init", "lr", "momentum", "dropout")  # settings of the awake phase in which networks may differ
PART = 2_500  # images at a time


def finals(cells: Sequence[Cell], *, seed: int = 0, device: str = "cuda") -> list[float]:
    """Run cells with a sleep after every task; return the final accuracy of each on its held-out images, a fraction.

    cells: they differ at most in seed, task order, `OWN` and in how they sleep; streams of noise, window, `strict` and
    whether there is a gate are the same. seed: of all that is drawn on the device.
    Raises ValueError where this does not hold.
    """
    fleet = Fleet(cells, seed, torch.device(device))
    for task in range(fleet.order.shape[1]):
        fleet.learn(task)
        fleet.sleep(task)
    return fleet.accuracies()


class Fleet:
    """Networks that learn at the same pace; every tensor has one of them per entry of its first axis."""

    def __init__(self, cells: Sequence[Cell], seed: int, device: torch.device) -> None:
        _check(cells)
        self.cells, self.device = cells, device
        self.awake = cells[0].awake
        self.random = torch.Generator(device).manual_seed(seed)
        self.x, self.y, self.x_held, self.y_held = _images(replace(_alike(cells[0]), tasks=None), device)
        self.order = torch.tensor([cell.order[: cell.tasks] for cell in cells], device=device)  # (networks, tasks)
        self.momentum = self._each([cell.awake.momentum for cell in cells])
        self.keep = self._each([1 - cell.awake.dropout for cell in cells])
        starts = zip(*(_first_weights(self.awake.layers, cell.seed, device) for cell in cells), strict=True)
        init = self._each([cell.awake.init for cell in cells])
        self.weights = [torch.stack(layer) * init for layer in starts]  # (networks, out, in) each
        self.velocities = [torch.zeros_like(w) for w in self.weights]

    def _each(self, values: Sequence[float]) -> Tensor:
        """Return a number of every network, (networks, 1, 1)."""
        return torch.tensor(values, dtype=torch.float32, device=self.device)[:, None, None]

    def _rand(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.random, device=self.device)

    def forward(self, x: Tensor, masks: list[Tensor] | None = None) -> list[Tensor]:
        """Return what goes into every layer and, last, the input to the output units; x: (networks, n, in_1).

        masks: an empty list, filled with the derivative of every hidden layer, in training; None: evaluation.
        """
        layers, inverted = [x], self.awake.dropout_scaling == "train"
        for w in self.weights[:-1]:
            x = torch.bmm(x, w.mT).relu()
            if masks is not None:
                kept = (self._rand(*x.shape) < self.keep).float()
                masks.append((kept / self.keep if inverted else kept) * (x > 0))
                x = x * masks[-1]
            elif not inverted:
                x = x * self.keep
            layers.append(x)
        return [*layers, torch.bmm(x, self.weights[-1].mT)]

    @torch.no_grad()
    def learn(self, task: int) -> None:
        """Train on the task at this place of every network's order."""
        mine, n = self.order[:, task, None], self.x.shape[1]
        lr = self._each([cell.awake.task_lr(task) for cell in self.cells])
        for _ in range(self.awake.task_epochs(task)):
            shuffled = self._rand(len(mine), n).argsort(1)
            for rows in torch.split(shuffled[:, : n // self.awake.batch * self.awake.batch], self.awake.batch, dim=1):
                with _precision("high"):
                    self._step(self.x[mine, rows], self.y[mine, rows], lr)

    def _step(self, x: Tensor, y: Tensor, lr: Tensor) -> None:
        masks: list[Tensor] = []
        *layers, z = self.forward(x, masks)
        delta = (activation(z, self.awake.loss) - one_hot(y, z.shape[2])) / self.awake.batch
        for i in reversed(range(len(self.weights))):
            gradient = torch.bmm(delta.mT, layers[i])
            if i:
                delta = torch.bmm(delta, self.weights[i]) * masks[i - 1]
            self.velocities[i].mul_(self.momentum).add_(gradient)
            self.weights[i].sub_(lr * self.velocities[i])

    @torch.no_grad()
    def sleep(self, task: int) -> None:
        """Let every network sleep after the task at this place; one that does not makes no change."""
        nights = [_night(cell).night(task) for cell in self.cells]
        some = next((night for night in nights if night), None)
        if some is None:
            return
        configs = [night or replace(some, rate=0, inc=0, dec=0) for night in nights]
        mean, scales = self._statistics(task)
        rule = self._rule(configs, scales)
        chance = (self._each([2 * c.dt * c.rate for c in configs])[:, 0] * mean).clamp(max=1)  # (networks, inputs)
        learn = cuda.learn if self.device.type == "cuda" and cuda.available() else reference.learn
        steps = self._each([c.steps for c in configs])
        potentials = [w.new_zeros(len(w), some.batch, w.shape[1]) for w in self.weights]
        for begin, end in pairwise(sorted({0, *(c.steps for c in configs)})):
            # The neurons of a network whose sleep has ended have a threshold that nothing reaches.
            going = replace(rule, beta=[torch.where(steps > begin, beta, torch.inf) for beta in rule.beta])
            for _ in range(begin, end):
                reference.step(self.weights, potentials, self._noise(chance, some), going, learn)

    def _rule(self, configs: Sequence[SleepConfig], scales: Sequence[Tensor]) -> reference.Rule:
        """Return the rule of all networks; scales: of every layer, (networks, 1, 1) each."""
        layers = len(self.weights)
        alpha, beta = (
            [self._each(layer) for layer in zip(*(c.per_layer(name, layers) for c in configs), strict=True)]
            for name in ("alpha", "beta")
        )
        inc, dec, decay = (self._each([getattr(c, name) for c in configs]) for name in ("inc", "dec", "decay"))
        gates = [c.gate for c in configs if c.gate is not None]  # of all networks or of none
        gain = [a * scale for a, scale in zip(alpha, scales, strict=True)]
        return reference.Rule(gain, beta, inc, dec, decay, self._each(gates) if gates else None, configs[0].strict)

    def _noise(self, chance: Tensor, config: SleepConfig) -> Tensor:
        """Return the input spikes of one step, bool (networks, streams, inputs); as `draw_input` does it."""
        networks, inputs = chance.shape
        spikes = self._rand(networks, config.batch, inputs) < chance[:, None]
        if config.window is None:
            return spikes
        side = round(inputs**0.5)
        corner = torch.randint(
            side - config.window + 1, (2, networks, config.batch, 1), generator=self.random, device=self.device
        )
        place = torch.arange(side, device=self.device)
        rows, columns = ((place >= corner) & (place < corner + config.window)).unbind()
        return spikes & (rows[..., :, None] & columns[..., None, :]).flatten(2)

    def _statistics(self, task: int) -> tuple[Tensor, list[Tensor]]:
        """Return the mean input, (networks, inputs), and the scale of every layer, over the images trained on."""
        mean = torch.zeros(len(self.cells), self.x.shape[2], dtype=torch.float64, device=self.device)
        largest = [w.amax((1, 2)).clamp(min=0) for w in self.weights]
        with _precision("high"):
            for mine in self.order[:, : task + 1].T:
                for x in torch.split(self.x, PART, dim=1):
                    mean += x.sum(1, dtype=torch.float64)[mine]
                    _, *hidden, z = self.forward(x[mine])
                    for i, activity in enumerate((*hidden, activation(z, self.awake.loss))):
                        largest[i] = torch.maximum(largest[i], activity.amax((1, 2)))
        seen = (task + 1) * self.x.shape[1]
        return (mean / seen).clamp(0, 1).float(), scales_of([s[:, None, None] for s in largest])

    @torch.no_grad()
    def accuracies(self) -> list[float]:
        """Return the accuracy of every network on the held-out images of its tasks."""
        correct = torch.zeros(len(self.cells), dtype=torch.int64, device=self.device)
        parts = list(zip(torch.split(self.x_held, PART, dim=1), torch.split(self.y_held, PART, dim=1), strict=True))
        for x, y in parts:
            for mine in self.order.T:
                outputs = activation(self.forward(x[mine])[-1], self.awake.loss)
                correct += (outputs.argmax(2) == y[mine]).sum(1)
        return (correct.double() / (self.order.shape[1] * self.y_held.shape[1])).tolist()


def _night(cell: Cell) -> Sleep:
    (night,) = cell.plugins
    assert isinstance(night, Sleep)
    return night


def _alike(cell: Cell) -> Cell:
    """Return a cell without what may differ between the networks of a fleet."""
    same = replace(cell.awake, **dict[str, Any](dict.fromkeys(OWN, 0.5)))
    return replace(cell, awake=same, plugins=(), order=tuple(range(len(cell.order))), seed=0)


def _check(cells: Sequence[Cell]) -> None:
    if not cells:
        raise ValueError("cells is empty: allowed is one or more")
    first = cells[0]
    for cell in cells:
        if len(cell.plugins) != 1 or not isinstance(cell.plugins[0], Sleep) or cell.joint or cell.measures:
            raise ValueError(f"plugins = {cell.plugins}: a fleet takes a sleep and no other method")
        night = _night(cell)
        odd = (night.statistics, night.drive, night.reset_velocity)
        if odd != ("trained", "mean", False):
            raise ValueError(f"(statistics, drive, reset_velocity) = {odd}: a fleet takes the plain ones")
        if _alike(cell) != _alike(first):
            raise ValueError(f"cells differ: a fleet takes those that agree in all but seed, order, {', '.join(OWN)}")
    if not first.held_out or first.awake.images_per_task is None:
        raise ValueError("a fleet takes cells with held-out images and a number of images per task")
    if first.awake.spiking or first.awake.restart_from_initial:
        raise ValueError("spiking, restart_from_initial: a fleet takes rectified units that go on from task to task")
    nights = [_night(cell).night(task) for cell in cells for task in range(len(first.order))]
    kinds = {(n.batch, n.window, n.strict, n.gate is None) for n in nights if n}
    if len(kinds) > 1:
        raise ValueError(f"(batch, window, strict, no gate) = {sorted(kinds, key=str)}: a fleet takes one of them")


@lru_cache(maxsize=1)
def _images(cell: Cell, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return training images and labels, held-out images and labels, (tasks, n, inputs) and (tasks, n) each."""
    tasks, n = run.stream(cell), cell.awake.images_per_task
    parts: Sequence[Callable[[Any], Tensor]] = (
        lambda t: t.x_train[:n], lambda t: t.y_train[:n], lambda t: t.x_test, lambda t: t.y_test
    )  # fmt: skip
    x, y, x_held, y_held = (torch.stack([part(task) for task in tasks]).to(device) for part in parts)
    return x, y, x_held, y_held


@cache
def _first_weights(layers: tuple[int, ...], seed: int, device: torch.device) -> list[Tensor]:
    """Return the weights that `mlp` draws for a seed, before they are multiplied by `init`."""
    with reproducible(seed):
        return [layer.weight.detach().to(device) for layer in linear_layers(mlp(layers, init=1.0))]


@contextmanager
def _precision(name: str) -> Iterator[None]:
    """Multiply matrices with TensorFloat-32 where it is "high", as good as any for training; not for spikes."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
