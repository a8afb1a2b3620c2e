"""Other readings of a trained network: with other weights, and with outputs measured by its response to noise.

The noise has the mean input: every input of mean m is 1 with probability m, else 0. Nothing else is known of the past.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..sleep import linear_layers, set_weights
from .networks import logits
from .training import EVALUATION_BATCH

SAMPLES = 1_000  # of noise: the mean and the spread of an output are known to a few percent


def noise_like(mean: Tensor, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return noise of a mean input (inputs,), (SAMPLES, inputs); torch's global generator is left alone."""
    drawn = torch.rand(SAMPLES, len(mean), generator=torch.Generator().manual_seed(seed))
    return (drawn < mean).to(dtype)


@torch.no_grad()
def outputs(model: nn.Sequential, x: Tensor) -> Tensor:
    """Return the input to the output units, (n, classes), without dropout."""
    model.eval()
    return torch.cat([logits(model, part) for part in x.split(EVALUATION_BATCH)])


def with_weights(model: nn.Sequential, weights: Sequence[Tensor]) -> nn.Sequential:
    """Return a copy of a network with other weights, (out, in) each."""
    other = copy.deepcopy(model)
    set_weights(linear_layers(other), weights)
    return other


def centred(z: Tensor, of_noise: Tensor) -> Tensor:
    """Return outputs z (n, classes) less the mean of each in response to noise, (samples, classes)."""
    return z - of_noise.mean(0)


def z_scored(z: Tensor, of_noise: Tensor) -> Tensor:
    """Return outputs z (n, classes) as z-scores of their response to noise, (samples, classes).

    An output that noise does not move, a class not learned yet, keeps its distance from the mean.
    """
    spread = of_noise.std(0)
    return centred(z, of_noise) / torch.where(spread > 0, spread, 1)
