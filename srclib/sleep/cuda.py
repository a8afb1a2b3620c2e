"""The sleep kernel for the GPU: one Triton program per neuron, which holds its weights in registers for a whole sleep.

Neurons of one layer never interact during a sleep, so each layer is run for all steps before the next, and programs
share nothing. A program fetches the spikes of a step, one byte per input, two steps ahead of their use, and writes a
byte only when its neuron fires. Up to 2048 inputs it is a single warp, so that the sum over the inputs needs no
shared memory. A second grid axis runs many networks of one shape at once (seeds, task orders, candidates of a search):
one network alone leaves most of a GPU idle.

Rows are padded to a multiple of 16, so that every load is a whole vector. Padded inputs never spike.
With `TRITON_INTERPRET=1` in the environment the kernel runs on the CPU, very slowly, which is how it is tested there.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .progress import long_sleep_bar
from .stimulus import InputSpikes

try:
    import triton
    from triton import language as tl
except ImportError:
    triton = None

if TYPE_CHECKING:
    from . import SleepConfig

MAX_INPUTS = 16_384
INPUTS_PER_WARP = 2048  # 64 weights per thread; with more of them registers spill
INTERPRETED = triton is not None and triton.knobs.runtime.interpret


def available() -> bool:
    """Return whether there is a GPU and a Triton to compile for it."""
    return triton is not None and torch.cuda.is_available()


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
    device, steps = weights[0].device, input_spikes[0].steps
    spikes = _raster(len(configs), steps, weights[0].shape[2], device)
    for network, lists in zip(spikes, input_spikes, strict=True):
        start, indices = (torch.from_numpy(part).to(device) for part in (lists.start, lists.indices))
        network[torch.repeat_interleave(start.diff()), indices.long()] = 1
    alphas = [c.per_layer("alpha", len(weights)) for c in configs]
    betas = [c.per_layer("beta", len(weights)) for c in configs]
    updated, counts, raster = [], [], []
    with torch.cuda.device_of(spikes), long_sleep_bar(len(weights), progress) as advance:
        for layer, w in enumerate(weights):
            batch, neurons, inputs = w.shape
            new = w.new_zeros(batch, neurons, spikes.shape[2])
            new[:, :, :inputs] = w
            fired, count = _raster(batch, steps, neurons, device), w.new_zeros(batch, neurons, dtype=torch.int64)
            rules = [
                (a[layer], b[layer], c.decay, c.inc, c.dec, c.gate or 0)
                for a, b, c in zip(alphas, betas, configs, strict=True)
            ]
            _kernel[neurons, batch](
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


def resources(inputs: int, capability: int, *, gated: bool = True) -> tuple[int, int]:
    """Compile the kernel and return its registers and its bytes of spilled registers per thread.

    capability: of the GPU to compile for, 80 or 90 for instance; no GPU is needed. Not under TRITON_INTERPRET.
    """
    pointers = {"weight": "*fp32", "spikes": "*u8", "fired": "*u8", "count": "*i64", "rules": "*fp32"}
    numbers = {"columns": "i32", "neurons": "i32", "fired_columns": "i32", "steps": "i32"}
    options = _options(inputs)
    constants = {"GATED": gated, "STRICT": False, "BLOCK": options.pop("BLOCK")}
    source = triton.compiler.ASTSource(
        _kernel,
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
    if not (available() or INTERPRETED):
        raise ValueError("backend = 'cuda': allowed is a machine with a CUDA GPU and the triton package")
    shapes = {(s.steps, s.inputs) for s in input_spikes}
    if len(input_spikes) != len(configs) or len(shapes) != 1:
        raise ValueError(
            f"input_spikes has {len(input_spikes)} rasters of (steps, inputs) in {sorted(shapes)}: "
            f"allowed is one per config, {len(configs)}, all of one shape"
        )
    inputs = input_spikes[0].inputs
    for i, w in enumerate(weights):
        if w.dtype != torch.float32 or not (w.is_cuda or INTERPRETED) or w.device != weights[0].device:
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
    block = max(32, triton.next_power_of_2(inputs))
    return {
        "BLOCK": block,
        "num_warps": max(1, block // INPUTS_PER_WARP),
        "enable_fp_fusion": False,  # products and sums rounded one by one, as the other backends do
    }


def _layer(
    weight,  # float32 (batch, neurons, columns), changed in place
    spikes,  # uint8 (batch, steps, columns), 1 where an input spiked
    fired,  # uint8 (batch, steps, fired_columns), all 0; 1 is written where a neuron fires
    count,  # int64 (batch, neurons), how often a neuron fires
    rules,  # float32 (batch, 6): alpha, beta, decay, inc, dec, gate
    columns,
    neurons,
    fired_columns,
    steps,
    GATED: tl.constexpr,
    STRICT: tl.constexpr,
    BLOCK: tl.constexpr,  # a power of two >= columns
):
    """Run neuron program_id(0) of network program_id(1) for all steps."""
    neuron = tl.program_id(0)
    network = tl.program_id(1).to(tl.int64)
    rules += network * 6
    alpha = tl.load(rules)
    beta = tl.load(rules + 1)
    decay = tl.load(rules + 2)
    inc = tl.load(rules + 3)
    dec = tl.load(rules + 4)
    slope = 1.4426950408889634 / tl.load(rules + 5) if GATED else 0.0
    column = tl.arange(0, BLOCK)
    weight += (network * neurons + neuron) * columns + column
    spikes += network * steps * columns
    fired += network * steps * fired_columns + neuron
    w = tl.load(weight, mask=column < columns, other=0.0)
    v = 0.0
    n = 0
    for _ in tl.range(steps, num_stages=3):  # spikes are fetched two steps ahead
        now = tl.load(spikes + column, mask=column < columns, other=0)
        v = v * decay + alpha * tl.sum(tl.where(now != 0, w, 0.0))
        fires = v > beta if STRICT else v >= beta
        if fires:
            change = tl.where(now != 0, inc, -dec)
            if GATED:
                change *= 2 / (1 + tl.exp2(tl.minimum(w * slope, 115.0)))  # 2^115 is finite, and g < 1e-34
            w += change
            v = 0.0
            n += 1
            tl.store(fired, 1)
        spikes += columns
        fired += fired_columns
    tl.store(weight, w, mask=column < columns)
    tl.store(count + network * neurons + neuron, n)


_kernel: Any = None if triton is None else triton.jit(_layer)
