"""The search for a sleep of one's own network, on the patches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from srclib.data.streams import patches
from srclib.learning.training import reproducible
from srclib.sleep import RunawayError, sleep
from srclib.sleep.tune import SPACE, START, tune

TASKS = patches(overlap=12, seed=0)
X, Y = torch.cat([task.x_train for task in TASKS]), torch.cat([task.y_train for task in TASKS])
SMALL = SPACE | {"steps": (100, 3000)}


def forgetful(hidden: tuple[int, ...] = ()) -> nn.Sequential:
    """Return a network that knows the last two of four images."""
    sizes = (100, *hidden, 4)
    with reproducible(0):
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.ReLU()] * bool(layers) + [nn.Linear(inputs, outputs, bias=False)]
        net = nn.Sequential(*layers)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.5)
        for task in TASKS:
            for _ in range(30):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(task.x_train), task.y_train).backward()
                optimizer.step()
    return net


def accuracy(net: nn.Module) -> Callable[[], float]:
    return lambda: float((net(X).argmax(1) == Y).double().mean())


def weights(net: nn.Sequential) -> list[Tensor]:
    return [p.detach().clone() for p in net.parameters()]


def test_what_is_found_brings_the_old_images_back() -> None:
    net = forgetful()
    before = weights(net)
    found = tune(net, X.mean(0), accuracy(net), scale_inputs=TASKS[1].x_train, space=SMALL, trials=25)
    assert all(torch.equal(w, old) for w, old in zip(weights(net), before, strict=True))
    assert (found.awake, found.score) == (0.5, 1.0)
    assert max(trial["score"] for trial in found.trials) == 1.0
    assert len(found.trials) == 25
    sleep(net, X.mean(0), found.config, scale_inputs=TASKS[1].x_train, seed=(0, 0))
    assert accuracy(net)() == 1.0


def test_the_same_seed_finds_the_same() -> None:
    net = forgetful()
    first, again = (tune(net, X.mean(0), accuracy(net), space=SMALL, trials=3, noise=1, seed=5) for _ in range(2))
    assert first.config == again.config
    assert [trial["score"] for trial in first.trials] == [trial["score"] for trial in again.trials]


def test_thresholds_are_searched_layer_by_layer_and_the_rest_stays() -> None:
    net = forgetful(hidden=(8,))
    start = replace(START, gate=0.001, inc=0.25)
    space = {"beta": (0.1, 0.2), "alpha[0]": (1.0, 2.0), "alpha[1]": (3.0, 4.0), "steps": (10, 20)}
    found = tune(net, X.mean(0), accuracy(net), start=start, space=space, trials=2, noise=1)
    assert {"score", "seconds", "beta[0]", "beta[1]", "alpha[0]", "alpha[1]", "steps"} == set(found.trials[0])
    assert isinstance(found.config.alpha, tuple)
    assert 1 <= found.config.alpha[0] <= 2 < 3 <= found.config.alpha[1] <= 4
    assert (found.config.gate, found.config.inc) == (0.001, 0.25)


def test_an_error_of_the_score_leaves_the_network_as_it_was() -> None:
    net, calls = forgetful(), iter([0.5])
    before = weights(net)
    with pytest.raises(StopIteration):
        tune(net, X.mean(0), lambda: next(calls), space=SMALL, trials=2)
    assert all(torch.equal(w, old) for w, old in zip(weights(net), before, strict=True))


def test_sleeps_that_never_end_are_an_error() -> None:
    net = forgetful()
    with pytest.raises(RunawayError, match="all of 2 sleeps made more than max_updates = 1 synaptic updates"):
        tune(net, X.mean(0), accuracy(net), start=replace(START, max_updates=1), space={"beta": (1e-6, 1e-5)}, trials=2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"space": {"speed": (1.0, 2.0)}},
            "space: 'speed' is no parameter of a sleep: allowed is one of alpha, batch, beta",
        ),
        ({"space": {"beta": (2.0, 1.0)}}, r"space: beta = \[2.0, 1.0\]: allowed are two rising numbers > 0"),
        ({"trials": 0}, "trials = 0, noise = 2: allowed are whole numbers >= 1"),
        ({"noise": 0}, "trials = 1, noise = 0: allowed are whole numbers >= 1"),
    ],
)
def test_bad_input_is_named(changes: dict[str, Any], message: str) -> None:
    net = forgetful()
    with pytest.raises(ValueError, match=message):
        tune(net, X.mean(0), accuracy(net), **{"trials": 1} | changes)
