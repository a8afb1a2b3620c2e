"""The sleep lab: its kernel and its noise are those of the package, and its page works in a browser."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import playwright
import pytest
import torch
from numpy.typing import NDArray

from srclib.sleep import InputSpikes, SleepConfig, draw_input, event_kernels, run_layers

from ..sleep.cases import CORNERS, GOLDEN, dyadic_config, dyadic_weights, golden, input_raster

HERE = Path(__file__).parent / "lab"
NODE = Path(playwright.__file__).parent / "driver" / ("node.exe" if os.name == "nt" else "node")
CONFIG = ("alpha", "beta", "inc", "dec", "decay", "gate", "strict", "batch")
STIMULI: dict[str, dict[str, Any]] = {
    "whole image": {"mean": np.linspace(0, 1, 30), "rows": 300, "gain": 0.7, "seeds": (0,), "window": None},
    "window": {"mean": np.linspace(0, 1, 81) ** 2, "rows": 400, "gain": 1.3, "seeds": (3, 4), "window": 4},
    "frame of one place": {"mean": np.full(9, 0.5), "rows": 50, "gain": 0.5, "seeds": (7, 0, 2), "window": 3},
    "large seed": {"mean": np.full(16, 0.25), "rows": 90, "gain": 1.0, "seeds": (2**70 + 5, 2**33), "window": 2},
    "five seeds": {"mean": np.full(16, 0.25), "rows": 90, "gain": 1.0, "seeds": (1, 2, 3, 4, 5), "window": 1},
}


def lists(raster: NDArray[np.bool_]) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in raster]


def write_sleep(
    folder: Path,
    name: str,
    weights: list[torch.Tensor],
    inputs: torch.Tensor,
    config: SleepConfig,
    tolerance: float,
    after: list[torch.Tensor],
    spikes: list[torch.Tensor],
) -> dict[str, Any]:
    """Write a sleep and what comes out of it; return what the list of cases says of it."""
    for suffix, layers in (("before", weights), ("after", after)):
        flat = np.concatenate([w.float().numpy().ravel() for w in layers])
        (folder / f"{name}.{suffix}").write_bytes(flat.astype("<f4").tobytes())
    raster = {"inputs": lists(inputs.numpy()), "fired": [lists(layer.numpy()) for layer in spikes]}
    (folder / f"{name}.json").write_text(json.dumps(raster))
    sizes = [weights[0].shape[1], *(len(w) for w in weights)]
    settings = {key: getattr(config, key) for key in CONFIG}
    return {"name": name, "sizes": sizes, "config": settings, "tolerance": tolerance}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with sleeps and noise, and what the package makes of them."""
    folder = tmp_path_factory.mktemp("lab")
    found = []
    for name in GOLDEN:
        case = golden(name)
        found.append(
            write_sleep(folder, name, case.before, case.input_spikes, case.config, 5e-5, case.after, case.spikes)
        )
    others = {f"corner_{name}": (1, corner.density, dict(corner.changes)) for name, corner in CORNERS.items()}
    others |= {
        "streams": (5, 0.3, {"batch": 5}),
        "streams_with_gate": (4, 0.3, {"batch": 4, "gate": 0.1, "strict": False, "beta": (0.5, 2.0, 1.0)}),
        "layers_of_their_own": (1, 0.2, {"alpha": (2.0, 0.5, 1.0), "beta": (1.0, 0.25, 0.5), "gate": 1e-3}),
    }
    for seed, (name, (batch, density, changes)) in enumerate(others.items()):
        sizes, steps = (17, 33, 9, 3), 60
        weights = dyadic_weights(sizes, seed)
        inputs = input_raster(steps * batch, sizes[0], density, slice(20 * batch, 40 * batch), seed)
        config = dyadic_config(**changes)
        record = run_layers(weights, inputs, config, backend="event", record=True)
        assert record.spikes is not None
        found.append(write_sleep(folder, name, weights, inputs, config, 0, record.weights, record.spikes))
    (folder / "sleeps.json").write_text(json.dumps(found))
    for name, case in STIMULI.items():
        drawn: InputSpikes = draw_input(
            case["mean"], case["rows"], case["gain"], seed=case["seeds"], window=case["window"]
        )
        assert len(drawn.indices)
        (folder / f"{name}.json").write_text(json.dumps(lists(drawn.dense())))
    # JSON numbers end at 2^53 in a browser: larger seeds go as text
    plain = [
        {**case, "name": name, "mean": case["mean"].tolist(), "seeds": [str(seed) for seed in case["seeds"]]}
        for name, case in STIMULI.items()
    ]
    (folder / "stimuli.json").write_text(json.dumps(plain))
    x = np.concatenate([np.linspace(-20, 80, 20_001), np.geomspace(1e-9, 1, 500)]).astype("<f4")
    y = np.array([event_kernels.exp(number) for number in x], "<f4")
    (folder / "exp.x").write_bytes(x.tobytes())
    (folder / "exp.y").write_bytes(y.tobytes())
    return folder


def test_kernel_and_noise_are_those_of_the_package(cases: Path) -> None:
    tests = [str(path) for path in sorted(HERE.glob("*.test.mjs"))]
    environment = {**os.environ, "LAB_CASES": str(cases)}
    ran = subprocess.run([str(NODE), "--test", *tests], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    passed = next(line for line in ran.stdout.splitlines() if "pass " in line)
    assert int(passed.split()[-1]) > len(GOLDEN) + len(CORNERS) + len(STIMULI)
