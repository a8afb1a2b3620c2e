"""Output calibration: every output is measured by its own response to noise from the mean input.

With m and s the mean and the standard deviation of output k over noise,

    centred   z_k - m_k            z-scored   (z_k - m_k) / s_k

and the class of the largest one is predicted. The network is trained as ever and keeps its weights: old outputs are
low whatever is seen, because every later task pushes them down, and this takes that away. Both are measured; the
z-score counts. Kept of the past is the mean input, as by a sleep. Nothing is searched.

Source: the correction of a bias by the logits' prior, Menon et al., "Long-tail learning via logit adjustment", ICLR
2021; noise in place of images is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from .. import readings
from ..networks import body_and_head
from .plugin import Method, Plugin, Run
from .sleep import mean_of


@dataclass(frozen=True)
class Calibration(Plugin):
    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        noise = readings.noise_like(mean_of(run.inputs()), run.seed, x.dtype)
        z = readings.outputs(body_and_head(run.model)[1], hidden)
        of_noise = readings.outputs(run.model, noise)
        own = {
            "z-scored": readings.z_scored(z, of_noise).argmax(1),
            "centred": readings.centred(z, of_noise).argmax(1),
        }
        return own | heads

    def kept(self, layers: Sequence[int], images: int) -> int:
        return layers[0]  # the mean input


METHOD = Method(name="calibration", label="Calibrated outputs", part="calibration", settings=Calibration, place=13)
