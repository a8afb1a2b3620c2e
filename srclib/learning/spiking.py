"""Networks that are awake as they sleep: integrate-and-fire neurons, trained with a surrogate gradient.

An input of brightness x fires with probability x in a step. Every further neuron is that of a sleep at gain 1 and
threshold 1 (`srclib.sleep.run_layers`):

    v <- v + W s,   fire where v > 1,   v <- 0 where fired

All steps of a layer are simulated before those of the next: no neuron acts on its own layer or on one below. In
training, the derivative of firing with respect to v is that of an arcus tangent,

    1 / (1 + (pi (v - 1))^2)

Neurons and derivative are snnTorch's. Sources: paper, section "Discussion" (a network trained as a spiking network);
Eshraghian et al., Proceedings of the IEEE 111:1016 (2023); Fang et al., ICCV 2021, for the derivative.
"""

from __future__ import annotations

import torch
from snntorch import Leaky, SpikingNeuron
from torch import Tensor

from ..sleep import Spikes

NOISE = 0  # seed of the input spikes in evaluation, so that they are the same after every phase


class PoissonInput(Spikes):
    """Images (n, inputs), each pixel in [0, 1], as spikes of so many steps, (n, steps, inputs)."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        generator = None if self.training else torch.Generator().manual_seed(NOISE)
        noise = torch.rand(len(x), self.steps, x.shape[1], dtype=x.dtype, generator=generator)
        return (noise < x[:, None]).to(x.dtype)


class IntegrateAndFire(Spikes):
    """Neurons: their input in every step, (n, steps, units), to spikes of the same shape."""

    def __init__(self) -> None:
        super().__init__()
        self.neuron = Leaky(beta=1.0, reset_mechanism="zero", reset_delay=False, init_hidden=True)
        SpikingNeuron.instances.pop()  # a list of all neurons there ever were, which would keep this one alive

    def forward(self, current: Tensor) -> Tensor:
        spikes = torch.stack([self.neuron(i) for i in current.unbind(1)], 1)
        self.neuron.reset_mem()  # for the next images, and to let go of the graph
        return spikes


class Rate(Spikes):
    """Spikes per step of every output unit, (n, units) in [0, 1], of their spikes (n, steps, units)."""

    def forward(self, spikes: Tensor) -> Tensor:
        return spikes.mean(1)
