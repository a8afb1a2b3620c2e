"""Layer scales: the released code's, and small ones worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from srclib.learning.networks import mlp
from srclib.sleep import layer_scales, linear_layers, scaling

from .cases import FOLDER


@pytest.mark.parametrize("name", ["relu_mse", "softmax_ce"])
def test_golden(name: str) -> None:
    """The released code scales hidden activations by 1 - p in evaluation, after training as here without dropout."""
    with np.load(FOLDER / f"train_{name}.npz") as data:
        model = mlp(
            data["sizes"].tolist(), init=0.1, output=str(data["output"]), dropout=float(data["dropout_at_test"]),
            dropout_scaling="test",
        )  # fmt: skip
        for i, layer in enumerate(linear_layers(model), start=1):
            layer.weight.data = torch.from_numpy(data[f"W{i}_after"])
        np.testing.assert_allclose(layer_scales(model, data["X"]), data["layer_scales"], rtol=1e-5)


def linear(*weight: list[float]) -> nn.Linear:
    """Return a bias-free layer with these rows of weights."""
    layer = nn.Linear(len(weight[0]), len(weight), bias=False)
    layer.weight.data = torch.tensor(weight)
    return layer


def test_by_hand() -> None:
    """Largest of weights and activations: 4, then 8, then 0.5; each divided by the factor applied before."""
    model = nn.Sequential(
        linear([1.0, 2.0], [-3.0, 0.5]), nn.ReLU(), linear([2.0, 1.0]), nn.ReLU(), linear([0.0625]), nn.ReLU()
    )
    x = torch.tensor([[0.0, 2.0], [1.0, 0.0]])  # first layer: 4 and 1; second: 8 + 1 = 9
    first, second, third = 4.0, 9.0, 0.5625
    f1 = first
    f2 = second / f1
    f3 = third / f2
    assert layer_scales(model, x) == pytest.approx([1 / f1, 1 / f2, 1 / f3])


def test_the_largest_weight_counts_where_activations_are_small() -> None:
    model = nn.Sequential(linear([3.0, -5.0]), nn.ReLU())
    assert layer_scales(model, torch.tensor([[0.1, 0.0]])) == pytest.approx([1 / 3])


def test_a_linear_output_is_read_as_a_softmax() -> None:
    """Two equal outputs of 7 are two probabilities of 1/2."""
    model = nn.Sequential(linear([0.125], [0.125]))
    assert layer_scales(model, torch.tensor([[56.0]])) == pytest.approx([2.0])
    assert layer_scales(nn.Sequential(*model, nn.ReLU()), torch.tensor([[56.0]])) == pytest.approx([1 / 7])


def test_list_of_layers_is_the_same_as_a_model() -> None:
    torch.manual_seed(1)
    model, x = mlp([6, 5, 4], init=0.5), torch.rand(10, 6)
    assert layer_scales(list(model), x) == layer_scales(model, x)


def test_batches_do_not_change_the_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model, x = mlp([6, 5, 4], init=0.5, output="relu"), torch.rand(11, 6)
    whole = layer_scales(model, x)
    monkeypatch.setattr(scaling, "BATCH", 3)
    assert layer_scales(model, x) == pytest.approx(whole, rel=1e-6)


def test_is_computed_in_evaluation_and_leaves_the_mode_alone() -> None:
    torch.manual_seed(1)
    model, x = mlp([6, 50, 4], init=0.5, output="relu", dropout=0.5), torch.rand(20, 6)
    expected = layer_scales(model.eval(), x)
    model.train()
    model[1].eval()
    assert layer_scales(model, x) == expected  # dropout in training mode would change the activations
    assert [layer.training for layer in model] == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        (
            nn.Sequential(linear([-1.0]), nn.ReLU()),
            [[1.0]],
            r"model\[0\] has no positive weight and no positive activation",
        ),
        (nn.Sequential(linear([1.0])), [1.0], r"scale_inputs has shape \(1,\): allowed is \(n, 1\)"),
        (nn.Sequential(linear([1.0])), [[1.0, 2.0]], r"scale_inputs has shape \(1, 2\): allowed is \(n, 1\)"),
        (nn.Sequential(linear([1.0])), np.zeros((0, 1)), r"scale_inputs has shape \(0, 1\): allowed is .* n >= 1"),
        (nn.Sequential(nn.Sigmoid(), linear([1.0])), [[1.0]], r"model\[0\] is Sigmoid: allowed are Linear"),
    ],
    ids=["dead_layer", "one_example", "inputs", "no_example", "module_type"],
)
def test_refuses(model: nn.Sequential, inputs, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layer_scales(model, np.asarray(inputs))
