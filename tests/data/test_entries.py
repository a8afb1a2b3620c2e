"""Streams of the registry: how many tasks each has, and the tasks themselves."""

from __future__ import annotations

import pytest
import torch

from srclib.data import Task, class_incremental, load, patches, stream


def same(a: Task, b: Task) -> bool:
    pairs = [(getattr(a, name), getattr(b, name)) for name in ("x_train", "y_train", "x_test", "y_test")]
    return a.classes == b.classes and all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize(
    ("name", "outputs", "classes_per_task", "tasks"),
    [("mnist", 10, 2, 5), ("mnist", 10, 10, 1), ("patches", 4, 2, 2), ("cross_modal", 10, 10, 2), ("cub50", 50, 25, 2)],
)
def test_count(name: str, outputs: int, classes_per_task: int, tasks: int) -> None:
    assert stream(name).count(outputs, classes_per_task) == tasks


def test_a_data_set_is_learned_class_by_class() -> None:
    order = (3, 0, 1, 4, 2)
    found = stream("mnist").tasks(order, 2, overlap=5, seed=3, inputs=9)  # which only patches take
    assert len(found) == 5
    assert all(same(*pair) for pair in zip(found, class_incremental(load("mnist"), order), strict=True))


def test_cross_modal_is_one_data_set_after_the_other() -> None:
    second, first = stream("cross_modal").tasks((1, 0), 10)
    assert torch.equal(first.x_train, load("mnist").x_train)
    assert torch.equal(second.x_test, load("fashion_mnist").x_test)


def test_patches_are_drawn_as_asked_for() -> None:
    found = stream("patches").tasks((1, 0), 2, overlap=3, seed=7, inputs=81)
    assert all(same(*pair) for pair in zip(found, reversed(patches(3, 7, side=9)), strict=True))


def test_patches_need_an_overlap_and_a_square() -> None:
    with pytest.raises(ValueError, match="overlap is missing: the patches need one"):
        stream("patches").tasks((0, 1), 2, inputs=100)
    with pytest.raises(ValueError, match="inputs = 99: the patches need a square number of inputs"):
        stream("patches").tasks((0, 1), 2, overlap=3, inputs=99)
