"""The sleep kernel for the GPU: one Triton program per neuron, which holds its weights in registers for a whole sleep.

Neurons of one layer never interact during a sleep, so each layer is run for all steps before the next, and programs
share nothing. A program fetches the spikes of a step, one byte per input, two steps ahead of their use, and writes a
byte only when its neuron fires. Up to 2048 inputs it is a single warp, so that the sum over the inputs needs no
shared memory. A second grid axis runs many networks of one shape at once (seeds, task orders, candidates of a search):
one network alone leaves most of a GPU idle.

Rows are padded to a multiple of 16, so that every load is a whole vector. Padded inputs never spike.
The code of the programs stands in `triton_kernels`, which is imported when a GPU is first asked for.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec

import torch
from torch import Tensor

from .config import SleepConfig
from .progress import long_sleep_bar
from .reference import Rule
from .stimulus import InputSpikes

MAX_INPUTS = 16_384
INPUTS_PER_WARP = 2048  # 64 weights per thread; with more of them registers spill
SYNAPSES = 1024  # of a neuron that `learn` changes at a time


def available() -> bool:
    """Return whether there is a GPU and a Triton to compile for it."""
    return torch.cuda.is_available() and find_spec("triton") is not None


def interpreted() -> bool:
    """Return whether the kernels run under Triton's interpreter, which needs no GPU."""
    if find_spec("triton") is None:
        return False
    from .triton_kernels import INTERPRETED

    return INTERPRETED


def run(
    weights: list[Tensor], input_spikes: InputSpikes, config: SleepConfig, *, record: bool, progress: bool | None
) -> tuple[list[Tensor], list[Tensor], list[Tensor] | None]:
    updated, counts, raster = run_batch(
        [w[None] for w in weights], [input_spikes], [config], record=record, progress=progress
    )
    return [w[0] for w in updated], [c[0] for c in counts], None if raster is None else [r[0] for r in raster]


def run_batch(
    weights: Sequence[Tensor],
    input_spikes: Sequence[InputSpikes],
    configs: Sequence[SleepConfig],
    *,
    record: bool = False,
    progress: bool | None = None,
) -> tuple[list[Tensor], list[Tensor], list[Tensor] | None]:
    """Let many networks of one shape sleep at once.

    weights: float32 (batch, out_l, in_l) on one GPU, first layer first; never changed in place.
    input_spikes, configs: one per network. All have the same number of steps and agree in `strict` and in whether
    there is a gate; alpha, beta, decay, inc, dec and the gate itself may differ.
    Returns weights (batch, out_l, in_l), int64 spike counts (batch, out_l) and, if recorded, the raster
    bool (batch, steps, out_l), one each per layer. A network's result does not depend on the others.
    Raises ValueError where any of this does not hold, without a GPU, for a layer of over 16384 inputs, or for a sleep
    of several streams.
    """
    _check(weights, input_spikes, configs)
    from .triton_kernels import sleep_layer

    device, steps = weights[0].device, input_spikes[0].steps
    spikes = _raster(len(configs), steps, weights[0].shape[2], device)
    for network, lists in zip(spikes, input_spikes, strict=True):
        start, indices = (torch.from_numpy(part).to(device) for part in (lists.start, lists.indices))
        network[torch.repeat_interleave(start.diff()), indices.long()] = 1
    alphas = [c.per_layer("alpha", len(weights)) for c in configs]
    betas = [c.per_layer("beta", len(weights)) for c in configs]
    updated, counts, raster = [], [], []
    with torch.cuda.device(device if device.type == "cuda" else -1), long_sleep_bar(len(weights), progress) as advance:
        for layer, w in enumerate(weights):
            batch, neurons, inputs = w.shape
            new = w.new_zeros(batch, neurons, spikes.shape[2])
            new[:, :, :inputs] = w
            fired, count = _raster(batch, steps, neurons, device), w.new_zeros(batch, neurons, dtype=torch.int64)
            rules = [
                (a[layer], b[layer], c.decay, c.inc, c.dec, c.gate or 0)
                for a, b, c in zip(alphas, betas, configs, strict=True)
            ]
            sleep_layer[neurons, batch](
                new, spikes, fired, count, torch.tensor(rules, dtype=torch.float32, device=device),
                spikes.shape[2], neurons, fired.shape[2], steps,
                GATED=configs[0].gate is not None, STRICT=configs[0].strict, **_options(inputs),
            )  # fmt: skip
            if w.is_cuda:
                torch.cuda.synchronize()
            advance(1)
            updated.append(new[:, :, :inputs].contiguous())
            counts.append(count)
            if record:
                raster.append(fired[:, :, :neurons].bool())
            spikes = fired
    return updated, counts, raster if record else None


def learn(weights: Tensor, spikes: Tensor, fired: Tensor, rule: Rule) -> None:
    """Do what `reference.learn` does to many networks at once, with one program for each neuron of each network.

    weights: float32 (networks, out, in), contiguous, on a GPU. spikes, fired: bool (networks, streams, in) and
    (networks, streams, out). rule: `inc`, `dec` and, if there is one, `gate` are tensors (networks, 1, 1).
    """
    from .triton_kernels import learn_rows

    networks, streams, neurons = fired.shape
    numbers = torch.cat([n for n in (rule.inc, rule.dec, rule.gate) if isinstance(n, Tensor)], dim=2)
    gated = rule.gate is not None
    assert weights.is_contiguous() and numbers.shape == (networks, 1, 2 + gated)  # memory is read by them
    learn_rows[neurons, networks](
        weights, spikes.contiguous().view(torch.uint8), fired.contiguous().view(torch.uint8), numbers,
        neurons, weights.shape[2], STREAMS=streams, GATED=gated, BLOCK=SYNAPSES,
    )  # fmt: skip


def resources(inputs: int, capability: int, *, gated: bool = True) -> tuple[int, int]:
    """Compile the kernel and return its registers and its bytes of spilled registers per thread.

    capability: of the GPU to compile for, 80 or 90 for instance; no GPU is needed. Not under TRITON_INTERPRET.
    """
    import triton

    from .triton_kernels import sleep_layer

    pointers = {"weight": "*fp32", "spikes": "*u8", "fired": "*u8", "count": "*i64", "rules": "*fp32"}
    numbers = {"columns": "i32", "neurons": "i32", "fired_columns": "i32", "steps": "i32"}
    options = _options(inputs)
    constants = {"GATED": gated, "STRICT": False, "BLOCK": options.pop("BLOCK")}
    source = triton.compiler.ASTSource(
        sleep_layer,
        {**pointers, **numbers, **dict.fromkeys(constants, "constexpr")},
        constants,
        {(i,): [["tt.divisibility", 16]] for i in (0, 1, 2, 3, 4, 5, 7)},  # aligned tensors, rows of whole vectors
    )
    target = triton.backends.compiler.GPUTarget("cuda", capability, 32)
    kernel = triton.compile(source, target=target, options=options)
    tool = triton.knobs.nvidia.cuobjdump.path
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(kernel.asm["cubin"])
        file.flush()
        usage = subprocess.run([tool, "--dump-resource-usage", file.name], capture_output=True, text=True, check=True)
    registers, stack = re.findall(r"(?:REG|STACK):(\d+)", usage.stdout)
    return int(registers), int(stack)


def _check(weights: Sequence[Tensor], input_spikes: Sequence[InputSpikes], configs: Sequence[SleepConfig]) -> None:
    if not (available() or interpreted()):
        raise ValueError("backend = 'cuda': allowed is a machine with a CUDA GPU and the triton package")
    shapes = {(s.steps, s.inputs) for s in input_spikes}
    if len(input_spikes) != len(configs) or len(shapes) != 1:
        raise ValueError(
            f"input_spikes has {len(input_spikes)} rasters of (steps, inputs) in {sorted(shapes)}: "
            f"allowed is one per config, {len(configs)}, all of one shape"
        )
    inputs = input_spikes[0].inputs
    for i, w in enumerate(weights):
        if w.dtype != torch.float32 or not (w.is_cuda or interpreted()) or w.device != weights[0].device:
            raise ValueError(f"weights[{i}] is {w.dtype} on {w.device}: the cuda backend takes float32, all on one GPU")
        if w.ndim != 3 or w.shape[0] != len(configs) or w.shape[2] != inputs:
            raise ValueError(f"weights[{i}] has shape {tuple(w.shape)}: allowed is ({len(configs)}, out, {inputs})")
        if inputs > MAX_INPUTS:
            raise ValueError(f"weights[{i}] has {inputs} inputs: the cuda backend takes at most {MAX_INPUTS}")
        inputs = w.shape[1]
    streams = max(c.batch for c in configs)
    if streams > 1:
        raise ValueError(f"batch = {streams}: the cuda backend takes one stream, reference takes more on a GPU")
    rules = {(c.gate is None, c.strict) for c in configs}
    if len(rules) != 1:
        raise ValueError(f"configs mix (gate is None, strict) = {sorted(rules)}: allowed is one for the whole batch")


def _raster(batch: int, steps: int, neurons: int, device: torch.device) -> Tensor:
    """Return a silent raster, uint8 (batch, steps, columns), rows padded to whole vectors."""
    return torch.zeros(batch, steps, -(-neurons // 16) * 16, dtype=torch.uint8, device=device)


def _options(inputs: int) -> dict[str, int | bool]:
    block = max(32, 1 << (inputs - 1).bit_length())
    return {
        "BLOCK": block,
        "num_warps": max(1, block // INPUTS_PER_WARP),
        "enable_fp_fusion": False,  # products and sums rounded one by one, as the other backends do
    }
