"""The definition of a sleep: golden cases, and small ones worked out by hand."""

from __future__ import annotations

import pytest
import torch

from srclib.sleep import SleepConfig, reference, run_layers

from .cases import GOLDEN, check_golden, huge_network


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
