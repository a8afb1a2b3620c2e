"""Train the VGG whose blocks give the features of CIFAR-10, on Tiny ImageNet at 32 x 32: `python -m srclib backbone`.

The paper trains for 200 epochs at a constant rate. This takes a one-cycle schedule, which is there in a tenth of them:
the rate rises to its peak in the first part of the training and falls to zero along half a cosine. Images are mirrored
and shifted at random. On a CPU and on a GPU alike, products are in bfloat16, weights and sums in float32.

A checkpoint is written after every epoch. A training that is killed goes on from there and ends with the same weights
as one that was not, on the same device and number of threads. Source: paper, section "Task protocols"; L. N. Smith,
N. Topin, arXiv:1708.07120, for the schedule.
"""

from __future__ import annotations

import hashlib
import logging
import math
import pickle
import platform
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml
from filelock import FileLock
from safetensors.torch import save_file
from torch import Tensor, nn

from ..data import cifar10, provenance
from ..data.dataset import Arrays
from ..data.files import whole
from ..data.places import scratch
from ..data.stopping import telling
from ..data.terminal import progress
from ..data.tiny_imagenet import TINY_IMAGENET32
from ..data.vgg import vgg
from .training import reproducible

log = logging.getLogger(__name__)

IMAGES = TINY_IMAGENET32
CHECKPOINT = scratch("backbone/checkpoint.pt")
EVALUATION_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How the network is trained: stochastic gradient descent with Nesterov momentum."""

    epochs: int = 30
    batch: int = 100
    peak: float = 0.05  # learning rate
    warm_up: float = 0.2  # share of the steps until the peak
    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip: float = 2.0  # longest gradient: it keeps a network without normalisation from diverging
    shift: int = 4  # pixels, at most, in both directions
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch) < 1 or self.shift < 0 or self.seed < 0:
            raise ValueError(f"{self}: allowed are epochs and batch >= 1, shift and seed >= 0")
        if min(self.peak, self.clip) <= 0 or not 0 < self.warm_up < 1:
            raise ValueError(f"{self}: allowed are peak and clip > 0, warm_up in (0, 1)")
        if not 0 <= self.momentum < 1 or self.weight_decay < 0:
            raise ValueError(f"{self}: allowed are momentum in [0, 1), weight_decay >= 0")

    def rate(self, done: float) -> float:
        """Return the learning rate after a share of all steps, in [0, 1]."""
        if done < self.warm_up:
            return self.peak * done / self.warm_up
        return self.peak * (1 + math.cos(math.pi * (done - self.warm_up) / (1 - self.warm_up))) / 2


Row = dict[str, float]  # of the log: epoch, rate, loss, train, validation, seconds


class Training:
    """A training in progress: the network, its optimizer and the log, after some epochs."""

    def __init__(self, schedule: Schedule, data: Arrays, device: torch.device) -> None:
        self.schedule, self.device = schedule, device
        self.tensors = {name: torch.from_numpy(array).to(device) for name, array in data.items()}
        if len(data["x_train"]) < schedule.batch:
            raise ValueError(f"{len(data['x_train'])} images are fewer than a batch of {schedule.batch}")
        self.model = vgg(int(data["y_train"].max()) + 1).to(device)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=schedule.peak,
            momentum=schedule.momentum,
            weight_decay=schedule.weight_decay,
            nesterov=schedule.momentum > 0,
            fused=True,
        )
        self.log: list[Row] = []

    def epoch(self) -> Row:
        """Train for one epoch, a last partial batch left out, test, and return the new row of the log."""
        start, number, schedule = time.perf_counter(), len(self.log), self.schedule
        x, y = self.tensors["x_train"], self.tensors["y_train"]
        generator = torch.Generator().manual_seed(1_000_003 * schedule.seed + number)  # nothing to save for the next
        steps = len(x) // schedule.batch
        self.model.train()
        loss_sum = right = torch.zeros((), device=self.device)
        order = torch.randperm(len(x), generator=generator)[: steps * schedule.batch].to(self.device)
        with progress(f"epoch {number + 1} of {schedule.epochs}", steps) as advance:
            for step, rows in enumerate(torch.split(order, schedule.batch)):
                self.optimizer.param_groups[0]["lr"] = schedule.rate((number + (step + 0.5) / steps) / schedule.epochs)
                self.optimizer.zero_grad()
                z = self._forward(augmented(x[rows], schedule.shift, generator))
                loss = nn.functional.cross_entropy(z, y[rows].long())
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(self.model.parameters(), schedule.clip)
                self.optimizer.step()
                loss_sum, right = loss_sum + loss.detach(), right + (z.detach().argmax(1) == y[rows]).sum()
                advance()
        if not math.isfinite(loss_sum):
            raise ArithmeticError(
                f"the loss is {float(loss_sum)} in epoch {number + 1}: take a lower peak than {schedule.peak}"
            )
        self.log.append(
            {
                "epoch": number + 1,
                "rate": self.optimizer.param_groups[0]["lr"],
                "loss": float(loss_sum) / steps,
                "train": float(right) / (steps * schedule.batch),
                "validation": self.accuracy(),
                "seconds": round(time.perf_counter() - start, 1),
            }
        )
        return self.log[-1]

    @torch.inference_mode()
    def accuracy(self) -> float:
        """Return the share of the validation images whose class is predicted (top-1)."""
        self.model.eval()
        x, y = self.tensors["x_test"], self.tensors["y_test"]
        predicted = [self._forward(part).argmax(1) for part in torch.split(x, EVALUATION_BATCH)]
        return float((torch.cat(predicted) == y).double().mean())

    def _forward(self, images: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16):
            z: Tensor = self.model(images).float()  # the loss is no product
        return z

    def save(self, path: Path) -> None:
        """Write a checkpoint, all of it or nothing, and before that its checksum beside that of the last one."""
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "log": self.log}
        with whole(path) as part:
            torch.save(state | {"schedule": asdict(self.schedule)}, part)
            known = [cifar10.digest(file) for file in (part, path) if file.exists()]
            with whole(_card(path)) as card:
                card.write_text("".join(f"{digest}\n" for digest in known))

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint; ValueError, which names it, if it is not as written, or of another training."""
        card = _card(path)
        if not card.exists() or cifar10.digest(path) not in card.read_text(errors="replace").split():
            raise ValueError(f"{path} is no whole checkpoint that {card.name} knows: delete it to start anew")
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            schedule = state["schedule"]
            if schedule == asdict(self.schedule):
                self.model.load_state_dict(state["model"])
                self.optimizer.load_state_dict(state["optimizer"])
                self.log = state["log"]
        except (RuntimeError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
            raise ValueError(f"{path} is no whole checkpoint ({error}): delete it to start anew") from error
        if schedule != asdict(self.schedule):
            raise ValueError(f"{path} was begun with {schedule}, not {asdict(self.schedule)}: delete it to start anew")


def _card(checkpoint: Path) -> Path:
    """Return the path of the checksums of a checkpoint and of the one before it."""
    return checkpoint.with_name(f"{checkpoint.name}.sha256")


def augmented(images: Tensor, shift: int, generator: torch.Generator) -> Tensor:
    """Return images (n, height, width, colours), each shifted by up to `shift` pixels and half of them mirrored.

    What is shifted in repeats the edge. The numbers are drawn on the CPU, so that every device sees the same images.
    """
    n, height, width, _ = images.shape
    by = torch.randint(-shift, shift + 1, (2, n, 1), generator=generator)
    rows, columns = ((torch.arange(side) + d).clamp(0, side - 1) for side, d in zip((height, width), by, strict=True))
    mirrored = torch.rand(n, 1, generator=generator) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    index = (torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :])
    return images[tuple(i.to(images.device) for i in index)]


def run(
    schedule: Schedule,
    *,
    threads: int | None = None,
    weights: Path | None = None,
    checkpoint: Path = CHECKPOINT,
    directory: Path | None = None,
) -> dict[str, Any]:
    """Train to the end, from the checkpoint if there is one, and return the model card.

    Writes the weights of the convolutions, and beside them the card (.yaml) and the log, one row an epoch (.csv).
    threads: on a CPU; None: as torch has it. weights: their path; None: of those that the features are made with.
    directory: of the prepared images, by default the cache directory.
    """
    weights = weights or cifar10.backbone()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = threads or torch.get_num_threads()
    data = IMAGES.arrays(directory)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(checkpoint.with_suffix(".lock")), reproducible(schedule.seed, threads):
        training = Training(schedule, data, device)
        if checkpoint.exists():
            training.restore(checkpoint)
            log.info("going on after epoch %d of %d", len(training.log), schedule.epochs)
        while len(training.log) < schedule.epochs:
            with telling(lambda: (len(training.log), schedule.epochs), "epochs "):
                row = training.epoch()
            training.save(checkpoint)
            log.info(
                "epoch %d of %d: loss %.3f, top-1 %.2f %% in training, %.2f %% in validation, %.0f s",
                row["epoch"], schedule.epochs, row["loss"], 100 * row["train"], 100 * row["validation"], row["seconds"],
            )  # fmt: skip
    return _publish(training, weights, data, threads)


def _publish(training: Training, weights: Path, data: Arrays, threads: int) -> dict[str, Any]:
    """Write weights, card and log; return the card."""
    weights.parent.mkdir(parents=True, exist_ok=True)
    blocks = {
        name: w.detach().cpu().contiguous() for name, w in training.model.get_submodule("blocks").state_dict().items()
    }
    with whole(weights) as part:
        save_file(blocks, part)
    with whole(weights.with_suffix(".csv")) as part:
        pd.DataFrame(training.log).to_csv(part, index=False)
    last = training.log[-1]
    gpu = training.device.type == "cuda"
    card = {
        "model": "three VGG blocks, each two convolutions of 3 x 3 (32, 64, 128 filters) and a maximum over 2 x 2",
        "use": "images of 32 x 32 pixels to 2048 features, the inputs of the CIFAR-10 tasks",
        "weights": {
            "file": weights.name,
            "sha256": cifar10.digest(weights),
            "numbers": sum(w.numel() for w in blocks.values()),
        },
        "data": {
            "name": IMAGES.name,
            "origin": IMAGES.origins[0].url,
            "classes": int(data["y_train"].max()) + 1,
            "training images": len(data["x_train"]),
            "validation images": len(data["x_test"]),
            "sha256": hashlib.sha256(data["x_train"].tobytes()).hexdigest(),
        },
        "schedule": asdict(training.schedule),
        "accuracy": {"validation top-1": last["validation"], "training top-1": last["train"]},
        "provenance": {
            "commit": provenance.commit(),
            "device": torch.cuda.get_device_name() if gpu else f"{provenance.device()}, {threads} threads",
            "versions": {"python": platform.python_version(), "torch": version("torch")},
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "minutes": round(sum(row["seconds"] for row in training.log) / 60, 1),
        },
    }
    with whole(weights.with_suffix(".yaml")) as part:
        part.write_text(yaml.safe_dump(card, sort_keys=False, width=120))
    return card
