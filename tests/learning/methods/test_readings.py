"""Readings of a network that is trained as ever: calibration, thresholds, aligned norms, averaged weights."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from srclib.learning import readings
from srclib.learning.methods.alignment import Alignment, aligned
from srclib.learning.methods.averaging import Averaging
from srclib.learning.methods.calibration import Calibration
from srclib.learning.methods.closed_form import ClosedForm
from srclib.learning.methods.plugin import Plugin, Run
from srclib.learning.methods.sleep import mean_of
from srclib.learning.methods.thresholds import Thresholds, respond
from srclib.learning.networks import body_and_head, logits, mlp
from srclib.learning.training import LOSSES, evaluate
from srclib.sleep import linear_layers, set_weights

from .cases import CLASSES, a_run, learn, task, weights_of

READINGS: list[Plugin] = [Alignment(), Thresholds(1.0), Calibration(), Averaging()]


def heads(plugin: Plugin, state: Run, x: Tensor) -> dict[str, Tensor]:
    return plugin.predict(state, x, evaluate(body_and_head(state.model)[0], x), {})


@pytest.fixture
def x() -> Tensor:
    return torch.rand(200, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("plugin", READINGS, ids=lambda p: type(p).__name__)
def test_reading_changes_neither_network_nor_training(plugin: Plugin, loss: str, x: Tensor) -> None:
    plain, read = a_run(loss, dropout=0.2), a_run(loss, dropout=0.2)
    for index in range(2):
        learn(plain, task(index))
        learn(read, task(index), plugin)
        before = torch.get_rng_state()
        heads(plugin, read, x)
        assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(weights_of(plain), weights_of(read), strict=True))


# Noise


def test_noise_has_the_mean_input() -> None:
    mean = torch.tensor([0.0, 0.1, 0.5, 1.0], dtype=torch.float64)
    noise = readings.noise_like(mean, 0, torch.float64)
    assert set(noise.unique().tolist()) == {0.0, 1.0}
    assert noise.mean(0).tolist() == pytest.approx(mean.tolist(), abs=0.05)
    assert noise.mean(0)[[0, 3]].tolist() == [0, 1]


# Calibration


def test_z_scores_of_the_noise_itself_have_mean_0_and_spread_1() -> None:
    z = torch.randn(500, CLASSES, dtype=torch.float64) * torch.tensor([0.1, 1.0, 3.0, 7.0]) + torch.arange(4)
    scored = readings.z_scored(z, z)
    assert torch.allclose(scored.mean(0), torch.zeros(4, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(scored.std(0), torch.ones(4, dtype=torch.float64))
    assert torch.allclose(readings.centred(z, z).std(0), z.std(0))


def test_an_output_that_noise_does_not_move_is_centred_alone() -> None:
    of_noise = torch.tensor([[2.0, 0.0], [2.0, 4.0]])
    assert readings.z_scored(torch.tensor([[3.0, 2.0]]), of_noise).tolist() == [[1.0, 0.0]]


def test_calibration_undoes_scales_and_offsets_of_the_outputs(x: Tensor) -> None:
    """Outputs that are each stretched by a factor of their own are read as those that are not."""
    state, plugin = a_run(), Calibration()
    learn(state, task(0))
    learn(state, task(1))
    before = heads(plugin, state, x)
    weights = weights_of(state)
    weights[-1] *= torch.tensor([[0.01], [5.0], [1.0], [0.3]])
    set_weights(linear_layers(state.model), weights)
    after = heads(plugin, state, x)
    assert torch.equal(after["z-scored"], before["z-scored"])
    assert not torch.equal(after["centred"], before["centred"])
    assert len(before["z-scored"].unique()) > 2


# Thresholds


def test_without_a_factor_the_network_is_as_it_was(x: Tensor) -> None:
    state = a_run(sizes=(6, 8, 7, CLASSES))
    state.model.eval()
    z, of_noise = respond(state.model, x, x[:50], 0.0)
    assert torch.allclose(z, logits(state.model, x))
    assert torch.allclose(of_noise, logits(state.model, x[:50]))


def test_thresholds_by_hand() -> None:
    """One hidden unit receives 2 x, of noise 2 and 4: its threshold is 3 times the factor."""
    model = mlp([1, 1, 1], init=1.0).double()
    set_weights(linear_layers(model), [torch.tensor([[2.0]]), torch.tensor([[1.0]])])
    x = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    z, of_noise = respond(model, x, x[:2], 1.0)
    assert z.flatten().tolist() == [0.0, 1.0, 3.0]
    assert of_noise.flatten().tolist() == [0.0, 1.0]


def test_thresholds_leave_the_mean_noise_no_unit_to_excite(x: Tensor) -> None:
    """The invariant of the closed form: of the first layer exactly, since it is linear in the noise."""
    model = mlp([6, 40, CLASSES], init=0.5).double()
    first = linear_layers(model)[0].weight.detach()
    drive = x @ first.T
    left = drive.mean(0) - drive.mean(0).clamp(min=0)
    assert float(left.max()) == 0
    shifted = respond(model, x.mean(0, keepdim=True), x, 1.0)[0]
    assert torch.allclose(shifted, torch.zeros_like(shifted), atol=1e-12)


# Aligned norms


def test_aligned_norms() -> None:
    w = torch.randn(6, 9, dtype=torch.float64)
    tasks = [(2, 0), (1, 4)]
    new = aligned(w, tasks)
    norms = new.norm(dim=1)
    assert float(norms[[2, 0]].mean()) == pytest.approx(float(norms[[1, 4]].mean()))
    assert torch.equal(new[[0, 2, 3, 5]], w[[0, 2, 3, 5]])
    assert torch.allclose(torch.cosine_similarity(new, w), torch.ones(6, dtype=torch.float64))


# Averaged weights


def test_averaged_weights_are_those_after_every_training(x: Tensor) -> None:
    state, plugin, after = a_run(), Averaging(), []
    for index in range(3):
        learn(state, task(index), plugin)
        after.append(weights_of(state))
        expected = [torch.stack(layer).mean(0) for layer in zip(*after, strict=True)]
        assert all(torch.allclose(m, e) for m, e in zip(plugin.mean(state), expected, strict=True))
    model = copy.deepcopy(state.model)
    set_weights(linear_layers(model), expected)
    assert torch.equal(heads(plugin, state, x)["averaged"], logits(model, x).argmax(1))


def test_what_another_method_changes_between_tasks_counts_as_much() -> None:
    state, plugin, settle, after = a_run(sizes=(6, 30, CLASSES)), Averaging(), ClosedForm(), []
    for index in range(3):
        trained: list[list[Tensor]] = []

        class Watch(Plugin):
            def after_training(self, run: Run) -> None:
                trained.append(weights_of(run))  # noqa: B023

        learn(state, task(index), Watch(), settle, plugin)
        after += [*trained, weights_of(state)]
    expected = [torch.stack(layer).mean(0) for layer in zip(*after, strict=True)]
    assert not torch.equal(after[0][0], after[1][0])
    assert all(torch.allclose(m, e) for m, e in zip(plugin.mean(state), expected, strict=True))


def test_the_closed_form_takes_the_mean_of_all_images_trained_on() -> None:
    state = a_run(sizes=(6, 30, CLASSES), images_per_task=8)
    learn(state, task(0))
    learn(state, task(1), ClosedForm())
    mean = mean_of(torch.cat([task(i).x_train[:8] for i in range(2)]))
    w = state.weights()[0].detach()
    drive = (w @ mean)[(w < 0).any(1)]
    assert float(drive.max()) == pytest.approx(0, abs=1e-9)
    assert float(drive.min()) < -0.1


@pytest.mark.parametrize("factor", [-1.0, float("inf"), float("nan")])
def test_bad_thresholds(factor: float) -> None:
    with pytest.raises(ValueError, match=r"factor = .*: allowed is a finite number >= 0"):
        Thresholds(factor)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_bad_closed_form(share: float) -> None:
    with pytest.raises(ValueError, match=r"share = .*: allowed is a number in \[0, 1\]"):
        ClosedForm(share)


KEPT: list[tuple[Any, int]] = [
    (Alignment(), 0),
    (Thresholds(1.0), 6),
    (Calibration(), 6),
    (ClosedForm(), 6),
    (Averaging(), 6 * 5 + 5 * 4 + 6),
]


@pytest.mark.parametrize(("plugin", "numbers"), KEPT, ids=lambda value: type(value).__name__)
def test_kept(plugin: Plugin, numbers: int) -> None:
    assert plugin.kept((6, 5, 4), 24) == numbers
