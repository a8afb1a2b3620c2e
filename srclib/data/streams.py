"""Streams: the sequences of tasks that a network learns one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .dataset import Dataset


@dataclass(frozen=True, eq=False)
class Task:
    """One task: the images of some classes. Labels are those of the whole stream (class-incremental)."""

    classes: tuple[int, ...]
    x_train: Tensor  # float32 (n, inputs)
    y_train: Tensor  # int64 (n,)
    x_test: Tensor
    y_test: Tensor


def class_incremental(data: Dataset, order: Sequence[int], classes_per_task: int = 2) -> list[Task]:
    """Split a data set into tasks of consecutive classes, given in this order; images keep the order of the data set.

    order: a permutation of the tasks, 0 for classes 0 and 1. Where the classes are no multiple of those of a task, the
    last task has what is left. Raises ValueError for an order of other tasks, or other classes of a task than 1 to all.
    Source: paper, section "Task protocols".
    """
    classes = len(data.classes)
    if not 1 <= classes_per_task <= classes:
        raise ValueError(f"classes_per_task = {classes_per_task}: allowed is 1 to {classes}")
    tasks = -(-classes // classes_per_task)
    if sorted(order) != list(range(tasks)):
        raise ValueError(f"order = {tuple(order)}: allowed is a permutation of 0..{tasks - 1}")
    starts = [t * classes_per_task for t in order]
    return [_select(data, tuple(range(start, min(start + classes_per_task, classes)))) for start in starts]


def _select(data: Dataset, classes: tuple[int, ...]) -> Task:
    wanted = torch.tensor(classes)
    train, test = torch.isin(data.y_train, wanted), torch.isin(data.y_test, wanted)
    return Task(classes, data.x_train[train], data.y_train[train], data.x_test[test], data.y_test[test])


def cross_modal(datasets: Sequence[Dataset], order: Sequence[int]) -> list[Task]:
    """Make each data set one task, in this order; all share their labels, so that one output serves several classes.

    datasets: as many classes and inputs in each. order: a permutation of them. Source: paper, section "Task protocols":
    MNIST, then Fashion-MNIST, with the same ten outputs.
    """
    if sorted(order) != list(range(len(datasets))):
        raise ValueError(f"order = {tuple(order)}: allowed is a permutation of 0..{len(datasets) - 1}")
    return [_select(datasets[d], tuple(range(len(datasets[d].classes)))) for d in order]


def hold_out(task: Task, images: int) -> Task:
    """Keep the last training images out of training and test on them in place of the test images.

    For searches, which never see a test image. Raises ValueError where none is left to train on.
    """
    if not 1 <= images < len(task.x_train):
        raise ValueError(f"held_out = {images}: allowed is 1 to {len(task.x_train) - 1} images of task {task.classes}")
    fit, held = slice(None, -images), slice(-images, None)
    return Task(task.classes, task.x_train[fit], task.y_train[fit], task.x_train[held], task.y_train[held])


def patches(overlap: int, seed: int, *, side: int = 10) -> list[Task]:
    """Draw the four binary images of the toy problem, as two tasks of two.

    Every image has `overlap` on-pixels that all four share and its own ones, so that each has about a sixth of the
    pixels on. At or beyond a sixth there is no room for own pixels and all images are the same. The images are drawn
    from `seed`. Training and test images are the same.
    Source: paper, section "SRC promotes consolidation of overlapping binary patches", Fig. 1A; on-pixel count from the
    released code.
    """
    on = round(side * side / 6)
    if not 0 <= overlap <= side * side:
        raise ValueError(f"overlap = {overlap}: allowed is 0 to {side * side} pixels")
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randperm(side * side, generator=generator)
    own = max(0, on - overlap)
    x = torch.zeros(4, side * side)
    x[:, pixels[:overlap]] = 1
    for image in range(4):
        x[image, pixels[overlap + image * own : overlap + (image + 1) * own]] = 1
    y = torch.arange(4)
    return [
        Task(classes, x[rows], y[rows], x[rows], y[rows])
        for classes, rows in (((0, 1), slice(0, 2)), ((2, 3), slice(2, 4)))
    ]


def task_order(kind: str, tasks: int, seed: int) -> tuple[int, ...]:
    """Return the order of a stream's tasks: "sorted", or "random", a permutation drawn from the seed."""
    if kind == "sorted":
        return tuple(range(tasks))
    if kind == "random":
        return tuple(torch.randperm(tasks, generator=torch.Generator().manual_seed(seed)).tolist())
    raise ValueError(f"order {kind!r} is unknown: allowed is sorted or random")
