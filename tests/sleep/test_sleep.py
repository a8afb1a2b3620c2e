"""The calls that users make: what they return, what they leave alone and what they refuse."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from srclib.learning.networks import ClassicDropout, mlp
from srclib.sleep import (
    RunawayError,
    SleepConfig,
    draw_input,
    layer_scales,
    linear_layers,
    run_layers,
    sleep,
)

CONFIG = SleepConfig(alpha=3.0, beta=0.5, inc=0.02, dec=0.004, decay=0.99, gate=0.05, steps=200, rate=150)
MEAN = np.linspace(0, 1, 9)


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(7)
    return mlp([9, 8, 7, 3], init=0.5, output="relu", dropout=0.25)


def test_sleep_is_stimulus_scales_and_kernel(model: nn.Sequential) -> None:
    before = copy.deepcopy(model)
    x = torch.rand(30, 9)
    record = sleep(model, MEAN, CONFIG, scale_inputs=x, seed=(4, 2), record=True)
    alpha = tuple(3.0 * scale for scale in layer_scales(before, x))
    spikes = draw_input(MEAN, 200, 0.3, seed=(4, 2))
    config = SleepConfig(alpha=alpha, beta=0.5, inc=0.02, dec=0.004, decay=0.99, gate=0.05)
    expected = run_layers([layer.weight.detach() for layer in linear_layers(before)], spikes, config, record=True)
    for layer, linear in enumerate(linear_layers(model)):
        assert expected.spikes[layer].any()
        assert torch.equal(record.spikes[layer], expected.spikes[layer])
        assert torch.equal(linear.weight, expected.weights[layer])
        assert torch.equal(linear.weight, record.weights[layer])
        assert not torch.equal(linear.weight, linear_layers(before)[layer].weight)


def test_without_scale_inputs_the_gain_is_alpha(model: nn.Sequential) -> None:
    weights = [layer.weight.detach().clone() for layer in linear_layers(model)]
    expected = run_layers(weights, draw_input(MEAN, 200, 0.3, seed=1), CONFIG)
    sleep(model, MEAN, CONFIG, seed=1)
    assert all(torch.equal(layer.weight, w) for layer, w in zip(linear_layers(model), expected.weights, strict=True))


def test_window_reaches_the_stimulus(model: nn.Sequential) -> None:
    other = copy.deepcopy(model)
    whole, windowed = (
        sleep(m, MEAN, SleepConfig(alpha=3.0, beta=0.5, inc=0.02, dec=0.004, steps=200, window=window))
        for m, window in ((model, 3), (other, 1))
    )
    assert whole.spike_counts[0].sum() > windowed.spike_counts[0].sum() > 0


def test_a_list_of_layers_sleeps_as_their_model_does(model: nn.Sequential) -> None:
    other = copy.deepcopy(model)
    x = torch.rand(30, 9)
    sleep(model, MEAN, CONFIG, scale_inputs=x)
    sleep(list(other), torch.from_numpy(MEAN), CONFIG, scale_inputs=x)
    for one, two in zip(linear_layers(model), linear_layers(other), strict=True):
        assert torch.equal(one.weight, two.weight)


def test_other_seed_other_sleep(model: nn.Sequential) -> None:
    one, two, three = (sleep(copy.deepcopy(model), MEAN, CONFIG, seed=(5, index)) for index in (0, 1, 0))
    assert not torch.equal(one.weights[0], two.weights[0])
    assert all(torch.equal(a, b) for a, b in zip(one.weights, three.weights, strict=True))


def test_only_the_weights_change(model: nn.Sequential) -> None:
    model.append(ClassicDropout(0.1))
    model[0].eval()
    parameters = list(model.parameters())
    parameters[0].grad = torch.ones_like(parameters[0])
    modes = [layer.training for layer in model]
    sleep(model, MEAN, CONFIG, scale_inputs=torch.rand(5, 9))
    assert [layer.training for layer in model] == modes
    assert all(one is two for one, two in zip(model.parameters(), parameters, strict=True))
    assert all(p.requires_grad and p.is_leaf for p in parameters)
    assert torch.equal(parameters[0].grad, torch.ones_like(parameters[0]))
    assert torch.is_grad_enabled()


def test_model_in_double_precision_keeps_it(model: nn.Sequential) -> None:
    record = sleep(model.double(), MEAN, CONFIG)
    assert all(w.dtype == torch.float64 for w in record.weights)
    assert all(layer.weight.dtype == torch.float64 for layer in linear_layers(model))


def test_a_runaway_leaves_the_model_alone(model: nn.Sequential) -> None:
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(RunawayError, match=r"model\[0\] made more than max_updates = 1"):
        sleep(model, MEAN, replace(CONFIG, max_updates=1))
    assert all(torch.equal(model.state_dict()[key], value) for key, value in before.items())


def with_bias() -> nn.Sequential:
    return nn.Sequential(nn.Linear(9, 4, bias=False), nn.ReLU(), nn.Linear(4, 2))


def with_weight(value: float) -> nn.Sequential:
    model = mlp([9, 4, 2], init=0.1)
    model[2].weight.data[1, 2] = value
    return model


def mean_with(value: float) -> np.ndarray:
    return np.where(np.arange(9) == 2, value, MEAN)


def linear(into: int, out: int) -> nn.Linear:
    return nn.Linear(into, out, bias=False)


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (with_bias, {}, r"model\[2\] has a bias: allowed is Linear\(\.\.\., bias=False\)"),
        (lambda: [nn.Linear(9, 4)], {}, r"linears\[0\] has a bias: allowed is Linear\(\.\.\., bias=False\)"),
        (lambda: nn.Sequential(linear(9, 4), nn.Sigmoid()), {}, r"model\[1\] is Sigmoid: allowed are Linear"),
        (lambda: nn.Sequential(nn.Sequential(nn.GELU())), {}, r"model\[0\]\[0\] is GELU: allowed are Linear"),
        (lambda: linear(9, 4), {}, r"model is a Linear: allowed is an nn\.Sequential, or the list of its nn\.Linear"),
        (lambda: [linear(9, 4), nn.GELU()], {}, r"linears\[1\] is GELU: allowed are Linear"),
        (lambda: nn.Sequential(nn.ReLU()), {}, r"model holds no nn\.Linear: allowed is at least one"),
        (lambda: [], {}, r"linears holds no nn\.Linear: allowed is at least one"),
        (
            lambda: [linear(9, 4), linear(5, 2)],
            {},
            r"linears\[1\] has shape \(2, 5\): allowed is \(out, 4\), since linears\[0\] has shape \(4, 9\)",
        ),
        (lambda: with_weight(math.nan), {}, r"model\[2\] holds NaN or infinity: allowed are finite numbers"),
        (lambda: with_weight(-math.inf), {}, r"model\[2\] holds NaN or infinity: allowed are finite numbers"),
        (None, {"mean_input": MEAN[:5]}, r"mean_input has shape \(5,\): allowed is \(9,\), one per input"),
        (None, {"mean_input": MEAN[:8].reshape(2, 4)}, r"mean_input has shape \(2, 4\): allowed is \(9,\)"),
        (None, {"mean_input": mean_with(1.5)}, r"mean_input\[2\] = 1.5: allowed is .* in \[0, 1\]"),
        (None, {"mean_input": mean_with(-0.1)}, r"mean_input\[2\] = -0.1: allowed is .* in \[0, 1\]"),
        (None, {"mean_input": mean_with(math.nan)}, r"mean_input\[2\] = nan: allowed is .* in \[0, 1\]"),
        (None, {"scale_inputs": torch.rand(4, 8)}, r"scale_inputs has shape \(4, 8\): allowed is \(n, 9\)"),
        (None, {"window": 4}, "window = 4 with 9 inputs: allowed is a side from 1"),
        (None, {"alpha": (1.0, 2.0)}, r"alpha has 2 values \(1.0, 2.0\): allowed is one number, or 3, one per layer"),
        (None, {"beta": (1.0,) * 4}, r"beta has 4 values .*: allowed is one number, or 3, one per layer"),
        (None, {"seed": -1}, "seed = -1: allowed is a whole number >= 0"),
        (None, {"backend": "gpu"}, r"backend = 'gpu': allowed is 'auto' or one of \['cuda', 'event', 'reference'\]"),
    ],
    ids=[
        "bias", "bias_in_list", "module_type", "nested", "no_sequential", "list_with_gelu", "no_linear", "empty_list",
        "layers_do_not_fit", "weight_nan", "weight_infinite", "mean_length", "mean_image", "mean_above_1",
        "mean_negative", "mean_nan", "scale_inputs", "window", "alpha_per_layer", "beta_per_layer", "seed", "backend",
    ],
)  # fmt: skip
def test_refused_sleep_changes_nothing(
    model: nn.Sequential, make: Callable[[], Any] | None, changes: dict[str, Any], message: str
) -> None:
    subject = model if make is None else make()
    layers = nn.Sequential(*subject) if isinstance(subject, list) else subject
    before = {key: value.clone() for key, value in layers.state_dict().items()}
    modes = [module.training for module in layers.modules()]
    arguments = {"mean_input": MEAN, "scale_inputs": torch.rand(4, 9)} | changes
    config = SleepConfig(
        **({"alpha": 1.0, "beta": 1.0, "inc": 0.01, "dec": 0.01, "steps": 5})
        | {key: arguments.pop(key) for key in ("alpha", "beta", "window") if key in arguments}
    )
    with pytest.raises(ValueError, match=message):
        sleep(subject, config=config, **arguments)
    assert [module.training for module in layers.modules()] == modes
    for key, value in layers.state_dict().items():
        assert torch.equal(value.nan_to_num(), before[key].nan_to_num())
