"""The registry: names, what is known of each, which images are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from srclib.data import STREAMS, at_hand, cifar10, load, source, sources
from srclib.data.cifar10 import CIFAR10
from srclib.data.prepared import write

from ..pictures import miniature

PREPARED = ("cifar10", "tiny_imagenet32", "cub200", "cub50")


def test_unknown_name() -> None:
    with pytest.raises(
        ValueError, match=r"data set 'minst' is unknown: allowed is one of mnist, .*, cifar10, .*cub50$"
    ):
        load("minst")


def test_names_and_labels() -> None:
    assert {name: stream.label for name, stream in STREAMS.items()} == {
        "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cross_modal": "Cross-modal MNIST", "cifar10": "CIFAR-10",
        "tiny_imagenet32": "Tiny ImageNet", "cub200": "CUB-200", "cub50": "CUB-200 (50 classes)", "patches": "Patches",
    }  # fmt: skip
    assert [stream.name for stream in STREAMS.values()] == list(STREAMS)


def test_every_data_set_has_classes() -> None:
    assert {name: len(set(source(name).classes)) for name in sources()} == {
        "mnist": 10, "fashion_mnist": 10, "cifar10": 10, "tiny_imagenet32": 200, "cub200": 200, "cub50": 50,
    }  # fmt: skip


def test_what_is_at_hand_needs_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCLIB_DATA", str(tmp_path))
    assert all(at_hand(name) for name in ("mnist", "fashion_mnist", "cross_modal", "patches"))
    assert not any(at_hand(name) for name in PREPARED)
    write(tmp_path / "cub50.npz", miniature())
    assert [name for name in PREPARED if at_hand(name)] == ["cub50"]
    weights = tmp_path / "vgg.safetensors"
    weights.write_bytes(b"some weights")
    monkeypatch.setattr(cifar10, "backbone", lambda: weights)
    for path in (tmp_path / "cifar10.npz", CIFAR10.features_path(weights)):  # images, or what is made of them
        write(path, miniature())
        assert at_hand("cifar10")
        assert not at_hand("cifar10", tmp_path / "elsewhere")
        path.unlink()
    assert not at_hand("cifar10")
    weights.unlink()
    assert not at_hand("cifar10")
    with pytest.raises(ValueError, match=r"stream 'cifar' is unknown: allowed is one of mnist, .*, patches$"):
        at_hand("cifar")
