"""Awake training: stochastic gradient descent with momentum, data in memory.

The losses are given by the error they send into the output units, delta = dL/dz with z the input to the output units,
y the targets (one-hot, or any that a method gives), m the batch size:

    softmax_ce   delta = (softmax(z) - y) / m      cross-entropy; paper, section "Network details"
    sigmoid_bce  delta = (sigmoid(z) - y) / m      cross-entropy of every output on its own; iCaRL's
    relu_mse     delta = (relu(z) - y) / m         squared error of a rectified output without the derivative of the
                                                   rectifier (a silent output still learns); released code
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ..sleep.arguments import is_finite
from .momentum import Momentum
from .networks import DROPOUTS, logits, mlp

LOSSES = {"softmax_ce": "softmax", "sigmoid_bce": "sigmoid", "relu_mse": "relu"}  # loss -> output of the network
EVALUATION_BATCH = 1_000


@dataclass(frozen=True, kw_only=True)
class AwakeConfig:
    """The network and its training; one number of epochs and one learning rate, or one per task."""

    layers: tuple[int, ...]
    init: float  # weights start in U(-init, init)
    loss: str  # one of LOSSES
    epochs: int | tuple[int, ...]
    batch: int
    lr: float | tuple[float, ...]
    momentum: float
    dropout: float
    dropout_scaling: str  # "train" (inverted) or "test" (classic)
    images_per_task: int | None  # the first so many are trained on; None: all
    restart_from_initial: bool = False  # every task starts from the initial weights, with no velocity
    spiking: int | None = None  # the neurons spike awake, too: steps that an image is shown; None: rectified units

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss = {self.loss!r}: allowed is one of {tuple(LOSSES)}")
        for name in ("batch", "images_per_task", "spiking"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} = {value}: allowed is a whole number >= 1")
        if len(self.layers) < 2 or min(self.layers) < 1:
            raise ValueError(f"layers = {list(self.layers)}: allowed are two numbers >= 1 or more, inputs to outputs")
        if not (is_finite(self.init) and self.init > 0):
            raise ValueError(f"init = {self.init}: allowed is a finite number > 0")
        if not (is_finite(self.dropout) and 0 <= self.dropout < 1):
            raise ValueError(f"dropout = {self.dropout}: allowed is a number from 0 to below 1")
        if self.dropout_scaling not in DROPOUTS:
            raise ValueError(f"dropout_scaling = {self.dropout_scaling!r}: allowed is one of {DROPOUTS}")
        if min((self.epochs,) if isinstance(self.epochs, int) else self.epochs, default=0) < 1:
            raise ValueError(f"epochs = {self.epochs}: allowed is a whole number >= 1, or one per task")
        rates = self.lr if isinstance(self.lr, tuple) else (self.lr,)
        if not rates or not all(is_finite(rate) and rate > 0 for rate in rates) or not 0 <= self.momentum < 1:
            raise ValueError(
                f"lr = {self.lr}, momentum = {self.momentum}: allowed is lr > 0 and momentum in [0, 1), both finite"
            )

    def for_tasks(self, tasks: int) -> AwakeConfig:
        """Return the settings for a stream of so many tasks: nothing of others, one number where all have the same."""
        lists = {name: getattr(self, name) for name in ("epochs", "lr")}
        own = {name: value[:tasks] for name, value in lists.items() if isinstance(value, tuple)}
        same = {name: value[0] for name, value in own.items() if len(value) == tasks and len(set(value)) == 1}
        return replace(self, **(own | same))

    def network(self) -> nn.Sequential:
        """Return a new network; its weights come from torch's global generator."""
        return mlp(
            self.layers,
            init=self.init,
            output=LOSSES[self.loss],
            dropout=self.dropout,
            dropout_scaling=self.dropout_scaling,
            spiking=self.spiking,
        )

    def optimizer(self, model: nn.Module) -> Momentum:
        """Return the optimizer; its velocity lives as long as it does, so keep one for all tasks."""
        return Momentum(model.parameters(), self.task_lr(0), self.momentum)

    def task_epochs(self, task: int) -> int:
        """Return the epochs of a task, from 0; ValueError when there is no number for it."""
        return int(self._of_task("epochs", task))

    def task_lr(self, task: int) -> float:
        """Return the learning rate of a task, from 0; ValueError when there is none for it."""
        return float(self._of_task("lr", task))

    def _of_task(self, name: str, task: int) -> Any:
        value = getattr(self, name)
        if not isinstance(value, tuple):
            return value
        if task >= len(value):
            raise ValueError(
                f"{name} = {value}: allowed is one number, or one per task; there are at least {task + 1} tasks"
            )
        return value[task]


Hook = Callable[[], None]


def train(
    model: nn.Sequential,
    optimizer: Momentum,
    x: Tensor,
    y: Tensor,
    *,
    loss: str,
    epochs: int,
    batch: int,
    old: tuple[Tensor, Tensor] | None = None,
    share: float = 1.0,
    after_backward: Sequence[Hook] = (),
    penalties: Sequence[Callable[[], Tensor]] = (),
    before_step: Sequence[Hook] = (),
    after_step: Sequence[Hook] = (),
) -> None:
    """Train in place on x (n, inputs) and y, reshuffled every epoch; a last partial batch is left out.

    y: labels (n,), or targets of all outputs (n, classes), which for softmax_ce add up to 1 for each image. old: x and
    y of images to rehearse; every step takes a batch of them, drawn with repetition, beside the batch of x, whose mean
    loss then counts `share` and theirs the rest.
    after_backward runs when the gradient of this loss is there. Then come the penalties, extra terms of the loss as
    functions of the model's weights; before_step, on the whole gradient; the update; after_step.
    Raises ValueError when there are fewer images than a batch, or not a label (or targets) for each.
    """
    if len(x) < batch:
        raise ValueError(f"{len(x)} images are fewer than a batch of {batch}")
    classes = classes_of(model)
    targets = _targets(x, y, classes)
    if old:
        old_x, old_targets = old[0], _targets(*old, classes)
        parts = torch.tensor([2 * share, 2 - 2 * share], dtype=x.dtype).repeat_interleave(batch)[:, None]
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x))[: len(x) // batch * batch].split(batch):
            inputs, wanted = x[rows], targets[rows]
            if old:
                again = torch.randint(len(old_x), (batch,))
                inputs, wanted = torch.cat([inputs, old_x[again]]), torch.cat([wanted, old_targets[again]])
            model.zero_grad()
            z = logits(model, inputs)
            delta = output_delta(z.detach(), wanted, loss)
            z.backward(delta * parts if old else delta)
            for hook in after_backward:
                hook()
            for penalty in penalties:
                penalty().backward()
            for hook in before_step:
                hook()
            optimizer.step()
            for hook in after_step:
                hook()


def _targets(x: Tensor, y: Tensor, classes: int) -> Tensor:
    """Return the targets of all outputs, (n, classes), of labels (n,) or of targets."""
    targets = one_hot(y, classes).to(x.dtype) if y.ndim == 1 else y
    if targets.shape != (len(x), classes):
        raise ValueError(f"y has shape {tuple(y.shape)}: allowed is ({len(x)},) or ({len(x)}, {classes})")
    return targets


def classes_of(model: nn.Sequential) -> int:
    """Return the number of output units."""
    return [layer.out_features for layer in model if isinstance(layer, nn.Linear)][-1]


def output_delta(z: Tensor, target: Tensor, loss: str) -> Tensor:
    """Return dL/dz (m, classes) for output inputs z and targets, both (m, classes)."""
    return (activation(z, loss) - target) / len(z)


def activation(z: Tensor, loss: str) -> Tensor:
    """Return what a loss compares with the targets, (…, classes), for output inputs z (…, classes)."""
    if loss == "softmax_ce":
        return z.softmax(-1)
    return z.sigmoid() if loss == "sigmoid_bce" else z.relu()


@torch.no_grad()
def evaluate(model: nn.Sequential, x: Tensor, *, dropout: bool = False) -> Tensor:
    """Return the outputs of a network, or of some of its layers, (n, outputs); dropout is off unless asked for."""
    model.eval()
    for layer in model:
        if isinstance(layer, nn.Dropout):
            layer.train(dropout)
    return torch.cat([model(part) for part in x.split(EVALUATION_BATCH)])


def predict(model: nn.Sequential, x: Tensor) -> Tensor:
    """Return the predicted class of every input, (n,): the largest output, the first of equals.

    With a rectified output, an input that activates no output unit is assigned to class 0, as in the released code.
    """
    return evaluate(model, x).argmax(1)


@contextmanager
def reproducible(seed: int, threads: int = 1) -> Iterator[None]:
    """Fix what a result depends on: torch's random state, the number of threads, denormal numbers flushed to zero.

    All three are restored at the end.
    """
    threads_before, flushed_before = torch.get_num_threads(), bool(torch.tensor(1e-40).mul(1) == 0)
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads_before)
        torch.set_flush_denormal(flushed_before)
