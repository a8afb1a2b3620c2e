"""The kernel behind a sleep: what it returns, leaves alone and refuses, and which backend it takes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from srclib.sleep import (
    BACKENDS,
    RunawayError,
    SleepRecord,
    cuda,
    draw_input,
    run_layers,
)

from .cases import dyadic_config, dyadic_weights, input_raster

MEAN = np.linspace(0, 1, 9)


def device_of(backend: str) -> str:
    return "cuda" if backend == "cuda" and cuda.available() else "cpu"


@pytest.mark.parametrize("backend", BACKENDS)
def test_record(backend: str) -> None:
    weights = [w.to(device_of(backend)) for w in dyadic_weights((5, 4, 2), 6)]
    spikes = input_raster(10, 5, 0.5)
    record = run_layers(weights, spikes, dyadic_config(), backend=backend, record=True)
    assert isinstance(record, SleepRecord)
    assert record.steps == 10
    for layer, w in enumerate(weights):
        assert record.spikes[layer].dtype == torch.bool
        assert record.spikes[layer].shape == (10, len(w))
        assert record.spike_counts[layer].dtype == torch.int64
        assert record.spike_counts[layer].sum() > 0
        assert torch.equal(record.spike_counts[layer], record.spikes[layer].sum(0))
        assert torch.equal(record.rates(0.002)[layer], record.spike_counts[layer] / 0.02)
        assert record.weights[layer].dtype == w.dtype
        assert record.weights[layer].device == record.spikes[layer].device == w.device
    assert run_layers(weights, spikes, dyadic_config(), backend=backend).spikes is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_runaway_is_given_up(backend: str) -> None:
    weights = [w.to(device_of(backend)) for w in dyadic_weights((6, 5, 3), 6)]
    spikes, config = input_raster(20, 6, 0.5), dyadic_config()
    whole = run_layers(weights, spikes, config, backend=backend)
    updates = [int(count.sum()) * w.shape[1] for count, w in zip(whole.spike_counts, weights, strict=True)]
    assert min(updates) > 0
    allowed = run_layers(weights, spikes, replace(config, max_updates=max(updates)), backend=backend)
    assert all(torch.equal(a, b) for a, b in zip(allowed.weights, whole.weights, strict=True))
    with pytest.raises(RunawayError, match=rf"made more than max_updates = {max(updates) - 1} synaptic updates"):
        run_layers(weights, spikes, replace(config, max_updates=max(updates) - 1), backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arguments_are_not_changed(backend: str) -> None:
    weights = [w.to(device_of(backend)) for w in dyadic_weights((16, 4, 2), 1)]  # 16: no padding
    spikes = input_raster(10, 16, 0.5)
    weights_before, spikes_before, config = [w.clone() for w in weights], spikes.clone(), dyadic_config()
    record = run_layers(weights, spikes, config, backend=backend)
    assert torch.equal(spikes, spikes_before)
    assert config == dyadic_config()
    for now, before, after in zip(weights, weights_before, record.weights, strict=True):
        assert torch.equal(now, before)
        assert not torch.equal(after, before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_lists_and_raster_of_the_input_are_the_same(backend: str) -> None:
    weights = [w.to(device_of(backend)) for w in dyadic_weights((9, 3))]
    lists = draw_input(MEAN, 12, 0.8)
    one, two = (
        run_layers(weights, spikes, dyadic_config(), backend=backend)
        for spikes in (lists, torch.from_numpy(lists.dense()))
    )
    assert one.spike_counts[0].any()
    assert torch.equal(one.weights[0], two.weights[0])


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(torch.float32, "event"), (torch.float64, "reference"), (torch.float16, "reference")],
    ids=str,
)
def test_auto_takes_the_fastest_backend(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, expected: str) -> None:
    called = []
    for name, run in list(BACKENDS.items()):
        monkeypatch.setitem(BACKENDS, name, lambda *args, n=name, r=run, **kw: called.append(n) or r(*args, **kw))
    run_layers([w.to(dtype) for w in dyadic_weights((5, 4))], input_raster(3, 5, 0.5), dyadic_config())
    assert called == [expected]


@pytest.mark.parametrize(
    ("weights", "spikes", "message"),
    [
        ([], input_raster(2, 3, 0.5), "weights is empty: allowed is one .* tensor per layer"),
        ([torch.zeros(3)], input_raster(2, 3, 0.5), r"weights\[0\] is torch.float32 \(3,\): allowed is a floating"),
        (
            [torch.zeros(0, 3)],
            input_raster(2, 3, 0.5),
            r"weights\[0\] is torch.float32 \(0, 3\): allowed is a floating",
        ),
        (
            [torch.zeros(2, 3).int()],
            input_raster(2, 3, 0.5),
            r"weights\[0\] is torch.int32 \(2, 3\): allowed is a float",
        ),
        (
            [torch.zeros(2, 3), torch.zeros(2, 3)],
            input_raster(2, 3, 0.5),
            r"weights\[1\] has shape \(2, 3\): allowed is \(out, 2\)",
        ),
        ([torch.full((2, 3), math.nan)], input_raster(2, 3, 0.5), r"weights\[0\] holds NaN or infinity: allowed are"),
        (
            [torch.zeros(2, 3)],
            torch.zeros(2, 3),
            r"input_spikes is torch.float32 \(2, 3\): allowed is bool \(steps, inp",
        ),
        ([torch.zeros(2, 3)], torch.zeros(3).bool(), r"input_spikes is torch.bool \(3,\): allowed is bool"),
        ([torch.zeros(2, 3)], input_raster(2, 4, 0.5), "input_spikes has 4 inputs: allowed is 3, as weights"),
    ],
    ids=["empty", "vector", "no_neuron", "integers", "do_not_fit", "nan", "spikes_dtype", "spikes_vector", "inputs"],
)
def test_run_layers_refuses(weights: list[Tensor], spikes: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_layers(weights, spikes, dyadic_config())
