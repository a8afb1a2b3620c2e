"""What a sleep changes in a network of nine pixels, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from srclib.data import patches as draw
from srclib.experiments import grid
from srclib.verdicts.patches import MEASURES, Slept, measure

from .. import made_up

# All four images share pixel 0; each has one of its own, 1 to 4; task 1 shares pixel 5, images 0 and 2 pixel 6. 7 and 8
# are in none.
IMAGES = np.zeros((4, 9))
IMAGES[:, 0] = 1
IMAGES[range(4), [1, 2, 3, 4]] = 1
IMAGES[:2, 5] = 1
IMAGES[[0, 2], 6] = 1


def slept(**changes: float) -> Slept:
    """Return a network whose weights were 1 before; each change, named by neuron and pixel, adds to one of them."""
    before = np.ones((4, 9))
    after = before.copy()
    for place, change in changes.items():
        after[int(place[1]), int(place[3])] += change
    return Slept(before, after, IMAGES)


def test_pixels_by_the_images_that_they_are_on_in() -> None:
    kinds = {kind: np.flatnonzero(on).tolist() for kind, on in slept().pixels.items()}
    assert kinds == {"unique to T1": [1, 2, 5], "unique to T2": [3, 4], "overlapping": [0]}


def test_groups_of_weights() -> None:
    """A mean over two neurons and the pixels of a kind."""
    groups = slept(n0p0=1.0, n2p1=-3.0, n3p5=-3.0, n1p3=2.0).groups()
    assert groups == {
        ("T1", "unique to T1"): 0, ("T1", "unique to T2"): 0.5, ("T1", "overlapping"): 0.5,
        ("T2", "unique to T1"): -1, ("T2", "unique to T2"): 0, ("T2", "overlapping"): 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "net", "expected"),
    [
        ("own_input_change", slept(), 0),
        ("own_input_change", slept(n0p1=0.5, n0p6=0.25, n0p2=9.0, n1p1=9.0), 0.75),  # pixel 2 is off in image 0
        ("other_input_change", slept(n2p1=-0.5, n3p1=-0.25), -0.25),  # the larger one, of neuron 3
        ("other_input_change", slept(n2p1=-0.5), 0),  # that of neuron 3 is as it was
        ("other_input_change", slept(n2p0=2.0, n0p0=-5.0), 2),
        ("task1_pixels_to_task2_neurons", slept(), 1),
        ("task1_pixels_to_task2_neurons", slept(n2p1=-6.0, n3p2=-6.0, n3p0=99.0), -1),
        ("share_of_other_groups_that_stay", slept(n2p1=-6.0), 1),
        ("share_of_other_groups_that_stay", slept(n2p1=-6.0, n0p0=0.4, n3p0=0.1), 0.8),  # 0.2 of 1, and 0.05
        ("share_of_other_groups_that_stay", slept(n2p1=-6.0, n1p0=-0.4, n3p3=-4.0), 0.6),
        ("share_of_task1_weights_that_change", slept(n2p1=-6.0, n3p2=1.0), 0),
        ("share_of_task1_weights_that_change", slept(n0p7=1e-9, n1p0=1.0, n1p1=-1.0), 3 / 18),
    ],
)
def test_a_measure(name: str, net: Slept, expected: float) -> None:
    assert MEASURES[name](net) == pytest.approx(expected)


def test_weights_are_those_around_the_last_sleep() -> None:
    """Before it all are 1, after it those of image 0 to its own neuron are 2."""
    (cell, *_) = grid.grid("fig1_weights", runs=["src"], seeds=1)
    assert cell.overlap is not None
    image = draw(cell.overlap, cell.seed)[0].x_test[0].double().numpy()
    zero, before, after = (np.full((4, 100), value) for value in (0.0, 1.0, 1.0))
    after[0] += image
    phases = [
        made_up.phase(kind, task, 0.5, weights=[weights.tolist()])
        for kind, task, weights in (("training", 0, zero), ("training", 1, before), ("sleep", 1, after))
    ]
    record = made_up.record(cell, *phases)
    assert measure("own_input_change", cell, record) == image.sum()
    assert measure("share_of_task1_weights_that_change", cell, record) == image.sum() / 200
    with pytest.raises(ValueError, match=r"at = 'input': allowed is one of own_input_change, "):
        measure("input", cell, record)
