"""Data sets as tensors: pixels, embeddings, labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from srclib.data import load, source
from srclib.data.cub import CUB50
from srclib.data.prepared import write

from ..pictures import expect, miniature


def test_pixels_of_a_prepared_file_lie_in_0_to_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, "tiny_imagenet32")
    write(tmp_path / "tiny_imagenet32.npz", miniature())
    data = load("tiny_imagenet32", tmp_path)
    images = source("tiny_imagenet32").arrays(tmp_path)
    for x, y, split in ((data.x_train, data.y_train, "train"), (data.x_test, data.y_test, "test")):
        np.testing.assert_array_equal(x, images[f"x_{split}"].reshape(len(y), 3072) / np.float32(255))
        assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
        assert y.tolist() == images[f"y_{split}"].tolist()
    assert load("tiny_imagenet32", tmp_path) is data  # read once


@pytest.mark.parametrize("name", ["cub50", "cub200"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_embeddings_stay_as_they_are(
    name: str, dtype: type[np.floating], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect(monkeypatch, name, shape=(7,))
    x = np.random.default_rng(0).gamma(1, size=(18, 7)).astype(dtype)
    write(tmp_path / f"{name}.npz", miniature() | {"x_train": x[:12], "x_test": x[12:]})
    data = load(name, tmp_path)
    assert data.x_train.dtype == torch.float32
    assert sorted(data.x_train.tolist()) == sorted(x[:12].astype(float).tolist())
    assert float(data.x_test.max()) > 1


def test_cub50_of_the_cache_is_whole() -> None:
    if not CUB50.at_hand():
        pytest.skip("no data")
    data = load("cub50")
    assert (data.x_train.shape, data.x_test.shape) == ((1500, 1280), (1389, 1280))
    assert data.y_train.bincount().tolist() == [30] * 50
    assert len(data.y_train[:200].unique()) > 40  # the first images are of all classes
