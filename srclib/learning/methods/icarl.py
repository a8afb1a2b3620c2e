"""iCaRL: incremental classifier and representation learning (Rebuffi et al., CVPR 2017, Algorithms 1 to 5).

Of all classes seen together, K images (`memory`) are kept, the exemplars; they are trained on with every new task. Each
of t classes has K / t of them, rounded to whole images, halves up, as in the released code: where t does not divide K,
that is up to half an image a class more than K or fewer, 102 of K = 100 after six classes. When a task was trained,
before any sleep, the exemplars of its classes are chosen, and those of each older class are cut to the first K / t.
They are chosen by herding: phi is the activity of the last hidden layer, scaled to length 1, mu its mean over the
images of the class that the network was trained on; the k-th exemplar is the image, not chosen before, that brings the
mean of the chosen ones nearest to mu:

    p_k = argmin_x | mu - (phi(x) + phi(p_1) + ... + phi(p_(k-1))) / k |

Times k^2 and without what all images share, the square of it is |phi(x)|^2 - 2 phi(x) (k mu - sum_j phi(p_j)): one
product of a matrix and a vector for each exemplar. Running means are not scaled to length 1, as in the authors' code.

Classification: the class whose exemplars have the mean, scaled to length 1, that is nearest to phi of the image.

Distillation: for the images of a new task and the exemplars alike, the targets of the old classes are the outputs of
the network before it is trained on the task, those of all other classes are the labels. That network is fixed and its
dropout off, so the targets are computed once. They go with iCaRL's own loss, the cross-entropy of each output on its
own (`sigmoid_bce`). The outputs of a softmax compete, and its targets have to add up to 1: with `softmax_ce`, the
targets of an image of an old class are all outputs of the network before, and a new image has its label alone. There is
no temperature in either, and all images have the same weight.

Variants of the released code (run_icarl_mnist and its like, construct_exemplar_set2, nnpredict_iCarl):

    head          network: the output units count. The release computes the accuracy by the nearest mean, too, and drops
                  it; here both are measured, whichever counts.
    normalized    false: phi is not scaled to length 1.
    first         smallest_projection: the first exemplar is the image with the smallest product of phi and mu.
    dropout       true: on wherever exemplars pass through the network: when they are chosen, for their targets, which
                  are drawn once for each task, and for the class means. What is classified passes without.
    pool          true: exemplars are chosen from all images of the class, trained on or not.
    pad           100: further images of the new task fill up what is trained on to a multiple of 100.
    herding       false: exemplars are drawn at random. The release runs both; the flag there means the opposite.
    distillation  false: all targets are labels. The release runs both.

Searched: nothing; K is what Table 2 varies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot

from ..networks import body_and_head
from ..training import activation, classes_of, evaluate
from .plugin import Examples, Method, Plugin, Run, synapses

HEADS = ("nearest_mean", "network")
FIRSTS = ("nearest", "smallest_projection")


@dataclass(frozen=True)
class ICaRL(Plugin):
    memory: int  # K, exemplars of all classes together before rounding; at least half as many as classes
    head: str = "nearest_mean"  # the predictions that count
    normalized: bool = True
    first: str = "nearest"
    dropout: bool = False
    pool: bool = False
    pad: int | None = None
    herding: bool = True
    distillation: bool = True

    def __post_init__(self) -> None:
        for name, allowed in (("head", HEADS), ("first", FIRSTS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {getattr(self, name)!r}: allowed is one of {allowed}")
        for name in ("memory", "pad"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} = {value}: allowed is a whole number >= 1")

    def task_data(self, run: Run, data: Examples) -> Examples:
        sets, task, classes = self._sets(run), run.seen[-1], classes_of(run.model)
        if 2 * self.memory < classes:
            raise ValueError(f"memory = {self.memory}: allowed is half of {classes}, the number of classes, or more")
        if again := set(task.classes) & set(sets):
            raise ValueError(f"task {len(run.seen)} has the old classes {sorted(again)}: allowed are new ones alone")
        if not sets:
            return data
        used, size = len(run.trained_on(task)[0]), len(data.x) + sum(map(len, sets.values()))
        more = slice(used, used + (-size % self.pad if self.pad else 0))
        x = torch.cat([data.x, task.x_train[more], *sets.values()])
        y = torch.cat([data.y, task.y_train[more], labels_of(sets)])
        if not self.distillation:
            return replace(data, x=x, y=y)
        old = data.old and replace(data.old, y=self._targets(run, data.old.x, data.old.y))
        return replace(data, x=x, y=self._targets(run, x, y), old=old)

    def after_training(self, run: Run) -> None:
        sets, task = self._sets(run), run.seen[-1]
        x, y = (task.x_train, task.y_train) if self.pool else run.trained_on(task)
        classes = y.unique().tolist()
        quota = math.floor(self.memory / (len(sets) + len(classes)) + 0.5)  # halves up
        for label in sets:
            sets[label] = sets[label][:quota]
        for label in classes:
            images = x[y == label]
            sets[label] = images[self._choose(run, images, label, quota)]

    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        sets = self._sets(run)
        phi = self._features(run, torch.cat(list(sets.values())))
        means = self._scaled(torch.stack([part.mean(0) for part in phi.split([len(x) for x in sets.values()])]))
        # (n, classes), the larger, the nearer; where all means have length 1, that of `hidden` does not matter
        near = hidden @ means.T - means.square().sum(1) / 2
        nearest = {"nearest_mean": torch.tensor(list(sets))[near.argmax(1)]}
        return nearest | heads if self.head == "nearest_mean" else heads | nearest

    def kept(self, layers: Sequence[int], images: int) -> int:
        """Images with their labels, and a copy of the network for the targets."""
        return self.memory * (layers[0] + 1) + (synapses(layers) if self.distillation else 0)

    def _sets(self, run: Run) -> dict[int, Tensor]:
        """Return the exemplars of every class so far, (quota, inputs) each, in the order of their choice."""
        sets: dict[int, Tensor] = run.memory.setdefault(self, {})
        return sets

    def _targets(self, run: Run, x: Tensor, y: Tensor) -> Tensor:
        """Return the targets of all outputs, (n, classes): labels, but present outputs for the old classes."""
        old = torch.tensor(list(self._sets(run)))
        hard = one_hot(y, classes_of(run.model)).to(x.dtype)
        soft = activation(self._pass(run, run.model, x), run.loss)
        of_images, of_outputs = torch.isin(y, old)[:, None], torch.isin(torch.arange(hard.shape[1]), old)
        return torch.where(of_images if run.loss == "softmax_ce" else of_outputs, soft, hard)

    def _choose(self, run: Run, images: Tensor, label: int, count: int) -> Tensor:
        if not self.herding:
            rng = np.random.default_rng((run.seed, len(run.seen), label))
            return torch.from_numpy(rng.permutation(len(images))[:count])
        return herd(self._features(run, images), count, first=self.first)

    def _features(self, run: Run, x: Tensor) -> Tensor:
        """Return phi of exemplars and of images that may become some, (n, units)."""
        return self._scaled(self._pass(run, body_and_head(run.model)[0], x))

    def _scaled(self, phi: Tensor) -> Tensor:
        return normalize(phi) if self.normalized else phi

    def _pass(self, run: Run, layers: nn.Sequential, x: Tensor) -> Tensor:
        """Return the outputs of layers for exemplars and images like them; torch's generator is left alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence((run.seed, len(run.seen))).generate_state(1)[0]))
            return evaluate(layers, x, dropout=self.dropout)


def herd(phi: Tensor, count: int, *, first: str = "nearest") -> Tensor:
    """Return the rows of `count` exemplars, or of all images if there are fewer, by herding, in the order of choice.

    phi: features (n, units). first: how the first one is chosen, as ICaRL's.
    """
    mean, total, squares = phi.mean(0), torch.zeros_like(phi[0]), phi.square().sum(1)
    chosen: list[int] = []
    for k in range(1, min(count, len(phi)) + 1):
        released_first = k == 1 and first == "smallest_projection"
        far = phi @ mean if released_first else squares - 2 * (phi @ (k * mean - total))
        far[chosen] = torch.inf
        chosen.append(int(far.argmin()))
        total += phi[chosen[-1]]
    return torch.tensor(chosen)


def labels_of(sets: dict[int, Tensor]) -> Tensor:
    """Return the labels of the images of all sets in turn, (n,)."""
    return torch.tensor(list(sets)).repeat_interleave(torch.tensor([len(images) for images in sets.values()]))


METHOD = Method(name="icarl", label="iCaRL", part="icarl", settings=ICaRL, place=6)
