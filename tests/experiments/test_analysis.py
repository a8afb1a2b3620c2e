"""Correlations, specific neurons, weight changes and tests, on cases that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from srclib.experiments import analysis
from srclib.experiments.analysis import (
    changes,
    class_correlations,
    compare,
    cosine,
    forward,
    number,
    responses,
    specific,
)
from srclib.learning.networks import mlp
from srclib.sleep import SleepConfig
from srclib.sleep.reference import Rule, step

CONFIG = SleepConfig(alpha=1.0, beta=1.0, inc=0.1, dec=0.1, rate=500.0)  # an input of 1 spikes in every pass


def network(weights: list[list[list[float]]], **kind: object) -> torch.nn.Sequential:
    """Return a network with these weights, (out, in) for each layer."""
    sizes = [len(weights[0][0]), *(len(w) for w in weights)]
    model = mlp(sizes, init=0.1, **kind)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter, w in zip(model.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(w))
    return model


# Activity


def test_forward_by_hand() -> None:
    model = network([[[1, -1], [2, 0]], [[1, -3]]])
    received, active = forward(model, torch.tensor([[1.0, 2.0], [3.0, 1.0]]))
    assert received[0].tolist() == [[-1, 2], [2, 6]]
    assert active[0].tolist() == [[0, 2], [2, 6]]
    assert received[1].tolist() == active[1].tolist() == [[-6], [-16]]
    rectified = network([[[1, -1], [2, 0]], [[1, -3]]], output="relu")
    received, active = forward(rectified, torch.tensor([[1.0, 2.0]]))
    assert (received[1].tolist(), active[1].tolist()) == ([[-6]], [[0]])


@pytest.mark.parametrize("scaling", ["train", "test"])
def test_forward_with_dropout_on_masks_half_of_the_units(scaling: str) -> None:
    model = network([[[1.0]] * 1000, [[1.0] * 1000]], dropout=0.5, dropout_scaling=scaling)
    received, active = forward(model, torch.ones(1, 1), dropout=True)
    assert received[0].tolist() == [[1.0] * 1000]
    assert 400 < int((active[0] == 0).sum()) < 600
    kept = 2.0 if scaling == "train" else 1.0
    assert set(active[0].unique().tolist()) == {0.0, kept}
    _, plain = forward(model, torch.ones(1, 1))
    assert set(plain[0].unique().tolist()) == {1.0 if scaling == "train" else 0.5}


def test_sparseness_by_hand() -> None:
    one, all_equal, two, none = [4.0, 0, 0, 0], [1.0, 1, 1, 1], [2.0, 2, 0, 0], [0.0] * 4
    assert analysis.sparseness(torch.tensor([one])) == {"treves_rolls": 1, "active": 0.25, "silent": 0}
    assert analysis.sparseness(torch.tensor([all_equal])) == {"treves_rolls": 0, "active": 1, "silent": 0}
    assert analysis.sparseness(torch.tensor([two, none])) == {"treves_rolls": 0.6667, "active": 0.25, "silent": 1}
    assert analysis.sparseness(torch.tensor([none])) == {"treves_rolls": None, "active": 0, "silent": 1}


def test_correlations_of_known_activity() -> None:
    first = torch.tensor([[1.0, 0, 0], [3.0, 0, 0], [0, 1, 1]])  # the third is the opposite of the first two
    second = torch.tensor([[0, 2.0, 0], [5, 5, 5]])  # the other does not vary
    found = class_correlations([first, second], histogram=True)
    within = (1 - 1 - 1) / 3  # three pairs: 1, -1, -1; none of an input with itself
    between = (-0.5 - 0.5 + 0.5) / 3
    assert found["mean"][0][0] == pytest.approx(within, abs=1e-4)
    assert found["mean"][0][1] == found["mean"][1][0] == pytest.approx(between, abs=1e-4)
    assert found["mean"][1][1] is None  # only one input is left
    assert (found["within"], found["silent"]) == (None, 1)
    assert found["between"] == pytest.approx(between, abs=1e-4)
    shares = found["histogram"]["0 0"]
    assert (shares[0], shares[-1]) == (667, 333)
    assert sum(shares) == 1000
    crossed = found["histogram"]["0 1"]
    assert {i: share for i, share in enumerate(crossed) if share} == {10: 667, 30: 333}  # -0.5 and 0.5
    assert "1 1" not in found["histogram"]
    assert "histogram" not in class_correlations([first])


def test_correlations_are_those_of_numpy() -> None:
    groups = [torch.rand(n, 30, generator=torch.Generator().manual_seed(n)) for n in (7, 5)]
    matrix = np.corrcoef(torch.cat(groups).numpy())
    found = class_correlations(groups)
    first = matrix[:7, :7]
    assert found["mean"][0][0] == pytest.approx((first.sum() - 7) / 42, abs=1e-4)
    assert found["mean"][0][1] == pytest.approx(matrix[:7, 7:].mean(), abs=1e-4)


# Specific neurons


def test_responses_by_hand() -> None:
    """Inputs of 1 spike in every pass: a neuron with weight w fires whenever its potential is above 1."""
    weights = [torch.tensor([[2.0, 0], [0.4, 0], [0.0, 2.0], [-1.0, 0]]), torch.tensor([[0.6, 0, 0, 0]])]
    x = torch.tensor([[1.0, 0.0]])
    generator = torch.Generator().manual_seed(0)
    first, second = responses(weights, x, CONFIG, generator)
    assert analysis.PASSES == 25
    assert first.tolist() == [25, 8, 0, 0]  # every pass; every third; never
    assert second.tolist() == [12]  # every second
    both, _ = responses(weights, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), CONFIG, generator)
    assert both.tolist() == [12.5, 4, 12.5, 0]  # mean over images
    assert weights[0][0, 0] == 2.0  # nothing was learned


@pytest.mark.parametrize("strict", [False, True])
def test_responses_are_a_sleep_that_does_not_learn(strict: bool) -> None:
    weights = [torch.randn(n, m, generator=torch.Generator().manual_seed(n)) for n, m in ((9, 6), (5, 9))]
    config = SleepConfig(
        alpha=(0.7, 0.5), beta=(1.0, 0.5), inc=0.0, dec=0.0, decay=0.9, gate=0.001, strict=strict, rate=400.0
    )
    x = torch.rand(1, 6, generator=torch.Generator().manual_seed(3))
    found = responses(weights, x, config, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(1)
    potentials, counts = [torch.zeros(9), torch.zeros(5)], [torch.zeros(9), torch.zeros(5)]
    for _ in range(25):
        spikes = torch.rand(x.shape, generator=generator)[0] < 0.8 * x[0]
        for count, fired in zip(counts, step(weights, potentials, spikes, Rule.of(config, 2)), strict=True):
            count += fired
    assert [f.tolist() for f in found] == [c.tolist() for c in counts]
    assert float(counts[0].sum()) > 0 and float(counts[1].sum()) > 0


def test_specific_neurons_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = torch.tensor([[5.0, 9, 0, 2, 3], [4.0, 10, 0, 1, 3]])
    assert [n.tolist() for n in specific(counts)] == [[1, 0, 4, 3], [1, 0, 4, 3]]  # the third neuron never spikes
    assert [n.tolist() for n in specific(counts, "preferring")] == [[0, 3], [1]]  # the last one prefers neither
    monkeypatch.setattr(analysis, "NEURONS", 2)
    assert [n.tolist() for n in specific(counts)] == [[1, 0], [1, 0]]
    with pytest.raises(ValueError, match="reading = 'most': allowed is one of active, preferring"):
        specific(counts, "most")


# Weights


def test_changes_by_hand() -> None:
    old = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    new = torch.tensor([[1.5, -4.0, 0.5], [0.0, 0.0, 0.0]])
    found = changes(old, new)
    counted = {k: found[k] for k in ("size", "raised", "lowered", "gain", "loss", "neurons", "edge")}
    assert counted == {"size": 6, "raised": 1, "lowered": 1, "gain": 0.5, "loss": -2, "neurons": 1, "edge": 4}
    assert sum(found["before"]) == sum(found["after"]) == 2
    assert found["before"][20] == found["before"][50] == 1  # -2 and 1, in bins of a tenth from -4 on
    assert found["after"][0] == found["after"][55] == 1
    untouched = changes(old, old)
    assert (untouched["raised"], untouched["gain"], sum(untouched["before"])) == (0, 0, 0)


def test_cosine() -> None:
    def two(*values: float) -> list[Tensor]:
        return [torch.tensor(values[:2]), torch.tensor([values[2:]])]

    assert cosine(two(1, 0, 0, 1), two(1, 0, 0, -1)) == 0
    assert cosine(two(1, 2, 0, 2), two(-2, -4, 0, -4)) == -1
    assert cosine(two(3, 0, 0, 4), two(1, 0, 0, 0)) == pytest.approx(0.6)
    assert cosine(two(0, 0, 0, 0), two(1, 0, 0, 0)) is None


# Tests


def test_compare_by_hand() -> None:
    """Means 3 and 1, both with variance 1: d = 2, t = 2 / sqrt(2 / 3) with four degrees of freedom."""
    found = compare([2, 3, 4], [0, 1, 2])
    t = 2 / math.sqrt(2 / 3)
    assert found == {
        "difference": 2, "t": pytest.approx(t, abs=1e-3), "df": 4, "p": pytest.approx(2 * stats.t.sf(t, 4), rel=1e-3),
        "p_greater": pytest.approx(stats.t.sf(t, 4), rel=1e-3), "d": 2,
    }  # fmt: skip
    back = compare([0, 1, 2], [2, 3, 4])
    assert (back["t"], back["d"], back["p"]) == (-found["t"], -2, found["p"])
    assert back["p_greater"] == pytest.approx(1 - found["p_greater"], abs=1e-3)


def test_compare_of_unequal_samples() -> None:
    a, b = [1.0, 5.0, 2.0, 8.0, 3.0], [0.5, 1.5]
    pooled = math.sqrt((4 * np.var(a, ddof=1) + 1 * np.var(b, ddof=1)) / 5)
    found = compare(a, b)
    assert found["d"] == pytest.approx((np.mean(a) - np.mean(b)) / pooled, rel=1e-3)
    assert found["df"] == 5


@pytest.mark.parametrize(("a", "b"), [([], [1, 2]), ([1], [1, 2]), ([1, 2], [3])])
def test_too_few_values_are_no_test(a: list[float], b: list[float]) -> None:
    assert set(compare(a, b).values()) == {None}


def test_values_that_do_not_vary_have_a_difference_only() -> None:
    assert compare([2, 2], [1, 1]) == {"difference": 1, "t": None, "df": 2, "p": None, "p_greater": None, "d": None}


def test_number() -> None:
    assert number(torch.tensor(0.123456)) == 0.1235
    assert number(123456) == 123500
    assert number(math.nan) is number(math.inf) is None
