"""OWM: the projector by hand and in the limit, the projected gradient, the schedule, whole runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from srclib.learning.methods import owm
from srclib.learning.methods.owm import OWM, close
from srclib.learning.methods.plugin import Plugin, Run
from srclib.learning.training import LOSSES, predict
from srclib.sleep import linear_layers

from ...cells import awake, sleep
from .cases import CLASSES, a_run, learn, moved, phases, task, weights_of


def eye(inputs: int) -> Tensor:
    return torch.eye(inputs, dtype=torch.float64)


@dataclass(frozen=True)
class Recorder(Plugin):
    """Keeps the gradients of every step; before OWM in the list of plugins, they are those not yet projected."""

    gradients: list[list[Tensor]] = field(default_factory=list, hash=False, compare=False)

    def after_backward(self, run: Run) -> None:
        self.gradients.append([g.clone() for g in run.gradients()])


def batch_means(state: Run) -> list[list[Tensor]]:
    """Return a list that will hold the mean inputs of every layer in every training batch."""
    means: list[list[Tensor]] = [[] for _ in state.weights()]
    for linear, kept in zip(linear_layers(state.model), means, strict=True):
        linear.register_forward_pre_hook(lambda module, args, kept=kept: kept.append(args[0].detach().mean(0)))
    return means


# The projector


def test_two_inputs_by_hand() -> None:
    """alpha = 1, inputs (1, 0) then (1, 1); the same as the inverse of 1 + sum r r^T = [[3, 1], [1, 2]]."""
    p = eye(2)
    close(p, torch.tensor([1.0, 0.0], dtype=torch.float64), 1.0)  # k = (1, 0), r k = 1
    torch.testing.assert_close(p, torch.tensor([[0.5, 0.0], [0.0, 1.0]], dtype=torch.float64))
    close(p, torch.tensor([1.0, 1.0], dtype=torch.float64), 1.0)  # k = (0.5, 1), r k = 1.5
    torch.testing.assert_close(p, torch.tensor([[0.4, -0.2], [-0.2, 0.6]], dtype=torch.float64))


@given(st.integers(1, 8), st.integers(1, 12), st.floats(1e-3, 1e3), st.integers(0, 2**32))
def test_the_projector_is_a_regularised_inverse(inputs: int, updates: int, alpha: float, seed: int) -> None:
    old = torch.randn(updates, inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    p = eye(inputs)
    for r in old:
        close(p, r, alpha)
    torch.testing.assert_close(p, torch.linalg.inv(eye(inputs) + old.T @ old / alpha), rtol=1e-6, atol=1e-6)


@given(st.integers(1, 5), st.integers(0, 2**32))
def test_the_projector_annihilates_old_inputs_and_spares_others(count: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(9, 9, dtype=torch.float64, generator=generator)).Q
    old = torch.randn(count, 5, dtype=torch.float64, generator=generator) @ basis[:, :5].T  # in five of nine directions
    p = eye(9)
    for r in old:
        close(p, r, 1e-9)
    torch.testing.assert_close(p @ old.T, torch.zeros(9, count, dtype=torch.float64), rtol=0, atol=1e-3)
    torch.testing.assert_close(p @ basis[:, 5:], basis[:, 5:])
    torch.testing.assert_close(p, p.T)


def test_single_precision_is_enough_for_a_long_run() -> None:
    """After thousands of updates no eigenvalue is negative, and the projector is that of double precision."""
    generator = torch.Generator().manual_seed(0)
    single, double = torch.eye(30), eye(30)
    for step in range(6000):
        r = torch.rand(30, generator=generator)
        alpha = 0.9 * 0.001 ** (step % 1200 / 1200)
        close(single, r, alpha)
        close(double, r.double(), alpha)
    assert float(torch.linalg.eigvalsh(single.double()).min()) > 0
    torch.testing.assert_close(single.double(), double, rtol=1e-2, atol=1e-5)


# The gradient


@pytest.mark.parametrize("clip", [None, 0.4], ids=["no_clip", "clip"])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_projected(loss: str, clip: float | None) -> None:
    """By the projector that has seen the present batch, with the layer's inputs as training saw them."""
    state = a_run(loss, dropout=0.3, lr=0.05)
    plugin, recorder = OWM((0.5, 0.2), (0.1, 1.0), clip), Recorder()
    means, start = batch_means(state), weights_of(state)
    learn(state, task(0), recorder, plugin, epochs=1, batch=3)
    learn(state, task(1), recorder, plugin, epochs=1, batch=3)
    assert len(recorder.gradients) == 8
    for layer, w in enumerate(start):
        p = eye(w.shape[1])
        for step, gradients in enumerate(recorder.gradients):
            close(p, means[layer][step], (0.5, 0.2)[layer] * (0.1, 1.0)[layer] ** (step % 4 / 4))
            g = gradients[layer]
            if clip and g.norm() > clip:
                g = g * clip / g.norm()
            w -= 0.05 * g @ p
        torch.testing.assert_close(state.weights()[layer].detach(), w)
        torch.testing.assert_close(state.memory[plugin].layers[layer].projector, p)
    norms = [g[0].norm() for g in recorder.gradients]
    assert clip is None or min(norms) < clip < max(norms)  # it limits some steps and not others


def test_alpha_falls_within_each_task(monkeypatch: pytest.MonkeyPatch) -> None:
    alphas: list[float] = []
    monkeypatch.setattr(owm, "close", lambda projector, r, alpha: alphas.append(alpha))
    state, plugin = a_run(sizes=(6, CLASSES)), OWM((0.9,), (0.001,))
    for index in range(2):
        learn(state, task(index), plugin, epochs=2, batch=6)
    schedule = [0.9 * 0.001**progress for progress in (0, 0.25, 0.5, 0.75)]
    assert alphas == pytest.approx(schedule * 2)


@pytest.mark.parametrize("loss", LOSSES)
def test_answers_to_old_inputs_stay(loss: str) -> None:
    """Batches of one image and alpha near 0: what the first task's images excite does not change any more."""
    for plugins, kept in (((OWM((1e-9,), (1.0,)),), True), ((), False)):
        state = a_run(loss, sizes=(30, CLASSES))
        first, second = task(0, inputs=30), task(1, inputs=30)
        learn(state, first, *plugins, epochs=1, batch=1)
        before = first.x_train @ state.weights()[0].detach().T
        learn(state, second, *plugins, epochs=1, batch=1)
        after = first.x_train @ state.weights()[0].detach().T
        assert torch.allclose(before, after, atol=1e-4) == kept


def test_prediction_leaves_it_alone() -> None:
    state, plugin = a_run(), OWM((0.5, 0.2), (0.1, 1.0))
    learn(state, task(0), plugin)
    layer = state.memory[plugin].layers[0]
    before = layer.projector.clone(), layer.inputs
    predict(state.model, task(1).x_train)
    assert torch.equal(layer.projector, before[0])
    assert layer.inputs is before[1]


# Whole runs


@pytest.mark.parametrize("loss", LOSSES)
def test_an_open_projector_is_sequential_training(loss: str) -> None:
    held, free = phases(OWM((1e12, 1e12), (1.0, 1.0)), loss=loss), phases(loss=loss)
    for a, b in zip(held, free, strict=True):
        assert a["accuracy"] == b["accuracy"]
        for w, v in zip(a["weights"], b["weights"], strict=True):
            torch.testing.assert_close(torch.tensor(w), torch.tensor(v), rtol=0, atol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_first_task_is_kept(loss: str) -> None:
    config = awake(layers=(100, 4), loss=loss, init=0.3, epochs=60, batch=1, momentum=0.0)
    held, free = phases(OWM((10.0,), (1.0,)), awake=config), phases(awake=config)
    assert moved(held) < moved(free)
    assert held[-1]["accuracy"] == [1, 1]
    assert free[-1]["accuracy"][0] < 1


def test_it_combines_with_a_sleep() -> None:
    found = phases(sleep(30, beta=0.2), OWM((1.0, 1.0), (0.1, 0.1)))
    assert [phase["kind"] for phase in found] == ["training", "sleep"] * 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpha": ()}, r"alpha = \(\): allowed are finite numbers > 0, one per layer"),
        ({"alpha": (1.0, 0.0)}, r"alpha = \(1.0, 0.0\)"),
        ({"decay": (0.1,)}, r"decay = \(0.1,\): allowed are 2 numbers in \(0, 1\], as many as of alpha"),
        ({"decay": (0.1, 1.5)}, r"decay = \(0.1, 1.5\)"),
        ({"clip": 0.0}, "clip = 0.0: allowed is a finite number > 0, or None"),
    ],
    ids=["no_alpha", "alpha", "decays", "decay", "clip"],
)
def test_bad_settings(changes: dict[str, tuple[float, ...] | float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(OWM((1.0, 1.0), (0.1, 1.0)), **changes)


def test_one_alpha_for_each_layer() -> None:
    with pytest.raises(ValueError, match=r"alpha has 1 values \(1.0,\): allowed are 2, one per layer"):
        learn(a_run(), task(0), OWM((1.0,), (1.0,)))
