"""Fleets: that a network in one does what it does alone, wherever nothing is drawn at random."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch

from srclib.experiments import run
from srclib.experiments.cell import Cell
from srclib.experiments.protocols.sleep import Section
from srclib.learning.training import AwakeConfig, reproducible
from srclib.search import fleet
from srclib.sleep import SleepConfig

IMAGES = 200
DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()


def certain(seed: int, **changes: Any) -> Cell:
    """Return a run in which nothing is left to chance: one batch a task, no dropout, inputs that fire in every step."""
    awake = AwakeConfig(
        layers=(784, 30, 20, 10), init=0.1, loss="softmax_ce", epochs=40, batch=IMAGES, lr=0.05, momentum=0.5,
        dropout=0.0, dropout_scaling="train", images_per_task=IMAGES,
    )  # fmt: skip
    config = SleepConfig(
        alpha=1.0, beta=(0.3, 0.2, 0.1), inc=2e-4, dec=1e-4, decay=0.9, gate=0.01, rate=1e9, steps=20, batch=2
    )
    night = Section(config=config, steps=(0, 10, 20), statistics="trained", growth=1.5).sleep(5)
    cell = Cell(
        dataset="mnist", awake=replace(awake, **changes), classes_per_task=2, plugins=(night,), order=(3, 1, 0, 4, 2),
        seed=seed, held_out=300,
    )  # fmt: skip
    return cell


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("loss", "tasks"), [("softmax_ce", None), ("relu_mse", 3)])
def test_networks_end_as_they_do_alone(
    device: str, loss: str, tasks: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "_precision", nullcontext)
    scaling = {"dropout_scaling": "test"} if loss == "relu_mse" else {}
    cells = [certain(1, loss=loss, **scaling), certain(2, loss=loss, lr=0.03, **scaling)]
    cells = [replace(cells[0], tasks=tasks), replace(cells[1], tasks=tasks, order=(0, 4, 2, 1, 3))]
    fleets = fleet.Fleet(cells, 0, torch.device(device))
    for task in range(tasks or 5):
        fleets.learn(task)
        fleets.sleep(task)
    for number, cell in enumerate(cells):
        with reproducible(cell.seed):
            runner = run.Runner(cell)
            metrics = runner.run()
        spikes = [sum(phase["spikes"]) for phase in metrics["phases"] if phase["kind"] == "sleep"]
        assert len(spikes) == (tasks or 5) - 1 and min(spikes) > 300  # else there is nothing to compare
        for ours, theirs in zip(fleets.weights, runner.state.weights(), strict=True):
            apart = (ours[number].cpu() - theirs).abs() > 2e-5
            assert apart.float().mean() < 0.02  # where a potential is at its threshold, rounding decides on a spike
        assert fleets.accuracies()[number] == pytest.approx(metrics["final"], abs=2 / (300 * (tasks or 5)))


def test_first_weights_are_those_of_a_run() -> None:
    cells = [certain(1), certain(2, init=0.2)]
    ours = fleet.Fleet(cells, 0, torch.device("cpu")).weights
    for number, cell in enumerate(cells):
        with reproducible(cell.seed):
            theirs = run.Runner(cell).state.weights()
        for mine, own in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine[number], own)


def test_streams_see_their_own_window() -> None:
    cell = certain(1)
    config = replace(cell.plugins[0].nights[1], window=5, batch=50)  # type: ignore[attr-defined]
    found = fleet.Fleet([cell], 0, torch.device("cpu"))._noise(torch.ones(1, 784), config)[0].view(50, 28, 28)
    assert (found.sum((1, 2)) == 25).all()
    assert (found.any(2).sum(1) == 5).all() and (found.any(1).sum(1) == 5).all()
    assert len({tuple(image.flatten().tolist()) for image in found}) > 40


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ([replace(certain(1), plugins=())], "takes a sleep and no other method"),
        ([replace(certain(1), held_out=0)], "cells with held-out images"),
        ([certain(1), certain(2, epochs=3)], "agree in all but seed, order, init"),
        ([certain(1), replace(certain(1), plugins=(replace(certain(1).plugins[0], statistics="pool"),))], "plain ones"),
        ([certain(1, spiking=5)], "takes rectified units"),
        ([], "cells is empty"),
    ],
)
def test_what_a_fleet_cannot_do_is_an_error(changed: list[Cell], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fleet.finals(changed, device="cpu")
