"""Pseudo-rehearsal (Robins, Connection Science 7:123, 1995): the network rehearses its own responses to noise.

Before a task is trained, noise is drawn from the mean input, and the network as it is responds to it. In training,
every step takes beside its batch of new images one as large of such pairs, and for t tasks seen, all this one, follows

    L = 1/t * (mean loss of the new images) + (1 - 1/t) * (mean loss of noise with the responses as targets)

with the shares of rehearsal (`rehearsal`), which the source leaves open. Its noise is uniform; `drive` random has the
same mean everywhere. Kept of the past are a copy of the network and the mean input. Nothing is searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .. import readings
from ..training import activation, classes_of
from .plugin import Examples, Method, Plugin, Run, synapses
from .sleep import DRIVES, mean_of


@dataclass(frozen=True)
class PseudoRehearsal(Plugin):
    items: int = 5_000  # of noise, for every task
    drive: str = "mean"  # the noise has the mean of every input; random: the average of these everywhere

    def __post_init__(self) -> None:
        if self.items < 1:
            raise ValueError(f"items = {self.items}: allowed is a whole number >= 1")
        if self.drive not in DRIVES:
            raise ValueError(f"drive = {self.drive!r}: allowed is one of {DRIVES}")

    def task_data(self, run: Run, data: Examples) -> Examples:
        old = run.seen[:-1]
        if not old:
            return data
        mean = mean_of(torch.cat([run.trained_on(task)[0] for task in old]), self.drive)
        drawn = torch.rand(self.items, len(mean), generator=torch.Generator().manual_seed(1_000 * run.seed + len(old)))
        noise = (drawn < mean).to(data.x.dtype)
        own = Examples(noise, activation(readings.outputs(run.model, noise), run.loss))
        return replace(data, old=_joined(data.old, own, classes_of(run.model)), share=1 / len(run.seen))

    def kept(self, layers: Sequence[int], images: int) -> int:
        return synapses(layers) + layers[0]


def _joined(old: Examples | None, own: Examples, classes: int) -> Examples:
    """Return what other methods rehearse and the noise, as one set."""
    if old is None:
        return own
    return Examples(torch.cat([old.x, own.x]), torch.cat([_targets(old.y, classes).to(own.y.dtype), own.y]))


def _targets(y: Tensor, classes: int) -> Tensor:
    return one_hot(y, classes) if y.ndim == 1 else y


METHOD = Method(
    name="pseudo_rehearsal", label="Pseudo-rehearsal", part="pseudo_rehearsal", settings=PseudoRehearsal, place=8
)
