"""The data of the sleep lab: what is committed is what the code makes, and a network sleeps as it was kept."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from srclib.data import registry
from srclib.data.places import committed
from srclib.experiments import lab
from srclib.sleep import SleepConfig, run_layers

from ..terminal import srclib

FOLDER = committed("lab")
SAID = json.loads((FOLDER / "lab.json").read_text())


def test_every_file_is_there_and_all_are_below_6_mb() -> None:
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    sizes = {}
    for name, entry in SAID["networks"].items():
        layers = entry["layers"]
        sizes[f"{name}.bin"] = 8 * layers[0] + 2 * sum(a * b for a, b in pairwise(layers))
        assert len(entry["scales"]) == len(layers) - 1
        sizes[f"{entry['tests']}.bin"] = SAID["tests"][entry["tests"]] * (layers[0] + 1)
    assert {name: size for name, size in files.items() if name != "lab.json"} == sizes
    assert sum(files.values()) < 6e6


def test_sleeps_are_those_of_the_protocols() -> None:
    assert SAID["sleeps"] == json.loads(json.dumps(lab.sleeps()))


@pytest.mark.parametrize("overlap", lab.OVERLAPS[-1:])
def test_a_network_is_made_again(overlap: int) -> None:
    made = lab.patches(overlap)
    entry, mean, weights = lab.read(f"patches_{overlap}")
    assert entry == json.loads(json.dumps(made.entry))
    np.testing.assert_array_equal(mean, made.mean)
    np.testing.assert_array_equal(weights[0], made.weights[0])
    assert (FOLDER / f"{made.tests[0]}.bin").read_bytes() == made.tests[1].tobytes() + made.tests[2].tobytes()


def test_test_images_are_those_of_mnist() -> None:
    content = np.frombuffer((FOLDER / "mnist_test.bin").read_bytes(), np.uint8)
    count = SAID["tests"]["mnist_test"]
    images, labels = content[:-count].reshape(count, 784), content[-count:]
    assert (np.bincount(labels) == lab.TESTED).all()
    arrays = registry.source("mnist").arrays()
    known = {x.tobytes(): y for x, y in zip(arrays["x_test"], arrays["y_test"], strict=True)}
    assert all(known[image.tobytes()] == label for image, label in zip(images, labels, strict=True))


def test_a_network_forgot_and_its_sleep_brings_something_back() -> None:
    entry, mean, weights = lab.read("mnist_tuned_2")
    content = np.frombuffer((FOLDER / "mnist_test.bin").read_bytes(), np.uint8)
    count = SAID["tests"]["mnist_test"]
    x = torch.tensor(content[:-count].reshape(count, 784) / np.float32(255))
    y = torch.tensor(content[-count:])

    def first_task(layers: list[torch.Tensor]) -> float:
        z = x
        for w in layers[:-1]:
            z = (z @ w.T).relu()
        right = (z @ layers[-1].T).argmax(1) == y
        return float(right[y <= 1].double().mean())

    layers = [torch.tensor(w.astype(np.float32)) for w in weights]
    config = SleepConfig(**SAID["sleeps"]["mnist"]["tuned"][1]).scaled(entry["scales"])
    record = run_layers(layers, config.noise(mean, (lab.SEED, 1)), config)
    assert first_task(layers) < 0.1
    assert first_task(record.weights) > 0.8


def test_unknown_network() -> None:
    with pytest.raises(ValueError, match="network 'mnist_released_6' is unknown: allowed is one of mnist_released_1"):
        lab.read("mnist_released_6")


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "TASKS", {})
    monkeypatch.setattr(lab, "OVERLAPS", (12,))
    said = srclib.call("lab", "--to", tmp_path).output
    assert f"3 files, 0.0 MB in {tmp_path}" in said
    assert (tmp_path / "patches_12.bin").read_bytes() == (FOLDER / "patches_12.bin").read_bytes()
    assert set(json.loads((tmp_path / "lab.json").read_text())["networks"]) == {"patches_12"}
