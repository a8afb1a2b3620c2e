"""Awake training: what the released code computed, the two losses, the loop and its hooks."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from srclib.learning import training
from srclib.learning.momentum import Momentum
from srclib.learning.networks import ClassicDropout, mlp
from srclib.learning.training import LOSSES, classes_of, evaluate, output_delta, predict, reproducible, train
from srclib.sleep import linear_layers

from ..cells import awake

GOLDEN = Path(__file__).parents[1] / "golden"


def sgd(model: nn.Module, lr: float = 0.1, momentum: float = 0.0) -> Momentum:
    return awake(lr=lr, momentum=momentum).optimizer(model)


def one_layer(inputs: int = 5, classes: int = 3, loss: str = "softmax_ce") -> nn.Sequential:
    torch.manual_seed(0)
    return mlp((inputs, classes), init=0.5, output=LOSSES[loss]).double()


def examples(n: int, inputs: int = 5, classes: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return float64 inputs (n, inputs) and labels (n,)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, inputs, dtype=torch.float64, generator=generator)
    return x, torch.randint(classes, (n,), generator=generator)


def gradient(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the gradient of the mean cross-entropy of a network of one layer, (classes, inputs)."""
    return ((x @ w.T).softmax(1) - one_hot(y, len(w))).T @ x / len(x)


# Golden: the released code


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("loss", ["softmax_ce", "relu_mse"])
def test_trains_as_the_released_code(loss: str, dtype: torch.dtype) -> None:
    """These files were trained without dropout and tested with its factor, in full batches."""
    with np.load(GOLDEN / f"train_{loss}.npz") as file:
        data = dict(file)
    config = awake(
        layers=tuple(data["sizes"].tolist()), loss=loss, epochs=int(data["epochs"]), batch=len(data["X"]),
        lr=float(data["learning_rate"]), momentum=float(data["momentum"]), dropout=float(data["dropout"]),
    )  # fmt: skip
    model = config.network().to(dtype)
    linears = linear_layers(model)
    before = [torch.from_numpy(data[f"W{i}_before"]) for i, _ in enumerate(linears, 1)]
    for linear, w in zip(linears, before, strict=True):
        linear.weight.data.copy_(w)
    x, y = torch.from_numpy(data["X"]).to(dtype), torch.from_numpy(data["y"])
    with reproducible(0):  # the order of images in the one batch decides how sums are rounded
        train(model, config.optimizer(model), x, y, loss=loss, epochs=config.task_epochs(0), batch=config.batch)

    tested = replace(config, dropout=float(data["dropout_at_test"]), dropout_scaling="test").network().to(dtype)
    assert sum(isinstance(layer, ClassicDropout) for layer in tested) == len(linears) - 1
    for i, (linear, last) in enumerate(zip(linears, linear_layers(tested), strict=True), 1):
        after = linear.weight.detach().double().numpy()
        assert np.abs(after - data[f"W{i}_before"]).max() > 1e-3
        np.testing.assert_allclose(after, data[f"W{i}_after"], rtol=0, atol=1e-4)
        last.weight.data.copy_(linear.weight.data)
    np.testing.assert_array_equal(predict(tested, x).numpy(), data["predicted"])


# The losses

BATCHES = st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(0, 2**32))


def outputs_and_targets(batch: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    m, classes, seed = batch
    generator = torch.Generator().manual_seed(seed)
    z = 3 * torch.randn(m, classes, dtype=torch.float64, generator=generator)
    return z, torch.randint(classes, (m,), generator=generator)


@given(BATCHES)
def test_delta_of_cross_entropy_is_its_gradient(batch: tuple[int, int, int]) -> None:
    z, y = outputs_and_targets(batch)
    z.requires_grad_()
    (expected,) = torch.autograd.grad(cross_entropy(z, y), z)
    torch.testing.assert_close(output_delta(z.detach(), one_hot(y, z.shape[1]).double(), "softmax_ce"), expected)


@given(BATCHES)
def test_delta_of_the_cross_entropy_of_each_output_is_its_gradient(batch: tuple[int, int, int]) -> None:
    z, _ = outputs_and_targets(batch)
    target = torch.rand_like(z)
    z.requires_grad_()
    (expected,) = torch.autograd.grad(binary_cross_entropy_with_logits(z, target, reduction="sum") / len(z), z)
    torch.testing.assert_close(output_delta(z.detach(), target, "sigmoid_bce"), expected)


@given(BATCHES)
def test_delta_of_squared_error_goes_straight_through_the_rectifier(batch: tuple[int, int, int]) -> None:
    z, y = outputs_and_targets(batch)
    target = one_hot(y, z.shape[1]).double()
    z.requires_grad_()
    output = z + (z.relu() - z).detach()  # value of the rectifier, derivative 1
    (expected,) = torch.autograd.grad(((output - target) ** 2).sum() / 2 / len(z), z)
    torch.testing.assert_close(output_delta(z.detach(), target, "relu_mse"), expected)


def test_a_silent_output_learns() -> None:
    z, target = torch.tensor([[-2.0, 0.5], [0.25, -1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert output_delta(z, target, "relu_mse").tolist() == [[-0.5, 0.25], [-0.375, 0.0]]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_delta_reaches_the_hidden_layers(loss: str) -> None:
    torch.manual_seed(0)
    model = mlp((5, 7, 3), init=1.0, output=LOSSES[loss]).double()
    w1, w2 = (layer.weight.detach().clone() for layer in linear_layers(model))
    x, y = examples(4)
    train(model, sgd(model, lr=0.1), x, y, loss=loss, epochs=1, batch=4)
    hidden = x @ w1.T
    delta = output_delta(hidden.relu() @ w2.T, one_hot(y, 3).double(), loss)
    torch.testing.assert_close(model[2].weight.detach(), w2 - 0.1 * delta.T @ hidden.relu())
    torch.testing.assert_close(model[0].weight.detach(), w1 - 0.1 * ((delta @ w2) * (hidden > 0)).T @ x)


# The loop


def test_momentum_carries_across_tasks() -> None:
    model, lr, momentum = one_layer(), 0.3, 0.5
    optimizer = sgd(model, lr, momentum)
    w, velocity = model[0].weight.detach().clone(), torch.zeros(3, 5, dtype=torch.float64)
    for task in range(3):
        x, y = examples(8, seed=task)
        train(model, optimizer, x, y, loss="softmax_ce", epochs=2, batch=8)
        for _ in range(2):
            velocity = momentum * velocity + gradient(w, x, y)
            w = w - lr * velocity
        torch.testing.assert_close(model[0].weight.detach(), w)


def test_epochs_are_reshuffled_and_leave_out_a_partial_batch() -> None:
    model = one_layer(inputs=1)
    x, y = torch.arange(7, dtype=torch.float64)[:, None], torch.zeros(7, dtype=torch.int64)
    batches: list[list[float]] = []
    model[0].register_forward_pre_hook(lambda module, args: batches.append(args[0][:, 0].tolist()))
    train(model, sgd(model), x, y, loss="softmax_ce", epochs=20, batch=3)
    assert [len(batch) for batch in batches] == [3] * 40
    epochs = [tuple(batches[i] + batches[i + 1]) for i in range(0, 40, 2)]
    assert all(len(set(epoch)) == 6 for epoch in epochs)  # no image twice
    assert len(set(epochs)) > 10
    assert {image for epoch in epochs for image in epoch} == set(range(7))  # not always the same one is left out


def test_labels_stay_with_their_images() -> None:
    model = one_layer(inputs=3)
    y = torch.arange(3).repeat(20)
    train(model, sgd(model, lr=1.0), one_hot(y, 3).double(), y, loss="softmax_ce", epochs=10, batch=10)
    assert predict(model, torch.eye(3, dtype=torch.float64)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_hooks_surround_every_update(epochs: int) -> None:
    model = one_layer()
    weight, calls = model[0].weight, list[str]()
    x, y = examples(4)
    moments: list[Tensor] = []

    def note(name: str) -> None:
        calls.append(name)
        moments.append(weight.detach().clone())

    train(
        model, sgd(model), x, y, loss="softmax_ce", epochs=epochs, batch=2,
        before_step=[lambda: note("before 1"), lambda: note("before 2")], after_step=[lambda: note("after")],
    )  # fmt: skip
    assert calls == ["before 1", "before 2", "after"] * 2 * epochs
    for i in range(0, len(moments), 3):
        assert torch.equal(moments[i], moments[i + 1])
        assert not torch.equal(moments[i + 1], moments[i + 2])


def test_before_step_sees_the_gradient_and_may_change_it() -> None:
    model = one_layer()
    w, (x, y) = model[0].weight.detach().clone(), examples(4)
    seen: list[Tensor] = []

    def halve() -> None:
        seen.append(model[0].weight.grad.clone())
        model[0].weight.grad *= 0.5

    train(model, sgd(model, lr=0.2), x, y, loss="softmax_ce", epochs=1, batch=4, before_step=[halve])
    torch.testing.assert_close(seen[0], gradient(w, x, y))
    torch.testing.assert_close(model[0].weight.detach(), w - 0.1 * gradient(w, x, y))


def test_penalties_add_to_the_loss() -> None:
    model = one_layer()
    weight, (x, y) = model[0].weight, examples(4)
    w = weight.detach().clone()
    penalties = [lambda: (weight**2).sum(), lambda: 3 * weight.sum()]
    train(model, sgd(model, lr=0.1), x, y, loss="softmax_ce", epochs=1, batch=4, penalties=penalties)
    torch.testing.assert_close(weight.detach(), w - 0.1 * (gradient(w, x, y) + 2 * w + 3))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_old_images_have_their_share_of_the_loss(share: float, loss: str) -> None:
    """One old image, so that the batch of old ones holds it alone."""
    (x, y), old = examples(4), examples(1, seed=1)
    model = one_layer(loss=loss)
    w = model[0].weight.detach().clone()
    train(model, sgd(model, lr=0.1), x, y, loss=loss, epochs=1, batch=4, old=old, share=share)
    new, again = (output_delta(a @ w.T, one_hot(b, 3).double(), loss).T @ a for a, b in ((x, y), old))
    torch.testing.assert_close(model[0].weight.detach(), w - 0.1 * (share * new + (1 - share) * again))


def test_old_images_are_drawn_at_random_in_every_step() -> None:
    x, y = torch.zeros(12, 40, dtype=torch.float64), torch.zeros(12, dtype=torch.int64)
    old = torch.eye(40, dtype=torch.float64), torch.arange(40) % 3  # each moves weights of its own
    model, moved = one_layer(inputs=40), []
    w = model[0].weight.detach().clone()
    hook = lambda: moved.append(set((model[0].weight.grad != 0).any(0).nonzero().flatten().tolist()))  # noqa: E731
    train(model, sgd(model), x, y, loss="softmax_ce", epochs=3, batch=4, old=old, share=0.5, after_backward=[hook])
    assert len(moved) == 9  # as many steps as without old images
    assert all(1 <= len(images) <= 4 for images in moved)
    assert len(set.union(*moved)) > 12
    assert bool((model[0].weight.detach() != w).any())


@pytest.mark.parametrize("loss", LOSSES)
def test_targets_of_all_outputs_in_place_of_labels(loss: str) -> None:
    x, y = examples(7)
    by_label, by_target, other = (one_layer(loss=loss) for _ in range(3))
    hard = one_hot(y, 3).double()
    for model, meant in ((by_label, y), (by_target, hard), (other, 0.9 * hard + 0.1 / 3)):
        torch.manual_seed(1)
        train(model, sgd(model), x, meant, loss=loss, epochs=5, batch=2)
    assert torch.equal(by_label[0].weight, by_target[0].weight)
    assert not torch.equal(by_label[0].weight, other[0].weight)


@pytest.mark.parametrize("shape", [(3,), (4, 2), (3, 3), (4, 3, 1)], ids=str)
def test_a_label_or_targets_for_each_image(shape: tuple[int, ...]) -> None:
    model, (x, _) = one_layer(), examples(4)
    y = torch.zeros(shape, dtype=torch.int64 if len(shape) == 1 else torch.float64)
    with pytest.raises(ValueError, match=rf"y has shape {re.escape(str(shape))}: allowed is \(4,\) or \(4, 3\)"):
        train(model, sgd(model), x, y, loss="softmax_ce", epochs=1, batch=2)


def test_the_gradient_of_the_loss_is_seen_before_penalties() -> None:
    model = one_layer()
    weight, (x, y) = model[0].weight, examples(4)
    w = weight.detach().clone()
    seen: list[Tensor] = []
    note = lambda: seen.append(weight.grad.clone())  # noqa: E731
    train(
        model, sgd(model), x, y, loss="softmax_ce", epochs=1, batch=4,
        after_backward=[note], penalties=[lambda: (weight**2).sum()], before_step=[note],
    )  # fmt: skip
    torch.testing.assert_close(seen[0], gradient(w, x, y))
    torch.testing.assert_close(seen[1], gradient(w, x, y) + 2 * w)


def test_dropout_alone_may_be_on_in_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "EVALUATION_BATCH", 3)
    torch.manual_seed(0)
    model = mlp((5, 50, 3), init=1.0, dropout=0.5).double().train()
    x, _ = examples(8)
    off = evaluate(model, x)
    torch.testing.assert_close(off, model(x))  # every part, and dropout stays off
    assert torch.equal(predict(model, x), off.argmax(1))
    assert not torch.equal(evaluate(model, x, dropout=True), evaluate(model, x, dropout=True))
    assert [layer.training for layer in model] == [False, False, True, False]


def test_dropout_is_on_in_training_and_off_in_prediction() -> None:
    torch.manual_seed(0)
    model = mlp((5, 50, 3), init=1.0, dropout=0.5).double()
    dropped: list[float] = []
    model[2].register_forward_hook(lambda module, args, output: dropped.append(float((output == args[0]).sum())))
    x, y = examples(4)
    predict(model, x)
    train(model, sgd(model), x, y, loss="softmax_ce", epochs=1, batch=4)
    predict(model, x)
    assert dropped[0] == dropped[2] == 4 * 50  # unchanged
    assert dropped[1] < 4 * 50


def test_too_few_images() -> None:
    model = one_layer()
    with pytest.raises(ValueError, match="3 images are fewer than a batch of 4"):
        train(model, sgd(model), *examples(3), loss="softmax_ce", epochs=1, batch=4)


# Prediction


def test_prediction_takes_the_first_of_equals() -> None:
    model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU())
    model[0].weight.data = torch.tensor([[1.0, -1.0], [1.0, 0.0], [0.0, -1.0]])
    x = torch.tensor([[1.0, 0.0], [1.0, 2.0], [-1.0, 0.0], [-1.0, 3.0], [-1.0, -2.0]])
    #                 equal        one            silent        silent        the third is largest
    assert predict(model, x).tolist() == [0, 1, 0, 0, 2]


def test_prediction_of_many_is_that_of_each() -> None:
    model = one_layer()
    x = examples(2_345)[0] - 0.5
    expected = (x @ model[0].weight.detach().T).argmax(1)
    assert torch.equal(predict(model, x), expected)
    assert len(expected.unique()) == 3


@pytest.mark.parametrize("sizes", [(5, 3), (5, 9, 4, 6)], ids=str)
@pytest.mark.parametrize("output", ["softmax", "relu"])
def test_classes_of(sizes: tuple[int, ...], output: str) -> None:
    assert classes_of(mlp(sizes, init=0.1, output=output)) == sizes[-1]


# Configuration and reproducibility


@pytest.mark.parametrize(("epochs", "expected"), [(3, [3, 3]), ((4, 2), [4, 2])], ids=["one_number", "one_per_task"])
def test_epochs_of_a_task(epochs: Any, expected: list[int]) -> None:
    assert [awake(epochs=epochs).task_epochs(task) for task in (0, 1)] == expected


def test_epochs_of_a_task_too_many() -> None:
    message = r"epochs = \(4, 2\): allowed is one number, or one per task; there are at least 3 tasks"
    with pytest.raises(ValueError, match=message):
        awake(epochs=(4, 2)).task_epochs(2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "mse"}, r"loss = 'mse': allowed is one of \('softmax_ce', 'sigmoid_bce', 'relu_mse'\)"),
        ({"epochs": -1}, "epochs = -1: allowed is a whole number >= 1, or one per task"),
        ({"epochs": (4, 0)}, r"epochs = \(4, 0\)"),
        ({"epochs": ()}, r"epochs = \(\)"),
        ({"batch": 0}, "batch = 0: allowed is a whole number >= 1"),
        ({"images_per_task": 0}, "images_per_task = 0"),
        ({"lr": 0.0}, "lr = 0.0, momentum = 0.5: allowed is lr > 0 and momentum in"),
        ({"lr": float("nan")}, "lr = nan"),
        ({"momentum": 1.0}, "momentum = 1.0"),
        ({"momentum": -0.5}, "momentum = -0.5"),
    ],
    ids=lambda value: "_".join(map(str, *value.items())) if isinstance(value, dict) else "",
)
def test_bad_configuration(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        awake(**changes)


@pytest.mark.parametrize(
    ("values", "tasks", "kept"),
    [((2, 2), 2, 2), ((2, 2, 3), 2, 2), ((2, 3), 1, 2), ((2, 3), 2, (2, 3)), ((2, 2), 3, (2, 2)), (2, 3, 2)],
    ids=str,
)
def test_one_configuration_has_one_spelling(
    values: int | tuple[int, ...], tasks: int, kept: int | tuple[int, ...]
) -> None:
    """Numbers of tasks that there are not say nothing; where numbers of tasks are missing, that stays so."""
    assert awake(epochs=values).for_tasks(tasks) == awake(epochs=kept)
    assert awake(lr=values).for_tasks(tasks) == awake(lr=kept)


@pytest.mark.parametrize("loss", LOSSES)
def test_network_of_a_configuration(loss: str) -> None:
    model = awake(layers=(7, 6, 5), init=0.3, loss=loss, dropout=0.25, dropout_scaling="test").network()
    assert isinstance(model[-1], nn.ReLU) == (loss == "relu_mse")
    assert isinstance(model[2], ClassicDropout)
    largest = max(float(layer.weight.detach().abs().max()) for layer in linear_layers(model))
    assert largest == pytest.approx(0.3, rel=0.2)


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
def test_reproducible_fixes_and_restores(fails: bool) -> None:
    threads = torch.get_num_threads()
    torch.manual_seed(1)
    expected_after = torch.rand(3)
    torch.manual_seed(1)
    drawn = []
    for _ in range(2):
        try:
            with reproducible(7, threads=1):
                assert torch.get_num_threads() == 1
                assert float(torch.tensor(1e-38) * torch.tensor(0.01)) == 0  # denormal
                drawn.append(torch.rand(3))
                if fails:
                    raise RuntimeError
        except RuntimeError:
            pass
    assert torch.equal(drawn[0], drawn[1])
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(3), expected_after)


@pytest.mark.parametrize("flushed", [False, True])
def test_reproducible_restores_how_denormal_numbers_are_treated(flushed: bool) -> None:
    def is_flushed() -> bool:
        return bool(torch.tensor(1e-40).mul(1) == 0)

    before = is_flushed()
    torch.set_flush_denormal(flushed)
    try:
        with reproducible(0):
            assert is_flushed()
        assert is_flushed() == flushed
    finally:
        torch.set_flush_denormal(before)
