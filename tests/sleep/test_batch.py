"""Sleeps of several streams at once: against a loop in plain Python, and one backend against the other."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from srclib.sleep import RunawayError, SleepConfig, cuda, draw_input, kernel, reference, run_layers, sleep

from .cases import check_equal, dyadic_config, dyadic_weights, input_raster

BACKENDS = ("reference", "event")


def naive(weights: list[Tensor], rows: Tensor, config: SleepConfig) -> tuple[list[Any], list[Any]]:
    """Return weights, spikes [layer][row][neuron] of a sleep, neuron by neuron and synapse by synapse."""
    w = [layer.tolist() for layer in weights]
    alpha, beta = (config.per_layer(name, len(w)) for name in ("alpha", "beta"))
    v = [[[0.0] * len(layer) for _ in range(config.batch)] for layer in w]
    raster: list[Any] = [[] for _ in w]
    for t in range(len(rows) // config.batch):
        below = rows[t * config.batch : (t + 1) * config.batch].tolist()  # [stream][neuron]
        for k, layer in enumerate(w):
            fired = [[False] * len(layer) for _ in below]
            for b, pre in enumerate(below):
                for j, synapses in enumerate(layer):
                    drive = sum(x for x, spike in zip(synapses, pre, strict=True) if spike)
                    v[k][b][j] = config.decay * v[k][b][j] + alpha[k] * drive
                    fired[b][j] = v[k][b][j] > beta[k] or (v[k][b][j] == beta[k] and not config.strict)
                    v[k][b][j] *= not fired[b][j]
            for j, i in itertools.product(range(len(layer)), range(len(below[0]))):
                gate = 1 if config.gate is None else 2 / (1 + math.exp(min(layer[j][i] / config.gate, 700)))
                for pre, post in zip(below, fired, strict=True):
                    if post[j]:
                        layer[j][i] += gate * (config.inc if pre[i] else -config.dec)
            raster[k] += fired
            below = fired
    return w, raster


SLEEPS = {
    "sizes": st.sampled_from([(1, 1), (3, 5), (6, 4, 2), (2, 9, 3)]),
    "batch": st.sampled_from([1, 2, 3, 7]),
    "steps": st.sampled_from([1, 2, 6]),
    "density": st.sampled_from([0.0, 0.1, 0.4, 1.0]),
    "beta": st.sampled_from([-0.5, 0.0, 0.5, 4.0]),
    "decay": st.sampled_from([0.0, 0.5, 1.0]),
    "rates": st.sampled_from([(0.0, 0.0), (1 / 32, 1 / 64), (0.0, 1 / 16), (1 / 8, 0.0)]),
    "strict": st.booleans(),
    "seed": st.integers(0, 2**16),
}


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=100)
@given(**SLEEPS)
def test_equals_a_loop_over_all_synapses(
    backend, sizes, batch, steps, density, beta, decay, rates, strict, seed
) -> None:
    weights, spikes = dyadic_weights(sizes, seed), input_raster(steps * batch, sizes[0], density, seed=seed)
    config = dyadic_config(beta=beta, decay=decay, inc=rates[0], dec=rates[1], strict=strict, batch=batch)
    expected, raster = naive(weights, spikes, config)
    record = run_layers(weights, spikes, config, backend=backend, record=True)
    assert [w.tolist() for w in record.weights] == expected
    assert [layer.tolist() for layer in record.spikes] == raster


@settings(max_examples=100)
@given(
    batch=st.sampled_from([2, 5, 70]),
    sizes=st.sampled_from([(7, 129), (129, 7, 1), (65, 64, 201, 3)]),
    silent=st.booleans(),
    density=st.sampled_from([0.02, 0.3, 1.0]),
    beta=st.sampled_from([-0.5, 0.0, 0.5, 4.0]),
    strict=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_event_equals_reference(batch, sizes, silent, density, beta, strict, seed) -> None:
    rows = 12 * batch
    spikes = input_raster(rows, sizes[0], density, slice(rows // 3, 2 * rows // 3) if silent else None, seed)
    check_equal(dyadic_weights(sizes, seed), spikes, dyadic_config(beta=beta, strict=strict, batch=batch), "event")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("gate", [None, 0.05])
def test_one_stream_is_the_rule_for_vectors_to_the_last_bit(gate: float | None, dtype: torch.dtype) -> None:
    """Any weights, so that rounding would show: the change is +inc or -dec, times the gate."""
    generator = torch.Generator().manual_seed(1)
    w = torch.randn(40, 90, generator=generator, dtype=dtype) / 5
    spikes = torch.rand(200, 90, generator=generator) < 0.2
    config = SleepConfig(alpha=1.3, beta=0.9, inc=0.013, dec=0.0017, decay=0.999, gate=gate)
    record = run_layers([w], spikes, config, backend="reference", record=True)
    v = w.new_zeros(40)
    for t, s in enumerate(spikes):
        v.mul_(config.decay).add_(w @ s.to(dtype), alpha=config.alpha)
        fired = v > config.beta
        change = torch.where(s, w.new_tensor(config.inc), w.new_tensor(-config.dec))
        w[fired] += change * reference.gate(w[fired], gate)
        v[fired] = 0
        assert torch.equal(record.spikes[0][t], fired)
    assert record.spike_counts[0].sum() > 200
    assert torch.equal(record.weights[0], w)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=30)
@given(batch=st.integers(1, 6), beta=st.sampled_from([-0.5, 0.5, 2.0]), seed=st.integers(0, 2**16))
def test_streams_do_not_meet_where_nothing_is_learned(backend: str, batch: int, beta: float, seed: int) -> None:
    weights, spikes = dyadic_weights((9, 20, 3), seed), input_raster(10 * batch, 9, 0.3, seed=seed)
    config = dyadic_config(beta=beta, inc=0, dec=0)
    together = run_layers(weights, spikes, replace(config, batch=batch), backend=backend, record=True)
    for b in range(batch):
        alone = run_layers(weights, spikes[b::batch], config, backend=backend, record=True)
        assert all(torch.equal(x[b::batch], y) for x, y in zip(together.spikes, alone.spikes, strict=True))


@pytest.mark.parametrize("gate", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("backend", BACKENDS)
def test_gated_rule(backend: str, gate: float) -> None:
    """A threshold far below rest fires every neuron in every stream, so that rounding cannot move a spike."""
    weights, spikes = dyadic_weights((9, 11, 4)), input_raster(12, 9, 0.3)
    config = dyadic_config(beta=-1e6, gate=gate, batch=4)
    doubles = [w.double() for w in weights]
    expected = run_layers(doubles, spikes, config, backend="reference").weights
    loop = [torch.tensor(w, dtype=torch.float64) for w in naive(doubles, spikes, config)[0]]
    record = run_layers(weights, spikes, config, backend=backend)
    for found, one, two in zip(record.weights, expected, loop, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found.double(), one, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_record(backend: str) -> None:
    weights, spikes = dyadic_weights((5, 4, 2), 6), input_raster(12, 5, 0.5)
    record = run_layers(weights, spikes, dyadic_config(batch=3), backend=backend, record=True)
    assert (record.steps, record.batch) == (4, 3)
    for counts, raster, rate in zip(record.spike_counts, record.spikes, record.rates(0.002), strict=True):
        assert raster.shape == (12, len(counts))
        assert counts.dtype == torch.int64 and counts.sum() > 0
        assert torch.equal(counts, raster.sum(0))
        of_streams = torch.stack([raster[b::3].sum(0) / 0.008 for b in range(3)])
        torch.testing.assert_close(rate, of_streams.mean(0))


def test_noise_is_drawn_for_every_stream() -> None:
    mean, config = np.linspace(0, 1, 9), dyadic_config(steps=50, rate=150, batch=4, window=2)
    noise, rows = config.noise(mean, (4, 2)), draw_input(mean, 200, 0.3, seed=(4, 2), window=2)
    assert np.array_equal(noise.dense(), rows.dense())
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(9, 6, bias=False))
    expected = run_layers([model[0].weight.detach().clone()], rows, config)
    record = sleep(model, mean, config, seed=(4, 2))
    assert (record.steps, record.batch) == (50, 4)
    assert expected.spike_counts[0].any()
    assert torch.equal(model[0].weight, expected.weights[0])


@pytest.mark.parametrize(("streams", "steps"), [(1, 1000), (3, 333), (16, 62), (600, 2), (4000, 1)])
def test_steps_are_split_over_streams(streams: int, steps: int) -> None:
    config = dyadic_config(steps=1000)
    assert config.split(streams) == replace(config, steps=steps, batch=streams)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_runaway_is_given_up_by_the_spikes_of_all_streams(backend: str) -> None:
    weights, spikes, config = dyadic_weights((6, 5), 6), input_raster(20, 6, 0.5), dyadic_config(batch=5)
    updates = 6 * int(run_layers(weights, spikes, config, backend=backend).spike_counts[0].sum())
    run_layers(weights, spikes, replace(config, max_updates=updates), backend=backend)
    with pytest.raises(RunawayError, match=f"more than max_updates = {updates - 1} synaptic updates"):
        run_layers(weights, spikes, replace(config, max_updates=updates - 1), backend=backend)


def test_rows_are_whole_steps() -> None:
    with pytest.raises(ValueError, match="input_spikes has 10 rows: allowed are multiples of batch = 4"):
        run_layers(dyadic_weights((3, 2)), input_raster(10, 3, 0.5), dyadic_config(batch=4))


def test_cuda_takes_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "available", lambda: True)
    monkeypatch.setattr(cuda, "interpreted", lambda: True)
    with pytest.raises(ValueError, match="batch = 2: the cuda backend takes one stream, reference takes more on a GPU"):
        run_layers(dyadic_weights((3, 2)), input_raster(4, 3, 0.5), dyadic_config(batch=2), backend="cuda")
    there: Any = SimpleNamespace(dtype=torch.float32, is_cuda=True)
    assert [kernel._best_backend([there], batch) for batch in (1, 2)] == ["cuda", "reference"]
