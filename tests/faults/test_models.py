"""A sleep that would not reach the network, or would reach another one than was meant, is refused or told."""

from __future__ import annotations

import copy
import math
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from srclib.sleep import DivergedError, SleepConfig, SleepWarning, layer_scales, run_layers, set_weights, sleep
from srclib.sleep.tune import tune

CONFIG = SleepConfig(alpha=3.0, beta=0.1, inc=0.02, dec=0.004, steps=100, rate=200)
MEAN = np.linspace(0.2, 1, 9)
X = torch.rand(20, 9, generator=torch.Generator().manual_seed(1))


def linear(inputs: int = 9, outputs: int = 9) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.uniform_(layer.weight, -0.1, 0.4, generator=torch.Generator().manual_seed(inputs * outputs))
    return layer


def net(**changes: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict({"fc1": linear(), "act": nn.ReLU(), "fc2": linear(9, 5)} | changes))


def changed(layer: nn.Linear, change: Callable[[nn.Linear], Any]) -> nn.Linear:
    change(layer)
    return layer


def with_weight(weight: Any) -> nn.Linear:
    layer = linear()
    layer.weight = weight
    return layer


def tied() -> nn.Sequential:
    model = net(fc2=linear())
    model.fc2.weight = model.fc1.weight
    return model


def transposed() -> nn.Sequential:
    model = net(fc2=linear())
    model.fc2.weight = nn.Parameter(model.fc1.weight.detach().t())
    return model


def rows_of_one(apart: bool) -> nn.Sequential:
    """Return a network whose weights are rows of one matrix, the same ones in part or not."""
    whole = torch.rand(18, 9)
    model = net(fc2=linear())
    model.fc1.weight, model.fc2.weight = nn.Parameter(whole[:9]), nn.Parameter(whole[9:] if apart else whole[8:17])
    return model


def under_inference() -> nn.Linear:
    with torch.inference_mode():
        return linear()


def replaced_by_a_hook(layer: nn.Linear) -> None:
    kept = layer.weight.detach().clone()
    layer.register_forward_pre_hook(lambda module, args: module.weight.data.copy_(kept))


class Residual(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class Scaled(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


class Shifted(nn.ReLU):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - 1)


NOT_WRITABLE = {
    "pruned": (lambda: net(fc1=prune.random_unstructured(linear(), "weight", 0.5)), "model.fc1 is derived"),
    "pruned_later": (lambda: net(fc2=prune.l1_unstructured(linear(9, 5), "weight", 3)), "model.fc2 is derived"),
    "weight_norm": (lambda: net(fc1=parametrizations.weight_norm(linear())), "model.fc1 is derived"),
    "weight_norm_by_hooks": (lambda: net(fc1=nn.utils.weight_norm(linear())), "weight of model.fc1 is derived from"),
    "spectral_norm": (lambda: net(fc1=parametrizations.spectral_norm(linear())), "model.fc1 is derived"),
    "spectral_norm_by_hooks": (lambda: net(fc2=nn.utils.spectral_norm(linear(9, 5))), "model.fc2 is derived"),
    "orthogonal": (lambda: net(fc1=parametrizations.orthogonal(linear())), "model.fc1 is derived"),
    "hook": (lambda: net(fc1=changed(linear(), replaced_by_a_hook)), "model.fc1 may be replaced by a forward pre-hook"),
    "tied": (tied, r"model\.fc1 and model\.fc2 share their weights: allowed are weights of their own"),
    "transposed": (transposed, r"model\.fc1 and model\.fc2 share their weights"),
    "rows_of_one": (lambda: rows_of_one(False), r"model\.fc1 and model\.fc2 share their weights"),
    "one_layer_twice": (lambda: [layer := linear(), nn.ReLU(), layer], r"linears\[0\] and linears\[2\] share"),
    "expanded": (lambda: net(fc1=with_weight(nn.Parameter(torch.rand(1, 9).expand(9, 9)))), "fc1 has several elements"),
    "inference": (lambda: net(fc1=under_inference()), "model.fc1 was made under torch.inference_mode"),
    "meta": (lambda: net(fc1=linear().to("meta")), r"model\.fc1 is a Tensor, .* on meta: allowed is a dense float"),
    "sparse": (lambda: net(fc1=with_weight(nn.Parameter(torch.rand(9, 9).to_sparse()))), "model.fc1 is a .*sparse_coo"),
    "complex": (lambda: net(fc1=with_weight(nn.Parameter(torch.rand(9, 9) * 1j))), "model.fc1 is a .*complex64"),
    "lazy": (lambda: net(fc1=nn.LazyLinear(9, bias=False)), "model.fc1 is not initialised yet"),
}


def state(subject: Any) -> dict[str, Tensor]:
    modules = nn.ModuleList(subject) if isinstance(subject, list) else subject
    return {
        key: value.detach().clone()
        for key, value in modules.state_dict().items()
        if not isinstance(value, nn.UninitializedParameter) and not value.is_meta
    }


def check_refused(subject: Any, message: str, kind: type[Exception] = ValueError, **arguments: Any) -> None:
    """Let a network sleep, which must be refused, and leave every tensor of the network as it was."""
    before = state(subject)
    with pytest.raises(kind, match=message):
        sleep(subject, **{"mean_input": MEAN, "config": CONFIG, "scale_inputs": X} | arguments)
    after = state(subject)
    for key, value in before.items():
        torch.testing.assert_close(after[key], value, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "scaled"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(("make", "message"), NOT_WRITABLE.values(), ids=NOT_WRITABLE)
def test_weights_that_cannot_be_written_are_named(make: Callable[[], Any], message: str, scaled: bool) -> None:
    check_refused(make(), message, scale_inputs=X if scaled else None)


def test_weights_that_only_lie_side_by_side_sleep() -> None:
    model = rows_of_one(True)
    before = state(model)
    record = sleep(model, MEAN, CONFIG)
    assert all(record.changed)
    assert not torch.equal(model.fc2.weight, before["fc2.weight"])
    assert torch.equal(model.fc1.weight, record.weights[0])


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (lambda: [linear(), linear()], r"linears\[1\] follows linears\[0\]: .*must tell what lies between them"),
        (lambda: nn.ModuleList([linear(), linear()]), r"linears\[1\] follows linears\[0\]"),
        (lambda: [linear(), nn.BatchNorm1d(9), linear()], r"linears\[1\] is BatchNorm1d: allowed are Linear"),
        (lambda: [linear(), nn.GELU(), linear()], r"linears\[1\] is GELU: allowed are Linear"),
        (lambda: net(norm=nn.LayerNorm(5)), r"model\.norm is LayerNorm: allowed are Linear"),
        (lambda: net(act=nn.LeakyReLU()), r"model\.act is LeakyReLU"),
        (lambda: net(act=nn.PReLU()), r"model\.act is PReLU"),
        (lambda: net(act=Residual(linear())), r"model\.act is Residual, an nn\.Sequential with a forward of its own"),
        (lambda: Residual(linear()), r"model is Residual, an nn\.Sequential with a forward of its own"),
        (lambda: net(fc1=Scaled(9, 9, bias=False)), r"model\.fc1 is Scaled, an nn\.Linear with a forward of its own"),
        (lambda: net(act=Shifted()), r"model\.act is Shifted, an nn\.ReLU with a forward of its own"),
        (lambda: 3, "model is a int: allowed is an nn.Sequential, or a list of layers"),
        (lambda: [linear(), "relu"], r"linears\[1\] is a str: allowed are Linear"),
    ],
)
def test_what_lies_between_is_never_guessed(subject: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sleep(subject(), MEAN, CONFIG, scale_inputs=X)


def test_a_forward_of_one_object_is_seen() -> None:
    model = net()
    model.act.forward = lambda x: x + 1
    check_refused(model, r"model\.act is ReLU, an nn\.ReLU with a forward of its own")


@pytest.mark.parametrize("place", [0, 7, 19])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_scale_inputs_are_finite(place: int, value: float) -> None:
    x = X.clone()
    x[place, 4] = value
    check_refused(net(), rf"scale_inputs\[{place}, 4\] = {value}: allowed are finite numbers", scale_inputs=x)
    with pytest.raises(ValueError, match="scale_inputs"):
        layer_scales(net(), x)


def test_activations_are_finite() -> None:
    model = net(fc1=changed(linear(), lambda layer: layer.weight.data.fill_(3e38)))
    check_refused(model, r"model\.fc1: an activation is inf: allowed are finite numbers")


def test_a_layer_before_the_first_linear_scales_none() -> None:
    model = net()
    assert layer_scales(nn.Sequential(nn.Dropout(0.2), *model), 50 * X) == layer_scales(model, 50 * X)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_going_in_are_finite(value: float) -> None:
    model = net()
    model.fc2.weight.data[1, 1] = value
    check_refused(model, r"model\.fc2 holds NaN or infinity: allowed are finite numbers", scale_inputs=None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_weights_coming_out_are_finite(dtype: torch.dtype) -> None:
    inc = 4e4 if dtype == torch.float16 else 2e38
    message = r"model\.fc1 ended with weights beyond what .* holds: allowed are finite"
    check_refused(net().to(dtype), message, DivergedError, config=replace(CONFIG, inc=inc, dec=0), scale_inputs=None)


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "scaled"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_lower_precision_sleeps_in_float32(dtype: torch.dtype, scaled: bool) -> None:
    """Changes that bfloat16 would round away one by one add up."""
    low = net().to(dtype)
    full = copy.deepcopy(low).float()
    config, x = replace(CONFIG, inc=0.0005, dec=0.0001, steps=400), X if scaled else None
    record, expected = (sleep(model, MEAN, config, scale_inputs=x) for model in (low, full))
    assert (record.dtype, low.fc1.weight.dtype) == (torch.float32, dtype)
    for one, two, slept in zip(record.weights, expected.weights, (low.fc1, low.fc2), strict=True):
        assert torch.equal(one, two.to(dtype))
        assert torch.equal(slept.weight, one)
    assert torch.equal(record.spike_counts[1], expected.spike_counts[1])
    assert record.changed[0] > 20


def test_the_kernel_alone_does_not_round_in_between() -> None:
    weights = [linear().weight.detach().bfloat16()]
    spikes, config = torch.rand(200, 9) < 0.5, replace(CONFIG, inc=0.0005, dec=0.0001)
    low, full = run_layers(weights, spikes, config), run_layers([w.float() for w in weights], spikes, config)
    assert torch.equal(low.weights[0], full.weights[0].bfloat16())


def test_layers_of_two_dtypes_sleep_in_the_wider_one() -> None:
    model = net()
    model.fc2.double()
    record = sleep(model, MEAN, CONFIG)
    assert (record.dtype, [w.dtype for w in record.weights]) == (torch.float64, [torch.float32, torch.float64])


def test_an_error_while_weights_are_set_undoes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    model = net()
    before, calls, copy_ = state(model), [], Tensor.copy_

    def failing(self: Tensor, other: Tensor) -> Tensor:
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return copy_(self, other)

    monkeypatch.setattr(Tensor, "copy_", failing)
    with pytest.raises(KeyboardInterrupt):
        sleep(model, MEAN, CONFIG)
    assert len(calls) == 4
    assert all(torch.equal(model.state_dict()[key], value) for key, value in before.items())


@pytest.mark.parametrize("shapes", [[(9, 9), (1, 9)], [(9, 9)], [(9, 9), (5, 9), (5, 9)], [(9,), (5, 9)]], ids=str)
def test_weights_of_another_shape_are_not_spread_out(shapes: list[tuple[int, ...]]) -> None:
    model = net()
    before = state(model)
    with pytest.raises(ValueError, match=r"weights have shapes .*: allowed are \[\(9, 9\), \(5, 9\)\]"):
        set_weights([model.fc1, model.fc2], [torch.zeros(shape) for shape in shapes])
    assert all(torch.equal(model.state_dict()[key], value) for key, value in before.items())


def test_a_layer_that_never_fires_is_a_warning() -> None:
    with pytest.warns(SleepWarning, match=r"no neuron of fc2 fired"):
        record = sleep(net(), MEAN, replace(CONFIG, beta=(0.1, 1e6)))
    assert record.silent == ["fc2"]
    assert record.changed[1] == 0 < record.changed[0]
    with pytest.warns(SleepWarning, match=r"no neuron of fc1, fc2 fired"):
        sleep(net(), np.zeros(9), CONFIG)


@pytest.mark.parametrize(
    ("make", "config"),
    [
        (lambda: net(fc1=changed(linear(), lambda m: m.weight.data.fill_(1e6))), replace(CONFIG, inc=1e-5, dec=1e-5)),
        (lambda: net().bfloat16(), replace(CONFIG, inc=1e-8, dec=1e-9)),
        (net, replace(CONFIG, gate=1e-9, dec=0)),
    ],
    ids=["large_weights", "bfloat16", "gate"],
)
def test_changes_that_are_rounded_away_are_a_warning(make: Callable[[], nn.Sequential], config: SleepConfig) -> None:
    model = make()
    if config.gate:
        model.fc1.weight.data.abs_().add_(0.1)
    with pytest.warns(SleepWarning, match=r"neurons of fc1.* fired, but every change was too small to move a weight"):
        record = sleep(model, MEAN, config)
    assert record.changed[0] == 0
    assert record.spike_counts[0].any()


def test_a_sleep_that_works_warns_of_nothing() -> None:
    with warnings.catch_warnings(action="error"):
        record = sleep(net(), MEAN, CONFIG, scale_inputs=X)
    assert record.layers == ("fc1", "fc2")
    assert record.alpha == tuple(3.0 * scale for scale in layer_scales(net(), X))
    assert all(record.changed)
    assert not record.silent


def test_layers_are_named_as_the_model_names_them() -> None:
    body = nn.Sequential(OrderedDict(first=linear(), act=nn.ReLU()))
    model = nn.Sequential(OrderedDict(body=body, rest=nn.Sequential(linear(9, 9), nn.ReLU(), linear(9, 4))))
    assert sleep(copy.deepcopy(model), MEAN, CONFIG).layers == ("body.first", "rest.0", "rest.2")
    model.rest[2].weight.data[0, 0] = math.nan
    check_refused(model, r"model\.rest\[2\] holds NaN", scale_inputs=None)


def flat(model: nn.Sequential) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Identity(), model, nn.Identity())


MEANT = {
    "generator": lambda model: ((layer for layer in model), MEAN, {}),
    "module_list": lambda model: (nn.ModuleList(model), MEAN, {}),
    "children": lambda model: (model.children(), MEAN, {}),
    "nested": lambda model: (nn.Sequential(nn.Sequential(model.fc1), model.act, model.fc2), MEAN, {}),
    "flatten": lambda model: (flat(model), MEAN, {}),
    "compiled": lambda model: (torch.compile(model), MEAN, {}),
    "compiled_layer": lambda model: ([torch.compile(model.fc1), model.act, model.fc2], MEAN, {}),
    "image": lambda model: (model, MEAN.reshape(3, 3), {}),
    "image_with_channel": lambda model: (model, torch.from_numpy(MEAN).reshape(1, 3, 3), {}),
    "images": lambda model: (model, MEAN, {"scale_inputs": X.reshape(20, 1, 3, 3)}),
    "numpy": lambda model: (model, MEAN, {"scale_inputs": X.numpy()}),
    "float32_mean": lambda model: (model, torch.from_numpy(MEAN).float().requires_grad_(), {}),
    "numpy_seed": lambda model: (model, MEAN, {"seed": np.int64(0)}),
    "tensor_seed": lambda model: (model, MEAN, {"seed": torch.tensor(0)}),
    "seed_list": lambda model: (model, MEAN, {"seed": [0]}),
}


@pytest.mark.parametrize("given", MEANT.values(), ids=MEANT)
def test_what_is_clear_is_accepted(given: Callable[[nn.Sequential], tuple[Any, Any, dict[str, Any]]]) -> None:
    model, plain = net(), net()
    expected = sleep(plain, MEAN.astype(np.float32), CONFIG, scale_inputs=X)
    subject, mean, arguments = given(model)
    sleep(subject, np.asarray(mean.detach() if isinstance(mean, Tensor) else mean).astype(np.float32), CONFIG,
          **{"scale_inputs": X} | arguments)  # fmt: skip
    assert torch.equal(model.fc1.weight, expected.weights[0])
    assert torch.equal(model.fc2.weight, expected.weights[1])


def test_a_lazy_layer_that_has_seen_an_input_sleeps() -> None:
    model = net(fc1=nn.LazyLinear(9, bias=False))
    model(X)
    assert sleep(model, MEAN, CONFIG).layers == ("fc1", "fc2")


@pytest.mark.parametrize("value", [1.0000001, 1.0000009, -1e-7])
def test_rounding_beyond_the_unit_interval_is_undone(value: float) -> None:
    rounded, whole = MEAN.copy(), MEAN.copy()
    rounded[3], whole[3] = value, round(value)
    one, two = (sleep(net(), mean, CONFIG) for mean in (rounded, whole))
    assert torch.equal(one.weights[1], two.weights[1])


@pytest.mark.parametrize("value", [1.00001, -1e-4, math.nan, math.inf])
def test_more_than_rounding_is_refused(value: float) -> None:
    mean = MEAN.copy()
    mean[3] = value
    check_refused(net(), rf"mean_input\[3\] = {value}: allowed is .* in \[0, 1\]", mean_input=mean)


@pytest.mark.parametrize("seed", ["1", b"1", 1.0, -1, (), (1, "2"), (1, -2), None, True, [1.5], {}, math.nan], ids=repr)
def test_seeds_are_whole_numbers(seed: Any) -> None:
    check_refused(net(), "seed = .*: allowed is a whole number >= 0 or a tuple of them", seed=seed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean_input": "grey"}, "mean_input = 'grey': allowed is an array of 9 numbers"),
        ({"mean_input": None}, "mean_input"),
        ({"config": {"alpha": 1.0}}, "config = .*: allowed is a SleepConfig"),
        ({"scale_inputs": X[0]}, r"scale_inputs has shape \(9,\): allowed is \(n, 9\)"),
        ({"scale_inputs": X.reshape(20, 1, 9)[:0]}, r"scale_inputs has shape \(0, 9\): allowed is \(n, 9\)"),
    ],
)
def test_arguments_of_another_kind_are_named(changes: dict[str, Any], message: str) -> None:
    check_refused(net(), message, **changes)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("alpha", ("3", b"3", True, None, [], {}, ("1", "2"), [None])),
        ("beta", ("3", True, None, ("1",))),
        ("inc", ("3", True, None, (0.1, 0.2), [0.1])),
        ("decay", ("1", True, None)),
        ("gate", ("0.1", True)),
        ("rate", ("100", None)),
        ("strict", ("no", "yes", 0, 1, None)),
        ("steps", ("5", True, 10**400)),
        ("batch", ("2", True, None)),
        ("max_updates", ("9", True)),
    ],
)
def test_settings_of_another_kind_are_named(name: str, values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises(ValueError, match=f"^{name} = .*: allowed is "):
            replace(CONFIG, **{name: value})


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_is_a_number(score: float) -> None:
    with pytest.raises(ValueError, match=f"score\\(\\) = {score}: allowed is a finite number"):
        tune(net(), MEAN, lambda: score, trials=1)
