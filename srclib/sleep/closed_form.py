"""What a sleep changes, in closed form: no spikes, no noise, no steps.

From the bottom layer up, the inhibition of every hidden neuron grows until the mean input no longer excites it. With m
the mean input, a_0 = m, N_j the inputs whose weight to neuron j is negative, and for every neuron j of layer l

    z_j = sum_i W_ji a_i,   kappa_j = max(0, z_j) / sum_(i in N_j) a_i,   W_ji <- W_ji - kappa_j for i in N_j

the next layer is driven by a_l = max(0, z): by what this layer did before its weights changed.

Derivation from the rule that the released code runs (`srclib.sleep.reference`):

1. Who fires. Between two spikes a neuron's potential sums alpha W_j s(t), and its leak is small, so it drifts by
   alpha z_j a step, where z_j = W_j p is its mean drive and the firing probabilities p of the inputs are proportional
   to their means. A neuron with z_j > 0 reaches its threshold over and over, one with z_j < 0 hardly ever.
2. What the gate leaves free. At each spike of the neuron the weight of an input changes on average by
   g(w) (p_i inc - (1 - p_i) dec). g = 2 sigmoid(-w / 0.001) is 0 for all positive weights but the very smallest and 2
   for all negative ones, and inputs fire so rarely that the bracket is close to -dec for all of them. So each spike
   lowers all negative weights of the neuron by the same number, and leaves the positive ones as they are.
3. Where it ends. The drive falls by that number times the sum of p over the negative weights, until it is 0. The number
   of spikes that this takes, and with it inc, dec, alpha and beta, no longer matter: kappa follows from z_j = 0.

Nothing depends on the scale of m or of any layer, hence neither on dropout. What is left out: chance (transient spikes
of neurons with z_j < 0), potentiation, the leak, and the time that upper layers have before the lower ones fall silent.
It is a downscaling of what a neuron receives, as in synaptic homeostasis (Tononi and Cirelli, Brain Research Bulletin
62:143, 2003), with inhibition in place of excitation.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import reduce

import numpy as np
import torch
from torch import Tensor, nn

from .arguments import is_finite, read_mean
from .kernel import SleepWarning, check_weights
from .layers import check_weights_of, read, set_weights


@torch.no_grad()
def settle(
    model_or_linears: nn.Module | Iterable[nn.Module],
    mean_input: Tensor | np.ndarray,
    *,
    share: float = 1.0,
    outputs: bool = False,
) -> list[Tensor]:
    """Change a network as a sleep would, at once: its linear layers are changed in place.

    model_or_linears: as in `srclib.sleep.sleep`; weights of less than float32 are computed in float32 and cast back.
    mean_input: (in_1,) or an image of so many pixels, each >= 0: the mean of every input over what was learned so far,
    on any scale. share: of its excitation that a neuron loses, in [0, 1]. outputs: settle the output neurons, too;
    without, a network of one layer stays as it is.

    Returns kappa of the neurons of every settled layer, (out_l,) each, >= 0: by how much their negative weights fell.
    With a share of 1 the mean input excites no settled neuron afterwards, up to rounding, except those that have no
    negative weight from an active input: a SleepWarning says how many there are, and they stay as they were.
    Takes a product of a matrix and a vector for each layer. Raises ValueError, naming the argument, the value and what
    is allowed, also for weights that cannot be written; the model is unchanged then.
    """
    if not is_finite(share) or not 0 <= share <= 1:
        raise ValueError(f"share = {share}: allowed is a number in [0, 1]")
    layers = [layer for layer in read(model_or_linears) if isinstance(layer.module, nn.Linear)]
    check_weights_of(layers)
    weights = [layer.linear.weight.detach() for layer in layers]
    check_weights(weights, [layer.where for layer in layers])
    mean = read_mean(mean_input, weights[0].shape[1])
    if not (np.isfinite(mean) & (mean >= 0)).all():
        raise ValueError("mean_input holds a number below 0, or none at all: allowed are finite numbers >= 0")
    dtype = reduce(torch.promote_types, (w.dtype for w in weights), torch.float32)
    activity = torch.from_numpy(mean).to(weights[0].device, dtype)
    settled = layers if outputs else layers[:-1]
    lowered, changed, stuck = [], [], []
    for layer in settled:
        old = layer.linear.weight.detach()
        w = old.to(dtype)
        negative = w < 0
        drive = w @ activity  # z, (out,)
        inhibited = negative.to(dtype) @ activity  # (out,)
        kappa = torch.where(inhibited > 0, share * drive.clamp(min=0) / inhibited, 0)
        lowered.append(kappa)
        changed.append(torch.where(negative, w - kappa[:, None], w).to(old.dtype))
        if count := int(((drive > 0) & (inhibited == 0)).sum()):
            stuck.append(f"{count} of {layer.where}")
        activity = drive.clamp(min=0)
    if not all(bool(w.isfinite().all()) for w in changed):
        raise ValueError("mean_input is too uneven: the weights overflow; allowed are means of one scale")
    set_weights([layer.linear for layer in settled], changed)
    if stuck:
        where = ", ".join(stuck)
        warnings.warn(f"neurons without a negative weight from an active input stay excited: {where}", SleepWarning, 3)
    return lowered
