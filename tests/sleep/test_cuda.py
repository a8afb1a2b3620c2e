"""The GPU kernel: on a GPU where there is one, else a few neurons and steps under the interpreter of Triton.

Without a GPU the kernel is also compiled for two of them, to see that it compiles and that its weights stay in
registers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from packaging.version import Version

from srclib.sleep import SleepConfig, cuda, reference, run_layers
from srclib.sleep.reference import Rule
from srclib.sleep.stimulus import InputSpikes

from .cases import (
    CORNERS,
    GOLDEN,
    check_corner,
    check_equal,
    check_golden,
    dyadic_config,
    dyadic_weights,
    golden,
    huge_network,
    input_raster,
)

triton = pytest.importorskip("triton")
DEVICE = "cuda" if cuda.available() else "cpu"
on_gpu = pytest.mark.skipif(not cuda.available(), reason="needs a GPU")

COMPILE = """
import json
from srclib.sleep import cuda
used = {}
for capability in (80, 90):
    for inputs in (10, 784, 1200, 2048):
        for gated in (False, True):
            used[f"{inputs} {capability} {gated}"] = cuda.resources(inputs, capability, gated=gated)
options = cuda._options
cuda._options = lambda inputs: options(inputs) | {"maxnreg": 64}
used["few registers"] = cuda.resources(2048, 90)
import triton
from srclib.sleep.triton_kernels import learn_rows
pointers = {"weights": "*fp32", "spikes": "*u8", "fired": "*u8", "rule": "*fp32"}
for capability in (80, 90):
    for gated in (False, True):
        constants = {"STREAMS": 16, "GATED": gated, "BLOCK": cuda.SYNAPSES}
        types = {**pointers, "neurons": "i32", "inputs": "i32", **dict.fromkeys(constants, "constexpr")}
        source = triton.compiler.ASTSource(learn_rows, types, constants, {})
        kernel = triton.compile(source, target=triton.backends.compiler.GPUTarget("cuda", capability, 32))
        used[f"learn {capability} {gated}"] = [len(kernel.asm["cubin"]), 0]
print(json.dumps(used))
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """Registers and spilled bytes per thread of compiled kernels; a process of its own, free of the interpreter."""
    cache = {"TRITON_CACHE_DIR": str(tmp_path_factory.mktemp("triton"))}
    env = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"} | cache
    done = subprocess.run(
        [sys.executable, "-c", COMPILE], capture_output=True, text=True, env=env, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.xfail(
    Version(triton.__version__) < Version("3.9"),
    reason="Triton 3.7, which torch 2.13 with CUDA brings, takes up to 255 registers and spills up to 24 bytes",
)
@pytest.mark.parametrize("gated", [False, True], ids=["plain", "gated"])
@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("inputs", [10, 784, 1200, 2048])
def test_compiles_without_spilling(compiled, inputs: int, capability: int, gated: bool) -> None:
    registers, spilled = compiled[f"{inputs} {capability} {gated}"]
    assert spilled == 0
    assert 8 < registers <= 168  # 12 warps or more per multiprocessor: a layer of 1200 fits an A100 or H100 at once


@pytest.mark.parametrize("gated", [False, True], ids=["plain", "gated"])
@pytest.mark.parametrize("capability", [80, 90])
def test_the_change_of_weights_compiles(compiled, capability: int, gated: bool) -> None:
    size, _ = compiled[f"learn {capability} {gated}"]
    assert size > 0


def test_spilling_would_show(compiled) -> None:
    registers, spilled = compiled["few registers"]
    assert registers == 64
    assert spilled > 0


@on_gpu
@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    check_golden(name, "cuda", torch.float32, 5e-5, "cuda")


def test_golden_first_steps() -> None:
    """The four neurons of a golden case for its first 60 steps; before the first step differs, the released code's."""
    case = golden("two_layer_patches")
    spikes = case.input_spikes[:60]
    expected = run_layers(case.before, spikes, case.config, backend="reference")
    record = run_layers([w.float().to(DEVICE) for w in case.before], spikes, case.config, backend="cuda", record=True)
    assert record.spikes[0].any()
    assert torch.equal(record.spikes[0].cpu(), case.spikes[0][:60])
    assert torch.equal(record.spike_counts[0].cpu(), case.spikes[0][:60].sum(0))
    torch.testing.assert_close(record.weights[0].cpu().double(), expected.weights[0], rtol=0, atol=5e-5)


@pytest.mark.parametrize("corner", CORNERS)
def test_corner(corner: str) -> None:
    check_corner(CORNERS[corner], (7, 3, 2), 12, "cuda", DEVICE)


@pytest.mark.parametrize("sizes", [(1, 1), (16, 2), (33, 3, 1), (129, 2), (2, 17, 2)], ids=str)
def test_odd_shape(sizes: tuple[int, ...]) -> None:
    record = check_equal(
        dyadic_weights(sizes, 5), input_raster(10, sizes[0], 0.6), dyadic_config(beta=0.25), "cuda", DEVICE
    )
    assert record.weights[0].is_contiguous()
    assert record.spike_counts[0].any()


def test_several_warps_share_a_row() -> None:
    weights = dyadic_weights((4100, 1))
    record = check_equal(weights, input_raster(4, 4100, 0.5), dyadic_config(beta=0.0), "cuda", DEVICE)
    assert record.spike_counts[0].any()


@pytest.mark.parametrize("gate", [0.001, 10.0])
def test_gated_rule(gate: float) -> None:
    weights, spikes = dyadic_weights((9, 3)), input_raster(12, 9, 0.4)
    config = dyadic_config(beta=-1e6, gate=gate)
    expected = run_layers([w.double() for w in weights], spikes, config, backend="reference")
    record = run_layers([w.to(DEVICE) for w in weights], spikes, config, backend="cuda")
    assert (record.spike_counts[0] == 12).all()
    torch.testing.assert_close(record.weights[0].cpu().double(), expected.weights[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("gate", [None, 0.001])
def test_huge_weights_stay_finite(gate: float | None) -> None:
    weights, spikes = huge_network()
    config = SleepConfig(alpha=1.0, beta=1.0, inc=0.1, dec=0.1, gate=gate)
    record = run_layers([w.to(DEVICE) for w in weights], spikes, config, backend="cuda")
    assert all(count.any() for count in record.spike_counts)
    assert all(w.isfinite().all() for w in record.weights)


def test_second_run_has_the_same_bits() -> None:
    weights = [torch.linspace(-0.4, 0.7, 60).reshape(3, 20).to(DEVICE)]
    spikes, config = input_raster(15, 20, 0.4), dyadic_config(alpha=1.3, decay=0.999, inc=0.013, gate=0.1)
    one, two = (run_layers(weights, spikes, config, backend="cuda", record=True) for _ in range(2))
    assert one.spike_counts[0].any()
    assert torch.equal(one.spikes[0], two.spikes[0])
    assert torch.equal(one.weights[0], two.weights[0])


def test_a_network_in_a_batch_sleeps_as_it_does_alone() -> None:
    sizes, steps = (7, 3, 2), 10
    networks = [dyadic_weights(sizes, seed) for seed in range(3)]
    spikes = [InputSpikes.from_dense(input_raster(steps, 7, 0.5, seed=seed).numpy()) for seed in range(3)]
    configs = [
        dyadic_config(beta=0.25, alpha=(0.5, 1.0)),
        dyadic_config(beta=0.5, inc=1 / 4),
        dyadic_config(beta=(0.125, 0.25), decay=1.0, dec=1 / 8),
    ]
    batch = [torch.stack([network[layer] for network in networks]).to(DEVICE) for layer in range(2)]
    before = [w.clone() for w in batch]
    updated, counts, raster = cuda.run_batch(batch, spikes, configs, record=True)
    assert raster is not None
    for n in range(3):
        alone = run_layers(networks[n], spikes[n], configs[n], backend="reference", record=True)
        assert alone.spikes is not None
        for layer in range(2):
            assert alone.spikes[layer].any()
            assert torch.equal(raster[layer][n].cpu(), alone.spikes[layer])
            assert torch.equal(counts[layer][n].cpu(), alone.spike_counts[layer])
            assert torch.equal(updated[layer][n].cpu(), alone.weights[layer])
    assert all(torch.equal(w, b) for w, b in zip(batch, before, strict=True))


@pytest.mark.parametrize("gate", [None, 0.5])
@pytest.mark.parametrize("inputs", [5, 1030], ids=["short row", "more than one block"])
def test_networks_learn_as_by_the_reference(inputs: int, gate: float | None) -> None:
    """Steps of several networks and streams whose weights the kernel changes; sums are exact but for the gate."""
    weights = [torch.stack(layer) for layer in zip(*(dyadic_weights((inputs, 4, 2), n) for n in range(2)), strict=True)]
    inc, dec, gates = (
        torch.tensor(values, device=DEVICE)[:, None, None]
        for values in ([1 / 64, 1 / 32], [1 / 32, 0.0], [gate or 1, 2 * (gate or 1)])
    )
    rule = Rule([1.0, 1.0], [0.5, 0.25], inc, dec, 0.5, None if gate is None else gates, strict=True)
    ends = []
    for learn in (reference.learn, cuda.learn):
        now = [w.to(DEVICE, copy=True) for w in weights]
        potentials = [torch.zeros(2, 3, n, device=DEVICE) for n in (4, 2)]
        fired = []
        for t in range(3):
            spikes = input_raster(6, inputs, 0.5, seed=t).view(2, 3, inputs).to(DEVICE)
            fired += reference.step(now, potentials, spikes, rule, learn)
        assert any(layer.any() for layer in fired) and not all(layer.all() for layer in fired)
        ends.append((now, fired))
    for expected, found, before in zip(ends[0][0], ends[1][0], weights, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=0 if gate is None else 1e-6)
        assert not torch.equal(found.cpu(), before)
    assert all(torch.equal(a, b) for a, b in zip(ends[0][1], ends[1][1], strict=True))


def _batch(**changes):
    one = InputSpikes.from_dense(input_raster(2, 3, 0.5).numpy())
    arguments = {"weights": [torch.zeros(2, 4, 3)], "input_spikes": [one, one], "configs": [dyadic_config()] * 2}
    arguments |= changes
    arguments["weights"] = [w.to(DEVICE) for w in arguments["weights"]]
    return arguments


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": [torch.zeros(2, 4, 3).double()]}, r"weights\[0\] is torch.float64 on .*: the cuda backend takes"),
        ({"weights": [torch.zeros(4, 3)]}, r"weights\[0\] has shape \(4, 3\): allowed is \(2, out, 3\)"),
        ({"weights": [torch.zeros(1, 4, 3)]}, r"weights\[0\] has shape \(1, 4, 3\): allowed is \(2, out, 3\)"),
        (
            {"weights": [torch.zeros(2, 4, 3), torch.zeros(2, 2, 5)]},
            r"weights\[1\] has shape \(2, 2, 5\): allowed is \(2, out, 4\)",
        ),
        ({"configs": [dyadic_config()] * 3}, r"input_spikes has 2 rasters .*: allowed is one per config, 3"),
        (
            {"input_spikes": [InputSpikes.from_dense(input_raster(steps, 3, 0.5).numpy()) for steps in (2, 4)]},
            r"rasters of \(steps, inputs\) in \[\(2, 3\), \(4, 3\)\]: .* all of one shape",
        ),
        ({"configs": [dyadic_config(), dyadic_config(strict=False)]}, r"configs mix .*: allowed is one for the whole"),
        ({"configs": [dyadic_config(), dyadic_config(gate=0.1)]}, r"configs mix .*: allowed is one for the whole"),
    ],
    ids=["float64", "no_batch_axis", "batch_size", "layers_do_not_fit", "configs", "steps", "strict", "gate"],
)
def test_refuses(changes, message: str) -> None:
    cuda.run_batch(**_batch())  # is fine without the change
    with pytest.raises(ValueError, match=message):
        cuda.run_batch(**_batch(**changes))


def test_refuses_a_row_too_long_for_the_registers() -> None:
    spikes = input_raster(1, 16_385, 0)
    with pytest.raises(ValueError, match=r"weights\[0\] has 16385 inputs: the cuda backend takes at most 16384"):
        run_layers([torch.zeros(1, 16_385, device=DEVICE)], spikes, dyadic_config(), backend="cuda")


def test_refuses_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "available", lambda: False)
    monkeypatch.setattr(cuda, "interpreted", lambda: False)
    with pytest.raises(ValueError, match="backend = 'cuda': allowed is a machine with a CUDA GPU and the triton"):
        run_layers(dyadic_weights((3, 2)), input_raster(1, 3, 0), dyadic_config(), backend="cuda")


def test_imports_without_triton() -> None:
    """The package sleeps on a CPU where triton cannot be installed."""
    code = (
        "import sys; sys.modules['triton'] = None\n"
        "from srclib.sleep import cuda\n"
        "assert not cuda.available() and not cuda.interpreted()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
