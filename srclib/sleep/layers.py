"""The layers of a network that can sleep: which they are, what their weights may be, and how they are given others.

A sleep writes weights in place. Where that would not reach the network, or would reach something else as well, it is
refused before anything changes: weights that are made from others at every call, memory that two layers share, layers
that compute something else than their class says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

Network = nn.Module | Iterable[nn.Module]  # as a caller gives it

ALLOWED = "Linear (bias=False), ReLU, Dropout, Identity, Flatten"
COMPILED = "_orig_mod"  # where `torch.compile` keeps the module that it wraps


class Spikes(nn.Module):
    """A layer of a network that spikes awake, too. Such a network sleeps with its own gain: its scales are 1."""


class Layer(NamedTuple):
    """A layer of a network and what it is called."""

    name: str  # as the model names it, "fc1" or "body.0"; in a list its place
    where: str  # as code writes it, "model.fc1", "model.body[0]" or "linears[0]"
    module: nn.Module

    @property
    def linear(self) -> nn.Linear:
        assert isinstance(self.module, nn.Linear)
        return self.module


def read(network: Network) -> list[Layer]:
    """Return the layers that an input passes, in order, those of a `Sequential` within at their place.

    Allowed are an `nn.Sequential` of bias-free `Linear`, `ReLU`, dropout and `Spikes`, and a list of such layers; where
    `torch.compile` has wrapped one, the one within is meant. `Identity` and `Flatten`, which leave a vector as it is,
    are left out. Raises ValueError that names the layer otherwise.
    """
    given = once(network)
    if isinstance(given, nn.Sequential):
        layers, name = _flat("", "model", given), "model"
    else:
        layers, name = [], "linears"
        for i, each in enumerate(given):
            if not isinstance(each, nn.Module):
                raise ValueError(f"linears[{i}] is a {type(each).__name__}: allowed are {ALLOWED}")
            layers += _flat(str(i), f"linears[{i}]", each)
    if not any(isinstance(layer.module, nn.Linear) for layer in layers):
        raise ValueError(f"{name} holds no nn.Linear: allowed is at least one")
    return layers


def once(network: Network) -> nn.Sequential | list[nn.Module]:
    """Return a network in a form that can be read again: a model without its compiler, or a list of layers."""
    module = _within(network) if isinstance(network, nn.Module) else network
    if isinstance(module, nn.Sequential):
        return module
    if isinstance(module, nn.Module) and not isinstance(module, nn.ModuleList):
        raise ValueError(
            f"model is a {type(module).__name__}: allowed is an nn.Sequential, or the list of its nn.Linear"
        )
    if not isinstance(module, Iterable):
        raise ValueError(f"model is a {type(module).__name__}: allowed is an nn.Sequential, or a list of layers")
    return list(module)


def _within(module: nn.Module) -> nn.Module:
    """Return the module that `torch.compile` has wrapped, or the module itself."""
    wrapped = module._modules.get(COMPILED)
    return module if wrapped is None else wrapped


def _flat(name: str, where: str, module: nn.Module) -> list[Layer]:
    module = _within(module)
    own_forward = "forward" in vars(module) or next(c for c in type(module).__mro__ if "forward" in vars(c))
    if isinstance(module, nn.Sequential) and own_forward is nn.Sequential:
        return [
            layer
            for key, each in module.named_children()
            for layer in _flat(f"{name}.{key}".lstrip("."), _child(where, key), each)
        ]
    if isinstance(module, nn.Linear) and module.bias is not None:
        raise ValueError(f"{where} has a bias: allowed is Linear(..., bias=False), since a sleep has none")
    if isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) != (1, -1):
        raise ValueError(f"{where} is {module}: allowed is one of all but the first dimension")
    if isinstance(module, (nn.Identity, nn.Flatten)) and own_forward in (nn.Identity, nn.Flatten):
        return []
    plain = isinstance(module, (nn.Linear, nn.ReLU)) and own_forward in (nn.Linear, nn.ReLU)
    if plain or isinstance(module, (nn.Dropout, Spikes)):
        return [Layer(name, where, module)]
    known = (nn.Sequential, nn.Linear, nn.ReLU, nn.Identity, nn.Flatten)
    if own := next((c.__name__ for c in known if isinstance(module, c)), ""):
        own = f", an nn.{own} with a forward of its own"
    raise ValueError(f"{where} is {type(module).__name__}{own}: allowed are {ALLOWED}")


def _child(where: str, key: str) -> str:
    return f"{where}[{key}]" if key.isdecimal() else f"{where}.{key}"


def passed(network: Network) -> list[Layer]:
    """Return the layers as `read` does, where all that an input passes is known.

    Raises ValueError, too, for a list in which two `Linear` are neighbours: what the network has between them it does
    not tell, and the activations depend on it.
    """
    network = once(network)
    layers = read(network)
    if not isinstance(network, nn.Sequential):
        for one, two in pairwise(layers):
            if isinstance(one.module, nn.Linear) and isinstance(two.module, nn.Linear):
                raise ValueError(
                    f"{two.where} follows {one.where}: a list whose layers are scaled must tell what lies between "
                    "them: allowed is [fc1, nn.ReLU(), fc2], or an nn.Sequential"
                )
    return layers


def linear_layers(network: Network) -> list[nn.Linear]:
    """Return the `nn.Linear` layers of a network that can sleep; ValueError if it cannot.

    network: an `nn.Sequential` of bias-free `Linear`, `ReLU` and dropout, or a list of such layers.
    """
    return [layer.module for layer in read(network) if isinstance(layer.module, nn.Linear)]


def check_weights_of(layers: Sequence[Layer]) -> None:
    """Raise ValueError, which names the layer, if a sleep could not write the weights of these linear layers.

    layers: the `Linear` ones alone. Refused are weights that are derived from others (pruning, weight normalisation),
    that share memory with each other or within, that a hook may replace, and what is no dense floating tensor in memory
    that can be written.
    """
    for layer in layers:
        if (reason := _not_writable(layer.linear)) is not None:
            raise ValueError(f"the weight of {layer.where} {reason}")
    devices = {layer.linear.weight.device: layer.where for layer in layers}
    if len(devices) > 1:
        found = ", ".join(f"{where} on {device}" for device, where in devices.items())
        raise ValueError(f"weights lie on several devices ({found}): allowed is one")
    for one, two in combinations(layers, 2):
        if _overlap(one.linear.weight.detach(), two.linear.weight.detach()):
            raise ValueError(
                f"{one.where} and {two.where} share their weights: allowed are weights of their own, since each layer "
                "sleeps by itself"
            )


def _not_writable(linear: nn.Linear) -> str | None:
    """Return what is wrong with the weight of a linear layer, and what is allowed."""
    own = "allowed is a parameter of the layer's own"
    weight = linear._parameters.get("weight")
    if weight is None:
        sources = [name for name, _ in linear.named_parameters()] or ["a tensor that is no parameter"]
        return (
            f"is derived from {', '.join(sources)}: {own}; torch.nn.utils.parametrize.remove_parametrizations or "
            "torch.nn.utils.prune.remove makes it one"
        )
    if linear._forward_pre_hooks and not isinstance(weight, UninitializedParameter):
        return f"may be replaced by a forward pre-hook of the layer: {own} without one"
    if isinstance(weight, UninitializedParameter):
        return f"is not initialised yet: {own} with values; a lazy layer has them after its first input"
    data = weight.data
    if type(data) is not Tensor or data.layout != torch.strided or data.is_meta or not data.is_floating_point():
        return f"is a {type(data).__name__}, {data.dtype} {data.layout} on {data.device}: allowed is a dense float one"
    if weight.is_inference():
        return "was made under torch.inference_mode and cannot be written: allowed is one made without it"
    if data.ndim != 2 or 0 in data.shape:
        return f"has shape {tuple(data.shape)}: allowed is (out, in), 1 or more each"
    if not (data.is_contiguous() or data.mT.is_contiguous()) and len(_addresses(data).unique()) < data.numel():
        return "has several elements in one place of memory: allowed is a place for each"
    return None


def _addresses(weight: Tensor) -> Tensor:
    """Return where in memory each element lies, int64 (elements,)."""
    rows, columns = (torch.arange(n) * stride for n, stride in zip(weight.shape, weight.stride(), strict=True))
    return (weight.data_ptr() + (rows[:, None] + columns) * weight.element_size()).flatten()


def _overlap(one: Tensor, two: Tensor) -> bool:
    """Return whether two tensors share memory."""
    begins, ends = [], []
    for w in (one, two):
        begins.append(w.data_ptr())
        last = sum((n - 1) * stride for n, stride in zip(w.shape, w.stride(), strict=True))
        ends.append(w.data_ptr() + (last + 1) * w.element_size())
    if max(begins) >= min(ends):
        return False
    if one.element_size() != two.element_size() or (begins[0] - begins[1]) % one.element_size():
        return True
    return bool(torch.isin(_addresses(one), _addresses(two)).any())


@torch.no_grad()
def set_weights(linears: Sequence[nn.Linear], weights: Sequence[Tensor]) -> None:
    """Copy weights, (out_l, in_l) each, into linear layers, first layer first: into all of them or, at an error, none.

    Raises ValueError for another number or shape, and for layers whose weights cannot be written.
    """
    check_weights_of([Layer(str(i), f"linears[{i}]", linear) for i, linear in enumerate(linears)])
    given, allowed = [tuple(w.shape) for w in weights], [tuple(linear.weight.shape) for linear in linears]
    if given != allowed:
        raise ValueError(f"weights have shapes {given}: allowed are {allowed}")
    before = [linear.weight.clone() for linear in linears]
    try:
        for linear, weight in zip(linears, weights, strict=True):
            linear.weight.copy_(weight)
    except BaseException:
        for linear, old in zip(linears, before, strict=True):
            linear.weight.copy_(old)
        raise
