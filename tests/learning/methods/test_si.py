"""SI: the path integral by hand, what enters it, the penalty, whole runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor

from srclib.data.streams import Task
from srclib.learning.methods.ewc import EWC
from srclib.learning.methods.plugin import Examples, Plugin, Run
from srclib.learning.methods.si import SI
from srclib.learning.training import LOSSES

from ...cells import sleep
from .cases import a_run, learn, moved, phases, pull, push, recorded_by_avalanche, relearn, task, weights_of


@dataclass(frozen=True)
class Recorder(Plugin):
    """Keeps the gradient of the loss, the gradient with penalties, and the weights around every step of a task."""

    losses: list[list[Tensor]] = field(default_factory=list, hash=False, compare=False)
    wholes: list[list[Tensor]] = field(default_factory=list, hash=False, compare=False)
    weights: list[list[Tensor]] = field(default_factory=list, hash=False, compare=False)

    def task_data(self, run: Run, data: Examples) -> Examples:
        for kept in (self.losses, self.wholes, self.weights):
            kept.clear()
        self.weights.append(weights_of(run))
        return data

    def after_backward(self, run: Run) -> None:
        self.losses.append([g.clone() for g in run.gradients()])

    def before_step(self, run: Run) -> None:
        self.wholes.append([g.clone() for g in run.gradients()])

    def after_step(self, run: Run) -> None:
        self.weights.append(weights_of(run))

    def omega(self, gradients: list[list[Tensor]], layer: int) -> Tensor:
        """Return the path integral of a layer over the task, for these gradients."""
        steps = zip(gradients, self.weights[:-1], self.weights[1:], strict=True)
        return -sum(g[layer] * (new[layer] - old[layer]) for g, old, new in steps)


ONE = torch.ones(1, 1, dtype=torch.float64)
ONE_IMAGE = Task((0,), ONE, torch.tensor([0]), ONE, torch.tensor([0]))


def test_the_path_integral_of_a_quadratic() -> None:
    """One weight w, input 1, target 1: the loss is (w - 1)^2 / 2, and 1 - w shrinks by q = 1 - lr in every step.

    So omega = lr (1 - w_0)^2 (1 + q^2 + q^4 + ...), a geometric series.
    """
    lr, steps, damping, w0 = 0.1, 7, 0.02, 0.25
    state, plugin = a_run("relu_mse", (1, 1), lr=lr), SI(1.0, damping)
    with torch.no_grad():
        state.weights()[0].fill_(w0)
    learn(state, ONE_IMAGE, plugin, epochs=steps, batch=1)
    q = 1 - lr
    assert state.weights()[0].item() == pytest.approx(1 - (1 - w0) * q**steps)
    (path,) = state.memory[plugin]
    omega = lr * (1 - w0) ** 2 * (1 - q ** (2 * steps)) / (1 - q**2)
    assert float(path.omega) == pytest.approx(omega)
    distance = (1 - w0) * (1 - q**steps)
    assert float(path.importance) == pytest.approx(omega / (distance**2 + damping))
    assert torch.equal(path.anchor, state.weights()[0])


def test_omega_adds_up_to_the_fall_of_the_loss() -> None:
    """In small steps over the whole data, the shares of all weights are the loss that was gained."""

    def loss() -> float:
        with torch.no_grad():
            return float(torch.nn.functional.cross_entropy(state.model(x), y))

    state, plugin = a_run(lr=0.01), SI(1.0, 0.1)
    x, y = task(0).x_train, task(0).y_train
    before = loss()
    learn(state, task(0), plugin, epochs=200, batch=12)
    assert before - loss() > 0.1
    assert sum(float(path.omega.sum()) for path in state.memory[plugin]) == pytest.approx(before - loss(), rel=0.01)


@pytest.mark.parametrize("loss", LOSSES)
def test_only_the_loss_enters_the_path_integral(loss: str) -> None:
    """Neither its own penalty nor that of another plugin, wherever that stands."""
    state, plugin, recorder = a_run(loss, lr=0.2, momentum=0.5), SI(0.5, 0.1), Recorder()
    plugins = EWC(2.0), plugin, recorder
    learn(state, task(0), *plugins)
    learn(state, task(1), *plugins)
    for layer, path in enumerate(state.memory[plugin]):
        torch.testing.assert_close(path.omega, recorder.omega(recorder.losses, layer))
        assert not torch.allclose(path.omega, recorder.omega(recorder.wholes, layer))


@pytest.mark.parametrize("loss", LOSSES)
def test_importance_is_the_rectified_sum_over_tasks(loss: str) -> None:
    state, plugin = a_run(loss, lr=0.3, momentum=0.8), SI(0.1, 0.01)
    expected = [torch.zeros_like(w) for w in state.weights()]
    for index in range(4):
        learn(state, task(index), plugin)
        for path, total in zip(state.memory[plugin], expected, strict=True):
            total.add_(path.omega / ((path.last - path.start) ** 2 + 0.01)).relu_()
            torch.testing.assert_close(path.importance, total)


def test_importance_is_never_negative() -> None:
    """The weight is at its best and has a velocity: the loss can only rise, and the path integral is negative."""
    state, plugin = a_run("relu_mse", (1, 1), momentum=0.9), SI(0.1, 0.01)
    (w,) = state.weights()
    with torch.no_grad():
        w.fill_(1)
    state.optimizer.velocity[0] = torch.full_like(w, -1.0)
    learn(state, ONE_IMAGE, plugin, epochs=3, batch=1)
    (path,) = state.memory[plugin]
    assert float(path.omega) < 0
    assert float(path.importance) == 0


def test_the_penalty_is_at_rest_at_the_anchor_and_pulls_back_to_it() -> None:
    """Its gradient is 2 strength Omega (theta - theta*)."""
    state, plugin = a_run(), SI(5.0, 0.1)
    learn(state, task(0), plugin)
    anchor = weights_of(state)
    state.seen.append(task(1))

    assert not any(g.any() for g in pull(state, plugin))
    push(state)
    for g, path, w, old in zip(pull(state, plugin), state.memory[plugin], state.weights(), anchor, strict=True):
        assert bool(path.importance.any())
        torch.testing.assert_close(g, 10 * path.importance * (w.detach() - old))


class WholeGradient(SI):
    """SI that follows the gradient with the penalty in it, as Avalanche's does."""

    def after_backward(self, run: Run) -> None:
        super().before_step(run)
        super().after_backward(run)

    def before_step(self, run: Run) -> None:
        pass


@pytest.mark.parametrize(("variant", "alike"), [(WholeGradient, 3), (SI, 1)], ids=["whole", "loss"])
def test_avalanche_holds_the_weights_alike(variant: type[SI], alike: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lambda is twice our strength. Without a penalty, in the first task, it follows the same gradient as ours.

    So Omega is the same after one task and the weights after two; with the whole gradient, both after every task.
    """
    data = recorded_by_avalanche()
    monkeypatch.setattr(torch, "randperm", torch.arange)  # images in their order, as recorded
    plugin = variant(float(data["si_lambda"]) / 2, float(data["eps"]))
    for t, state in enumerate(relearn(data, plugin, int(data["si_batch"]))):
        for i, (w, path) in enumerate(zip(state.weights(), state.memory[plugin], strict=True), 1):
            same_importance = np.allclose(path.importance, data[f"si_importance{i}"][t], rtol=1e-9, atol=0)
            assert same_importance == (t < alike)
            if t <= alike:
                np.testing.assert_allclose(w.detach(), data[f"si_W{i}"][t], rtol=0, atol=1e-10)


def test_a_sleep_moves_the_anchor_but_is_no_learning() -> None:
    state, plugin, night = a_run(), SI(1.0, 0.1), sleep(40, rate=300.0, beta=0.2, inc=0.05)
    twin = a_run()
    learn(twin, task(0), plugin)
    learn(state, task(0), night, plugin)
    for path, other, w in zip(state.memory[plugin], twin.memory[plugin], state.weights(), strict=True):
        assert torch.equal(path.importance, other.importance)
        assert torch.equal(path.anchor, w)
    assert not torch.equal(state.memory[plugin][0].anchor, twin.memory[plugin][0].anchor)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_strength_is_sequential_training(loss: str) -> None:
    assert phases(SI(0.0, 0.1), loss=loss) == phases(loss=loss)


@pytest.mark.parametrize("loss", LOSSES)
def test_important_weights_are_held(loss: str) -> None:
    held, free = phases(SI(1.0, 0.01), loss=loss), phases(loss=loss)
    assert held[0] == free[0]  # nothing to hold in the first task
    assert moved(held) < 0.95 * moved(free)
    assert held[1]["accuracy"][0] > free[1]["accuracy"][0]


@pytest.mark.parametrize(
    ("strength", "damping", "message"),
    [
        (-1.0, 0.1, r"strength = -1.0: allowed is a finite number >= 0"),
        (float("inf"), 0.1, "strength = inf"),
        (1.0, 0.0, r"damping = 0.0: allowed is a finite number > 0"),
    ],
    ids=["negative", "infinite", "damping"],
)
def test_bad_settings(strength: float, damping: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SI(strength, damping)
