"""Measures: what a run that ended with a sleep tells about that sleep, beside its accuracies.

A measure is a function of a `Subject` and returns plain data, small enough to be stored with the result of the run.
"Before" and "after" are before and after the last sleep. No code for Figs. 5 and 6 was released; where the paper's
text leaves a choice open, the choice is told here.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from ..data.streams import Task
from ..learning.methods.sleep import mean_of
from ..learning.spiking import IntegrateAndFire
from ..learning.training import predict
from ..sleep import SleepConfig, SleepWarning, layer_scales, linear_layers, run_layers, set_weights, settle
from ..sleep.stimulus import InputSpikes
from . import analysis
from .analysis import READINGS, average, compare, cosine, minus, number, specific, spread

PASSED = 50  # test images of each class that are passed through the spiking network
EVENTS = 3_000  # spikes of a layer that are kept
CHECKPOINTS = 24  # in the course of a sleep
TESTED = 100  # test images of each class that are recognised at a checkpoint


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A run that ended with a sleep. Weights are (out, in) for each layer, first layer first."""

    model: nn.Sequential  # the network; its present weights do not matter
    tasks: Sequence[Task]
    initial: list[Tensor]  # weights before all training
    phases: Mapping[str, list[Tensor]]  # weights after every phase, in order, such as "training 1" or "sleep 2"
    config: SleepConfig  # of the last sleep, without the layer scales
    inputs: Tensor  # (n, inputs), what the mean input and the layer scales of that sleep are computed on
    seed: tuple[int, ...]  # of the noise of that sleep
    alone: Callable[[int], list[Tensor]]  # weights of a network with the same start that learned this task only

    @property
    def before(self) -> list[Tensor]:
        return list(self.phases.values())[-2]

    @property
    def after(self) -> list[Tensor]:
        return list(self.phases.values())[-1]

    @property
    def classes(self) -> list[int]:
        """Return the classes in the order they were learned."""
        return [c for task in self.tasks for c in task.classes]

    def network(self, weights: Sequence[Tensor]) -> nn.Sequential:
        """Return a network with these weights."""
        model = copy.deepcopy(self.model)
        set_weights(linear_layers(model), weights)
        return model

    def asleep(self, weights: Sequence[Tensor]) -> SleepConfig:
        """Return how a network with these weights sleeps, layer scales included."""
        return self.config.scaled(layer_scales(list(self.network(weights)), self.inputs))

    def images(self, most: int | None = None) -> dict[int, Tensor]:
        """Return the test images of every class, (n, inputs) each, the first `most` of them."""
        return {c: task.x_test[task.y_test == c][:most] for task in self.tasks for c in task.classes}

    def noise(self, drive: str) -> InputSpikes:
        """Return input spikes for the last sleep: driven by the "mean" input, or by completely "random" input.

        In the latter every input has the same mean, the average of the mean input. The paper's text gives no rate.
        """
        return self.config.noise(mean_of(self.inputs, drive).numpy(), self.seed)

    @cached_property
    def responses(self) -> dict[str, list[Tensor]]:
        """Return the mean spike counts of hidden neurons for the images of every class, (classes, out) per layer.

        For the weights `initial`, `before` and `after`, each converted for sleep as it stands.
        """
        found = {}
        for when, weights in (("initial", self.initial), ("before", self.before), ("after", self.after)):
            config, generator = self.asleep(weights), torch.Generator().manual_seed(self.seed[0])
            each = [analysis.responses(weights, x, config, generator) for x in self.images(PASSED).values()]
            found[when] = [torch.stack(layer) for layer in zip(*each, strict=True)][:-1]
        return found

    def by_task(self, counts: Tensor) -> Tensor:
        """Return the mean over the classes of every task, (tasks, neurons), of counts (classes, neurons)."""
        return torch.stack([part.mean(0) for part in counts.split([len(task.classes) for task in self.tasks])])


def find(name: str) -> Callable[[Subject], Any]:
    """Return a measure by its name; ValueError if there is none."""
    if name not in MEASURES:
        raise ValueError(f"measure {name!r} is unknown: allowed is one of {', '.join(MEASURES)}")
    return MEASURES[name]


def correlations(subject: Subject) -> dict[str, Any]:
    """Correlate the activity of the hidden layers between all test images, class by class (Fig. 4).

    Returns what `analysis.class_correlations` does for every hidden layer, `before` and `after`, and for both with the
    suffix `_dropout`: with dropout left on, as in the released code.
    """
    images = subject.images()
    x, sizes = torch.cat(list(images.values())), [len(part) for part in images.values()]
    found: dict[str, Any] = {"classes": subject.classes}
    for when, weights in (("before", subject.before), ("after", subject.after)):
        model = subject.network(weights)
        for suffix in ("", "_dropout"):
            _, active = analysis.forward(model, x, dropout=bool(suffix))
            found[when + suffix] = [
                analysis.class_correlations(layer.split(sizes), histogram=not suffix) for layer in active[:-1]
            ]
    return found


def sparseness(subject: Subject) -> dict[str, Any]:
    """Say how sparse the hidden layers' activity is awake (supplement, Fig. 9).

    Returns for the `initial` weights, those `before` and those `after` the sleep: `layers`, for every hidden layer and
    class what `analysis.sparseness` does for its test images; `mean`, the Treves-Rolls sparseness of every hidden
    layer, the mean over classes.
    """
    found: dict[str, Any] = {"classes": subject.classes}
    for when, weights in (("initial", subject.initial), ("before", subject.before), ("after", subject.after)):
        each = [analysis.forward(subject.network(weights), x)[1][:-1] for x in subject.images().values()]
        layers = [[analysis.sparseness(active) for active in layer] for layer in zip(*each, strict=True)]
        means = [average([c["treves_rolls"] for c in layer if c["treves_rolls"] is not None]) for layer in layers]
        found[when] = {"layers": layers, "mean": means}
    return found


def received(subject: Subject) -> dict[str, Any]:
    """Compare what task-specific neurons receive before and after the sleep, awake (Fig. 5).

    Returns one entry per reading and hidden layer: `shared`, the neurons specific to all tasks; `tasks`, one entry per
    task; `difference`, the change of the last task's neurons minus that of the first, and its `test`. A task's entry
    holds the number of its `neurons`, what they receive from the task's own test images `before` and `after` and the
    `change` (means over neurons and images), its value for every neuron (`changes`), and the change with the images of
    the other tasks (`change_other`).

    "active" and "preferring" (see `analysis.specific`) are read from the network before the sleep, as the text says;
    "after" is "active", read from the network after it.
    """
    models = {when: subject.network(w) for when, w in (("before", subject.before), ("after", subject.after))}
    mean = {  # [when][task][layer] (out,)
        when: [[layer.mean(0) for layer in analysis.forward(model, task.x_test)[0]] for task in subject.tasks]
        for when, model in models.items()
    }
    found: dict[str, Any] = {}
    for reading in (*READINGS, "after"):
        found[reading] = []
        for layer, counts in enumerate(subject.responses["after" if reading == "after" else "before"]):
            change = [new[layer] - old[layer] for old, new in zip(mean["before"], mean["after"], strict=True)]
            sets = specific(subject.by_task(counts), "active" if reading == "after" else reading)
            entries = [
                {
                    "neurons": len(neurons),
                    "before": average(mean["before"][task][layer][neurons]),
                    "after": average(mean["after"][task][layer][neurons]),
                    "change": average(change[task][neurons]),
                    "change_other": average([average(c[neurons]) for t, c in enumerate(change) if t != task]),
                    "changes": [number(v) for v in change[task][neurons]],
                }
                for task, neurons in enumerate(sets)
            ]
            test = compare(change[-1][sets[-1]].tolist(), change[0][sets[0]].tolist())
            shared = len(set.intersection(*(set(neurons.tolist()) for neurons in sets)))
            found[reading].append({"shared": shared, "tasks": entries, "difference": test["difference"], "test": test})
    return found


def replay(subject: Subject) -> dict[str, Any]:
    """Let the network sleep again and compare the firing of class-specific neurons with a random subset (Fig. 6).

    Three sleeps from the weights before the last one, learning as that did: `random`, driven by completely random
    input; `mean`, driven as the last sleep; `untrained`, as `random` with the initial weights. Returns for each one
    entry per hidden layer, see `firing`; for the trained network also `events`, step and neuron of the first `EVENTS`
    spikes. `neurons` are the specific ones by reading, hidden layer and class, `subset` the random ones by layer;
    `inputs_per_step` is the mean number of input spikes.
    """
    generator = torch.Generator().manual_seed(subject.seed[0])
    awake = subject.responses
    subsets = [torch.randperm(c.shape[1], generator=generator)[: analysis.NEURONS] for c in awake["before"]]
    found: dict[str, Any] = {
        "inputs_per_step": {drive: number(np.diff(subject.noise(drive).start).mean()) for drive in ("random", "mean")},
        "subset": [subset.tolist() for subset in subsets],
        "neurons": {r: [[n.tolist() for n in specific(c, r)] for c in awake["before"]] for r in READINGS},
    }
    for name in ("random", "mean", "untrained"):
        weights = subject.initial if name == "untrained" else subject.before
        noise = subject.noise("mean" if name == "mean" else "random")
        record = run_layers(weights, noise, subject.asleep(weights), record=True, progress=False)
        rates = record.rates(subject.config.dt)
        found[name] = []
        for layer, counts in enumerate(awake["initial" if name == "untrained" else "before"]):
            entry = firing(rates[layer], counts, subsets[layer], len(subject.tasks[-1].classes))
            if record.spikes is not None and name != "untrained":
                entry["events"] = _events(record.spikes[layer], record.batch)
            found[name].append({"spikes": int(record.spike_counts[layer].sum()), **entry})
    return found


def _events(spikes: Tensor, batch: int = 1) -> dict[str, list[int]]:
    """Return the first `EVENTS` spikes of a raster (steps * batch, neurons), in time: their steps and neurons."""
    rows, neurons = spikes.nonzero()[:EVENTS].T
    return {"steps": (rows // batch).tolist(), "neurons": neurons.tolist()}


def firing(rates: Tensor, counts: Tensor, subset: Tensor, last: int) -> dict[str, Any]:
    """Compare the firing asleep of neurons specific to classes with that of a random subset of the layer.

    rates: (neurons,) in Hz, asleep. counts: (classes, neurons), spike counts awake. subset: the random neurons. last:
    how many classes, at the end, belong to the last task.

    Returns `rank_correlation` of a neuron's rate asleep with its mean count awake, `rate_subset` (mean and standard
    deviation over neurons) and by reading: `rates` of every class's neurons, likewise; `subset`, each class's neurons
    compared with the subset; `subset_all`, all of them together; `tasks`, those of the last task with all others.
    """
    base = rates[subset].tolist()
    varied = bool(rates.max() > rates.min()) and bool(counts.max() > counts.min())
    entry: dict[str, Any] = {
        "rank_correlation": number(stats.spearmanr(counts.mean(0), rates).statistic) if varied else None,
        "rate_subset": [average(base), spread(base)],
    }
    for reading in READINGS:
        groups = [rates[neurons].tolist() for neurons in specific(counts, reading)]
        earlier, later = ([*chain(*part)] for part in (groups[:-last], groups[-last:]))
        entry[reading] = {
            "rates": [[average(group), spread(group)] for group in groups],
            "subset": [compare(group, base) for group in groups],
            "subset_all": compare(earlier + later, base),
            "tasks": compare(later, earlier),
        }
    return entry


def course(subject: Subject) -> dict[str, Any]:
    """Follow the last sleep, and the same sleep driven by completely random input, step by step.

    Returns for `mean` and `random` input after each of `steps`: `accuracy` on the first `TESTED` test images of every
    class, `spikes` and `changed` synapses so far, of every layer.
    """
    images, config = subject.images(TESTED), subject.asleep(subject.before)
    x, y = torch.cat(list(images.values())), torch.cat([torch.full((len(x),), c) for c, x in images.items()])
    steps = [0, *sorted({round(s) for s in np.geomspace(1, config.steps, CHECKPOINTS)})]
    found: dict[str, Any] = {"steps": steps, "classes": subject.classes}
    for drive in ("mean", "random"):
        noise = subject.noise(drive)
        found[drive] = {"accuracy": [], "spikes": [], "changed": []}
        for step in steps:
            weights, spikes = subject.before, [0] * len(subject.before)
            if step:
                rows = step * config.batch
                part = InputSpikes(noise.start[: rows + 1], noise.indices[: noise.start[rows]], noise.inputs)
                record = run_layers(weights, part, config, progress=False)
                weights, spikes = record.weights, [int(count.sum()) for count in record.spike_counts]
            _, active = analysis.forward(subject.network(weights), x)
            right = (active[-1].argmax(1) == y).double()
            found[drive]["accuracy"].append([average(right[y == c]) for c in images])
            found[drive]["spikes"].append(spikes)
            changed = [int((w != b).sum()) for w, b in zip(weights, subject.before, strict=True)]
            found[drive]["changed"].append(changed)
    return found


def synapses(subject: Subject) -> dict[str, Any]:
    """Say what the sleep does to the weights, and how near they are to what each task alone would have made of them.

    Returns `layers`, what `analysis.changes` says of each. `cosine`: for every phase and task, of all weights with
    those of a network with the same start that learned one task only; `cosine_of_change`: the same for the changes
    since that start, which leaves out what all have in common. `blocks`: for every layer but the first the mean weight
    before and after from the neurons below that prefer a task to those that prefer one, (tasks below, tasks above); an
    output unit belongs to the task of its class (as in Fig. 1D).
    """
    alone = [subject.alone(task) for task in range(len(subject.tasks))]
    since = [minus(solution, subject.initial) for solution in alone]
    groups = [specific(subject.by_task(counts), "preferring") for counts in subject.responses["before"]]
    groups.append([torch.tensor(task.classes) for task in subject.tasks])
    layers = list(zip(subject.before, subject.after, strict=True))
    return {
        "layers": [analysis.changes(old, new) for old, new in layers],
        "cosine": {
            name: [cosine(w, solution) for solution in alone]
            for name, w in {"initial": subject.initial, **subject.phases}.items()
        },
        "cosine_of_change": {
            name: [cosine(minus(w, subject.initial), change) for change in since] for name, w in subject.phases.items()
        },
        "blocks": [
            {
                when: [[average(w[above][:, below].flatten()) for above in to] for below in of]
                for when, w in zip(("before", "after"), pair, strict=True)
            }
            for of, to, pair in zip(groups[:-1], groups[1:], layers[1:], strict=True)
        ],
    }


@torch.no_grad()
def rasters(subject: Subject) -> dict[str, Any]:
    """Tell which neuron fires in which step, awake and asleep, before the weights change for good.

    Returns by layer the steps and neurons of the first `EVENTS` spikes: `asleep` in the last sleep, and `awake`, for a
    network whose neurons spike awake, by class for the first test image of each.
    """
    awake: dict[str, list[Any]] = {}
    for label, x in subject.images(1).items():
        awake[str(label)] = []
        for layer in subject.network(subject.before).eval():
            x = layer(x)
            if isinstance(layer, IntegrateAndFire):
                awake[str(label)].append(_events(x[0].bool()))
    noise, config = subject.noise("mean"), subject.asleep(subject.before)
    record = run_layers(subject.before, noise, config, record=True, progress=False)
    return {"awake": awake, "asleep": [_events(spikes, record.batch) for spikes in record.spikes or []]}


@torch.no_grad()
def agreement(subject: Subject) -> list[dict[str, Any]]:
    """Compare every sleep with its closed form (`srclib.sleep.settle`) at the same moment of the same network.

    The closed form has the mean of all training images of the tasks so far. Returns for every sleep its `task`; the
    share of test images of these tasks of which both make the `same`, and `sleep` and `closed_form`, their accuracies;
    and `layers`, for every hidden layer: the correlation of both changes, of `neurons` (means over their weights) and
    of single `weights`; the `size` of the sleep's, as a multiple of the other; and which share of all that the sleep
    changes falls on neurons that the mean input excites (`excited`), and on `negative` weights.
    """
    found = []
    for name, after in subject.phases.items():
        kind, number_of = name.split()
        if kind != "sleep":
            continue
        tasks = subject.tasks[: int(number_of)]
        before = subject.phases[f"training {number_of}"]
        model = subject.network(before)
        with warnings.catch_warnings(action="ignore", category=SleepWarning):  # of neurons that cannot be silenced
            settle(model, mean_of(torch.cat([task.x_train for task in tasks])))
        settled = [w.detach() for w in model.parameters()]
        x, y = torch.cat([task.x_test for task in tasks]), torch.cat([task.y_test for task in tasks])
        slept_says, settled_says = (predict(subject.network(w), x) for w in (after, settled))
        found.append(
            {
                "task": int(number_of) - 1,
                "same": number((slept_says == settled_says).double().mean()),
                "sleep": number((slept_says == y).double().mean()),
                "closed_form": number((settled_says == y).double().mean()),
                "layers": [
                    analysis.agreement(*weights) for weights in list(zip(before, after, settled, strict=True))[:-1]
                ],
            }
        )
    return found


MEASURES: dict[str, Callable[[Subject], Any]] = {
    "correlations": correlations,
    "sparseness": sparseness,
    "received": received,
    "replay": replay,
    "course": course,
    "synapses": synapses,
    "rasters": rasters,
    "agreement": agreement,
}
