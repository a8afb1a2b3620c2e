"""CIFAR-10 and its features: what they are, where they are kept, which weights they belong to."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from srclib.data import cifar10, load
from srclib.data.cifar10 import CIFAR10, backbone, convert, extract, load_backbone
from srclib.data.dataset import SPLITS
from srclib.data.prepared import write
from srclib.data.vgg import vgg_blocks

from ..pictures import cifar10_archive, expect, miniature, pictures, rows, small

SMALL = small(CIFAR10)


def made_up(path: Path, seed: int = 0) -> Path:
    """Write the weights of an untrained network."""
    torch.manual_seed(seed)
    save_file(vgg_blocks().state_dict(), path)
    return with_card(path)


def with_card(path: Path) -> Path:
    """Write the card of weights beside them."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".yaml").write_text(f"weights: {{sha256: {digest}}}\n")
    return path


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return weights beside a miniature of CIFAR-10."""
    expect(monkeypatch, "cifar10")
    write(tmp_path / "cifar10.npz", miniature())
    monkeypatch.setattr(cifar10, "BATCH", 5)
    return made_up(tmp_path / "vgg.safetensors")


def test_images_are_those_of_the_archive(tmp_path: Path) -> None:
    found = convert(cifar10_archive(tmp_path / "cifar.tar.gz", miniature()))
    for split in SPLITS:
        assert rows(found, split) == rows(miniature(), split)
    assert (found["x_train"].shape, found["y_test"].shape) == ((12, 32, 32, 3), (6,))


def test_features_are_those_of_the_images_as_shares_of_the_largest(weights: Path) -> None:
    found = SMALL.features(weights, weights.parent)
    blocks, images = load_backbone(weights), SMALL.arrays(weights.parent)
    for split, count in (("train", 12), ("test", 6)):
        x, y = found[f"x_{split}"], found[f"y_{split}"]
        assert (x.shape, x.dtype) == ((count, 2048), np.float16)
        assert (x.min(), x.max()) == (0, 1)
        assert 0.1 < (x > 0).mean() < 0.99
        assert y.tolist() == images[f"y_{split}"].tolist()
        raw = extract(blocks, images[f"x_{split}"])
        np.testing.assert_allclose(x, raw / raw.max(), rtol=1e-3, atol=1e-7)


def test_extract_does_not_depend_on_the_batch(weights: Path) -> None:
    blocks, x = load_backbone(weights), pictures(7)
    found = extract(blocks, x)
    assert (found.shape, found.dtype) == ((7, 2048), np.float32)
    for image, row in zip(x, found, strict=True):
        np.testing.assert_allclose(extract(blocks, image[None])[0], row, rtol=1e-4, atol=1e-5)


def test_features_are_kept_under_the_checksum_of_the_weights(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = SMALL.features(weights, weights.parent)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert (weights.parent / f"cifar10-features-{digest[:16]}.npz").exists()
    other = made_up(weights.parent / "other.safetensors", seed=1)
    second = SMALL.features(other, weights.parent)
    assert not np.allclose(first["x_train"], second["x_train"], atol=0.1)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(cifar10, "extract", never)
    for path, expected in ((weights, first), (other, second)):
        np.testing.assert_array_equal(SMALL.features(path, weights.parent)["x_train"], expected["x_train"])


def test_load_gives_features(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "backbone", lambda: weights)
    state = torch.get_rng_state()
    data = load("cifar10", weights.parent)
    assert torch.equal(torch.get_rng_state(), state)  # a run is the same whether they were there or not
    assert (data.x_train.shape, data.x_train.dtype) == ((12, 2048), torch.float32)
    assert (data.x_test.min(), data.x_test.max()) == (0, 1)
    np.testing.assert_array_equal(data.x_test, SMALL.features(weights, weights.parent)["x_test"])
    assert data.y_train.bincount().tolist() == [4, 4, 4]
    assert data.classes[:3] == ("airplane", "automobile", "bird")


def test_missing_weights_say_how_to_make_them(weights: Path) -> None:
    weights.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{re.escape(str(weights))} is missing: `python -m srclib backbone`"):
        SMALL.features(weights, weights.parent)


def test_damaged_and_altered_weights_are_named(weights: Path) -> None:
    whole = weights.read_bytes()
    other = load_file(weights)
    for content in (b"", whole[:1000], whole[:-1]):
        weights.write_bytes(content)
        with_card(weights)
        with pytest.raises(ValueError, match=rf"{re.escape(str(weights))} holds no weights of the VGG blocks"):
            load_backbone(weights)
    save_file({name: w for name, w in other.items() if name != "conv1_1.bias"}, weights)
    with_card(weights)
    with pytest.raises(ValueError, match=r"(?s)holds no weights of the VGG blocks: .*conv1_1\.bias"):
        load_backbone(weights)
    weights.write_bytes(whole)
    digest = hashlib.sha256(whole).hexdigest()
    with_card(weights)
    load_backbone(weights)
    save_file({name: -w for name, w in other.items()}, weights)
    with pytest.raises(
        ValueError, match=rf"{re.escape(str(weights))} was altered: its SHA-256 is \w+, vgg.yaml says {digest}"
    ):
        load_backbone(weights)


def test_the_committed_weights_are_those_of_the_card() -> None:
    if not backbone().exists():
        pytest.skip("no weights")
    blocks = load_backbone(backbone())
    assert backbone().with_suffix(".yaml").exists()
    assert extract(blocks, pictures(2)).shape == (2, 2048)
