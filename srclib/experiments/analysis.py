"""How a sleep works: activity and its correlations, neurons that belong to a class, weights, and how to compare them.

Functions of tensors and networks; `measures` applies them to a run. Numbers that do not exist are None, so that all
results are plain data.

Source: paper, sections "SRC reduces catastrophic forgetting by replaying old task activity" and "Analysis of replay".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from ..sleep import SleepConfig, reference

PASSES = 25  # of an image through the spiking network; section "Analysis of replay"
NEURONS = 100  # of a layer that count as specific to a class or a task; the same section
READINGS = ("active", "preferring")
BINS = 40  # of a histogram of correlations, from -1 to 1
PAIRED = 250  # inputs of a group that enter the histogram


@torch.no_grad()
def forward(model: nn.Sequential, x: Tensor, *, dropout: bool = False) -> tuple[list[Tensor], list[Tensor]]:
    """Return what the units of every layer receive, and their activation, (n, out) for each layer.

    x: (n, inputs). dropout: leave it on, as in training.
    """
    model.train(dropout)
    received: list[Tensor] = []
    active: list[Tensor] = []
    for layer in model:
        x = layer(x)
        if isinstance(layer, nn.Linear):
            received.append(x)
            active.append(x)
        else:
            active[-1] = x
    return received, active


def class_correlations(groups: Sequence[Tensor], *, histogram: bool = False) -> dict[str, Any]:
    """Correlate activity between inputs, within and between groups of them (Fig. 4).

    groups: activity (n, units) of the inputs of each group. An input is never paired with itself.

    Returns `mean` (groups, groups), the mean Pearson correlation of two inputs; `within` and `between`, its mean over
    equal and over different groups; `silent`, the inputs with no or constant activity, which are left out; `histogram`,
    if asked for, for each pair of groups the share of pairs in `BINS` bins from -1 to 1, in thousandths, of the first
    `PAIRED` inputs of each.
    """
    unit, silent = [], 0
    for group in groups:
        centred = group.double() - group.mean(1, keepdim=True, dtype=torch.float64)
        norm = centred.norm(dim=1)
        varied = norm > 1e-6 * group.double().norm(dim=1)
        silent += int((~varied).sum())
        unit.append(centred[varied] / norm[varied, None])
    mean = np.full((len(groups), len(groups)), np.nan)
    shares: dict[str, list[int]] = {}
    for a, first in enumerate(unit):
        for b, second in enumerate(unit[: a + 1]):
            pairs = len(first) * len(second) - len(first) * (a == b)
            if pairs:
                total = float(first.sum(0) @ second.sum(0)) - len(first) * (a == b)
                mean[a, b] = mean[b, a] = total / pairs
            if pairs and histogram:
                each = (first[:PAIRED].float() @ second[:PAIRED].float().T).clamp(-1, 1)
                if a == b:
                    each = each[~torch.eye(len(each), dtype=torch.bool)]
                share = torch.histc(each, BINS, -1, 1) * (1000 / each.numel())
                shares[f"{b} {a}"] = share.round().int().tolist()
    same = np.eye(len(groups), dtype=bool)
    return {
        "mean": [[number(v) for v in row] for row in mean],
        "within": average(mean[same]),
        "between": average(mean[~same]),
        "silent": silent,
        **({"histogram": shares} if histogram else {}),
    }


def sparseness(active: Tensor) -> dict[str, Any]:
    """Say how few units of a layer an input excites, means over inputs.

    active: activity >= 0, (n, units). Returns `treves_rolls`, (1 - a) / (1 - 1 / units) with a = mean(r)^2 / mean(r^2)
    over the units (Rolls and Tovee 1995): 0 if all are equally active, 1 if one is; `active`, the fraction of units
    that are active at all; `silent`, the inputs that excite none, which the first leaves out.
    """
    some = active[(active > 0).any(1)].double()
    a = some.mean(1).square() / some.square().mean(1)
    return {
        "treves_rolls": average((1 - a) / (1 - 1 / active.shape[1])),
        "active": average((active > 0).double().mean(1)),
        "silent": len(active) - len(some),
    }


@torch.no_grad()
def responses(weights: Sequence[Tensor], x: Tensor, config: SleepConfig, generator: torch.Generator) -> list[Tensor]:
    """Pass images through the spiking network and count spikes: mean count of every neuron, (out,) for each layer.

    weights: (out, in) each. x: (n, inputs); a pixel of value x_i spikes with P = min(1, 2 dt rate x_i) in each of
    `PASSES` passes. config: layer scales included. Potentials start at zero for every image, and nothing is learned.
    A layer knows nothing of those above, so the connections to the output play no part in the counts below.
    """
    rule = reference.Rule.of(config, len(weights))
    potentials = [x.new_zeros(len(x), len(w)) for w in weights]
    counts = [x.new_zeros(len(w)) for w in weights]
    for _ in range(PASSES):
        spikes = torch.rand(x.shape, generator=generator) < 2 * config.dt * config.rate * x
        for count, fired in zip(counts, reference.step(weights, potentials, spikes, rule, learn=None), strict=True):
            count += fired.sum(0)
    return [count / len(x) for count in counts]


def specific(counts: Tensor, reading: str = "active") -> list[Tensor]:
    """Return the neurons specific to each group of inputs, most active first: `NEURONS` of them, or fewer.

    counts: (groups, neurons), mean spike counts. reading: "active" takes the neurons with the highest counts for the
    group, so that a neuron may belong to several; "preferring" only those that spike more for it than for any other.
    Neurons that never spike belong to none. Raises ValueError for another reading.
    """
    if reading not in READINGS:
        raise ValueError(f"reading = {reading!r}: allowed is one of {', '.join(READINGS)}")
    allowed = counts > 0
    if reading == "preferring":
        largest = counts == counts.amax(0)
        allowed &= largest & (largest.sum(0) == 1)
    ranked = torch.where(allowed, counts, -1.0).argsort(dim=1, descending=True, stable=True)[:, :NEURONS]
    return [row[ok[row]] for row, ok in zip(ranked, allowed, strict=True)]


def changes(old: Tensor, new: Tensor) -> dict[str, Any]:
    """Say how weights (out, in) changed: how many were `raised` and `lowered`, of how many (`size`), and by how much.

    `gain` and `loss` are the sums of the changes up and down, `neurons` those with a changed synapse, `edge` the
    largest weight, and `before` and `after` histograms of the changed weights in 2 `BINS` bins from -edge to edge.
    """
    change = (new - old).double()
    touched = change != 0
    edge = max(float(old.abs().max()), float(new.abs().max()))
    return {
        "size": old.numel(),
        "raised": int((change > 0).sum()),
        "lowered": int((change < 0).sum()),
        "gain": number(change.clamp(min=0).sum()),
        "loss": number(change.clamp(max=0).sum()),
        "neurons": int(touched.any(1).sum()),
        "edge": number(edge),
        "before": torch.histc(old[touched], 2 * BINS, -edge, edge).int().tolist(),
        "after": torch.histc(new[touched], 2 * BINS, -edge, edge).int().tolist(),
    }


def minus(a: Sequence[Tensor], b: Sequence[Tensor]) -> list[Tensor]:
    """Return the difference of two sets of weights."""
    return [x - y for x, y in zip(a, b, strict=True)]


def cosine(a: Sequence[Tensor], b: Sequence[Tensor]) -> float | None:
    """Return the cosine similarity of two sets of weights, each taken as one vector."""
    one, other = (torch.cat([w.flatten() for w in weights]).double() for weights in (a, b))
    return number(one @ other / (one.norm() * other.norm()))


def agreement(before: Tensor, slept: Tensor, settled: Tensor) -> dict[str, float | None]:
    """Compare what two ways changed in a layer of the same weights (out, in); see `measures.agreement`."""
    one, other = (slept - before).double(), (settled - before).double()
    changed = one.abs().sum()
    return {
        "neurons": number(torch.corrcoef(torch.stack([one.mean(1), other.mean(1)]))[0, 1]),
        "weights": number(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]),
        "size": number(one.norm() / other.norm()),
        "excited": number(one[(other != 0).any(1)].abs().sum() / changed),
        "negative": number(one[before < 0].abs().sum() / changed),
    }


def compare(a: Sequence[float], b: Sequence[float]) -> dict[str, Any]:
    """Compare two samples by Student's t-test: is a larger than b?

    Returns the `difference` of the means, `t`, its degrees of freedom `df`, `p` (two-sided), `p_greater` (one-sided)
    and Cohen's `d` with the pooled standard deviation; None where there are too few values or they do not vary.
    """
    n, m = len(a), len(b)
    if min(n, m) < 2:
        return dict.fromkeys(("difference", "t", "df", "p", "p_greater", "d"))
    difference = float(np.mean(a) - np.mean(b))
    pooled = math.sqrt(((n - 1) * np.var(a, ddof=1) + (m - 1) * np.var(b, ddof=1)) / (n + m - 2))
    two_sided, greater = (
        stats.ttest_ind(a, b, alternative=side) if pooled else None for side in ("two-sided", "greater")
    )
    return {
        "difference": number(difference),
        "t": number(two_sided.statistic) if two_sided else None,
        "df": n + m - 2,
        "p": number(two_sided.pvalue) if two_sided else None,
        "p_greater": number(greater.pvalue) if greater else None,
        "d": number(difference / pooled) if pooled else None,
    }


def number(value: Any) -> float | None:
    """Return a number with four significant digits; None if it is not finite."""
    value = float(value)
    return float(f"{value:.4g}") if math.isfinite(value) else None


def average(values: Any) -> float | None:
    """Return the mean; None of nothing."""
    return number(np.mean(np.asarray(values, float))) if len(values) else None


def spread(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation; None for fewer than two values."""
    return number(np.std(values, ddof=1)) if len(values) > 1 else None
