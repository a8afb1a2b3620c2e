"""Record what Avalanche computes for EWC and SI on a small stream, in avalanche_penalties.npz beside this file.

    pip install torch==2.14.1 torchvision==0.29.1 avalanche-lib==0.6.0
    python tests/golden/avalanche_penalties.py

Three tasks of 12 random images and two classes each, a 6-5-6 network without biases, double precision, gradient descent
without momentum, images in their order. Avalanche's penalties are

    EWC   ewc_lambda * sum_t F_t (theta - theta_t*)^2            F_t: mean over batches of the squared mean gradient
    SI    si_lambda / 2 * min(Omega, 0.001) (theta - theta*)^2   Omega: sum over tasks of omega_t / (Delta_t^2 + eps)

F_t is the empirical Fisher information in batches of one image, so EWC is trained in these. omega_t follows the whole
gradient, that of the penalty included, and Omega is not rectified. eps is so large that the limit of 0.001 is not
reached. Weights are stored column by column because SI keeps a view of weights that lie row by row in a processor's
memory where it means a copy: all its differences of weights would be zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.utils import as_classification_dataset
from avalanche.training import EWC, SynapticIntelligence
from torch import Tensor, nn
from torch.utils.data import TensorDataset

FILE = Path(__file__).with_suffix(".npz")
PACKAGES = ("torch", "torchvision", "avalanche-lib")
TASKS, IMAGES, SIZES = 3, 12, (6, 5, 6)
LR, EPOCHS = 0.2, 4
SI_LIMIT = 0.001
CASES: dict[str, tuple[Any, dict[str, float], int]] = {  # strategy, its settings, images in a batch
    "ewc": (EWC, {"ewc_lambda": 4.0}, 1),
    "si": (SynapticIntelligence, {"si_lambda": 4096.0, "eps": 512.0}, 3),
}


def main() -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # of what Avalanche allocates, too
    torch.manual_seed(0)
    x = torch.rand(TASKS, IMAGES, SIZES[0])
    y = torch.arange(2 * TASKS).view(TASKS, 2).repeat(1, IMAGES // 2)
    start = [torch.empty(outputs, inputs).uniform_(-0.6, 0.6) for inputs, outputs in pairwise(SIZES)]
    data: dict[str, Any] = {"versions": [f"{p} {version(p)}" for p in PACKAGES], "lr": LR, "epochs": EPOCHS}
    data |= {"x": x, "y": y} | {f"W{i}_before": w for i, w in enumerate(start, 1)}
    for name, (strategy, settings, batch) in CASES.items():
        data |= settings | {f"{name}_batch": batch}
        tasks = record(strategy, settings, batch, x, y, start)
        for i, layer in enumerate(zip(*tasks, strict=True), 1):  # one pair for each task
            data[f"{name}_W{i}"], data[f"{name}_importance{i}"] = (np.stack(part) for part in zip(*layer, strict=True))
    top = max(data[f"si_importance{i}"].max() for i in (1, 2))
    assert 0 < top < SI_LIMIT, f"Omega reaches {top}: allowed is more than 0 and less than {SI_LIMIT}"
    np.savez(FILE, allow_pickle=False, **{key: np.asarray(value) for key, value in data.items()})
    print(f"{FILE.name}: {', '.join(data['versions'])}")


def record(
    strategy: Any, settings: dict[str, float], batch: int, x: Tensor, y: Tensor, start: Sequence[Tensor]
) -> list[list[tuple[Any, Any]]]:
    """Train on all tasks; return after each one, for every layer, its weights and their importance, (out, in) each."""
    model = nn.Sequential(*(nn.Linear(w.shape[1], w.shape[0], bias=False) for w in start))
    for layer, w in zip(model, start, strict=True):
        layer.weight = nn.Parameter(w.T.clone(memory_format=torch.contiguous_format).T)
    model.insert(1, nn.ReLU())
    learner = strategy(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=LR),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=batch,
        train_epochs=EPOCHS,
        evaluator=None,
        **settings,
    )
    tasks = []
    for t, experience in enumerate(benchmark_from_datasets(train=list(map(dataset, x, y))).train_stream):
        learner.train(experience, shuffle=False)
        plugin = learner.plugins[0]
        importances = plugin.importances[t] if strategy is EWC else plugin.ewc_data[1]
        layers = zip(model.parameters(), importances.values(), strict=True)
        tasks.append([(w.detach().numpy().copy(), f.data.numpy().copy().reshape(w.shape)) for w, f in layers])
    return tasks


def dataset(x: Tensor, y: Tensor) -> Any:
    images: Any = TensorDataset(x, y)
    images.targets = y.tolist()  # Avalanche reads labels here
    return as_classification_dataset(images)


if __name__ == "__main__":
    main()
