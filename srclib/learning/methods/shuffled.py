"""A control of the methods that change weights between tasks: the same change, in the wrong place.

With D (out, in) what a sleep, or its closed form, changed in the weights of a hidden layer after a task,

    neurons   every neuron gets the change of another neuron of its layer: D <- P D, P a random permutation
    inputs    every neuron keeps the changes of its weights, and so of their sum, but they go to random inputs of it

The output layer keeps its change. "neurons" asks whether it matters who fired; "inputs", whether it matters on which
weights the change falls. Nothing is kept of the past, and nothing is searched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .plugin import Method, Plugin, Run

AMONG = ("neurons", "inputs")


@dataclass(frozen=True)
class Shuffled(Plugin):
    among: str = "neurons"

    def __post_init__(self) -> None:
        if self.among not in AMONG:
            raise ValueError(f"among = {self.among!r}: allowed is one of {AMONG}")

    def after_training(self, run: Run) -> None:
        run.memory[self] = [w.detach().clone() for w in run.weights()]

    @torch.no_grad()
    def after_task(self, run: Run) -> dict[str, bool]:
        rng = np.random.default_rng((run.seed, len(run.seen)))
        shuffle = among_neurons if self.among == "neurons" else among_inputs
        for w, before in list(zip(run.weights(), run.memory[self], strict=True))[:-1]:
            w.copy_(before + shuffle(w - before, rng))
        return {}


def among_neurons(change: Tensor, rng: np.random.Generator) -> Tensor:
    """Return the changes (out, in) of all neurons in another order."""
    return change[torch.from_numpy(rng.permutation(len(change)))]


def among_inputs(change: Tensor, rng: np.random.Generator) -> Tensor:
    """Return the changes (out, in) of every neuron in another order among its inputs."""
    return torch.from_numpy(rng.permuted(change.numpy(), axis=1))


METHOD = Method(name="shuffled", label="Shuffled", part="shuffled", settings=Shuffled, place=1.5)
