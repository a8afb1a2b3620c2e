"""The sleep kernel as its definition: PyTorch, one time step after another, any floating dtype and device.

The fast backends must agree with this one. Sources: Algorithm 1 of the paper (`gate=None`, `decay=1`, `strict`), and
the rule that the released code runs (`gate=0.001`, `decay=0.999`, not `strict`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .progress import long_sleep_bar
from .stimulus import InputSpikes

if TYPE_CHECKING:
    from . import SleepConfig


def step(weights: list[Tensor], potentials: list[Tensor], spikes: Tensor, config: SleepConfig) -> list[Tensor]:
    """Advance every layer by one time step; weights (out_l, in_l) and potentials (out_l,) change in place.

    spikes: bool (in_1,). Returns the spikes of every layer, bool (out_l,) each. Of several streams, spikes and
    potentials have a second axis, (in_1, batch) and (out_l, batch).
    """
    fired_layers = []
    gains, thresholds = config.per_layer("alpha", len(weights)), config.per_layer("beta", len(weights))
    for w, v, alpha, beta in zip(weights, potentials, gains, thresholds, strict=True):
        v.mul_(config.decay).add_(w @ spikes.to(w.dtype), alpha=alpha)
        fired = v > beta if config.strict else v >= beta
        pre, post = _streams(spikes), _streams(fired)
        rows = post.any(1)
        fires = post[rows].to(w.dtype)  # (rows, batch)
        both = fires @ pre.T.to(w.dtype)  # (rows, in): in how many streams both fired
        only_post = fires.sum(1, keepdim=True) - both
        w[rows] += (both * config.inc - only_post * config.dec) * gate(w[rows], config.gate)
        v[fired] = 0
        fired_layers.append(fired)
        spikes = fired
    return fired_layers


def _streams(spikes: Tensor) -> Tensor:
    """Return (neurons,) or (neurons, batch) as (neurons, batch)."""
    return spikes.view(len(spikes), -1)


def gate(w: Tensor, scale: float | Tensor | None) -> Tensor | float:
    """Return g(w) = 2 sigmoid(-w / scale): 2 for inhibitory, 1 for zero, 0 for strong excitatory synapses."""
    return 1.0 if scale is None else 2 * torch.sigmoid(-w / scale)


def run(
    weights: list[Tensor], input_spikes: InputSpikes, config: SleepConfig, *, record: bool, progress: bool | None
) -> tuple[list[Tensor], list[Tensor], list[Tensor] | None]:
    device, batch = weights[0].device, config.batch
    weights = [w.clone() for w in weights]
    # One stream has no second axis: a product with a vector may round in another way than one with a matrix. Several
    # lie in memory one after another, which a product with few of them needs to be fast.
    potentials = [w.new_zeros(batch, len(w)).mT.squeeze(1) for w in weights]
    counts = [torch.zeros(len(w), dtype=torch.int64, device=device) for w in weights]
    rows = input_spikes.steps
    raster = [torch.zeros(rows, len(w), dtype=torch.bool, device=device) for w in weights] if record else None
    dense = torch.from_numpy(input_spikes.dense()).to(device)
    steps = dense.view(-1, batch, input_spikes.inputs).mT.squeeze(2)  # (steps, in) or (steps, in, batch)
    with long_sleep_bar(len(steps), progress) as advance:
        for t, spikes in enumerate(steps):
            for layer, fired in enumerate(step(weights, potentials, spikes, config)):
                counts[layer] += _streams(fired).sum(1)
                if raster is not None:
                    raster[layer][t * batch : (t + 1) * batch] = _streams(fired).T
            advance(1)
    return weights, counts, raster
