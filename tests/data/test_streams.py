"""Streams: class-incremental tasks, the patches, the order of tasks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from srclib.data import Dataset, class_incremental, cross_modal, load, patches, task_order


def numbered(classes: int = 6, train: int = 30, test: int = 12) -> Dataset:
    """Return a data set whose images hold their own number, the labels mixed."""
    generator = torch.Generator().manual_seed(0)

    def part(n: int) -> tuple[torch.Tensor, torch.Tensor]:
        labels = torch.arange(n).remainder(classes)[torch.randperm(n, generator=generator)]
        return torch.arange(n, dtype=torch.float32)[:, None].expand(n, 2), labels

    (x_train, y_train), (x_test, y_test) = part(train), part(test)
    return Dataset("numbered", tuple(map(str, range(classes))), x_train, y_train, x_test, y_test)


# Class-incremental


@pytest.mark.parametrize(
    ("classes_per_task", "order", "classes"),
    [
        (2, (0, 1, 2), [(0, 1), (2, 3), (4, 5)]),
        (2, (2, 0, 1), [(4, 5), (0, 1), (2, 3)]),
        (3, (1, 0), [(3, 4, 5), (0, 1, 2)]),
        (6, (0,), [(0, 1, 2, 3, 4, 5)]),
        (1, (5, 4, 3, 2, 1, 0), [(5,), (4,), (3,), (2,), (1,), (0,)]),
    ],
    ids=["sorted", "permuted", "three_classes", "one_task", "one_class"],
)
def test_tasks_split_the_data(classes_per_task: int, order: tuple[int, ...], classes: list[tuple[int, ...]]) -> None:
    data = numbered()
    tasks = class_incremental(data, order, classes_per_task)
    assert [task.classes for task in tasks] == classes
    for task in tasks:
        for x, y, all_y in ((task.x_train, task.y_train, data.y_train), (task.x_test, task.y_test, data.y_test)):
            rows = [row for row, label in enumerate(all_y.tolist()) if label in task.classes]
            assert x[:, 0].tolist() == rows  # every image of these classes, in the order of the data set
            assert y.tolist() == [int(all_y[row]) for row in rows]  # with its own label


@pytest.mark.parametrize("order", [(0, 1), (0, 1, 1), (1, 2, 3), (0, 1, 2, 3), ()], ids=str)
def test_order_must_be_a_permutation(order: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"order = .*: allowed is a permutation of 0\.\.2"):
        class_incremental(numbered(), order)


def test_mnist_counts() -> None:
    tasks = class_incremental(load("mnist"), range(5))
    assert [len(task.x_train) for task in tasks] == [12665, 12089, 11263, 12183, 11800]
    assert [len(task.y_test) for task in tasks] == [2115, 2042, 1874, 1986, 1983]


# Cross-modal


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=str)
def test_each_data_set_is_a_task(order: tuple[int, ...]) -> None:
    datasets = [numbered(train=30), numbered(train=24, test=6)]
    tasks = cross_modal(datasets, order)
    for task, d in zip(tasks, order, strict=True):
        assert task.classes == (0, 1, 2, 3, 4, 5)  # labels are shared
        assert torch.equal(task.x_train, datasets[d].x_train)
        assert torch.equal(task.y_train, datasets[d].y_train)
        assert torch.equal(task.x_test, datasets[d].x_test)
        assert torch.equal(task.y_test, datasets[d].y_test)


@pytest.mark.parametrize("order", [(0,), (0, 0), (1, 2), (0, 1, 2)], ids=str)
def test_order_of_the_data_sets_must_be_a_permutation(order: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"order = .*: allowed is a permutation of 0\.\.1"):
        cross_modal([numbered(), numbered()], order)


# Patches

SIDES = st.shared(st.integers(1, 14), key="side")
OVERLAPS = SIDES.flatmap(lambda side: st.integers(0, side * side))


@given(side=SIDES, overlap=OVERLAPS, seed=st.integers(0, 2**32))
def test_patches_share_and_own_pixels(side: int, overlap: int, seed: int) -> None:
    tasks = patches(overlap, seed, side=side)
    images = torch.cat([task.x_test for task in tasks])
    on = round(side * side / 6)
    own = max(0, on - overlap)
    assert images.shape == (4, side * side)
    assert set(images.unique().tolist()) <= {0.0, 1.0}
    assert images.sum(1).tolist() == [overlap + own] * 4  # on-pixels of every image
    in_images = images.sum(0)  # (pixels,): in how many images a pixel is on
    assert int((in_images == 4).sum()) == overlap
    assert int((in_images == 1).sum()) == 4 * own
    assert int((in_images == 0).sum()) == side * side - overlap - 4 * own
    assert bool((images == images[0]).all()) == (own == 0)  # at or beyond a sixth, all images are the same
    assert [task.classes for task in tasks] == [(0, 1), (2, 3)]
    for task in tasks:
        assert tuple(task.y_test.tolist()) == task.classes
        assert len(task.x_train) == len(task.y_train) == 2
        for x, y in zip(task.x_train, task.y_train, strict=True):
            assert torch.equal(x, images[y])


def test_ten_by_ten_patches_have_17_pixels_on() -> None:
    for overlap, on in ((0, 17), (12, 17), (16, 17), (17, 17), (25, 25)):
        assert patches(overlap, 0)[0].x_test.sum(1).tolist() == [on, on]


def test_patches_are_drawn_from_their_seed_alone() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = patches(12, seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = patches(12, seed=5), patches(12, seed=6)
    for task in range(2):
        assert torch.equal(first[task].x_train, again[task].x_train)
        assert not torch.equal(first[task].x_train, other[task].x_train)


@pytest.mark.parametrize("overlap", [-1, 101])
def test_impossible_overlap(overlap: int) -> None:
    with pytest.raises(ValueError, match=rf"overlap = {overlap}: allowed is 0 to 100 pixels"):
        patches(overlap, 0)


# Order


@given(tasks=st.integers(1, 20), seed=st.integers(0, 2**63 - 1))
def test_orders_are_permutations(tasks: int, seed: int) -> None:
    assert task_order("sorted", tasks, seed) == tuple(range(tasks))
    drawn = task_order("random", tasks, seed)
    assert sorted(drawn) == list(range(tasks))
    assert task_order("random", tasks, seed) == drawn


def test_random_orders_vary_with_the_seed() -> None:
    assert len({task_order("random", 5, seed) for seed in range(40)}) > 20


def test_unknown_order() -> None:
    with pytest.raises(ValueError, match="order 'shuffled' is unknown: allowed is sorted or random"):
        task_order("shuffled", 5, 0)
