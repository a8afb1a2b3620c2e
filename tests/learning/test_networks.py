"""Networks: their layers, their first weights, the two kinds of dropout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from srclib.learning.networks import ClassicDropout, body_and_head, logits, mlp
from srclib.learning.spiking import IntegrateAndFire, PoissonInput, Rate
from srclib.sleep import linear_layers

L, R, D, C = nn.Linear, nn.ReLU, nn.Dropout, ClassicDropout
P, N, S = PoissonInput, IntegrateAndFire, Rate


@pytest.mark.parametrize(
    ("sizes", "options", "layers"),
    [
        ((5, 3), {}, [L]),
        ((5, 3), {"output": "relu", "dropout": 0.5}, [L, R]),  # no hidden layer, nothing to drop
        ((5, 4, 3), {}, [L, R, L]),
        ((5, 4, 3), {"output": "sigmoid"}, [L, R, L]),
        ((5, 4, 3), {"output": "relu"}, [L, R, L, R]),
        ((5, 4, 6, 3), {"dropout": 0.25}, [L, R, D, L, R, D, L]),
        ((5, 4, 6, 3), {"dropout": 0.25, "dropout_scaling": "test", "output": "relu"}, [L, R, C, L, R, C, L, R]),
        ((5, 4, 3), {"dropout": 0.0, "dropout_scaling": "test"}, [L, R, L]),
        ((5, 4, 3), {"spiking": 20}, [P, L, N, L, N, S]),
        ((5, 4, 3), {"spiking": 20, "dropout": 0.25, "output": "relu"}, [P, L, N, D, L, N, S]),
    ],
    ids=[
        "one_layer",
        "one_layer_relu",
        "hidden",
        "sigmoid",
        "hidden_relu",
        "dropout",
        "classic_dropout_relu",
        "plain",
        "spiking",
        "spiking_dropout",
    ],
)
def test_layers(sizes: tuple[int, ...], options: dict[str, Any], layers: list[type]) -> None:
    model = mlp(sizes, init=0.1, **options)
    assert [type(layer) for layer in model] == layers
    linears = linear_layers(model)  # it can sleep
    assert [tuple(layer.weight.shape) for layer in linears] == list(zip(sizes[1:], sizes[:-1], strict=True))
    assert all(layer.bias is None for layer in linears)
    assert {layer.p for layer in model if isinstance(layer, nn.Dropout)} <= {options.get("dropout", 0)}


@pytest.mark.parametrize("init", [0.01, 0.5])
def test_first_weights_are_uniform(init: float) -> None:
    torch.manual_seed(0)
    for layer in linear_layers(mlp((60, 80, 70), init=init)):
        w = layer.weight.detach() / init
        assert w.abs().max() <= 1
        assert w.max() > 0.99
        assert w.min() < -0.99
        assert abs(w.mean()) < 0.03
        assert w.var() == pytest.approx(1 / 3, rel=0.05)


def test_first_weights_come_from_the_global_generator() -> None:
    torch.manual_seed(3)
    first, second = mlp((4, 3), init=1.0), mlp((4, 3), init=1.0)
    torch.manual_seed(3)
    again = mlp((4, 3), init=1.0)
    assert torch.equal(first[0].weight, again[0].weight)
    assert not torch.equal(first[0].weight, second[0].weight)


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ((5,), {}, r"sizes = \(5,\): allowed are at least two numbers >= 1"),
        ((), {}, r"sizes = \(\)"),
        ((5, 0, 3), {}, r"sizes = \(5, 0, 3\)"),
        ((5, 3), {"output": "tanh"}, r"output = 'tanh': allowed is one of \('softmax', 'sigmoid', 'relu'\)"),
        ((5, 3), {"dropout_scaling": "never"}, r"dropout_scaling = 'never': allowed is one of \('train', 'test'\)"),
        ((5, 3), {"dropout": 1.0}, r"dropout = 1.0: allowed is \[0, 1\)"),
        ((5, 3), {"dropout": -0.1}, r"dropout = -0.1"),
    ],
    ids=["one_size", "no_size", "empty_layer", "output", "scaling", "all_dropped", "negative"],
)
def test_bad_input(sizes: tuple[int, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mlp(sizes, init=0.1, **options)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.8])
def test_classic_dropout_masks_in_training_and_scales_in_evaluation(p: float) -> None:
    torch.manual_seed(0)
    x = torch.rand(200, 100) + 0.5
    layer = ClassicDropout(p).eval()
    assert torch.equal(layer(x), x * (1 - p))
    layer.train()
    masked, again = layer(x), layer(x)
    kept = masked != 0
    assert torch.equal(masked[kept], x[kept])  # not scaled
    assert float(kept.float().mean()) == pytest.approx(1 - p, abs=0.01)
    assert torch.equal(masked, again) == (p == 0)  # a new mask every time
    assert float(masked.mean()) == pytest.approx(float(layer.eval()(x).mean()), rel=0.05)


def test_inverted_dropout_is_the_other_way_round() -> None:
    model = mlp((3, 4, 2), init=1.0, dropout=0.5)
    x = torch.rand(6, 4)
    dropout = model[2]
    assert torch.equal(dropout.eval()(x), x)
    masked = dropout.train()(x)
    assert torch.equal(masked, torch.where(masked != 0, 2 * x, 0))


@pytest.mark.parametrize(
    ("sizes", "body", "head"),
    [((6, 3), [], [L, R]), ((6, 5, 3), [L, R, C], [L, R]), ((6, 5, 4, 3), [L, R, C] * 2, [L, R])],
    ids=["one_layer", "hidden", "two_hidden"],
)
def test_body_and_head_are_the_network(sizes: tuple[int, ...], body: list[type], head: list[type]) -> None:
    model = mlp(sizes, init=1.0, output="relu", dropout=0.25, dropout_scaling="test").eval()
    parts = body_and_head(model)
    assert [[type(layer) for layer in part] for part in parts] == [body, head]
    x = torch.randn(9, 6)
    assert torch.equal(parts[1](parts[0](x)), model(x))


@pytest.mark.parametrize("output", ["softmax", "relu"])
def test_logits_leave_out_the_last_rectifier_only(output: str) -> None:
    torch.manual_seed(0)
    model = mlp((6, 5, 4), init=1.0, output=output)
    x = torch.randn(50, 6)
    expected = (x @ model[0].weight.T).relu() @ model[2].weight.T
    z = logits(model, x)
    assert bool((z < 0).any())
    torch.testing.assert_close(z, expected)
    torch.testing.assert_close(model(x), expected.relu() if output == "relu" else expected)
