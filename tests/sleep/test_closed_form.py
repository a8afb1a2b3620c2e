"""The closed form of a sleep: small cases by hand, what it leaves, and how near it comes to a long sleep."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from srclib.learning.networks import mlp
from srclib.sleep import SleepConfig, SleepWarning, linear_layers, run_layers, settle


def linears(*weights: list[list[float]], dtype: torch.dtype = torch.float64) -> list[nn.Linear]:
    layers = []
    for w in weights:
        layer = nn.Linear(len(w[0]), len(w), bias=False, dtype=dtype)
        layer.weight.data = torch.tensor(w, dtype=dtype)
        layers.append(layer)
    return layers


def weights_of(layers: list[nn.Linear]) -> list[list[list[float]]]:
    return [layer.weight.tolist() for layer in layers]


def test_one_neuron_by_hand() -> None:
    """Of the mean (1, 2, 4) it receives 3 - 1 - 1 = 1, over inhibitory inputs of 6 in all: each falls by a sixth."""
    layers = linears([[3.0, -0.5, -0.25]], [[1.0]])
    (kappa,) = settle(layers, np.array([1.0, 2.0, 4.0]))
    assert kappa.tolist() == pytest.approx([1 / 6])
    assert layers[0].weight.tolist()[0] == pytest.approx([3.0, -0.5 - 1 / 6, -0.25 - 1 / 6])
    assert layers[1].weight.tolist() == [[1.0]]


def test_the_next_layer_is_driven_by_what_this_one_did_before() -> None:
    """Neurons receive 2 and -1, so the second layer's input is (2, 0), and nothing active inhibits it."""
    layers = linears([[3.0, -1.0], [0.0, -1.0]], [[1.0, -1.0], [-1.0, 2.0], [1.0, 1.0]], [[5.0, -5.0, 5.0]])
    with pytest.warns(SleepWarning, match=r"without a negative weight .* stay excited: 2 of linears\[1\]"):
        first, second = settle(layers, torch.tensor([1.0, 1.0]))
    assert first.tolist() == [2.0, 0.0]
    assert second.tolist() == [0.0, 0.0, 0.0]
    assert weights_of(layers)[0] == [[3.0, -3.0], [0.0, -1.0]]


@pytest.mark.parametrize(("share", "expected"), [(0.0, -1.0), (0.5, -2.0), (1.0, -3.0)])
def test_share(share: float, expected: float) -> None:
    layers = linears([[3.0, -1.0]], [[1.0]])
    settle(layers, torch.tensor([1.0, 1.0]), share=share)
    assert weights_of(layers) == [[[3.0, expected]], [[1.0]]]


def test_outputs_settle_when_asked() -> None:
    layers = linears([[2.0, -1.0]])
    assert settle(layers, torch.tensor([1.0, 1.0])) == []
    assert weights_of(layers) == [[[2.0, -1.0]]]
    settle(layers, torch.tensor([1.0, 1.0]), outputs=True)
    assert weights_of(layers) == [[[2.0, -2.0]]]


@pytest.mark.filterwarnings("ignore:neurons without")
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_the_mean_input_excites_no_hidden_neuron_afterwards(seed: int, scale: float) -> None:
    torch.manual_seed(seed)
    model = mlp([12, 20, 16, 3], init=0.5, output="relu", dropout=0.25).double()
    before, mean = copy.deepcopy(model).eval(), torch.rand(12, dtype=torch.float64)
    lowered = settle(model, scale * mean)
    x, active = mean, before
    for linear, unchanged, kappa in zip(linear_layers(model), linear_layers(active), lowered, strict=False):
        new, old = linear.weight.detach(), unchanged.weight.detach()
        able = (old < 0).double() @ x > 0  # has an inhibitory input that is active
        assert float((new @ x)[able].max()) < 1e-9
        assert torch.equal((new - old)[~able], torch.zeros_like(old[~able]))
        assert torch.allclose(old - new, kappa[:, None] * (old < 0), atol=1e-12)
        x = (old @ x).clamp(min=0)
    hidden = linear_layers(model)[0].weight.detach() @ mean
    assert float(hidden.max()) < 1e-9
    assert torch.equal(linear_layers(model)[-1].weight, linear_layers(before)[-1].weight)


def test_a_second_time_changes_nothing() -> None:
    torch.manual_seed(0)
    model = mlp([12, 20, 16, 3], init=0.5).double()
    mean = torch.rand(12, dtype=torch.float64)
    settle(model, mean)
    first = weights_of(linear_layers(model))
    assert float(settle(model, mean)[0].max()) < 1e-12
    assert np.allclose(weights_of(linear_layers(model))[0], first[0], atol=1e-12)


def test_a_long_sleep_changes_the_same_neurons_by_much_the_same() -> None:
    """The rule of the released code, in a layer whose inputs fire rarely; the more a neuron is excited, the more it is
    inhibited, and the positive weights stay."""
    generator = torch.Generator().manual_seed(3)
    w = 0.1 * torch.randn(200, 100, generator=generator)
    mean = torch.rand(100, generator=generator)
    config = SleepConfig(
        alpha=1.0, beta=0.5, inc=0.0, dec=0.0005, decay=0.999, gate=0.001, strict=False, steps=20_000, rate=25
    )
    (slept,) = run_layers([w], config.noise(mean.double().numpy(), 0), config).weights
    layers = linears(w.tolist(), [[1.0] * 200], dtype=torch.float32)
    (kappa,) = settle(layers, mean)
    change = (w - slept) * (w < 0)
    by_neuron = change.sum(1) / (w < 0).sum(1)
    excited = kappa > 0
    assert float((w - slept)[w > 0.01].abs().max()) < 1e-4
    assert float(by_neuron[excited].mean()) > 3 * float(by_neuron[~excited].mean())
    assert float(torch.corrcoef(torch.stack([by_neuron, kappa]))[0, 1]) > 0.9


@pytest.mark.parametrize(
    ("mean", "options", "message"),
    [
        ([1.0], {}, r"mean_input has shape \(1,\): allowed is \(2,\), one per input"),
        ([1.0, -1.0], {}, "mean_input holds a number below 0, or none at all: allowed are finite numbers >= 0"),
        ([1.0, np.nan], {}, "mean_input holds a number below 0, or none at all"),
        ([1.0, 1.0], {"share": 1.5}, r"share = 1.5: allowed is a number in \[0, 1\]"),
        ([1.0, 1.0], {"share": float("nan")}, "share = nan"),
        ([1e300, 5e-324], {}, "mean_input is too uneven"),
    ],
)
def test_refused_before_any_weight_changes(mean: list[float], options: dict[str, Any], message: str) -> None:
    layers = linears([[3.0, -1.0]], [[1.0]])
    with pytest.raises(ValueError, match=message):
        settle(layers, np.array(mean), **options)
    assert weights_of(layers) == [[[3.0, -1.0]], [[1.0]]]


def test_weights_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"linears\[0\] holds NaN"):
        settle(linears([[np.nan, -1.0]], [[1.0]]), torch.ones(2))


def test_shared_weights_are_refused() -> None:
    layers = linears([[1.0, -1.0], [0.5, -1.0]], [[1.0, -1.0], [0.5, -1.0]], [[1.0, 1.0]])
    layers[1].weight = layers[0].weight
    with pytest.raises(ValueError, match=r"linears\[.\]"):
        settle(layers, torch.ones(2))


def test_half_precision_and_an_image() -> None:
    layers = linears([[3.0, -0.5, -0.25, 0.0]], [[1.0]], dtype=torch.bfloat16)
    settle(layers, torch.tensor([[1.0, 2.0], [4.0, 0.0]]))
    assert layers[0].weight.dtype == torch.bfloat16
    assert layers[0].weight.tolist()[0] == pytest.approx([3.0, -0.5 - 1 / 6, -0.25 - 1 / 6, 0.0], rel=0.01)
