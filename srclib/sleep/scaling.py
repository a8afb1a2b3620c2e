"""How strongly a sleeping layer is driven: layer scales from data, as in rate-coded conversion of trained networks.

Forward in evaluation mode; per layer s_l = max(largest weight, largest activation), f_1 = s_1, f_l = s_l / f_(l-1),
and the scale of layer l is 1 / f_l. The division by the factor that was applied before (not by s_(l-1)) follows the
released code. Source: Diehl et al., "Fast-classifying, high-accuracy spiking deep networks through weight and
threshold balancing", IJCNN 2015, data-based normalisation; paper, section "Sleep Replay Consolidation (SRC)".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from functools import reduce
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .layers import Network, Spikes, passed

BATCH = 2_000
Number = TypeVar("Number", float, Tensor)


def layer_scales(network: Network, inputs: Tensor | np.ndarray) -> list[float]:
    """Return the scale of every linear layer, computed on inputs (n, in_1), or n images, in evaluation mode.

    network: an `nn.Sequential`, or the list of all its layers. One that ends in a linear layer is read as a softmax
    classifier: its last activation is the softmax. One with `Spikes` has scales of 1.
    Raises ValueError when a layer has neither a positive weight nor a positive activation, for a wrong shape, and for
    inputs or activations that are not finite.
    """
    named = passed(network)
    layers = [layer.module for layer in named]
    where = [layer.where for layer in named if isinstance(layer.module, nn.Linear)]
    dtype = reduce(torch.promote_types, (p.dtype for layer in layers for p in layer.parameters()), torch.float32)
    if any(p.dtype != dtype for layer in layers for p in layer.parameters()):  # less would round the activations
        layers = [copy.deepcopy(layer).to(dtype) for layer in layers]
    linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
    x_all = torch.as_tensor(inputs)
    if x_all.ndim > 2:
        x_all = x_all.flatten(1)
    if x_all.ndim != 2 or x_all.shape[1] != linears[0].in_features or not len(x_all):
        found, inputs_1 = tuple(x_all.shape), linears[0].in_features
        raise ValueError(f"scale_inputs has shape {found}: allowed is (n, {inputs_1}) with n >= 1")
    if not x_all.isfinite().all():
        row, column = (~x_all.isfinite()).nonzero()[0].tolist()
        raise ValueError(f"scale_inputs[{row}, {column}] = {x_all[row, column]}: allowed are finite numbers")
    if any(isinstance(layer, Spikes) for layer in layers):
        return [1.0] * len(linears)
    largest = [max(0.0, float(linear.weight.detach().max())) for linear in linears]
    training = [layer.training for layer in layers]
    try:
        for layer in layers:
            layer.eval()
        with torch.no_grad():
            for x in torch.split(x_all, BATCH):
                x = x.to(linears[0].weight.device, linears[0].weight.dtype)
                n = -1
                for i, layer in enumerate(layers):
                    x = layer(x)
                    n += isinstance(layer, nn.Linear)
                    if i + 1 == len(layers):
                        x = x.softmax(1) if isinstance(layer, nn.Linear) else x
                    if n >= 0 and (i + 1 == len(layers) or isinstance(layers[i + 1], nn.Linear)):
                        reached = float(x.max())
                        if not math.isfinite(reached):
                            raise ValueError(f"{where[n]}: an activation is {reached}: allowed are finite numbers")
                        largest[n] = max(largest[n], reached)
    finally:
        for layer, mode in zip(layers, training, strict=True):
            layer.train(mode)
    for name, s in zip(where, largest, strict=True):
        if not s > 0:
            raise ValueError(f"{name} has no positive weight and no positive activation: it cannot be scaled")
    return scales_of(largest)


def scales_of(largest: Sequence[Number]) -> list[Number]:
    """Return 1 / f_l of every layer, given its s_l > 0: a number, or a tensor with one for each of many networks."""
    scales: list[Number] = []
    for s in largest:
        scales.append(1 / (s * scales[-1]) if scales else 1 / s)  # f_l = s_l / f_(l-1) = s_l scale_(l-1)
    return scales
