"""The commands on networks."""

from __future__ import annotations

from typing import Annotated

import typer

from ..data import cifar10
from ..data.terminal import line, log_stages
from . import backbone as backbones


def backbone(
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the 100,000 images.")] = 30,
    peak: Annotated[float, typer.Option(help="Highest learning rate of the one-cycle schedule.")] = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="Of the weights, the order and the shifts of the images.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="On a CPU; default: one per core.")] = None,
) -> None:
    """Train the VGG that makes the features of CIFAR-10, on Tiny ImageNet at 32 x 32 pixels.

    Killing it loses only the epoch in flight; start it again and it goes on. Weights, model card and log go to
    data/backbones. It runs on a GPU where there is one: an epoch takes 8 seconds on an H100, minutes on a CPU.

    Example: `python -m srclib backbone --epochs 30 --threads 2`
    """
    log_stages()
    backbones.run(backbones.Schedule(epochs=epochs, peak=peak, seed=seed), threads=threads)
    line(cifar10.backbone().with_suffix(".yaml").read_text())
