"""The plugin for Avalanche, against sleeping by hand; where Avalanche is not installed, nothing is tested."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

pytest.importorskip("avalanche")

from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.utils import as_classification_dataset
from avalanche.training import Naive

from srclib.data.streams import patches
from srclib.learning.training import reproducible
from srclib.sleep import SleepConfig, sleep

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from avalanche_sleep import SleepPlugin

NIGHT = SleepConfig(alpha=4.25, beta=1.045, inc=0.0035, dec=0.0002, decay=0.999, gate=0.001, rate=64, steps=2000)
TASKS = patches(overlap=12, seed=0)


def learned(model: nn.Module, *plugins: SleepPlugin, experiences: int = 2, epochs: int = 3) -> nn.Module:
    """Train a model on the patches in Avalanche, one batch an epoch."""
    sets = []
    for task in TASKS[:experiences]:
        data: Any = TensorDataset(task.x_train.view(-1, 1, 10, 10), task.y_train)
        data.targets = task.y_train.tolist()
        sets.append(as_classification_dataset(data))
    learner = Naive(
        model=model, optimizer=torch.optim.SGD(model.parameters(), lr=0.05), criterion=nn.CrossEntropyLoss(),
        train_mb_size=2, train_epochs=epochs, plugins=list(plugins), evaluator=None,
    )  # fmt: skip
    for experience in benchmark_from_datasets(train=sets).train_stream:
        learner.train(experience)
    return model


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(100, 4, bias=False))


def only_linear(model: nn.Sequential) -> list[nn.Linear]:
    return [model[1]]


def test_it_sleeps_with_the_mean_of_all_images_after_the_second_experience() -> None:
    with reproducible(0):
        slept = learned(network(), SleepPlugin(NIGHT, only_linear, seed=7))
    with reproducible(0):
        by_hand = learned(network())
    x = torch.cat([task.x_train for task in TASKS])
    before = by_hand[1].weight.clone()
    record = sleep(only_linear(by_hand), x.mean(0), NIGHT, scale_inputs=TASKS[1].x_train, seed=(7, 1))
    assert int(record.spike_counts[0].sum()) > 0
    assert not torch.equal(by_hand[1].weight, before)
    torch.testing.assert_close(slept[1].weight, by_hand[1].weight, rtol=0, atol=1e-6)


def test_there_is_no_sleep_after_the_first_experience() -> None:
    with reproducible(0):
        slept = learned(network(), SleepPlugin(NIGHT, only_linear), experiences=1)
    with reproducible(0):
        plain = learned(network(), experiences=1)
    assert torch.equal(slept[1].weight, plain[1].weight)


def test_a_model_that_cannot_sleep_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed are Linear"):
        learned(network(), SleepPlugin(NIGHT))
