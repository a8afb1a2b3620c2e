"""The calls that users make: what they return, what they leave alone and what they refuse."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from srclib.learning.networks import ClassicDropout, mlp
from srclib.sleep import (
    BACKENDS,
    RunawayError,
    SleepConfig,
    SleepRecord,
    cuda,
    draw_input,
    layer_scales,
    linear_layers,
    progress,
    run_layers,
    sleep,
)

from .cases import dyadic_config, dyadic_weights, input_raster

CONFIG = SleepConfig(alpha=3.0, beta=0.5, inc=0.02, dec=0.004, decay=0.99, gate=0.05, steps=200, rate=150)
MEAN = np.linspace(0, 1, 9)


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(7)
    return mlp([9, 8, 7, 3], init=0.5, output="relu", dropout=0.25)


def device_of(backend: str) -> str:
    return "cuda" if backend == "cuda" and cuda.available() else "cpu"


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
    sleep(
        nn.Sequential(*[layer for layer in model if not isinstance(layer, nn.Dropout)][:-1]),
        MEAN,
        CONFIG,
        scale_inputs=x,
    )
    sleep(linear_layers(other), torch.from_numpy(MEAN), CONFIG, scale_inputs=x)
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


@pytest.mark.parametrize("backend", BACKENDS)
def test_record(backend: str) -> None:
    weights = [w.to(device_of(backend)) for w in dyadic_weights((5, 4, 2), 6)]
    spikes = input_raster(10, 5, 0.5)
    record = run_layers(weights, spikes, dyadic_config(), backend=backend, record=True)
    assert isinstance(record, SleepRecord)
    assert record.steps == 10
    for layer, w in enumerate(weights):
        assert record.spikes[layer].dtype == torch.bool
        assert record.spikes[layer].shape == (10, len(w))
        assert record.spike_counts[layer].dtype == torch.int64
        assert record.spike_counts[layer].sum() > 0
        assert torch.equal(record.spike_counts[layer], record.spikes[layer].sum(0))
        assert torch.equal(record.rates(0.002)[layer], record.spike_counts[layer] / 0.02)
        assert record.weights[layer].dtype == w.dtype
        assert record.weights[layer].device == record.spikes[layer].device == w.device
    assert run_layers(weights, spikes, dyadic_config(), backend=backend).spikes is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_runaway_is_given_up(backend: str) -> None:
    weights = [w.to(device_of(backend)) for w in dyadic_weights((6, 5, 3), 6)]
    spikes, config = input_raster(20, 6, 0.5), dyadic_config()
    whole = run_layers(weights, spikes, config, backend=backend)
    updates = [int(count.sum()) * w.shape[1] for count, w in zip(whole.spike_counts, weights, strict=True)]
    assert min(updates) > 0
    allowed = run_layers(weights, spikes, replace(config, max_updates=max(updates)), backend=backend)
    assert all(torch.equal(a, b) for a, b in zip(allowed.weights, whole.weights, strict=True))
    with pytest.raises(RunawayError, match=rf"made more than max_updates = {max(updates) - 1} synaptic updates"):
        run_layers(weights, spikes, replace(config, max_updates=max(updates) - 1), backend=backend)


def test_a_runaway_leaves_the_model_alone(model: nn.Sequential) -> None:
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(RunawayError, match="layer 0"):
        sleep(model, MEAN, replace(CONFIG, max_updates=1))
    assert all(torch.equal(model.state_dict()[key], value) for key, value in before.items())


@pytest.mark.parametrize("backend", BACKENDS)
def test_arguments_are_not_changed(backend: str) -> None:
    weights = [w.to(device_of(backend)) for w in dyadic_weights((16, 4, 2), 1)]  # 16: no padding
    spikes = input_raster(10, 16, 0.5)
    weights_before, spikes_before, config = [w.clone() for w in weights], spikes.clone(), dyadic_config()
    record = run_layers(weights, spikes, config, backend=backend)
    assert torch.equal(spikes, spikes_before)
    assert config == dyadic_config()
    for now, before, after in zip(weights, weights_before, record.weights, strict=True):
        assert torch.equal(now, before)
        assert not torch.equal(after, before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_lists_and_raster_of_the_input_are_the_same(backend: str) -> None:
    weights = [w.to(device_of(backend)) for w in dyadic_weights((9, 3))]
    lists = draw_input(MEAN, 12, 0.8)
    one, two = (
        run_layers(weights, spikes, dyadic_config(), backend=backend)
        for spikes in (lists, torch.from_numpy(lists.dense()))
    )
    assert one.spike_counts[0].any()
    assert torch.equal(one.weights[0], two.weights[0])


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(torch.float32, "event"), (torch.float64, "reference"), (torch.float16, "reference")],
    ids=str,
)
def test_auto_takes_the_fastest_backend(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, expected: str) -> None:
    called = []
    for name, run in list(BACKENDS.items()):
        monkeypatch.setitem(BACKENDS, name, lambda *args, n=name, r=run, **kw: called.append(n) or r(*args, **kw))
    run_layers([w.to(dtype) for w in dyadic_weights((5, 4))], input_raster(3, 5, 0.5), dyadic_config())
    assert called == [expected]


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
        (lambda: nn.Sequential(nn.Sequential(linear(9, 4))), {}, r"model\[0\] is Sequential: allowed are Linear"),
        (lambda: linear(9, 4), {}, r"model is a Linear: allowed is an nn\.Sequential, or the list of its nn\.Linear"),
        (lambda: [linear(9, 4), nn.ReLU()], {}, r"linears\[1\] is a ReLU: allowed is nn\.Linear"),
        (lambda: nn.Sequential(nn.ReLU()), {}, r"model holds no nn\.Linear: allowed is at least one"),
        (lambda: [], {}, r"linears holds no nn\.Linear: allowed is at least one"),
        (
            lambda: [linear(9, 4), linear(5, 2)],
            {},
            r"weights\[1\] has shape \(2, 5\): allowed is \(out, 4\), since weights\[0\] has shape \(4, 9\)",
        ),
        (lambda: with_weight(math.nan), {}, r"weights\[1\] holds NaN or infinity: allowed are finite numbers"),
        (lambda: with_weight(-math.inf), {}, r"weights\[1\] holds NaN or infinity: allowed are finite numbers"),
        (None, {"mean_input": MEAN[:5]}, r"mean_input has shape \(5,\): allowed is \(9,\), one per input"),
        (None, {"mean_input": MEAN.reshape(3, 3)}, r"mean_input has shape \(3, 3\): allowed is \(9,\)"),
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
        "bias", "bias_in_list", "module_type", "nested", "no_sequential", "list_with_relu", "no_linear", "empty_list",
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


@pytest.mark.parametrize(
    ("weights", "spikes", "message"),
    [
        ([], input_raster(2, 3, 0.5), "weights is empty: allowed is one .* tensor per layer"),
        ([torch.zeros(3)], input_raster(2, 3, 0.5), r"weights\[0\] is torch.float32 \(3,\): allowed is a floating"),
        (
            [torch.zeros(0, 3)],
            input_raster(2, 3, 0.5),
            r"weights\[0\] is torch.float32 \(0, 3\): allowed is a floating",
        ),
        (
            [torch.zeros(2, 3).int()],
            input_raster(2, 3, 0.5),
            r"weights\[0\] is torch.int32 \(2, 3\): allowed is a float",
        ),
        (
            [torch.zeros(2, 3), torch.zeros(2, 3)],
            input_raster(2, 3, 0.5),
            r"weights\[1\] has shape \(2, 3\): allowed is \(out, 2\)",
        ),
        ([torch.full((2, 3), math.nan)], input_raster(2, 3, 0.5), r"weights\[0\] holds NaN or infinity: allowed are"),
        (
            [torch.zeros(2, 3)],
            torch.zeros(2, 3),
            r"input_spikes is torch.float32 \(2, 3\): allowed is bool \(steps, inp",
        ),
        ([torch.zeros(2, 3)], torch.zeros(3).bool(), r"input_spikes is torch.bool \(3,\): allowed is bool"),
        ([torch.zeros(2, 3)], input_raster(2, 4, 0.5), "input_spikes has 4 inputs: allowed is 3, as weights"),
    ],
    ids=["empty", "vector", "no_neuron", "integers", "do_not_fit", "nan", "spikes_dtype", "spikes_vector", "inputs"],
)
def test_run_layers_refuses(weights: list[Tensor], spikes: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_layers(weights, spikes, dyadic_config())


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("alpha", (0, -1.0, math.nan, math.inf), "a number > 0"),
        ("beta", (math.nan, math.inf, -math.inf), "a finite number"),
        ("inc", (-0.1, math.nan, math.inf), "a number >= 0"),
        ("dec", (-0.1, math.nan, math.inf), "a number >= 0"),
        ("decay", (-0.1, 1.1, math.nan), r"a number in \[0, 1\]"),
        ("gate", (0.0, -1, math.inf, math.nan), "None or a number > 0"),
        ("rate", (-1, math.nan, math.inf), "a frequency in Hz >= 0"),
        ("dt", (0, -0.001, math.nan, math.inf), "a time in seconds > 0"),
        ("steps", (0, -5, 1.5, math.nan, math.inf, None), "a whole number >= 1"),
        ("window", (0, -5, 1.5, math.nan), "a whole number >= 1"),
        ("batch", (0, -5, 1.5, math.nan, math.inf, None), "a whole number >= 1"),
    ],
)
def test_config_refuses(name: str, values: tuple[Any, ...], allowed: str) -> None:
    arguments = {"alpha": 1.0, "beta": 1.0, "inc": 0.1, "dec": 0.1}
    for value in values:
        with pytest.raises(ValueError, match=f"^{name} = {value}: allowed is {allowed}$"):
            SleepConfig(**(arguments | {name: value}))


def test_config_refuses_a_bad_value_of_one_layer() -> None:
    with pytest.raises(ValueError, match=r"alpha = \(1.0, -2.0\): allowed is a number > 0"):
        SleepConfig(alpha=(1, -2), beta=1.0, inc=0.1, dec=0.1)


def test_config_takes_any_number() -> None:
    config = SleepConfig(alpha=np.float32(2), beta=np.array([0, 1]), inc=0, dec=0, steps=1e4, window=11.0)
    assert config.per_layer("alpha", 2) == (2.0, 2.0)
    assert config.per_layer("beta", 2) == (0.0, 1.0)
    assert (config.steps, config.window) == (10_000, 11)
    assert isinstance(config.steps, int)


@pytest.mark.parametrize(
    ("show", "terminal", "seconds", "shown"),
    [
        (True, False, 0, True),
        (None, True, 0, True),
        (None, False, 0, False),
        (False, True, 0, False),
        (True, True, 60, False),
    ],
    ids=["asked_for", "terminal", "no_terminal", "unwanted", "short"],
)
def test_progress_bar(monkeypatch, capsys, show: bool | None, terminal: bool, seconds: float, shown: bool) -> None:
    monkeypatch.setattr(progress, "SHOW_AFTER", seconds)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setenv("FORCE_COLOR", "1")
    run_layers(dyadic_weights((5, 4, 3)), input_raster(20, 5, 0.5), dyadic_config(), progress=show)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("sleeping" in printed.err) == shown
