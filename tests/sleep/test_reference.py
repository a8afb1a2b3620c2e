"""The definition of a sleep: golden cases, and small ones worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from srclib.sleep import SleepConfig, reference, run_layers
from srclib.sleep.reference import Rule

from .cases import GOLDEN, check_golden, dyadic_config, dyadic_weights, huge_network, input_raster


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 5e-5)], ids=str)
@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str, dtype: torch.dtype, tolerance: float) -> None:
    check_golden(name, "reference", dtype, tolerance)


@pytest.mark.parametrize(
    ("strict", "fired", "after"),
    [
        # v, strict:     0.5   0.75  0.875*  0.625  0.9375*      * fires and starts again from 0
        (True, [False, False, True, False, True], [0.75, 0.125]),
        # v, not strict: 0.5   0.75* 0.625   0.9375* 0.75*
        (False, [False, True, False, True, True], [0.875, 0.0625]),
    ],
    ids=["strict", "not_strict"],
)
def test_one_neuron_by_hand(strict: bool, fired: list[bool], after: list[float]) -> None:
    """The first of two inputs fires in every step: it is strengthened by 1/8, the other weakened by 1/16."""
    config = SleepConfig(alpha=1.0, beta=0.75, decay=0.5, inc=1 / 8, dec=1 / 16, strict=strict)
    spikes = torch.tensor([[True, False]] * 5)
    record = run_layers([torch.tensor([[0.5, 0.25]])], spikes, config, backend="reference", record=True)
    assert record.spikes[0][:, 0].tolist() == fired
    assert record.weights[0].tolist() == [after]


def test_spikes_pass_all_layers_in_one_step() -> None:
    config = SleepConfig(alpha=(2.0, 3.0), beta=(1.0, 1.0), inc=0.0, dec=0.0)
    spikes = torch.tensor([[False], [True], [False]])
    record = run_layers([torch.ones(1, 1), torch.ones(1, 1)], spikes, config, backend="reference", record=True)
    assert [layer[:, 0].tolist() for layer in record.spikes] == [[False, True, False]] * 2


def test_gain_multiplies_only_what_a_neuron_receives() -> None:
    """Twice the gain fires a neuron that half of it does not, and changes its weights by the same amount."""
    weights, spikes = [torch.tensor([[0.5, 0.25]])], torch.tensor([[True, False]])
    quiet, loud = (
        run_layers(weights, spikes, SleepConfig(alpha=alpha, beta=0.75, inc=0.5, dec=0.25), backend="reference")
        for alpha in (1.0, 2.0)
    )
    assert quiet.spike_counts[0].tolist() == [0]
    assert quiet.weights[0].tolist() == [[0.5, 0.25]]
    assert loud.spike_counts[0].tolist() == [1]
    assert loud.weights[0].tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(-0.01, 2.00), (-0.001, 1.46), (0.0, 1.0), (0.001, 0.54), (0.002, 0.24), (0.005, 0.013), (0.01, 1e-4)],
)
def test_gate(weight: float, expected: float) -> None:
    """The gate of the released rule: twice the change for inhibition, none for strong excitation."""
    assert float(reference.gate(torch.tensor(weight).double(), 0.001)) == pytest.approx(expected, rel=0.1, abs=0.005)


def test_without_gate_a_change_does_not_depend_on_the_weight() -> None:
    assert reference.gate(torch.randn(3), None) == 1


@pytest.mark.parametrize("gate", [None, 0.001])
def test_huge_weights_stay_finite(gate: float | None) -> None:
    weights, spikes = huge_network()
    config = SleepConfig(alpha=1.0, beta=1.0, inc=0.1, dec=0.1, gate=gate)
    record = run_layers(weights, spikes, config, backend="reference")
    assert all(count.any() for count in record.spike_counts)
    assert all(w.isfinite().all() for w in record.weights)


RATES = {"inc": (1 / 64, 0.0, 1 / 16), "dec": (1 / 128, 1 / 32, 0.0), "decay": (0.5, 1.0, 0.0)}


@pytest.mark.parametrize("strict", [True, False])
def test_networks_take_a_step_together_as_each_does_alone(strict: bool) -> None:
    """Numbers of each network in tensors; sums are exact, so that their order does not show."""
    configs = [
        dyadic_config(alpha=(a, 2.0), beta=(b, 0.5), batch=4, strict=strict)
        for a, b in ((1.0, 0.25), (2.0, 0.5), (0.5, 0.0))
    ]
    configs = [replace(c, **{k: v[n] for k, v in RATES.items()}) for n, c in enumerate(configs)]
    alone = [dyadic_weights((9, 6, 3), seed) for seed in range(3)]
    rules = [Rule.of(config, 2) for config in configs]
    weights = [torch.stack(layer) for layer in zip(*alone, strict=True)]
    rule = Rule(
        *([numbers([getattr(r, name)[layer] for r in rules]) for layer in range(2)] for name in ("alpha", "beta")),
        *(numbers([getattr(r, name) for r in rules]) for name in ("inc", "dec", "decay")), None, strict,
    )  # fmt: skip
    potentials = [torch.zeros(3, 4, n) for n in (6, 3)]
    each = [[torch.zeros(4, n) for n in (6, 3)] for _ in alone]
    fired = torch.zeros(2)
    for t in range(8):
        spikes = input_raster(12, 9, 0.4, seed=t).view(3, 4, 9)
        together = reference.step(weights, potentials, spikes, rule)
        for n in range(3):
            layers = reference.step(alone[n], each[n], spikes[n], rules[n])
            for mine, own in zip(together + weights + potentials, layers + alone[n] + each[n], strict=True):
                assert torch.equal(mine[n], own)
        fired += torch.stack([layer.sum() for layer in together])
    assert fired.min() > 20


def numbers(values: list[float]) -> Tensor:
    return torch.tensor(values)[:, None, None]


@pytest.mark.parametrize("gated", [True, False])
def test_a_change_is_the_sum_over_streams_of_every_network(gated: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(3, 7, 33, generator=generator).double() * 0.01
    spikes, fired = (torch.rand(3, 4, n, generator=generator) < 0.3 for n in (33, 7))
    inc, dec, gate = [0.1, 0.2, 0.3], [0.3, 0.1, 0.2], [0.01, 0.02, 0.03]
    expected = weights.clone()
    for n, (pre, post) in enumerate(zip(spikes.double(), fired.double(), strict=True)):
        for stream in range(4):
            both, only_post = (torch.outer(post[stream], x) for x in (pre[stream], 1 - pre[stream]))
            scale = reference.gate(weights[n], gate[n] if gated else None)
            expected[n] += (both * inc[n] - only_post * dec[n]) * scale
    rule = Rule([], [], numbers(inc), numbers(dec), 1.0, numbers(gate) if gated else None, strict=True)
    reference.learn(weights, spikes, fired, rule)
    torch.testing.assert_close(weights, expected, rtol=1e-6, atol=1e-9)


def test_without_learning_weights_stay() -> None:
    weights, potentials = dyadic_weights((9, 6)), [torch.zeros(5, 6)]
    before = weights[0].clone()
    (fired,) = reference.step(weights, potentials, input_raster(5, 9, 0.5), Rule.of(dyadic_config(), 1), learn=None)
    assert fired.any() and not fired.all()
    assert torch.equal(weights[0], before)
    assert torch.equal(potentials[0] == 0, fired)
