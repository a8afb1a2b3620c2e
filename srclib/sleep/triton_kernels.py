"""The code that runs on the GPU. Importing it needs Triton and takes a while: `cuda` does so when it is first used.

With `TRITON_INTERPRET=1` in the environment it runs on the CPU, very slowly, which is how it is tested there.
"""

from __future__ import annotations

import triton
from triton import language as tl

INTERPRETED: bool = triton.knobs.runtime.interpret


@triton.jit
def sleep_layer(
    weight: tl.tensor,  # float32 (batch, neurons, columns), changed in place
    spikes: tl.tensor,  # uint8 (batch, steps, columns), 1 where an input spiked
    fired: tl.tensor,  # uint8 (batch, steps, fired_columns), all 0; 1 is written where a neuron fires
    count: tl.tensor,  # int64 (batch, neurons), how often a neuron fires
    rules: tl.tensor,  # float32 (batch, 6): alpha, beta, decay, inc, dec, gate
    columns: tl.tensor,
    neurons: tl.tensor,
    fired_columns: tl.tensor,
    steps: tl.tensor,
    GATED: tl.constexpr,
    STRICT: tl.constexpr,
    BLOCK: tl.constexpr,  # a power of two >= columns
) -> None:
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


@triton.jit
def learn_rows(
    weights: tl.tensor,  # float32 (networks, neurons, inputs), changed in place
    spikes: tl.tensor,  # uint8 (networks, streams, inputs)
    fired: tl.tensor,  # uint8 (networks, streams, neurons)
    rule: tl.tensor,  # float32 (networks, 3): inc, dec, gate; (networks, 2) without a gate
    neurons: tl.tensor,
    inputs: tl.tensor,
    STREAMS: tl.constexpr,
    GATED: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Change the weights of neuron program_id(0) of network program_id(1), if it fired in any stream."""
    neuron = tl.program_id(0)
    network = tl.program_id(1).to(tl.int64)
    fired += network * STREAMS * neurons + neuron
    spikes += network * STREAMS * inputs
    weights += (network * neurons + neuron) * inputs
    rule += network * (3 if GATED else 2)
    total = 0.0
    for stream in range(STREAMS):
        total += tl.load(fired + stream * neurons).to(tl.float32)
    if total > 0:
        inc = tl.load(rule)
        dec = tl.load(rule + 1)
        for start in range(0, inputs, BLOCK):
            column = start + tl.arange(0, BLOCK)
            inside = column < inputs
            both = tl.zeros((BLOCK,), tl.float32)
            for stream in range(STREAMS):
                if tl.load(fired + stream * neurons) != 0:
                    both += tl.load(spikes + stream * inputs + column, mask=inside, other=0).to(tl.float32)
            w = tl.load(weights + column, mask=inside, other=0.0)
            update = both * inc - (total - both) * dec
            if GATED:
                update *= 2 / (1 + tl.exp(tl.minimum(w / tl.load(rule + 2), 80.0)))
            tl.store(weights + column, w + update, mask=inside)
