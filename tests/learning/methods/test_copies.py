"""Distillation and pseudo-rehearsal, which keep a copy of the network, and the control that shuffles a change."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from srclib.learning.methods.closed_form import ClosedForm
from srclib.learning.methods.distillation import Distillation, targets
from srclib.learning.methods.icarl import ICaRL
from srclib.learning.methods.plugin import Examples, Plugin, Run
from srclib.learning.methods.pseudo_rehearsal import PseudoRehearsal
from srclib.learning.methods.rehearsal import Rehearsal
from srclib.learning.methods.shuffled import Shuffled, among_inputs, among_neurons
from srclib.learning.methods.sleep import mean_of
from srclib.learning.networks import logits
from srclib.learning.training import LOSSES, activation

from ...cells import sleep
from .cases import CLASSES, a_run, learn, task, weights_of


def after_first(loss: str, plugin: Plugin) -> tuple[Run, Examples]:
    """Return a run that has learned a task, and what it will be trained on in the second one."""
    state = a_run(loss, dropout=0.3)
    learn(state, task(0), plugin)
    state.seen.append(task(1))
    return state, plugin.task_data(state, Examples(*state.trained_on(state.seen[-1])))


def outputs(state: Run, x: Tensor) -> Tensor:
    model = copy.deepcopy(state.model).eval()
    return logits(model, x).detach()


# Distillation


@pytest.mark.parametrize("loss", ["relu_mse", "sigmoid_bce"])
def test_old_outputs_keep_their_responses_and_new_ones_have_the_labels(loss: str) -> None:
    state, data = after_first(loss, Distillation())
    assert torch.allclose(data.y[:, :2], activation(outputs(state, data.x), loss)[:, :2])
    assert torch.equal(data.y[:, 2:].argmax(1) + 2, task(1).y_train)
    assert data.y[:, 2:].sum(1).tolist() == [1] * 12


def test_the_targets_of_a_softmax_add_up_to_one() -> None:
    state, data = after_first("softmax_ce", Distillation())
    assert torch.allclose(data.y.sum(1), torch.ones(12, dtype=torch.float64))
    assert torch.allclose(data.y[:, :2], outputs(state, data.x)[:, :2].softmax(1) / 2)
    assert data.y[:, 2:].max(1).values.tolist() == [0.5] * 12


def test_the_gradient_of_a_softmax_is_that_of_both_losses() -> None:
    """1/t of the cross-entropy with the labels and 1 - 1/t of that with the old responses."""
    z = torch.randn(7, 4, dtype=torch.float64, requires_grad=True)
    y = torch.nn.functional.one_hot(torch.tensor([2, 3, 2, 3, 2, 2, 3]), 4).double()
    before = torch.randn(7, 4, dtype=torch.float64)
    wanted = targets(y, before, (0, 1), "softmax_ce", 1 / 3)
    soft = before[:, :2].softmax(1)
    logs = z.log_softmax(1)
    loss = (-(y * logs).sum(1) / 3 - 2 / 3 * (soft * logs[:, :2]).sum(1)).mean()
    (gradient,) = torch.autograd.grad(loss, z)
    assert torch.allclose(gradient, (z.softmax(1) - wanted).detach() / 7)


def test_a_class_that_comes_again_is_learned_from_its_labels() -> None:
    state = a_run("relu_mse")
    learn(state, task(0))
    state.seen.append(task(0))
    data = Examples(*state.trained_on(state.seen[-1]))
    assert Distillation().task_data(state, data) is data


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("plugin", [Distillation(), PseudoRehearsal(400)], ids=lambda p: type(p).__name__)
def test_old_responses_change_less_than_without(plugin: Plugin, loss: str) -> None:
    def moved(*plugins: Plugin) -> float:
        state = a_run(loss, lr=0.2)
        learn(state, task(0), *plugins, epochs=20)
        before = activation(outputs(state, task(1).x_train), loss)[:, :2]
        learn(state, task(1), *plugins, epochs=20)
        return float((activation(outputs(state, task(1).x_train), loss)[:, :2] - before).abs().mean())

    assert moved(plugin) < 0.7 * moved()


# Pseudo-rehearsal


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("drive", ["mean", "random"])
def test_noise_is_rehearsed_with_the_responses_of_the_network(loss: str, drive: str) -> None:
    state, data = after_first(loss, PseudoRehearsal(2_000, drive))
    assert data.old is not None
    assert data.share == 0.5
    assert torch.allclose(data.old.y, activation(outputs(state, data.old.x), loss))
    expected = mean_of(task(0).x_train, drive)
    assert data.old.x.mean(0).tolist() == pytest.approx(expected.tolist(), abs=0.05)
    assert torch.equal(data.y, task(1).y_train)


def test_noise_joins_what_others_rehearse() -> None:
    state, rehearsal, noise = a_run(), Rehearsal(0.5), PseudoRehearsal(9)
    learn(state, task(0), rehearsal, noise)
    state.seen.append(task(1))
    data = Examples(*state.trained_on(state.seen[-1]))
    for plugin in (rehearsal, noise):
        data = plugin.task_data(state, data)
    assert data.old is not None
    assert data.old.x.shape == (6 + 9, 6)
    assert data.old.y.shape == (6 + 9, CLASSES)
    assert data.old.y[:6].sum(1).tolist() == [1] * 6


def test_other_networks_and_tasks_have_other_noise() -> None:
    plugin = PseudoRehearsal(50)
    seen = []
    for seed in (3, 4):
        state = a_run(seed=seed)
        for index in range(3):
            state.seen.append(task(index))
            data = plugin.task_data(state, Examples(*state.trained_on(state.seen[-1])))
            if data.old:
                seen.append(data.old.x)
    assert all(not torch.equal(a, b) for i, a in enumerate(seen) for b in seen[:i])


# The control that shuffles


def test_neurons_exchange_their_changes() -> None:
    change = torch.randn(30, 5)
    moved = among_neurons(change, np.random.default_rng(0))
    assert sorted(moved.tolist()) == sorted(change.tolist())
    assert not torch.equal(moved, change)


def test_inputs_exchange_their_changes() -> None:
    change = torch.randn(30, 40)
    moved = among_inputs(change, np.random.default_rng(0))
    assert torch.equal(moved.sort(1).values, change.sort(1).values)
    assert float((moved == change).float().mean()) < 0.1


@pytest.mark.parametrize("among", ["neurons", "inputs"])
@pytest.mark.parametrize("method", [ClosedForm(outputs=True), sleep(60, beta=0.3)], ids=lambda p: type(p).__name__)
def test_the_change_of_a_run_is_shuffled_but_not_that_of_the_outputs(method: Plugin, among: str) -> None:
    plain, control, alone = (a_run("relu_mse", sizes=(6, 40, CLASSES)) for _ in range(3))
    learn(alone, task(0))
    learn(plain, task(0), method)
    learn(control, task(0), method, Shuffled(among))
    (real, outputs_real), (moved, outputs_moved) = (
        [new - old for new, old in zip(weights_of(run), weights_of(alone), strict=True)] for run in (plain, control)
    )
    assert torch.equal(outputs_moved, outputs_real)
    assert float(outputs_real.abs().max()) > 0
    assert not torch.allclose(moved, real)
    own, other = (change.sum(1).sort().values for change in (real, moved))
    assert torch.allclose(own, other)  # of all neurons together, the same


@pytest.mark.parametrize(
    ("plugin", "images", "numbers"),
    [
        (Distillation(), 100, 50),
        (PseudoRehearsal(), 100, 56),
        (Rehearsal(0.25), 100, 25 * 7),
        (Rehearsal(0.25, released=True), 100, 25 * 7),
        (ICaRL(10), 100, 70 + 50),
        (ICaRL(10, distillation=False), 100, 70),
        (sleep(10), 100, 6 + 2),
        (Shuffled(), 100, 0),
    ],
    ids=repr,
)
def test_kept(plugin: Plugin, images: int, numbers: int) -> None:
    assert plugin.kept((6, 5, 4), images) == numbers
