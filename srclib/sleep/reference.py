"""The sleep kernel as its definition: PyTorch, one time step after another, any floating dtype and device.

`step` is the rule. It is what fleets of networks and analyses run, too, and the fast backends must agree with it.
Sources: Algorithm 1 of the paper (`gate=None`, `decay=1`, `strict`), and the rule that the released code runs
(`gate=0.001`, `decay=0.999`, not `strict`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .config import SleepConfig
from .progress import long_sleep_bar
from .stimulus import InputSpikes


@dataclass(frozen=True, eq=False)
class Rule:
    """The numbers of a step, gains and thresholds layer by layer; see `SleepConfig` for what they mean.

    For many networks at once each may be a tensor that holds one number of every network, (networks, 1, 1).
    """

    alpha: Sequence[float | Tensor]
    beta: Sequence[float | Tensor]
    inc: float | Tensor
    dec: float | Tensor
    decay: float | Tensor
    gate: float | Tensor | None
    strict: bool

    @classmethod
    def of(cls, config: SleepConfig, layers: int) -> Rule:
        """Return the numbers of a sleep of so many layers; ValueError if alpha or beta has another length."""
        alpha, beta = config.per_layer("alpha", layers), config.per_layer("beta", layers)
        return cls(alpha, beta, config.inc, config.dec, config.decay, config.gate, config.strict)


Learn = Callable[[Tensor, Tensor, Tensor, Rule], None]  # as `learn`


def learn(weights: Tensor, spikes: Tensor, fired: Tensor, rule: Rule) -> None:
    """Change the weights of one layer, (…, out, in), by the spikes of a step, in place.

    spikes, fired: bool (…, streams, in) and (…, streams, out), or without the axis of streams, as in `step`. The change
    is the sum over the streams, with g at the weights before it.
    """
    pre, post = (s if s.ndim > 1 else s[None] for s in (spikes, fired))
    rows = post.flatten(end_dim=-2).any(0)  # (out,): the others keep their weights
    fires = post[..., rows].mT.to(weights.dtype)  # (…, rows, streams)
    both = fires @ pre.to(weights.dtype)  # (…, rows, in): in how many streams both fired
    only_post = fires.sum(-1, keepdim=True) - both
    w = weights[..., rows, :]
    weights[..., rows, :] = w + (both * rule.inc - only_post * rule.dec) * gate(w, rule.gate)


def step(
    weights: Sequence[Tensor],
    potentials: Sequence[Tensor],
    spikes: Tensor,
    rule: Rule,
    learn: Learn | None = learn,
) -> list[Tensor]:
    """Advance every layer by one time step; weights and potentials change in place.

    weights: (out_l, in_l) each, first layer first, or (networks, out_l, in_l) of many networks.
    potentials: (streams, out_l) each, or (networks, streams, out_l); of one network and one stream also (out_l,).
    spikes: bool, of the inputs, (streams, in_1) and so on, as the potentials.
    learn: how the weights change, a function like `learn`; None: they do not.
    Returns the spikes of every layer, bool, shaped as its potentials.

    A product with a vector may round in another way than one with a matrix of a single row, and a sum in another order
    may move a spike. So a stream without an axis is multiplied as a vector, and the callers keep to one form each.
    """
    layers = []
    for w, v, alpha, beta in zip(weights, potentials, rule.alpha, rule.beta, strict=True):
        active = spikes.to(w.dtype)
        drive = w @ active if active.ndim == 1 else active @ w.mT
        v.mul_(rule.decay)
        v.addcmul_(drive, alpha) if isinstance(alpha, Tensor) else v.add_(drive, alpha=alpha)
        fired = v > beta if rule.strict else v >= beta
        if learn is not None:
            learn(w, spikes, fired, rule)
        v.masked_fill_(fired, 0)
        layers.append(fired)
        spikes = fired
    return layers


def gate(w: Tensor, scale: float | Tensor | None) -> Tensor | float:
    """Return g(w) = 2 sigmoid(-w / scale): 2 for inhibitory, 1 for zero, 0 for strong excitatory synapses."""
    return 1.0 if scale is None else 2 * torch.sigmoid(-w / scale)


def run(
    weights: list[Tensor], input_spikes: InputSpikes, config: SleepConfig, *, record: bool, progress: bool | None
) -> tuple[list[Tensor], list[Tensor], list[Tensor] | None]:
    device, batch, rule = weights[0].device, config.batch, Rule.of(config, len(weights))
    weights = [w.clone() for w in weights]
    potentials = [w.new_zeros(batch, len(w)) for w in weights]
    counts = [torch.zeros(len(w), dtype=torch.int64, device=device) for w in weights]
    rows = input_spikes.steps
    raster = [torch.zeros(rows, len(w), dtype=torch.bool, device=device) for w in weights] if record else None
    dense = torch.from_numpy(input_spikes.dense()).to(device)
    steps = dense.view(-1, batch, input_spikes.inputs)
    if batch == 1:
        potentials, steps = [v[0] for v in potentials], steps[:, 0]
    with long_sleep_bar(len(steps), progress) as advance:
        for t, spikes in enumerate(steps):
            for layer, fired in enumerate(step(weights, potentials, spikes, rule)):
                now = fired.view(batch, -1)
                counts[layer] += now.sum(0)
                if raster is not None:
                    raster[layer][t * batch : (t + 1) * batch] = now
            advance(1)
    return weights, counts, raster
