"""Sleep behind Avalanche: a plugin that lets a network sleep after every experience.

pip install torch==2.14.1 torchvision==0.29.1 avalanche-lib==0.6.0
python examples/avalanche_sleep.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.utils import as_classification_dataset
from avalanche.training import Naive
from avalanche.training.plugins import SupervisedPlugin
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from srclib.data import class_incremental, load
from srclib.sleep import SleepConfig, sleep

SAMPLE = 1_000  # images of an experience that set the gain of the layers


class SleepPlugin(SupervisedPlugin):
    """Sleep Replay Consolidation after every experience but the first. All that it keeps of the past is the mean input.

    config: the settings of a sleep. linears: given the model, the layers that sleep, as `srclib.sleep.sleep` takes
    them; their inputs are the images as flat vectors in [0, 1]. seed: of the noise.
    """

    def __init__(
        self,
        config: SleepConfig,
        linears: Callable[[Any], nn.Module | Sequence[nn.Linear]] = lambda model: model,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.config, self.linears, self.seed = config, linears, seed
        self.total: Tensor | float = 0.0  # (inputs,), sum over all images so far
        self.images = self.nights = 0
        self.sample: list[Tensor] = []

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        self.sample = []

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_epochs == 0:  # every image once
            x = strategy.mb_x.flatten(1)
            self.total = self.total + x.sum(0, dtype=torch.float64)
            self.images += len(x)
            if sum(map(len, self.sample)) < SAMPLE:
                self.sample.append(x.clone())

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        if self.nights:
            mean, inputs = self.total / self.images, torch.cat(self.sample)[:SAMPLE]
            layers = self.linears(strategy.model)
            sleep(layers, mean, self.config, scale_inputs=inputs, seed=(self.seed, self.nights), progress=False)
        self.nights += 1


def main() -> None:
    torch.manual_seed(1)
    tasks = class_incremental(load("mnist"), range(5))[:2]  # 0 and 1, then 2 and 3
    experiences = []
    for task in tasks:
        data: Any = TensorDataset(task.x_train, task.y_train)
        data.targets = task.y_train.tolist()  # Avalanche reads labels here
        experiences.append(as_classification_dataset(data))
    net = nn.Sequential(
        nn.Linear(784, 400, bias=False), nn.ReLU(), nn.Linear(400, 400, bias=False), nn.ReLU(),
        nn.Linear(400, 10, bias=False),
    )  # fmt: skip
    night = SleepConfig(  # found by own_network.py
        alpha=1.0, beta=(0.0264, 0.0353, 0.00303), inc=1.12e-05, dec=3.70e-05, steps=24_234, rate=43.6
    )
    learner = Naive(
        model=net,
        optimizer=torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=100,
        plugins=[SleepPlugin(night)],
        evaluator=None,
    )
    for experience in benchmark_from_datasets(train=experiences).train_stream:
        learner.train(experience)
    net.eval()
    for task in tasks:
        right = (net(task.x_test).argmax(1) == task.y_test).float().mean()
        print(f"digits {task.classes}: {right:.0%}")


if __name__ == "__main__":
    main()
