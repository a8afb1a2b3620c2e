"""Tiny ImageNet: its conversion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from srclib.data.dataset import SPLITS
from srclib.data.prepared import write
from srclib.data.publishers import rgb
from srclib.data.tiny_imagenet import TINY_IMAGENET32, convert

from ..pictures import jpeg, pictures, tiny_imagenet_archive


def test_tiny_imagenet_is_halved(tmp_path: Path) -> None:
    images = [jpeg(np.kron(pictures(1, 8, seed)[0], np.ones((8, 8, 1), np.uint8))) for seed in range(5)]
    grey = jpeg(np.full((64, 64), 77, np.uint8))
    train = {"n02": images[:2], "n01": [images[2], grey]}
    archive = tiny_imagenet_archive(tmp_path / "tiny.zip", train, [("n02", images[3]), ("n01", images[4])])
    found = convert(archive)
    assert [found[f"y_{split}"].tolist() for split in SPLITS] == [[1, 1, 0, 0], [1, 0]]  # by sorted id
    for x, content in zip((*found["x_train"], *found["x_test"]), (*images[:3], grey, *images[3:]), strict=True):
        whole = np.asarray(rgb(content), float)
        means = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
        assert np.abs(x - means).max() <= 0.5
    write(tmp_path / "tiny.npz", found)
    replace(TINY_IMAGENET32, train=4, test=2).read(tmp_path / "tiny.npz")
