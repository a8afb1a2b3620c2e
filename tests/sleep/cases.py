"""Networks and inputs that the tests of the sleep package share.

Golden cases hold what the released code computed in float64. Everything else uses dyadic numbers (small whole numbers
over a power of two), whose sums are exact in float32: two backends then agree to the last bit, in whatever order
they add.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srclib.sleep import SleepConfig, SleepRecord, run_layers

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = ("small_dense", "two_layer_patches", "mnist_like", "four_hidden")


@dataclass(frozen=True)
class Golden:
    before: list[Tensor]  # float64 (out_l, in_l) each
    after: list[Tensor]
    spikes: list[Tensor]  # bool (steps, out_l) each
    input_spikes: Tensor  # bool (steps, in_1)
    config: SleepConfig


@functools.cache
def golden(name: str) -> Golden:
    with np.load(FOLDER / f"sleep_{name}.npz") as file:
        data = dict(file)
    layers = range(1, len(data["sizes"]))

    def raster(key: str, neurons: int) -> Tensor:
        return torch.from_numpy(np.unpackbits(data[key], axis=1)[:, :neurons].astype(bool))

    return Golden(
        [torch.from_numpy(data[f"W{i}_before"]) for i in layers],
        [torch.from_numpy(data[f"W{i}_after"]) for i in layers],
        [raster(f"spikes{i}", data["sizes"][i]) for i in layers],
        raster("input_spikes", data["sizes"][0]),
        SleepConfig(
            alpha=tuple(data["alpha"]), beta=tuple(data["beta"]), decay=float(data["decay"]), inc=float(data["inc"]),
            dec=float(data["dec"]), gate=0.001, strict=False,
        ),
    )  # fmt: skip


def check_golden(name: str, backend: str, dtype: torch.dtype, tolerance: float, device: str = "cpu") -> None:
    """Run a golden case: every raster must be equal, every weight within the tolerance."""
    case = golden(name)
    weights = [w.to(device, dtype) for w in case.before]
    record = run_layers(weights, case.input_spikes, case.config, backend=backend, record=True)
    assert record.steps == len(case.input_spikes)
    for layer in range(len(weights)):
        assert case.spikes[layer].any()
        assert torch.equal(record.spikes[layer].cpu(), case.spikes[layer])
        assert torch.equal(record.spike_counts[layer].cpu(), case.spikes[layer].sum(0))
        assert record.weights[layer].dtype == dtype
        torch.testing.assert_close(record.weights[layer].cpu().double(), case.after[layer], rtol=0, atol=tolerance)


def dyadic_weights(sizes: Sequence[int], seed: int = 0) -> list[Tensor]:
    """Return float32 (out, in) weights, multiples of 1/64 in [-1, 1]."""
    rng = np.random.default_rng(seed)
    return [
        torch.from_numpy(rng.integers(-64, 65, (out, into)).astype(np.float32) / 64)
        for into, out in itertools.pairwise(sizes)
    ]


def input_raster(steps: int, inputs: int, density: float, silent: slice | None = None, seed: int = 0) -> Tensor:
    """Return random spikes, bool (steps, inputs), with a silent stretch if one is asked for."""
    spikes = np.random.default_rng(seed).random((steps, inputs)) < density
    if silent is not None:
        spikes[silent] = False
    return torch.from_numpy(spikes)


def dyadic_config(**changes: Any) -> SleepConfig:
    """Return a sleep of Algorithm 1 in dyadic numbers."""
    values: dict[str, Any] = {"alpha": 2.0, "beta": 1.0, "decay": 0.5, "inc": 1 / 64, "dec": 1 / 128}
    return SleepConfig(**(values | changes))


@dataclass(frozen=True)
class Corner:
    """An unusual sleep, and what every neuron of the first layer does in it: never, always or sometimes fire."""

    fires: str
    density: float = 0.0
    silent: bool = False  # whether the middle third of the sleep has no input
    one_step: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)


CORNERS = {
    "zero_input": Corner("never"),
    "zero_input_threshold_0_strict": Corner("never", changes={"beta": 0.0}),
    "zero_input_threshold_0_not_strict": Corner("always", changes={"beta": 0.0, "strict": False}),
    "zero_input_negative_threshold_strict": Corner("always", changes={"beta": -0.25}),
    "zero_input_negative_threshold_not_strict": Corner("always", changes={"beta": -0.25, "strict": False}),
    "all_inputs_on": Corner("sometimes", 1.0),
    "one_step": Corner("sometimes", 0.5, one_step=True),
    "not_strict": Corner("sometimes", 0.3, changes={"strict": False}),
    "no_decay": Corner("sometimes", 0.3, changes={"decay": 1.0}),
    "nothing_kept": Corner("sometimes", 0.3, changes={"decay": 0.0}),
    "silent_stretch": Corner("sometimes", 0.3, silent=True),
    "silent_stretch_threshold_0_strict": Corner("sometimes", 0.3, silent=True, changes={"beta": 0.0}),
    "silent_stretch_threshold_0_not_strict": Corner("sometimes", 0.3, True, changes={"beta": 0.0, "strict": False}),
    "silent_stretch_negative_threshold": Corner("sometimes", 0.3, silent=True, changes={"beta": -0.25}),
}


def check_corner(corner: Corner, sizes: Sequence[int], steps: int, backend: str, device: str = "cpu") -> None:
    """Run a corner case: the backend must agree with the reference to the last bit."""
    weights = dyadic_weights(sizes, seed=1)
    steps = 1 if corner.one_step else steps
    silent = slice(steps // 3, 2 * steps // 3) if corner.silent else None
    spikes = input_raster(steps, sizes[0], corner.density, silent)
    record = check_equal(weights, spikes, dyadic_config(**corner.changes), backend, device)
    first = record.spikes[0]
    match corner.fires:
        case "never":
            assert not first.any()
            assert torch.equal(record.weights[0].cpu(), weights[0])
        case "always":
            assert first.all()
            assert torch.equal(record.weights[0].cpu(), weights[0] - steps / 128)  # dec in every step, no input fired
        case "sometimes":
            assert first.any()
            assert not first.all()


def check_equal(
    weights: list[Tensor], spikes: Tensor, config: SleepConfig, backend: str, device: str = "cpu"
) -> SleepRecord:
    """Check that a backend does what the reference does, to the last bit, and return what it did."""
    expected = run_layers(weights, spikes, config, backend="reference", record=True)
    record = run_layers([w.to(device) for w in weights], spikes, config, backend=backend, record=True)
    for layer in range(len(weights)):
        assert torch.equal(record.spikes[layer].cpu(), expected.spikes[layer])
        assert torch.equal(record.spike_counts[layer].cpu(), expected.spikes[layer].sum(0))
        assert torch.equal(record.weights[layer].cpu(), expected.weights[layer])
    return record


def huge_network() -> tuple[list[Tensor], Tensor]:
    """Return a network with |w| up to 1e4 and a raster that makes it fire."""
    rng = np.random.default_rng(1)
    weights = [np.float32(10.0) ** rng.uniform(-4, 4, shape) * rng.choice([-1, 1], shape) for shape in ((3, 9), (2, 3))]
    weights[0][:, 0], weights[0][:, 1], weights[1][:, 0] = 1e4, -1e4, 1e4
    spikes = input_raster(12, 9, 0.5, seed=2)
    return [torch.from_numpy(w.astype(np.float32)) for w in weights], spikes
