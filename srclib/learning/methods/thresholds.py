"""Thresholds of hidden units: each ignores a multiple of what noise from the mean input makes it receive.

From the bottom up, with z_j(x) the input of hidden unit j for an image x and z_j(noise) for noise, both after the
thresholds of the layers below,

    b_j = factor * max(0, mean over noise of z_j(noise)),   a_j(x) = max(0, z_j(x) - b_j)

The weights stay as they are: this is the closed form of a sleep (`srclib.sleep.settle`) with thresholds in place of
inhibition. Measured as it is, which counts, and with outputs that are z-scored by their response to the same noise.
Kept of the past is the mean input.

Searched: factor, on held-out training images. Source: our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .. import readings
from .plugin import Method, Plugin, Run
from .sleep import mean_of


@dataclass(frozen=True)
class Thresholds(Plugin):
    factor: float  # of the mean response to noise, >= 0

    def __post_init__(self) -> None:
        if not 0 <= self.factor < float("inf"):
            raise ValueError(f"factor = {self.factor}: allowed is a finite number >= 0")

    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        noise = readings.noise_like(mean_of(run.inputs()), run.seed, x.dtype)
        z, of_noise = respond(run.model, x, noise, self.factor)
        own = {
            "thresholds": z.argmax(1),
            "thresholds, z-scored": readings.z_scored(z, of_noise).argmax(1),
        }
        return own | heads

    def kept(self, layers: Sequence[int], images: int) -> int:
        return layers[0]  # the mean input


@torch.no_grad()
def respond(model: nn.Sequential, x: Tensor, noise: Tensor, factor: float) -> tuple[Tensor, Tensor]:
    """Return the inputs to the output units for x (n, inputs) and noise (samples, inputs), (…, classes) each."""
    model.eval()
    layers = list(model)
    last = max(i for i, layer in enumerate(layers) if isinstance(layer, nn.Linear))
    for i, layer in enumerate(layers[: last + 1]):
        x, noise = layer(x), layer(noise)
        if isinstance(layer, nn.Linear) and i < last:
            threshold = factor * noise.mean(0).clamp(min=0)
            x, noise = x - threshold, noise - threshold
    return x, noise


METHOD = Method(name="thresholds", label="Thresholds", part="thresholds", settings=Thresholds, place=12)
