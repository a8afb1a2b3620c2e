"""iCaRL: herding, exemplars, targets and the nearest mean; what the released code chose and predicted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    normalize,
    one_hot,
)

from srclib.data.streams import Task
from srclib.experiments.run import run
from srclib.learning.methods.icarl import ICaRL, herd
from srclib.learning.methods.plugin import Examples, Plugin, Run
from srclib.learning.methods.rehearsal import Rehearsal
from srclib.learning.networks import body_and_head, logits
from srclib.learning.training import LOSSES, evaluate
from srclib.sleep import linear_layers

from ...cells import awake, sleep, tiny
from .cases import a_run, learn

GOLDEN = Path(__file__).parents[2] / "golden" / "icarl_herding.npz"
RELEASED = ICaRL(
    60, "network", normalized=False, first="smallest_projection", dropout=True, pool=True, pad=100
)  # the golden network has no dropout
CLASSES = 10


def task(index: int, images: int = 24) -> Task:
    """Return a task of two of ten classes; no image is like another."""
    generator = torch.Generator().manual_seed(index)
    classes = (2 * index, 2 * index + 1)
    x = torch.rand(images, 6, dtype=torch.float64, generator=generator)
    return Task(classes, x, torch.tensor(classes).repeat(images // 2), torch.empty(0), torch.empty(0))


def ten_classes(loss: str = "sigmoid_bce", **config: Any) -> Run:
    return a_run(loss, (6, 8, CLASSES), **config)


def course(state: Run, plugin: ICaRL, tasks: int = 5, images: int = 24) -> Iterator[dict[int, Tensor]]:
    """Learn some tasks in turn; yield the exemplars after each, a copy."""
    for index in range(tasks):
        learn(state, task(index, images), plugin)
        yield {label: x.clone() for label, x in state.memory[plugin].items()}


def hidden(state: Run, x: Tensor) -> Tensor:
    return evaluate(body_and_head(state.model)[0], x)


def heads(plugin: ICaRL, state: Run, x: Tensor) -> dict[str, Tensor]:
    return plugin.predict(state, x, hidden(state, x), {})


def is_one_of(x: Tensor, images: Tensor) -> bool:
    return bool((x[:, None] == images).all(2).any(1).all())


# Golden: the released code


@pytest.fixture
def golden() -> dict[str, Any]:
    with np.load(GOLDEN) as file:
        return dict(file)


def released_run(data: dict[str, Any]) -> Run:
    """Return the state of a run after one task of all four classes, with the recorded weights."""
    state = a_run("softmax_ce", tuple(data["sizes"].tolist()))
    for i, linear in enumerate(linear_layers(state.model), 1):
        linear.weight.data.copy_(torch.from_numpy(data[f"W{i}"]))
    x = [torch.from_numpy(data[f"X_class{label}"]) for label in range(4)]
    y = torch.arange(4).repeat_interleave(torch.tensor([len(images) for images in x]))
    state.seen.append(Task((0, 1, 2, 3), torch.cat(x), y, torch.empty(0), torch.empty(0)))
    return state


def test_exemplars_are_those_of_the_released_code_in_their_order(golden: dict[str, Any]) -> None:
    state = released_run(golden)
    RELEASED.after_training(state)
    for label, rows in enumerate(golden["exemplar_index"]):
        assert len(rows) == golden["exemplars_per_class"]
        assert torch.equal(state.memory[RELEASED][label], torch.from_numpy(golden[f"X_class{label}"][rows]))


def test_predictions_are_those_of_the_released_code(golden: dict[str, Any]) -> None:
    state = released_run(golden)
    RELEASED.after_training(state)
    found = heads(RELEASED, state, torch.from_numpy(golden["X_test"]))
    np.testing.assert_array_equal(found["nearest_mean"].numpy(), golden["predicted"])


@pytest.mark.parametrize("change", [{"first": "nearest"}, {"normalized": True}], ids=lambda change: next(iter(change)))
def test_the_original_chooses_others(golden: dict[str, Any], change: dict[str, Any]) -> None:
    state, plugin = released_run(golden), replace(RELEASED, **change)
    plugin.after_training(state)
    chosen = torch.from_numpy(golden["X_class0"][golden["exemplar_index"][0]])
    assert not torch.equal(state.memory[plugin][0], chosen)


# Herding


def features(images: int, units: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(images, units, dtype=torch.float64, generator=generator).relu()


@given(st.integers(1, 30), st.integers(2, 9), st.integers(0, 35), st.integers(0, 99), st.booleans())
def test_every_exemplar_brings_the_mean_nearest(images: int, units: int, count: int, seed: int, unit: bool) -> None:
    """By the definition, one image at a time; `unit`: features of length 1."""
    phi = features(images, units, seed)
    phi = normalize(phi) if unit else phi
    rows = herd(phi, count)
    assert len(rows) == len(set(rows.tolist())) == min(images, count)
    for k in range(len(rows)):
        total = phi[rows[:k]].sum(0)
        far = (phi.mean(0) - (total + phi) / (k + 1)).norm(dim=1)
        others = [row for row in range(images) if row not in rows[:k]]
        assert float(far[rows[k]]) == pytest.approx(float(far[others].min()), abs=1e-9)


def test_the_first_exemplar_of_the_release() -> None:
    phi = features(40, 7, 0)
    rows = herd(phi, 5, first="smallest_projection")
    assert int(rows[0]) == int((phi @ phi.mean(0)).argmin()) != int(herd(phi, 1))
    total = phi[rows[0]]
    far = (phi.mean(0) - (total + phi) / 2).norm(dim=1)
    assert int(rows[1]) == int(far.argmin())


def test_fewer_exemplars_are_the_first_of_more() -> None:
    phi = features(50, 9, 1)
    for first in ("nearest", "smallest_projection"):
        assert torch.equal(herd(phi, 20, first=first)[:7], herd(phi, 7, first=first))


# Exemplars


@pytest.mark.parametrize(
    ("memory", "quotas"),
    [(50, [12, 12, 8, 6, 5]), (20, [10, 5, 3, 3, 2]), (100, [12, 12, 12, 12, 10]), (5, [3, 1, 1, 1, 1])],
)
def test_every_class_has_its_share_of_the_memory(memory: int, quotas: list[int]) -> None:
    """K / t, rounded to whole images, halves up; a class has 12 images."""
    for t, (sets, quota) in enumerate(zip(course(ten_classes(), ICaRL(memory)), quotas, strict=True), 1):
        assert list(sets) == list(range(2 * t))
        assert {len(images) for images in sets.values()} == {quota}
        assert quota == min(12, int(memory / (2 * t) + 0.5))


@pytest.mark.parametrize("plugin", [ICaRL(40), ICaRL(40, herding=False)], ids=["herding", "random"])
def test_exemplars_are_the_first_of_the_sets_before(plugin: ICaRL) -> None:
    before: dict[int, Tensor] = {}
    for sets in course(ten_classes(), plugin):
        for label, images in before.items():
            assert torch.equal(sets[label], images[: len(sets[label])])
        before = sets
    assert len(before) == CLASSES


@pytest.mark.parametrize("pool", [False, True], ids=["trained_on", "pool"])
@pytest.mark.parametrize("herding", [False, True], ids=["random", "herding"])
def test_exemplars_are_images_that_were_trained_on(pool: bool, herding: bool) -> None:
    state, plugin = ten_classes(images_per_task=10), ICaRL(24, pool=pool, herding=herding)
    for index, sets in enumerate(course(state, plugin, tasks=2)):
        learned = task(index)
        for label in learned.classes:
            of_class = learned.y_train == label
            assert is_one_of(sets[label], learned.x_train[of_class])
            assert is_one_of(sets[label], learned.x_train[:10][of_class[:10]]) == (not pool)


def test_features_are_those_of_the_trained_network_without_dropout() -> None:
    state, plugin = ten_classes(dropout=0.5), ICaRL(8)
    for sets in course(state, plugin, tasks=1):
        learned = task(0)
        for label in learned.classes:
            images = learned.x_train[learned.y_train == label]
            assert torch.equal(sets[label], images[herd(normalize(hidden(state, images)), 4)])


def test_dropout_may_be_left_on() -> None:
    def sets_of(seed: int, *, dropout: bool) -> Tensor:
        state, plugin = ten_classes(dropout=0.5, seed=4), ICaRL(8, dropout=dropout)
        state.seed = seed
        return next(course(state, plugin, tasks=1))[0]

    assert torch.equal(sets_of(0, dropout=True), sets_of(0, dropout=True))  # drawn from the seed
    assert torch.equal(sets_of(0, dropout=False), sets_of(1, dropout=False))
    assert not torch.equal(sets_of(0, dropout=True), sets_of(0, dropout=False))
    assert not torch.equal(sets_of(0, dropout=True), sets_of(1, dropout=True))


def test_random_exemplars_belong_to_the_seed() -> None:
    chosen = []
    for seed in (0, 0, 1):
        state, plugin = ten_classes(), ICaRL(8, herding=False)
        state.seed = seed
        chosen.append(next(course(state, plugin, tasks=1))[0])
    assert torch.equal(chosen[0], chosen[1])
    assert not torch.equal(chosen[0], chosen[2])


@pytest.mark.parametrize("plugin", [ICaRL(8), ICaRL(8, dropout=True), ICaRL(8, herding=False)], ids=str)
def test_the_generator_of_the_training_is_left_alone(plugin: ICaRL) -> None:
    state = ten_classes(dropout=0.5)
    learn(state, task(0), plugin)
    state.seen.append(task(1))
    before = torch.get_rng_state()
    plugin.task_data(state, Examples(*state.trained_on(state.seen[-1])))
    plugin.after_training(state)
    heads(plugin, state, state.seen[-1].x_train)
    assert torch.equal(torch.get_rng_state(), before)


def test_exemplars_are_chosen_before_a_sleep() -> None:
    @dataclass(frozen=True)
    class Look(Plugin):
        found: list[list[int]] = field(default_factory=list, hash=False, compare=False)

        def after_task(self, run: Run) -> None:
            self.found.append(list(run.memory[plugin]))

    plugin, look = ICaRL(4), Look()
    run(tiny(plugins=(look, sleep(30, beta=0.2), plugin)))
    assert look.found == [[0, 1], [0, 1, 2, 3]]


# What is trained on


def data_of(plugin: ICaRL, state: Run, tasks: int = 5) -> Iterator[tuple[Examples, Examples, dict[int, Tensor]]]:
    """Yield the data of each task, with it what is trained on, and the exemplars before."""
    for index in range(tasks):
        sets = dict(state.memory.get(plugin, {}))
        state.seen.append(task(index))
        data = Examples(*state.trained_on(state.seen[-1]))
        yield data, plugin.task_data(state, data), sets
        plugin.after_training(state)


def test_the_first_task_is_left_alone() -> None:
    for data, trained, sets in data_of(ICaRL(20), ten_classes(), tasks=1):
        assert trained is data
        assert not sets


@pytest.mark.parametrize("distillation", [False, True])
def test_the_training_set_grows_by_the_exemplars(distillation: bool) -> None:
    grown = []
    for data, trained, sets in data_of(ICaRL(20, distillation=distillation), ten_classes()):
        grown.append(len(trained.x) - 24)
        assert torch.equal(trained.x, torch.cat([data.x, *sets.values()]))
        assert trained.old is None
        if not distillation or not sets:
            labels = [label for label, images in sets.items() for _ in images]
            assert trained.y.tolist() == data.y.tolist() + labels
        else:
            assert trained.y.shape == (len(trained.x), CLASSES)
    assert grown == [0, 20, 20, 6 * 3, 8 * 3]  # of 20, 20 / 6 and 20 / 8 in whole images


def test_what_is_trained_on_may_be_filled_up() -> None:
    state, plugin = ten_classes(images_per_task=12), ICaRL(7, pad=10, distillation=False)
    sizes = []
    for data, trained, sets in data_of(plugin, state):
        sizes.append(len(trained.x))
        if sets:
            old = sum(map(len, sets.values()))
            more = trained.x[len(data.x) : len(trained.x) - old]
            assert torch.equal(more, state.seen[-1].x_train[12 : 12 + len(more)])  # not trained on otherwise
            assert torch.equal(trained.y[12 : 12 + len(more)], state.seen[-1].y_train[12 : 12 + len(more)])
    assert sizes == [12, 20, 20, 20, 20]
    state = ten_classes(images_per_task=None)  # there are no further images
    assert [len(trained.x) for _, trained, _ in data_of(replace(plugin, pad=1000), state)][1] == 24 + 8


# The loss


def straight_through(z: Tensor, target: Tensor) -> Tensor:
    return ((z + (z.relu() - z).detach() - target) ** 2).sum() / 2 / len(z)


@pytest.mark.parametrize("loss", LOSSES)
def test_training_follows_the_loss_with_distillation(loss: str) -> None:
    """Two epochs in one batch each, against automatic differentiation of the loss as it is written in the papers."""
    state, plugin = ten_classes(loss, lr=0.3), ICaRL(16)
    learn(state, task(0), plugin)
    learn(state, task(1), plugin)
    exemplars = torch.cat(list(state.memory[plugin].values()))
    new = task(2)
    x, y = torch.cat([new.x_train, exemplars]), torch.cat([new.y_train, torch.arange(4).repeat_interleave(4)])
    weights = [w.detach().clone().requires_grad_() for w in state.weights()]

    def z_of(x: Tensor) -> Tensor:
        return (x @ weights[0].T).relu() @ weights[1].T

    before = z_of(x).detach()
    for _ in range(2):
        z = z_of(x)
        if loss == "softmax_ce":
            value = cross_entropy(z[:24], y[:24], reduction="sum")
            value = (value + cross_entropy(z[24:], before[24:].softmax(1), reduction="sum")) / len(x)
        elif loss == "sigmoid_bce":
            classification = binary_cross_entropy_with_logits(
                z[:, 4:], one_hot(y, CLASSES)[:, 4:].double(), reduction="sum"
            )
            distillation = binary_cross_entropy_with_logits(z[:, :4], before[:, :4].sigmoid(), reduction="sum")
            value = (classification + distillation) / len(x)
        else:
            target = torch.cat([before[:, :4].relu(), one_hot(y, CLASSES)[:, 4:].double()], 1)
            value = straight_through(z, target)
        for w, gradient in zip(weights, torch.autograd.grad(value, weights), strict=True):
            w.data -= 0.3 * gradient
    learn(state, new, plugin, epochs=2, batch=len(x))
    for w, expected in zip(state.weights(), weights, strict=True):
        torch.testing.assert_close(w, expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_targets_are_those_of_the_network_before_with_or_without_dropout(loss: str) -> None:
    drawn = []
    for dropout in (False, True, True):
        state, plugin = ten_classes(loss, dropout=0.5), ICaRL(16, dropout=dropout)
        learn(state, task(0), plugin)
        state.seen.append(task(1))
        trained = plugin.task_data(state, Examples(*state.trained_on(state.seen[-1])))
        hard = one_hot(torch.cat([state.seen[-1].y_train, torch.arange(2).repeat_interleave(8)]), CLASSES).double()
        drawn.append(trained.y)
        if loss == "softmax_ce":
            assert torch.equal(trained.y[:24], hard[:24])
            torch.testing.assert_close(trained.y.sum(1), torch.ones(len(trained.x), dtype=torch.float64))
        else:
            assert torch.equal(trained.y[:, 2:], hard[:, 2:])
    assert not torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[1], drawn[2])


def test_images_that_another_plugin_rehearses_have_targets_too() -> None:
    state, rehearsal, plugin = ten_classes("softmax_ce"), Rehearsal(0.5), ICaRL(8)
    learn(state, task(0), rehearsal, plugin)
    state.seen.append(task(1))
    trained = plugin.task_data(state, rehearsal.task_data(state, Examples(*state.trained_on(state.seen[-1]))))
    assert trained.old is not None
    for x, y in ((trained.x[24:], trained.y[24:]), (trained.old.x, trained.old.y)):
        torch.testing.assert_close(y, evaluate(state.model, x).softmax(1))
    assert (len(trained.x), len(trained.old.x)) == (32, 12)


# The nearest mean


def trained_on_all() -> tuple[Run, Tensor]:
    """Return a run after five tasks, and images to classify."""
    state = ten_classes(epochs=3)
    for _ in course(state, ICaRL(30)):
        pass
    return state, torch.cat([task(index).x_train for index in range(5)])


@pytest.mark.parametrize("normalized", [True, False])
def test_an_image_belongs_to_the_nearest_mean(normalized: bool) -> None:
    state, x = trained_on_all()
    plugin = ICaRL(30, normalized=normalized)
    state.memory[plugin] = state.memory[ICaRL(30)]
    means = torch.stack([hidden(state, images).mean(0) for images in state.memory[plugin].values()])
    phi = hidden(state, x)
    if normalized:
        means = [normalize(hidden(state, images)).mean(0) for images in state.memory[plugin].values()]
        phi, means = normalize(phi), normalize(torch.stack(means))
    expected = torch.cdist(phi, means).argmin(1)
    assert torch.equal(heads(plugin, state, x)["nearest_mean"], expected)
    assert len(expected.unique()) > 2


def test_only_classes_seen_are_predicted_by_their_labels() -> None:
    state, plugin = ten_classes(), ICaRL(30)
    for index in (3, 1):
        learn(state, task(index), plugin)
    predicted = heads(plugin, state, task(0, 200).x_train)["nearest_mean"]
    assert set(predicted.tolist()) <= {6, 7, 2, 3}
    assert len(predicted.unique()) > 1


def test_the_nearest_mean_does_not_depend_on_the_output_layer() -> None:
    state, x = trained_on_all()
    plugin, output = ICaRL(30), state.weights()[-1]
    network, nearest = logits(state.model, x).argmax(1), heads(plugin, state, x)
    output.data = output.data[torch.randperm(CLASSES, generator=torch.Generator().manual_seed(1))]
    assert torch.equal(heads(plugin, state, x)["nearest_mean"], nearest["nearest_mean"])
    assert not torch.equal(logits(state.model, x).argmax(1), network)


def test_dropout_left_on_bears_on_the_means_alone() -> None:
    state = ten_classes(dropout=0.5)
    plugin = ICaRL(30, normalized=False, dropout=True)
    for _ in course(state, plugin, tasks=2):
        pass
    x = torch.rand(300, 6, dtype=torch.float64)
    phi = hidden(state, x)
    first, again = (plugin.predict(state, x, phi, {})["nearest_mean"] for _ in range(2))
    assert torch.equal(first, again)
    other = replace(plugin, dropout=False)
    state.memory[other] = state.memory[plugin]
    assert not torch.equal(other.predict(state, x, phi, {})["nearest_mean"], first)


@pytest.mark.parametrize(
    ("head", "names"), [("network", ["network", "nearest_mean"]), ("nearest_mean", ["nearest_mean", "network"])]
)
def test_either_head_may_count(head: str, names: list[str]) -> None:
    state, x = trained_on_all()
    plugin = ICaRL(30, head)
    state.memory[plugin] = state.memory[ICaRL(30)]
    assert list(plugin.predict(state, x, hidden(state, x), {"network": torch.zeros(len(x))})) == names


# Whole runs


@pytest.mark.parametrize("head", ["network", "nearest_mean"])
def test_both_heads_are_measured_in_every_phase(head: str) -> None:
    cell = tiny(awake=awake(layers=(100, 9, 4)), plugins=(sleep(40, beta=0.2), ICaRL(4, head)))
    metrics = run(cell)
    assert [phase["kind"] for phase in metrics["phases"]] == ["training", "sleep"] * 2
    for phase in metrics["phases"]:
        assert set(phase["heads"]) == {"network", "nearest_mean"}
        for measure in ("accuracy", "overall"):
            assert phase[measure] == phase["heads"][head][measure]
        assert phase["heads"]["nearest_mean"]["accuracy"][0] == 1  # each class is one image, its own mean
    assert metrics["final"] == metrics["phases"][-1]["heads"][head]["overall"]


@pytest.mark.parametrize("loss", ["softmax_ce", "sigmoid_bce"])
def test_icarl_keeps_the_old_classes_of_mnist(loss: str) -> None:
    """Five tasks of two digits, 300 images each, 40 of all kept."""
    config = awake(layers=(784, 40, 10), loss=loss, epochs=3, batch=10, lr=0.1, images_per_task=300)
    cell = tiny(dataset="mnist", awake=config, order=(0, 1, 2, 3, 4), overlap=None)
    forgotten, kept = (run(replace(cell, plugins=plugins)) for plugins in ((), (ICaRL(40),)))
    assert forgotten["final"] < 0.25
    assert kept["final"] > 0.6
    assert kept["phases"][-1]["heads"]["nearest_mean"]["overall"] == kept["final"]


# Bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory": 0}, "memory = 0: allowed is a whole number >= 1"),
        ({"pad": 0}, "pad = 0: allowed is a whole number >= 1"),
        ({"head": "softmax"}, r"head = 'softmax': allowed is one of \('nearest_mean', 'network'\)"),
        ({"first": "last"}, r"first = 'last': allowed is one of \('nearest', 'smallest_projection'\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_settings(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ICaRL(10), **changes)


def test_a_memory_for_every_class() -> None:
    with pytest.raises(ValueError, match="memory = 4: allowed is half of 10, the number of classes, or more"):
        learn(ten_classes(), task(0), ICaRL(4))


def test_every_task_has_new_classes() -> None:
    state, plugin = ten_classes(), ICaRL(10)
    learn(state, task(0), plugin)
    with pytest.raises(ValueError, match=r"task 2 has the old classes \[0, 1\]: allowed are new ones alone"):
        learn(state, task(0), plugin)
