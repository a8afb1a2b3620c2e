"""How strongly a sleeping layer is driven: layer scales from data, as in rate-coded conversion of trained networks.

Forward in evaluation mode; per layer s_l = max(largest weight, largest activation), f_1 = s_1, f_l = s_l / f_(l-1),
and the scale of layer l is 1 / f_l. The division by the factor that was applied before (not by s_(l-1)) follows the
released code. Source: Diehl et al., "Fast-classifying, high-accuracy spiking deep networks through weight and
threshold balancing", IJCNN 2015, data-based normalisation; paper, section "Sleep Replay Consolidation (SRC)".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .layers import Spikes, sleepable

BATCH = 2_000
Number = TypeVar("Number", float, Tensor)


def layer_scales(layers: Sequence[nn.Module], inputs: Tensor | np.ndarray) -> list[float]:
    """Return the scale of every linear layer, computed on inputs (n, in_1) in evaluation mode.

    A network that ends in a linear layer is read as a softmax classifier: its last activation is the softmax. One with
    `Spikes` has scales of 1.
    Raises ValueError when a layer has neither a positive weight nor a positive activation, or for a wrong shape.
    """
    layers = sleepable(nn.Sequential(*layers))
    linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
    x_all = torch.as_tensor(inputs)
    if x_all.ndim != 2 or x_all.shape[1] != linears[0].in_features or not len(x_all):
        found, inputs_1 = tuple(x_all.shape), linears[0].in_features
        raise ValueError(f"scale_inputs has shape {found}: allowed is (n, {inputs_1}) with n >= 1")
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
                        largest[n] = max(largest[n], float(x.max()))
                    elif isinstance(layers[i + 1], nn.Linear):
                        largest[n] = max(largest[n], float(x.max()))
    finally:
        for layer, mode in zip(layers, training, strict=True):
            layer.train(mode)
    for i, s in enumerate(largest):
        if not s > 0:
            raise ValueError(f"layer {i} has no positive weight and no positive activation: it cannot be scaled")
    return scales_of(largest)


def scales_of(largest: Sequence[Number]) -> list[Number]:
    """Return 1 / f_l of every layer, given its s_l > 0: a number, or a tensor with one for each of many networks."""
    scales: list[Number] = []
    for s in largest:
        scales.append(1 / (s * scales[-1]) if scales else 1 / s)  # f_l = s_l / f_(l-1) = s_l scale_(l-1)
    return scales
