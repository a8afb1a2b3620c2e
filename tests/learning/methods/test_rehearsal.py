"""Rehearsal: which images, how many, how they are weighted, whole runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import one_hot

from srclib.data import Task, class_incremental, load
from srclib.learning.methods.plugin import Examples, Plugin, Run
from srclib.learning.methods.rehearsal import Rehearsal
from srclib.learning.training import LOSSES, output_delta

from ...cells import awake, sleep
from .cases import CLASSES, a_run, learn, phases, task

TASK = 100_000  # images are numbers, those of the second task begin here


def numbered(index: int, images: int) -> Task:
    """Return a task of two classes whose images are numbers."""
    x = TASK * index + torch.arange(images, dtype=torch.float64)[:, None]
    classes = (2 * index, 2 * index + 1)
    return Task(classes, x, torch.tensor(classes).repeat(images)[:images], torch.empty(0), torch.empty(0))


def data_of(plugin: Rehearsal, sizes: list[int], images: int | None = None, seed: int = 0) -> list[Examples]:
    """Return what each of some tasks of such sizes is trained on, `images` of each at most."""
    state = Run(torch.nn.Sequential(), None, seed, images, "softmax_ce")  # type: ignore[arg-type]
    found = []
    for index, size in enumerate(sizes):
        state.seen.append(numbered(index, size))
        found.append(plugin.task_data(state, Examples(*state.trained_on(state.seen[-1]))))
        plugin.after_task(state)
    return found


def old_of(data: Examples, index: int) -> list[float]:
    """Return the numbers of the old images in the data of a task."""
    x = torch.cat([data.x, data.old.x]) if data.old else data.x
    return [number for number in x[:, 0].tolist() if number < TASK * index]


def sizes_of(data: list[Examples]) -> list[tuple[int, int]]:
    """Return how many images are trained on in one shuffled set, and how many are drawn from beside it."""
    return [(len(d.x), len(d.old.x) if d.old else 0) for d in data]


# Which images


def test_two_percent_of_5000_are_100() -> None:
    """The paper's example: 100 images of task 1 in task 2, 200 of tasks 1 and 2 in task 3."""
    data = data_of(Rehearsal(0.02), [6000, 5500, 5000], images=5000)
    assert sizes_of(data) == [(5000, 0), (5000, 100), (5000, 200)]
    first, both = old_of(data[1], 1), old_of(data[2], 2)
    assert len(set(first)) == 100  # none twice
    assert max(first) < 5000  # only of those trained on
    assert both[:100] == first  # stored once
    assert min(both[100:]) >= TASK
    assert {x - TASK for x in both[100:]} != set(first)  # drawn for each task


@pytest.mark.parametrize("released", [False, True], ids=["stored", "released"])
def test_labels_stay_with_their_images(released: bool) -> None:
    for data in data_of(Rehearsal(0.3, released), [1200, 1100, 1000]):
        for part in (data, data.old or data):
            number = part.x[:, 0].long()
            assert torch.equal(part.y, 2 * (number // TASK) + number % 2)


@pytest.mark.parametrize(
    ("fraction", "images", "stored"),
    [(0.0075, 5000, 38), (0.01, 50, 1), (0.01, 49, 0), (0.5, 3, 2), (1.0, 7, 7), (0.0, 100, 0)],
)
def test_a_fraction_of_images_is_rounded_to_whole_ones(fraction: float, images: int, stored: int) -> None:
    found = sizes_of(data_of(Rehearsal(fraction), [images] * 3))
    assert found == [(images, 0), (images, stored), (images, 2 * stored)]


def test_the_draw_belongs_to_the_seed() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    for released in (False, True):
        plugin = Rehearsal(0.2, released)
        first, again, other = (old_of(data_of(plugin, [2000, 2000], seed=seed)[1], 1) for seed in (4, 4, 5))
        assert first == again != other
    assert torch.equal(torch.get_rng_state(), before)  # no plugin, no difference: nothing is drawn from torch


# The released variant


@pytest.mark.parametrize(
    ("dataset", "fraction", "counts"),
    [
        ("mnist", 0.0075, [0, 100, 200, 300, 400]),
        ("fashion_mnist", 0.0075, [0, 100, 200, 300, 400]),
        ("mnist", 0.01, [0, 100, 200, 400, 500]),
        ("fashion_mnist", 0.01, [0, 100, 200, 400, 500]),
    ],
)
def test_released_counts(dataset: str, fraction: float, counts: list[int]) -> None:
    state, plugin = Run(torch.nn.Sequential(), None, 0, 5000, "relu_mse"), Rehearsal(fraction, True)  # type: ignore[arg-type]
    for seen, count in zip(class_incremental(load(dataset), range(5)), counts, strict=True):
        state.seen.append(seen)
        data = plugin.task_data(state, Examples(*state.trained_on(seen)))
        assert len(data.x) == 5000 + count
        assert data.old is None
        plugin.after_task(state)
    assert not state.memory  # nothing is stored


@pytest.mark.parametrize(
    ("pool", "fraction", "count"),
    [(60_000, 0.0075, 500), (60_000, 0.01, 600), (660, 1.0, 660), (640, 1.0, 600), (40, 1.0, 0), (1000, 0.0, 0)],
    ids=["cross_modal", "cross_modal_1_percent", "no_more_than_there_are", "down", "none", "zero"],
)
def test_released_counts_are_rounded_to_hundreds(pool: int, fraction: float, count: int) -> None:
    assert len(data_of(Rehearsal(fraction, True), [pool, 10])[1].x) == 10 + count


def test_the_released_draw_is_new_for_each_task_and_from_full_pools() -> None:
    first, second = (set(old_of(d, i)) for i, d in enumerate(data_of(Rehearsal(0.5, True), [900] * 3, images=100)) if i)
    assert len(first) == 500  # of 900, more than were trained on
    assert len(second) == 900
    assert {x for x in second if x < TASK} != first
    assert max(first) >= 100
    assert min(x for x in second if x >= TASK) < TASK + 100 <= max(second)


# The loss


@given(st.lists(st.integers(2, 60), min_size=2, max_size=6), st.floats(0.25, 1))
def test_new_images_have_one_part_in_t_of_the_loss(sizes: list[int], fraction: float) -> None:
    for index, data in enumerate(data_of(Rehearsal(fraction), sizes)):
        assert data.share == pytest.approx(1 / (index + 1))
        assert (data.old is None) == (index == 0)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_step_follows_the_weighted_loss(loss: str) -> None:
    """With one image stored of a task, in the second task all old images of a step are the same."""

    def mean_gradient(x: Tensor, y: Tensor) -> Tensor:
        return output_delta(x @ w.T, one_hot(y, CLASSES).double(), loss).T @ x

    state, plugin = a_run(loss, (6, CLASSES), lr=0.2), Rehearsal(1 / 12)
    learn(state, task(0), plugin, epochs=1, batch=12)
    ((x, y),) = state.memory[plugin]
    assert len(x) == 1
    w = state.weights()[0].detach().clone()
    learn(state, task(1), plugin, epochs=1, batch=12)
    expected = (mean_gradient(state.seen[-1].x_train, state.seen[-1].y_train) + mean_gradient(x, y)) / 2
    torch.testing.assert_close(state.weights()[0].detach(), w - 0.2 * expected, rtol=1e-5, atol=1e-6)


# Whole runs


@dataclass(frozen=True)
class Count(Plugin):
    """Keeps the sizes of what is trained on, and how many updates are planned and made."""

    sizes: list[int] = field(default_factory=list, hash=False, compare=False)
    steps: list[int] = field(default_factory=list, hash=False, compare=False)

    def task_data(self, run: Run, data: Examples) -> Examples:
        self.sizes.append(len(data.x))
        self.steps.append(0)
        return data

    def after_step(self, run: Run) -> None:
        self.steps[-1] += 1
        assert self.steps[-1] <= run.steps


def test_stored_images_add_no_steps() -> None:
    count = Count()
    phases(Rehearsal(1.0), count, awake=awake(epochs=3))
    assert count.sizes == [2, 2]
    assert count.steps == [3, 3]  # batches of two


@pytest.mark.parametrize("released", [False, True], ids=["stored", "released"])
@pytest.mark.parametrize("loss", LOSSES)
def test_no_fraction_is_sequential_training(loss: str, released: bool) -> None:
    assert phases(Rehearsal(0.0, released), loss=loss) == phases(loss=loss)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("others", [(), (sleep(30),)], ids=["alone", "with_a_sleep"])
def test_old_images_keep_the_first_task(loss: str, others: tuple[Plugin, ...]) -> None:
    options: dict[str, Any] = {"loss": loss, "awake": awake(layers=(100, 20, 4), loss=loss, init=0.3, epochs=30)}
    found, free = phases(*others, Rehearsal(1.0), **options), phases(**options)
    trained = [phase for phase in found if phase["kind"] == "training"]
    assert trained[1]["accuracy"] == [1, 1]
    assert free[1]["accuracy"][0] < 1
    assert len(found) == 2 + 2 * len(others)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_bad_fraction(fraction: float) -> None:
    with pytest.raises(ValueError, match=rf"fraction = {fraction}: allowed is a number in \[0, 1\]"):
        Rehearsal(fraction)
