"""How fast other simulators sleep: `nox -s peers` installs what can be installed and runs this.

All get the network, the thresholds and the noise of the standard case, one thread, and leaky neurons that start again
from 0. None has the rule of a sleep but Brian, in which it can be written down; the others learn by the timing of
spikes, the nearest that they bring:

    Brian 2        the very rule, in Cython, synapses touched when a neuron fires
    snnTorch       `Leaky` neurons and its `STDPLearner`
    SpikingJelly   `LIFNode` and its `STDPLearner`
    BindsNET       `LIFNodes` and `PostPre`
    Norse          `lif_feed_forward_step` and `stdp_step_linear`

So it is a step that is compared, not what is learned. What an import lacks is named and left out.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from benchmarks.kernel import Case, header, standard_case, time_event
from srclib.data import provenance
from srclib.learning import training

STEPS = 50

Walk = Callable[[], object]  # takes every step of a raster once


def brian(case: Case, raster: Tensor) -> Walk:
    import brian2 as b2

    b2.prefs.codegen.target = "cython"
    config, ms = case.config, b2.ms
    step, row = raster.nonzero(as_tuple=True)
    below = b2.SpikeGeneratorGroup(raster.shape[1], row.numpy(), step.numpy() * ms, dt=1 * ms)
    parts: list[Any] = [below]
    constants = {"inc": config.inc, "dec": config.dec, "gate": config.gate}
    layers = zip(case.weights, *(config.per_layer(name, len(case.weights)) for name in ("alpha", "beta")), strict=True)
    for w, alpha, beta in layers:
        own = {"tau": -1 / math.log(config.decay) * ms, "beta": beta}
        neurons = b2.NeuronGroup(
            len(w), "dv/dt = -v / tau : 1", threshold="v >= beta", reset="v = 0", method="exact", dt=1 * ms,
            namespace=own,
        )  # fmt: skip
        synapses = b2.Synapses(
            below, neurons, "w : 1\nfired : second", dt=1 * ms, namespace=constants | {"alpha": alpha},
            on_pre="v_post += alpha * w\nfired = t",
            on_post="w += (inc * int(fired == t) - dec * int(fired != t)) * 2 / (1 + exp(clip(w / gate, -80, 80)))",
        )  # fmt: skip
        synapses.connect()
        synapses.w = w.T.flatten().numpy()
        synapses.fired = -1 * ms
        parts += [neurons, synapses]
        below = neurons
    network = b2.Network(*parts)
    network.run(1 * ms)  # compiles
    return lambda: network.run((len(raster) - 1) * ms)


def snntorch(case: Case, raster: Tensor) -> Walk:
    import snntorch as snn
    from snntorch.functional.stdp_learner import STDPLearner

    config = case.config
    neurons = [
        snn.Leaky(beta=config.decay, threshold=beta / alpha, reset_mechanism="zero", init_hidden=True)
        for alpha, beta in _scales(case)
    ]
    return _stacked(case, raster, neurons, lambda synapses, cells: STDPLearner(synapses, cells, 2.0, 2.0))


def spikingjelly(case: Case, raster: Tensor) -> Walk:
    from spikingjelly.activation_based.learning import STDPLearner
    from spikingjelly.activation_based.neuron import LIFNode

    tau = 1 / (1 - case.config.decay)
    neurons = [
        LIFNode(tau=tau, decay_input=False, v_threshold=beta / alpha, v_reset=0.0) for alpha, beta in _scales(case)
    ]
    return _stacked(case, raster, neurons, lambda synapses, cells: STDPLearner("s", synapses, cells, 2.0, 2.0))


def bindsnet(case: Case, raster: Tensor) -> Walk:
    from bindsnet.learning import PostPre
    from bindsnet.network import Network
    from bindsnet.network.nodes import Input, LIFNodes
    from bindsnet.network.topology import Connection

    network = Network(dt=1.0)
    below: Any = Input(raster.shape[1], traces=True)
    network.add_layer(below, "0")
    for i, (w, (alpha, beta)) in enumerate(zip(case.weights, _scales(case), strict=True)):
        decay = -1 / math.log(case.config.decay)
        layer = LIFNodes(len(w), traces=True, thresh=beta / alpha, rest=0.0, reset=0.0, refrac=0, tc_decay=decay)
        network.add_layer(layer, str(i + 1))
        synapses = Connection(below, layer, w=w.T.clone(), update_rule=PostPre, nu=(case.config.dec, case.config.inc))
        network.add_connection(synapses, str(i), str(i + 1))
        below = layer
    spikes = raster.float()[:, None]  # (steps, 1, inputs)
    return lambda: network.run({"0": spikes}, time=len(raster))


def norse(case: Case, raster: Tensor) -> Walk:
    from norse.torch.functional.lif import LIFFeedForwardState, LIFParameters, lif_feed_forward_step
    from norse.torch.functional.stdp import STDPParameters, STDPState, stdp_step_linear

    leak = torch.tensor(1000 * (1 - case.config.decay))
    rules = [LIFParameters(tau_mem_inv=leak, v_th=torch.tensor(beta / alpha)) for alpha, beta in _scales(case)]
    learning = STDPParameters(w_min=-1.0, eta_plus=case.config.inc, eta_minus=case.config.dec)

    @torch.no_grad()
    def walk() -> None:
        weights = [w.clone() for w in case.weights]
        states = [LIFFeedForwardState(torch.zeros(1, len(w)), torch.zeros(1, len(w))) for w in weights]
        traces = [STDPState(torch.zeros(1, w.shape[1]), torch.zeros(1, len(w))) for w in weights]
        for row in raster.float():
            spikes = row[None]
            for i, w in enumerate(weights):
                fired, states[i] = lif_feed_forward_step(spikes @ w.T, states[i], rules[i])
                weights[i], traces[i] = stdp_step_linear(spikes, fired, w, traces[i], learning)
                spikes = fired

    return walk


PEERS: dict[str, Callable[[Case, Tensor], Walk]] = {
    "brian2": brian,
    "snntorch": snntorch,
    "spikingjelly": spikingjelly,
    "bindsnet": bindsnet,
    "norse": norse,
}


def _scales(case: Case) -> list[tuple[float, float]]:
    """Return gain and threshold of every layer."""
    alpha, beta = (case.config.per_layer(name, len(case.weights)) for name in ("alpha", "beta"))
    return list(zip(alpha, beta, strict=True))


def _stacked(case: Case, raster: Tensor, neurons: list[Any], learner: Callable[[nn.Linear, Any], Any]) -> Walk:
    """Return a walk through linear layers and neurons, whose learners return the change of their weights."""
    layers = [nn.Linear(w.shape[1], len(w), bias=False) for w in case.weights]
    for layer, w in zip(layers, case.weights, strict=True):
        layer.weight.data = w.clone()
    learners = [learner(layer, cells) for layer, cells in zip(layers, neurons, strict=True)]

    @torch.no_grad()
    def walk() -> None:
        for row in raster.float():
            spikes = row[None]
            for layer, cells, learned in zip(layers, neurons, learners, strict=True):
                spikes = cells(layer(spikes))
                layer.weight += learned.step(on_grad=False)

    return walk


def measure(
    case: Case, peers: Mapping[str, Callable[[Case, Tensor], Walk]] = PEERS, *, repeats: int = 7, steps: int = STEPS
) -> dict[str, Any]:
    """Measure the peers that can be imported, in turns with `event`; return the report as plain data.

    steps: of a peer in a round; of `event` a whole sleep is timed, noise included. Times are medians on one thread.
    Raises ValueError for a number below 1.
    """
    if min(repeats, steps) < 1:
        raise ValueError(f"repeats = {repeats}, steps = {steps}: allowed are whole numbers >= 1")
    load, raster = os.getloadavg(), torch.from_numpy(case.stimulus().dense()[:steps])
    rounds: dict[str, list[float]] = {"event": []}
    walks: dict[str, Walk] = {}
    missing: dict[str, str] = {}
    with training.reproducible(0):
        time_event(case)  # loads compiled code
        for name, build in peers.items():
            try:
                walks[name] = build(case, raster)
            except ImportError as error:
                missing[name] = str(error)
            else:
                walks[name]()
                rounds[name] = []
        for _ in range(repeats):
            rounds["event"].append(1e6 * time_event(case) / case.config.steps)
            for name, walk in walks.items():
                start = time.perf_counter()
                walk()
                rounds[name].append(1e6 * (time.perf_counter() - start) / len(raster))
    medians = {name: statistics.median(values) for name, values in rounds.items()}
    return {
        **header(case, load),
        "processor": provenance.device(),
        "peers": {name: version(name) for name in walks},
        "missing": missing,
        "steps_timed": {name: case.config.steps if name == "event" else len(raster) for name in rounds},
        "rounds": rounds,
        "microseconds_per_step": medians,
        "ratios": {name: median / medians["event"] for name, median in medians.items() if name != "event"},
    }


def main(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 7,
    file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report there too.")] = None,
) -> None:
    """Time a step of other simulators beside one of the CPU kernel.

    Example: `python -m benchmarks.peers --json data/benchmarks/peers.json`
    """
    report = measure(standard_case(), repeats=repeats)
    if file:
        file.write_text(json.dumps(report, indent=2) + "\n")
    table = Table("", "version", "µs a step (median)", "ratio to event")
    for name, median in report["microseconds_per_step"].items():
        ratio = report["ratios"].get(name)
        table.add_row(name, report["peers"].get(name, ""), f"{median:,.1f}", "" if ratio is None else f"{ratio:,.0f}")
    Console().print(table)
    for name, reason in report["missing"].items():
        Console().print(f"{name} is missing: {reason}")


if __name__ == "__main__":
    typer.run(main)
