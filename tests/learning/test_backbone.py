"""Training of the backbone: its schedule, its images, going on after a stop, what it writes."""

from __future__ import annotations

import hashlib
import logging
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file

from srclib.data import cifar10
from srclib.data.dataset import SPLITS
from srclib.data.prepared import write
from srclib.data.tiny_imagenet import TINY_IMAGENET32
from srclib.learning import backbone
from srclib.learning.backbone import Row, Schedule, Training, augmented

from ..pictures import miniature, pictures, small

SHORT = Schedule(epochs=3, batch=5, seed=1)
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with a miniature of Tiny ImageNet; training takes place on the CPU."""
    monkeypatch.setattr(backbone, "IMAGES", small(TINY_IMAGENET32))
    write(tmp_path / "tiny_imagenet32.npz", miniature())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return tmp_path


def train(folder: Path, name: str, schedule: Schedule = SHORT) -> dict[str, Any]:
    """Train in the folder and return the card."""
    files = {"weights": folder / f"{name}.safetensors", "checkpoint": folder / f"{name}.pt"}
    return backbone.run(schedule, threads=1, directory=folder, **files)


# The schedule


def test_rate_rises_to_the_peak_and_falls_to_zero() -> None:
    schedule = Schedule(peak=0.1, warm_up=0.25)
    rates = [schedule.rate(done) for done in np.linspace(0, 1, 101)]
    assert rates[0] == 0
    assert rates[25] == max(rates) == pytest.approx(0.1)
    assert rates[100] == pytest.approx(0, abs=1e-12)
    assert schedule.rate(0.125) == pytest.approx(0.05)
    assert schedule.rate(0.625) == pytest.approx(0.05)  # half way down
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)


def test_every_step_has_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    training = Training(SHORT, miniature(), CPU)
    step = training.optimizer.step

    def noted() -> None:
        rates.append(training.optimizer.param_groups[0]["lr"])
        step()

    monkeypatch.setattr(training.optimizer, "step", noted)
    for _ in range(3):
        training.epoch()
    assert rates == pytest.approx([SHORT.rate((k + 0.5) / 6) for k in range(6)])  # 12 images are two batches of 5


BAD = ({"epochs": 0}, {"batch": 0}, {"peak": 0.0}, {"clip": 0.0}, {"warm_up": 1.0}, {"momentum": 1.0}, {"shift": -1})


@pytest.mark.parametrize("change", BAD, ids=str)
def test_bad_schedules(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(change))}={next(iter(change.values()))}.*: allowed are "):
        Schedule(**change)


def test_fewer_images_than_a_batch() -> None:
    with pytest.raises(ValueError, match="12 images are fewer than a batch of 13"):
        Training(Schedule(batch=13), miniature(), CPU)


# The images


def test_images_are_shifted_and_mirrored() -> None:
    x = torch.from_numpy(pictures(40, 8))
    found = augmented(x, 2, torch.Generator().manual_seed(0))
    assert (found.shape, found.dtype) == (x.shape, torch.uint8)
    seen = set()
    padded = np.pad(x.numpy(), ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    for i in range(40):
        candidates = {
            (down, right, mirrored): shown[:, ::-1] if mirrored else shown
            for down in range(5)
            for right in range(5)
            for mirrored in (False, True)
            for shown in [padded[i, down : down + 8, right : right + 8]]
        }
        (which,) = (key for key, image in candidates.items() if np.array_equal(image, found[i]))
        seen.add(which)
    for part in range(3):
        assert {which[part] for which in seen} == ({False, True} if part == 2 else set(range(5)))
    again = augmented(x, 2, torch.Generator().manual_seed(0))
    assert torch.equal(found, again)


def test_no_shift_leaves_images_in_place() -> None:
    x = torch.from_numpy(pictures(10, 6))
    found = augmented(x, 0, torch.Generator().manual_seed(0))
    same = (found == x).flatten(1).all(1)
    assert torch.equal(found[~same], x[~same].flip(2))
    assert 0 < same.sum() < 10


# Training


def test_it_learns() -> None:
    data = miniature(40, 20, classes=2)
    for split in SPLITS:  # the classes are bright and dark
        data[f"x_{split}"] = data[f"x_{split}"] // 2 + 127 * data[f"y_{split}"][:, None, None, None]
    torch.manual_seed(0)
    training = Training(Schedule(epochs=4, batch=10), data, CPU)
    rows = [training.epoch() for _ in range(4)]
    assert rows == training.log
    assert rows[-1]["loss"] < 0.3 < rows[0]["loss"]
    assert rows[-1]["validation"] == 1
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]


def test_a_training_that_was_killed_ends_as_one_that_was_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(folder, "whole")
    epoch = Training.epoch

    def killed(self: Training) -> Row:
        if len(self.log) == 1:
            raise KeyboardInterrupt
        return epoch(self)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            train(folder, "killed")
    assert not (folder / "killed.safetensors").exists()
    train(folder, "killed")
    whole, resumed = (torch.load(folder / f"{name}.pt", weights_only=True) for name in ("whole", "killed"))
    for part in ("model", "optimizer"):
        assert str(whole[part]) == str(resumed[part])
    assert (folder / "whole.safetensors").read_bytes() == (folder / "killed.safetensors").read_bytes()
    logs = [pd.read_csv(folder / f"{name}.csv").drop(columns="seconds") for name in ("whole", "killed")]
    pd.testing.assert_frame_equal(*logs)


def test_seeds_differ(folder: Path) -> None:
    for seed in (1, 2):
        train(folder, f"seed{seed}", Schedule(epochs=1, batch=5, seed=seed))
    first, second = (load_file(folder / f"seed{seed}.safetensors") for seed in (1, 2))
    assert not torch.equal(first["conv1_1.weight"], second["conv1_1.weight"])


def test_a_loss_that_is_lost_stops_it(folder: Path) -> None:
    with pytest.raises(ArithmeticError, match=r"the loss is (nan|inf) in epoch \d: take a lower peak than 1e\+30"):
        train(folder, "lost", Schedule(epochs=3, batch=5, peak=1e30))
    assert not (folder / "lost.safetensors").exists()


# Checkpoints and what is written


def test_a_checkpoint_of_another_training_is_refused(folder: Path) -> None:
    train(folder, "one", Schedule(epochs=1, batch=5))
    with pytest.raises(ValueError, match=r"one\.pt was begun with .*'epochs': 1.*, not .*'epochs': 2.*: delete it"):
        train(folder, "one", Schedule(epochs=2, batch=5))


def test_a_damaged_checkpoint_is_named(folder: Path) -> None:
    train(folder, "one", Schedule(epochs=1, batch=5))
    path = folder / "one.pt"
    whole = path.read_bytes()
    for content in (b"", b"not a checkpoint", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{re.escape(str(path))} is no whole checkpoint that one.pt.sha256 knows"):
            train(folder, "one", Schedule(epochs=1, batch=5))


def test_weights_card_and_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "srclib")
    card = train(folder, "vgg")
    weights = folder / "vgg.safetensors"
    assert yaml.safe_load((folder / "vgg.yaml").read_text()) == card
    assert card["weights"] == {
        "file": "vgg.safetensors",
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "numbers": 287_008,
    }
    assert (card["data"]["classes"], card["data"]["training images"], card["data"]["validation images"]) == (3, 12, 6)
    assert card["schedule"]["epochs"] == 3
    table = pd.read_csv(folder / "vgg.csv")
    assert table.columns.tolist() == ["epoch", "rate", "loss", "train", "validation", "seconds"]
    assert table["epoch"].tolist() == [1, 2, 3]
    assert card["accuracy"]["validation top-1"] == table["validation"].iloc[-1]
    assert all(math.isfinite(loss) for loss in table["loss"])
    for row, line in zip(table.itertuples(), caplog.messages, strict=True):
        assert f"epoch {row.Index + 1} of 3" in line
        assert f"{100 * row.validation:.2f} % in validation" in line
    checkpoint = torch.load(folder / "vgg.pt", weights_only=True)
    torch.manual_seed(0)
    model = backbone.vgg(3)
    model.load_state_dict(checkpoint["model"])
    found, expected = (
        cifar10.extract(blocks, pictures(3)) for blocks in (cifar10.load_backbone(weights), model.blocks)
    )
    np.testing.assert_array_equal(found, expected)
