"""What a sleep changes in a network that learned the patches: the numbers behind Fig. 1C and 1D of the paper.

The network has two output neurons for the images of task 1 (0 and 1) and two for those of task 2 (2 and 3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data import patches
from ..experiments.cell import Cell
from ..experiments.records import Record

Floats = NDArray[np.float64]
SAME = 0.1  # a group of weights stays if its mean changes by less than this fraction of the largest change


class Slept(NamedTuple):
    """A network around its last sleep."""

    before: Floats  # (4, pixels)
    after: Floats  # (4, pixels)
    images: Floats  # (4, pixels)

    @property
    def pixels(self) -> dict[str, NDArray[np.bool_]]:
        """Which pixels are of which kind, by the images that they are on in, (pixels,)."""
        on: NDArray[np.int_] = (self.images > 0).sum(axis=0)  # in how many images
        first: NDArray[np.int_] = (self.images[:2] > 0).sum(axis=0)
        return {
            "unique to T1": (first > 0) & (on == first),
            "unique to T2": (first == 0) & (on > 0),
            "overlapping": on == len(self.images),
        }

    def groups(self) -> dict[tuple[str, str], float]:
        """Return how much the mean weight of every group changed, by task of the neuron and kind of the pixel."""
        change = self.after - self.before
        tasks = {"T1": change[:2], "T2": change[2:]}
        return {(t, kind): float(w[:, on].mean()) for t, w in tasks.items() for kind, on in self.pixels.items()}


def _others_that_stay(net: Slept) -> float:
    """The share of the groups of weights, all but those from pixels of task 1 to neurons of task 2, that stay."""
    groups = net.groups()
    largest = abs(groups.pop(("T2", "unique to T1")))
    return float(np.mean([abs(change) < SAME * largest for change in groups.values()]))


MEASURES: dict[str, Callable[[Slept], float]] = {
    # the input to output neuron 0 when image 0 is shown, and the larger one of those to neurons 2 and 3
    "own_input_change": lambda net: float((net.after[0] - net.before[0]) @ net.images[0]),
    "other_input_change": lambda net: float(
        (net.after[2:] @ net.images[0]).max() - (net.before[2:] @ net.images[0]).max()
    ),
    "task1_pixels_to_task2_neurons": lambda net: float(net.after[2:, net.pixels["unique to T1"]].mean()),
    "share_of_other_groups_that_stay": _others_that_stay,
    # only a neuron that fires changes its weights
    "share_of_task1_weights_that_change": lambda net: float((net.after[:2] != net.before[:2]).mean()),
}


def measure(name: str, cell: Cell, record: Record) -> float:
    """Return a measure by its name, one of MEASURES, of a run that kept its weights."""
    if name not in MEASURES:
        raise ValueError(f"at = {name!r}: allowed is one of {', '.join(MEASURES)}")
    *_, before, after = (np.array(phase["weights"][0]) for phase in record["metrics"]["phases"])
    assert cell.overlap is not None
    images = [task.x_test.numpy() for task in patches(cell.overlap, cell.seed)]
    return MEASURES[name](Slept(before, after, np.concatenate(images).astype(float)))
