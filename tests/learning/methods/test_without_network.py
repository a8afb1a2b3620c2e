"""Class means, SLDA and random features: what scikit-learn says, and that the order of tasks does not matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from srclib.data.streams import Task
from srclib.learning.methods.class_means import ClassMeans
from srclib.learning.methods.plugin import Plugin, Run
from srclib.learning.methods.random_features import RandomFeatures
from srclib.learning.methods.slda import SLDA

from .cases import CLASSES, a_run

GOLDEN = Path(__file__).parents[2] / "golden" / "scikit_learn.npz"
NONE = torch.empty(0)


@pytest.fixture(scope="module")
def golden() -> dict[str, NDArray[Any]]:
    with np.load(GOLDEN) as file:
        return dict(file)


def seen(golden: dict[str, NDArray[Any]], plugin: Plugin, parts: tuple[tuple[int, ...], ...]) -> Run:
    """Return a run that has seen the recorded classes, some after the others; the network is not trained."""
    state, x, y = a_run(), torch.from_numpy(golden["x"]), torch.from_numpy(golden["y"])
    for classes in parts:
        rows = torch.isin(y, torch.tensor(classes))
        state.seen.append(Task(classes, x[rows], y[rows], NONE, NONE))
        plugin.after_training(state)
    return state


def predicted(plugin: Plugin, state: Run, x: Tensor) -> Tensor:
    return next(iter(plugin.predict(state, x, NONE, {"network": NONE}).values()))


ORDERS = [((0, 1), (2, 3)), ((3, 2), (0, 1)), ((0, 1, 2, 3),), ((1,), (3,), (0,), (2,))]


@pytest.mark.parametrize("order", ORDERS)
def test_class_means(golden: dict[str, NDArray[Any]], order: tuple[tuple[int, ...], ...]) -> None:
    plugin = ClassMeans()
    found = predicted(plugin, seen(golden, plugin, order), torch.from_numpy(golden["new"]))
    assert found.tolist() == golden["nearest"].tolist()


@pytest.mark.parametrize("order", ORDERS)
def test_slda(golden: dict[str, NDArray[Any]], order: tuple[tuple[int, ...], ...]) -> None:
    plugin = SLDA(float(golden["shrinkage"]))
    state = seen(golden, plugin, order)
    w, _ = plugin.discriminant(state)
    labels = list(state.memory[plugin].sums)
    expected = torch.from_numpy(golden["coefficients"])[labels]
    assert torch.allclose(w - w.mean(0), expected - expected.mean(0))  # a common term changes no class
    assert predicted(plugin, state, torch.from_numpy(golden["new"])).tolist() == golden["predicted"].tolist()


def test_the_ridge_of_random_features(golden: dict[str, NDArray[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    features = dict(zip(golden["x"][:, 0].tolist(), torch.from_numpy(golden["features"]), strict=True))
    monkeypatch.setattr(RandomFeatures, "of", lambda self, run, x: torch.stack([features[v] for v in x[:, 0].tolist()]))
    plugin = RandomFeatures(float(golden["ridge"]), features=8)
    for order in ORDERS:
        assert torch.allclose(plugin.readout(seen(golden, plugin, order)), torch.from_numpy(golden["readout"]))


def test_random_features_are_the_same_whenever_they_are_asked_for(golden: dict[str, NDArray[Any]]) -> None:
    plugin, x = RandomFeatures(1.0, 50), torch.from_numpy(golden["new"])
    state = seen(golden, plugin, ORDERS[0])
    before = torch.get_rng_state()
    first = plugin.of(state, x)
    assert torch.equal(first, plugin.of(state, x))
    assert torch.equal(torch.get_rng_state(), before)
    assert float(first.min()) == 0
    assert float((first > 0).double().mean()) == pytest.approx(0.5, abs=0.05)
    state.seed += 1
    assert not torch.equal(first, plugin.of(state, x))


@pytest.mark.parametrize("plugin", [ClassMeans(), SLDA(), RandomFeatures(1.0, 30)], ids=lambda p: type(p).__name__)
def test_only_classes_seen_are_predicted(golden: dict[str, NDArray[Any]], plugin: Plugin) -> None:
    state = seen(golden, plugin, ((3, 1),))
    found = predicted(plugin, state, torch.from_numpy(golden["new"]))
    assert set(found.tolist()) == {1, 3}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SLDA(0.0), r"shrinkage = 0.0: allowed is a number in \(0, 1\]"),
        (lambda: RandomFeatures(0.0), "ridge = 0.0: allowed is a finite number > 0"),
        (lambda: RandomFeatures(1.0, 0), "features = 0: allowed is a whole number >= 1"),
    ],
)
def test_settings_are_checked(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(("plugin", "numbers"), [(ClassMeans(), 24), (SLDA(), 24 + 21), (RandomFeatures(1, 10), 95)])
def test_kept(golden: dict[str, NDArray[Any]], plugin: Plugin, numbers: int) -> None:
    """What is stored has as many numbers, where a symmetric matrix counts once."""
    assert plugin.kept((6, 5, CLASSES), 60) == numbers
