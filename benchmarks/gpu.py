"""How fast the GPU kernel is, with one network and with many at once: `python -m benchmarks gpu`.

The case is that of `kernel`. Before anything is timed, the sleep on the GPU is compared with that on the CPU, spike by
spike. The kernels add in different orders, so a potential may cross its threshold in one of them and not in the other;
the report says how many spikes differ.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.kernel import STEPS, Case, header, textbook_step, time_event, time_steps, walk
from srclib.data import provenance
from srclib.learning import training
from srclib.sleep import cuda, reference, run_layers

NETWORKS = (1, 16, 64, 256, 512)
STIMULI = 16  # different ones; they take longer to draw than to sleep through


def measure(case: Case, networks: Sequence[int] = NETWORKS, *, repeats: int = 5, steps: int = STEPS) -> dict[str, Any]:
    """Measure whole sleeps of a case on the GPU and return the report as plain data.

    networks: how many sleep at once, each with its own weights in memory and one of 16 stimuli. Times are medians over
    `repeats` rounds in turns, and include the way of the spikes to the GPU; those of the CPU are on one thread and
    include drawing the stimulus. steps: of the textbook loop, which is slow: so many untimed and as many timed, its
    time is of a whole sleep at that pace.
    Raises ValueError for a number below 1 or without a GPU.
    """
    if min(repeats, steps, *networks) < 1:
        raise ValueError(f"networks = {networks}, repeats = {repeats}, steps = {steps}: allowed are whole numbers >= 1")
    if not cuda.available():
        raise ValueError("no GPU: allowed is a machine with a CUDA GPU and the triton package")
    load, config = os.getloadavg(), case.config
    stimuli = [config.noise(case.mean_input, (0, i)) for i in range(min(STIMULI, max(networks)))]
    on_gpu = [w.cuda() for w in case.weights]

    def many(n: int) -> float:
        weights = [w.expand(n, *w.shape).contiguous() for w in on_gpu]
        torch.cuda.synchronize()
        start = time.perf_counter()
        cuda.run_batch(weights, [stimuli[i % len(stimuli)] for i in range(n)], [config] * n, progress=False)
        return time.perf_counter() - start

    def textbook(weights: list[Tensor]) -> Callable[[], float]:
        raster = torch.from_numpy(stimuli[0].dense()[: 2 * steps]).to(weights[0].device)
        state = walk(reference.step, weights, raster[:steps], config)[1:]
        return lambda: time_steps(textbook_step, state, raster[steps:], config) * config.steps / len(raster[steps:])

    at_once = {f"cuda, {n}": n for n in networks}
    contenders: dict[str, Callable[[], float]] = {
        "event, CPU": partial(time_event, case),
        "textbook, CPU": textbook(case.weights),
        "textbook, GPU": textbook(on_gpu),
        **{name: partial(many, n) for name, n in at_once.items()},
    }
    rounds: dict[str, list[float]] = {name: [] for name in contenders}
    with training.reproducible(0):
        same = agreement(case)
        for turn in range(repeats + 1):
            for name, seconds in contenders.items():
                found = seconds()
                if turn:  # the first compiles
                    rounds[name].append(found)
    per_sleep = {name: statistics.median(values) / at_once.get(name, 1) for name, values in rounds.items()}
    return {
        **header(case, load),
        "device": {"cpu": provenance.device(), "gpu": torch.cuda.get_device_name()},
        "steps": config.steps,
        "agreement": same,
        "seconds": rounds,
        "seconds_per_sleep": per_sleep,
        "ratios": {name: per_sleep["textbook, CPU"] / seconds for name, seconds in per_sleep.items()},
    }


def agreement(case: Case) -> dict[str, Any]:
    """Compare a whole sleep on the GPU with `event`: spikes of each layer there, how many differ, and the weights."""
    noise = case.stimulus()
    there = run_layers([w.cuda() for w in case.weights], noise, case.config, backend="cuda", record=True)
    here = run_layers(case.weights, noise, case.config, backend="event", record=True)

    def layers(a: Sequence[Tensor] | None, b: Sequence[Tensor] | None) -> list[tuple[Tensor, Tensor]]:
        return [(x, y.cpu()) for x, y in zip(a or [], b or [], strict=True)]

    return {
        "spikes": [int(count.sum()) for count in here.spike_counts],
        "differ": [int((a != b).sum()) for a, b in layers(here.spikes, there.spikes)],
        "largest_difference_of_weights": [float((a - b).abs().max()) for a, b in layers(here.weights, there.weights)],
    }
