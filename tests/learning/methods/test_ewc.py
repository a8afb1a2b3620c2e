"""EWC: the Fisher information against a loop over examples, the penalty, whole runs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from srclib.learning.methods import ewc
from srclib.learning.methods.ewc import EWC, FISHERS, fisher_diagonal
from srclib.learning.networks import logits
from srclib.learning.training import LOSSES

from ...cells import sleep
from .cases import CLASSES, a_run, learn, moved, phases, pull, push, recorded_by_avalanche, relearn, task, weights_of


def log_likelihood(z: Tensor, y: Tensor, loss: str) -> Tensor:
    """Return log p(y) (up to a constant) of one example, for outputs' inputs z (classes,) and a target y (classes,)."""
    if loss == "softmax_ce":
        return (z.log_softmax(0) * y).sum()
    if loss == "sigmoid_bce":
        return -binary_cross_entropy_with_logits(z, y, reduction="sum")
    straight_through = z + (z.relu() - z).detach()
    return -((straight_through - y) ** 2).sum() / 2


def squared_gradient(model: nn.Module, value: Tensor) -> list[Tensor]:
    return [g**2 for g in torch.autograd.grad(value, list(model.parameters()), retain_graph=True)]


def brute_force(model: nn.Sequential, x: Tensor, y: Tensor, loss: str, fisher: str) -> list[Tensor]:
    """Return the diagonal of the Fisher information by one example and one outcome at a time."""
    model.eval()
    total = [torch.zeros_like(w) for w in model.parameters()]
    for image, label in zip(x, y, strict=True):
        z = logits(model, image[None])[0]
        if fisher == "empirical":
            outcomes = [(1.0, one_hot(label, CLASSES).double())]
        elif loss == "softmax_ce":
            outcomes = [(float(p), e) for p, e in zip(z.detach().softmax(0), torch.eye(CLASSES).double(), strict=True)]
        elif loss == "sigmoid_bce":  # every output on or off
            p = z.detach().sigmoid()
            sets = (torch.tensor(on).double() for on in product((0, 1), repeat=CLASSES))
            outcomes = [(float(torch.where(on > 0, p, 1 - p).prod()), on) for on in sets]
        else:  # y = a + e for unit Gaussian e: the same second moments as e = +-sqrt(classes) in one output each
            a, scale = z.relu().detach(), CLASSES**0.5
            outcomes = [(0.5 / CLASSES, a + sign * scale * e) for e in torch.eye(CLASSES).double() for sign in (1, -1)]
        for probability, target in outcomes:
            for f, g in zip(total, squared_gradient(model, log_likelihood(z, target, loss)), strict=True):
                f += probability * g / len(x)
    return total


@pytest.mark.parametrize("fisher", FISHERS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sizes", [(6, CLASSES), (6, 5, 7, CLASSES)], ids=["one_layer", "three_layers"])
def test_fisher_is_that_of_a_loop_over_examples(
    sizes: tuple[int, ...], loss: str, fisher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ewc, "BATCH", 5)  # 12 images in three parts
    model = a_run(loss, sizes, dropout=0.5, dropout_scaling="test").model
    images = task(0)
    found = fisher_diagonal(model, images.x_train, images.y_train, loss=loss, fisher=fisher)
    for f, expected in zip(found, brute_force(model, images.x_train, images.y_train, loss, fisher), strict=True):
        assert bool(expected.any())
        torch.testing.assert_close(f, expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_penalty_is_at_rest_at_the_anchor_and_pulls_back_to_it(loss: str) -> None:
    """Its gradient is strength F (theta - theta*)."""
    state, plugin = a_run(loss), EWC(7.0)
    learn(state, task(0), plugin)
    anchor = weights_of(state)
    information = fisher_diagonal(state.model, *state.trained_on(state.seen[0]), loss=loss)

    assert not any(g.any() for g in pull(state, plugin))
    push(state)
    for g, f, w, old in zip(pull(state, plugin), information, state.weights(), anchor, strict=True):
        torch.testing.assert_close(g, 7 * f * (w.detach() - old))


def test_penalties_of_all_tasks_add_up() -> None:
    """The consolidated quadratic has the gradient of one quadratic per task, and takes no more room."""
    state, plugin = a_run(), EWC(3.0)
    tasks = []
    for index in range(3):
        learn(state, task(index), plugin)
        fisher = fisher_diagonal(state.model, *state.trained_on(state.seen[-1]), loss=state.loss)
        tasks.append((fisher, weights_of(state)))
        assert len(state.memory[plugin]) == 2  # layers
    push(state)
    terms = [(f * (w - a) ** 2).sum() for t in tasks for f, a, w in zip(*t, state.weights(), strict=True)]
    penalty = 3 / 2 * sum(terms)
    expected = torch.autograd.grad(penalty, state.weights())
    for g, e in zip(pull(state, plugin), expected, strict=True):
        torch.testing.assert_close(g, e)


def test_avalanche_holds_the_weights_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lambda has no half: it is half our strength. Its Fisher information is the empirical one, in batches of 1."""
    data = recorded_by_avalanche()
    monkeypatch.setattr(torch, "randperm", torch.arange)  # images in their order, as recorded
    plugin = EWC(2 * float(data["ewc_lambda"]), "empirical")
    for t, state in enumerate(relearn(data, plugin, int(data["ewc_batch"]))):
        for i, (w, past) in enumerate(zip(state.weights(), state.memory[plugin], strict=True), 1):
            importance = data[f"ewc_importance{i}"][: t + 1].sum(0)
            np.testing.assert_allclose(w.detach(), data[f"ewc_W{i}"][t], rtol=0, atol=1e-10)
            np.testing.assert_allclose(past.importance, importance, rtol=0, atol=1e-10)


def test_a_weight_without_information_is_free() -> None:
    state, plugin = a_run(), EWC(3.0)
    blank = task(0)
    blank.x_train[:, 2] = 0  # this input is never on
    learn(state, blank, plugin)
    learn(state, blank, plugin)
    with torch.no_grad():
        state.weights()[0][:, 2] += 1
    state.model.zero_grad(set_to_none=False)
    plugin.before_step(state)
    assert not state.gradients()[0][:, 2].any()
    assert all(torch.isfinite(past.centre).all() for past in state.memory[plugin])


@pytest.mark.parametrize("loss", LOSSES)
def test_no_strength_is_sequential_training(loss: str) -> None:
    assert phases(EWC(0.0), loss=loss) == phases(loss=loss)


@pytest.mark.parametrize("loss", LOSSES)
def test_important_weights_are_held(loss: str) -> None:
    held, free = phases(EWC(10.0), loss=loss), phases(loss=loss)
    assert held[0] == free[0]  # nothing to hold in the first task
    assert moved(held) < 0.9 * moved(free)
    assert held[1]["accuracy"][0] > free[1]["accuracy"][0]


def test_it_holds_the_weights_that_a_sleep_left() -> None:
    state, plugin, night = a_run(), EWC(1.0), sleep(40, rate=300.0, beta=0.2, inc=0.05)
    state.seen.append(task(0))
    before = weights_of(state)
    night.after_task(state)
    plugin.after_task(state)
    assert not torch.equal(before[0], state.weights()[0])
    for past, w in zip(state.memory[plugin], state.weights(), strict=True):
        assert torch.equal(past.centre, w)
    kinds = [phase["kind"] for phase in phases(sleep(30), plugin)]
    assert kinds == ["training", "sleep"] * 2


@pytest.mark.parametrize(
    ("strength", "fisher", "message"),
    [
        (-1.0, "exact", r"strength = -1.0: allowed is a finite number >= 0"),
        (float("nan"), "exact", "strength = nan"),
        (1.0, "true", r"fisher = 'true': allowed is one of \('exact', 'empirical'\)"),
    ],
    ids=["negative", "nan", "fisher"],
)
def test_bad_settings(strength: float, fisher: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EWC(strength, fisher)
