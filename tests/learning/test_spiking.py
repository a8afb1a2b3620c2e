"""Spiking networks: awake they are what sleeps, they learn, and they keep nothing of what they saw."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import pytest
import torch
from snntorch import SpikingNeuron
from torch import nn

from srclib.experiments import run
from srclib.learning.networks import mlp
from srclib.learning.spiking import IntegrateAndFire, PoissonInput, Rate
from srclib.learning.training import evaluate, predict
from srclib.sleep import SleepConfig, layer_scales, linear_layers, run_layers, sleep

from ..cells import awake, tiny


def exact(sizes: list[int], steps: int) -> nn.Sequential:
    """Return a spiking network whose weights are multiples of 1/64, so that their sums are exact in any order."""
    torch.manual_seed(0)
    model = mlp(sizes, init=0.1, spiking=steps)
    for layer in linear_layers(model):
        layer.weight.data = torch.randint(-16, 33, layer.weight.shape) / 64
    return model.eval()


def test_neurons_awake_are_those_asleep() -> None:
    steps, sizes = 50, [30, 20, 12, 5]
    model, image = exact(sizes, steps), torch.rand(1, 30)
    config = SleepConfig(alpha=1.0, beta=1.0, inc=0.0, dec=0.0)
    weights = [layer.weight.detach() for layer in linear_layers(model)]
    activity = model[0](image)
    asleep = run_layers(weights, activity[0].bool(), config, record=True)
    assert asleep.spikes is not None
    for (linear, neurons), spikes in zip(list(pairwise(model))[1::2], asleep.spikes, strict=True):
        activity = neurons(linear(activity))
        assert torch.equal(activity[0].bool(), spikes)
        assert 0.02 < activity.mean() < 0.98
    assert torch.equal(model(image)[0], asleep.spike_counts[-1] / steps)


@pytest.mark.parametrize("v", [-3.0, 0.5, 1.0, 1.25])
def test_surrogate_gradient(v: float) -> None:
    current = torch.tensor([[[v]]], requires_grad=True)  # one step
    spike = IntegrateAndFire()(current)
    assert spike.item() == (v > 1)
    spike.sum().backward()
    assert current.grad is not None
    assert current.grad.item() == pytest.approx(1 / (1 + (math.pi * (v - 1)) ** 2))


def test_input_spikes_as_often_as_a_pixel_is_bright() -> None:
    x = torch.tensor([[0.0, 0.2, 1.0]]).repeat(2, 1)
    for layer in (PoissonInput(10_000).train(), PoissonInput(10_000).eval()):
        spikes = layer(x)
        assert spikes.shape == (2, 10_000, 3)
        assert set(spikes.unique().tolist()) == {0, 1}
        assert spikes.mean(1)[0].tolist() == pytest.approx([0, 0.2, 1], abs=0.015)
        assert not torch.equal(spikes[0], spikes[1])


def test_input_spikes_are_drawn_anew_in_training_and_fixed_in_evaluation() -> None:
    layer, x = PoissonInput(30), torch.full((4, 6), 0.5)
    torch.manual_seed(1)
    first, second = layer(x), layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)
    layer.eval()
    state = torch.get_rng_state()
    assert torch.equal(layer(x), layer(x))
    assert torch.equal(torch.get_rng_state(), state)  # an evaluation changes nothing that comes after it


def test_rates() -> None:
    spikes = torch.tensor([[[0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]])
    assert Rate()(spikes).tolist() == [[0.25, 0.75]]


def test_nothing_is_kept_of_what_was_seen() -> None:
    known = len(SpikingNeuron.instances)
    model, x = exact([8, 6, 3], 20), torch.rand(5, 8)
    assert len(SpikingNeuron.instances) == known
    alone = evaluate(model, x[:2])
    model.train()
    model(torch.ones(2, 8)).sum().backward()
    assert torch.equal(evaluate(copy.deepcopy(model), x[:2]), alone)


def test_a_spiking_network_sleeps_with_its_own_gain() -> None:
    model, mean = exact([8, 6, 3], 20), torch.full((8,), 0.5)
    assert layer_scales(model, torch.rand(4, 8)) == [1.0, 1.0]
    config = SleepConfig(alpha=1.0, beta=1.0, inc=0.01, dec=0.01, steps=100)
    scaled, plain = (
        sleep(copy.deepcopy(model), mean, config, scale_inputs=x, seed=3) for x in (torch.rand(4, 8), None)
    )
    assert scaled.spike_counts[-1].sum() > 0
    assert all(torch.equal(a, b) for a, b in zip(scaled.weights, plain.weights, strict=True))


def test_a_spiking_network_learns_and_forgets() -> None:
    config = awake(loss="relu_mse", init=0.2, epochs=60, lr=0.3, spiking=20)
    phases = run.run(tiny(awake=config))["phases"]
    assert phases[0]["accuracy"] == [1, 0]
    assert phases[1]["accuracy"] == [0, 1]


def test_an_image_that_excites_nothing_is_of_the_first_class() -> None:
    assert predict(exact([8, 6, 3], 20), torch.zeros(2, 8)).tolist() == [0, 0]


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"spiking = 0: allowed is a number of steps >= 1, or None"):
        mlp([4, 3], init=0.1, spiking=0)
