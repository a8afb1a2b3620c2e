"""The CPU kernel must do what the reference does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srclib.sleep import InputSpikes, SleepConfig, SleepRecord, event, event_kernels, run_layers
from srclib.sleep.event_kernels import WIDTHS

from .cases import (
    CORNERS,
    GOLDEN,
    check_corner,
    check_equal,
    check_golden,
    dyadic_config,
    dyadic_weights,
    huge_network,
    input_raster,
)

SHAPES = ((1, 1), (7, 129), (129, 7, 1), (65, 64, 200, 3))


@pytest.fixture
def keep_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    check_golden(name, "event", torch.float32, 5e-5)


@pytest.mark.parametrize("corner", CORNERS)
def test_corner(corner: str) -> None:
    for sizes in ((7, 129), (129, 7, 2)):
        check_corner(CORNERS[corner], sizes, 60, "event")


@settings(max_examples=200)
@given(
    sizes=st.sampled_from(SHAPES),
    steps=st.sampled_from([1, 2, 40]),
    density=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    silent=st.booleans(),
    alpha=st.sampled_from([0.25, 1.0, 4.0]),
    beta=st.sampled_from([-0.5, 0.0, 0.5, 4.0]),
    decay=st.sampled_from([0.0, 0.5, 1.0]),
    rates=st.sampled_from([(0.0, 0.0), (1 / 32, 1 / 64), (0.0, 1 / 16), (1 / 8, 0.0)]),
    strict=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_equals_reference(sizes, steps, density, silent, alpha, beta, decay, rates, strict, seed) -> None:
    spikes = input_raster(steps, sizes[0], density, slice(steps // 3, 2 * steps // 3) if silent else None, seed)
    config = SleepConfig(alpha=alpha, beta=beta, decay=decay, inc=rates[0], dec=rates[1], strict=strict)
    check_equal(dyadic_weights(sizes, seed), spikes, config, "event")


@settings(max_examples=50)
@given(
    sizes=st.sampled_from(SHAPES),
    density=st.sampled_from([0.0, 0.3, 1.0]),
    gate=st.sampled_from([1e-3, 0.1, 10.0]),
    seed=st.integers(0, 2**16),
)
def test_gated_rule(sizes, density, gate, seed) -> None:
    """A threshold far below rest fires every neuron in every step, so that rounding cannot move a spike."""
    weights, spikes = dyadic_weights(sizes, seed), input_raster(20, sizes[0], density, seed=seed)
    config = dyadic_config(beta=-1e6, gate=gate)
    expected = run_layers([w.double() for w in weights], spikes, config, backend="reference")
    record = run_layers(weights, spikes, config, backend="event")
    for layer, w in enumerate(record.weights):
        assert (record.spike_counts[layer] == 20).all()
        torch.testing.assert_close(w.double(), expected.weights[layer], rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("keep_threads")
def test_same_bits_for_any_number_of_threads_and_in_every_run() -> None:
    generator = torch.Generator().manual_seed(3)
    sizes = (200, 300, 260, 10)
    weights = [torch.randn(out, into, generator=generator) / 10 for into, out in itertools.pairwise(sizes)]
    spikes = input_raster(300, 200, 0.1)
    config = SleepConfig(alpha=1.0, beta=0.9, decay=0.999, inc=0.013, dec=0.0017, gate=0.001, strict=False)
    records = []
    for threads in (1, 2, 3, 4, 5, 6, 7, 8, 1):
        torch.set_num_threads(threads)
        records.append(run_layers(weights, spikes, config, backend="event", record=True))
    assert all(counts.any() for counts in records[0].spike_counts)
    for other in records[1:]:
        check_same_bits(other, records[0])


def check_same_bits(one: SleepRecord, two: SleepRecord) -> None:
    for layer in range(len(one.weights)):
        assert torch.equal(one.spikes[layer], two.spikes[layer])
        assert torch.equal(one.weights[layer], two.weights[layer])


@pytest.mark.parametrize("vectors", WIDTHS)
def test_same_bits_for_any_width_of_blocks(monkeypatch: pytest.MonkeyPatch, vectors: int) -> None:
    generator = torch.Generator().manual_seed(4)
    weights = [torch.randn(out, into, generator=generator) / 10 for into, out in ((90, 300), (300, 20))]
    spikes = input_raster(200, 90, 0.2)
    config = SleepConfig(alpha=1.0, beta=0.9, decay=0.999, inc=0.013, dec=0.0017, gate=0.001, batch=2)
    expected = run_layers(weights, spikes, config, backend="event", record=True)
    assert all(counts.any() for counts in expected.spike_counts)
    monkeypatch.setattr(event, "_vectors", lambda neurons, used: vectors)
    check_same_bits(run_layers(weights, spikes, config, backend="event", record=True), expected)


@pytest.mark.parametrize(
    ("neurons", "used", "vectors"), [(1200, 784, 8), (10, 784, 1), (40, 784, 4), (1200, 12_288, 1), (1200, 0, 8)]
)
def test_blocks_are_as_wide_as_the_cache_allows_and_their_neurons_need(neurons: int, used: int, vectors: int) -> None:
    assert event._vectors(neurons, used) == vectors


def test_inputs_that_never_spike_are_weakened_like_others() -> None:
    weights, spikes = dyadic_weights((40, 9)), input_raster(60, 40, 0.3)
    spikes[:, 5:33] = False
    record = check_equal(weights, spikes, dyadic_config(), "event")
    assert record.spike_counts[0].all()
    assert (record.weights[0][:, 5:33] < weights[0][:, 5:33]).all()


def test_lists_may_be_read_only() -> None:
    lists = InputSpikes.from_dense(input_raster(30, 7, 0.3).numpy())
    expected = run_layers(dyadic_weights((7, 5)), lists, dyadic_config(), backend="event")
    for part in (lists.start, lists.indices):
        part.flags.writeable = False
    record = run_layers(dyadic_weights((7, 5)), lists, dyadic_config(), backend="event")
    assert record.spike_counts[0].any()
    assert torch.equal(record.weights[0], expected.weights[0])


def test_exponential() -> None:
    """To 0.502 units in the last place, the error that its source states; overflow begins at 88."""
    x = np.concatenate([np.linspace(-80, 80, 100_001), np.geomspace(1e-9, 1, 1000)]).astype(np.float32)
    found = np.array([event_kernels.exp(number) for number in x], np.float32)
    exact = np.exp(x.astype(np.float64))
    assert (np.abs(found - exact) <= 0.502 * np.spacing(exact.astype(np.float32))).all()


@pytest.mark.parametrize("gate", [None, 0.001])
def test_huge_weights_stay_finite(gate: float | None) -> None:
    weights, spikes = huge_network()
    config = SleepConfig(alpha=1.0, beta=1.0, inc=0.1, dec=0.1, gate=gate)
    record = run_layers(weights, spikes, config, backend="event")
    assert all(count.any() for count in record.spike_counts)
    assert all(w.isfinite().all() for w in record.weights)


def test_weights_need_not_be_contiguous() -> None:
    plain = dyadic_weights((7, 12))[0]
    spikes = input_raster(40, 7, 0.3)
    record = check_equal([plain.T.contiguous().T], spikes, dyadic_config(), "event")
    assert torch.equal(record.weights[0], check_equal([plain], spikes, dyadic_config(), "event").weights[0])
    assert record.spike_counts[0].any()


def test_takes_float32_only() -> None:
    with pytest.raises(ValueError, match=r"weights\[0\] is torch.float64 on cpu: the event backend takes float32"):
        run_layers([torch.zeros(2, 3).double()], input_raster(1, 3, 0), dyadic_config(), backend="event")
