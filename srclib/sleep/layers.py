"""The layers of a network that can sleep: which they are, and how they are given other weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Spikes(nn.Module):
    """A layer of a network that spikes awake, too. Such a network sleeps with its own gain: its scales are 1."""


def sleepable(model_or_linears: nn.Module | Sequence[nn.Linear]) -> list[nn.Module]:
    """Return the layers of a network that can sleep, in order.

    Allowed are an `nn.Sequential` of bias-free `Linear`, `ReLU`, dropout and `Spikes`, or a list of bias-free `Linear`
    (ReLU between them is understood). Raises ValueError that names the layer otherwise.
    """
    if isinstance(model_or_linears, nn.Sequential):
        layers, name = list(model_or_linears), "model"
    elif isinstance(model_or_linears, nn.Module):
        raise ValueError(
            f"model is a {type(model_or_linears).__name__}: allowed is an nn.Sequential, or the list of its nn.Linear"
        )
    else:
        layers, name = [], "linears"
        for i, linear in enumerate(model_or_linears):
            if not isinstance(linear, nn.Linear):
                raise ValueError(f"linears[{i}] is a {type(linear).__name__}: allowed is nn.Linear")
            layers += [nn.ReLU()] * (i > 0) + [linear]
    for i, layer in enumerate(layers):
        if not isinstance(layer, (nn.Linear, nn.ReLU, nn.Dropout, Spikes)):
            raise ValueError(f"{name}[{i}] is {type(layer).__name__}: allowed are Linear (bias=False), ReLU, Dropout")
        if isinstance(layer, nn.Linear) and layer.bias is not None:
            raise ValueError(f"{name}[{i}] has a bias: allowed is Linear(..., bias=False), since a sleep has none")
    if not any(isinstance(layer, nn.Linear) for layer in layers):
        raise ValueError(f"{name} holds no nn.Linear: allowed is at least one")
    return layers


def linear_layers(model_or_linears: nn.Module | Sequence[nn.Linear]) -> list[nn.Linear]:
    """Return the `nn.Linear` layers of a network that can sleep; ValueError if it cannot (see `sleepable`)."""
    return [layer for layer in sleepable(model_or_linears) if isinstance(layer, nn.Linear)]


@torch.no_grad()
def set_weights(linears: Sequence[nn.Linear], weights: Sequence[Tensor]) -> None:
    """Copy weights, (out_l, in_l) each, into linear layers, first layer first."""
    for layer, weight in zip(linears, weights, strict=True):
        layer.weight.copy_(weight)
