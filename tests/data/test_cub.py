"""CUB-200-2011: its embedding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from srclib.data import resnet
from srclib.data.cub import CUB200, convert
from srclib.data.prepared import write
from srclib.data.publishers import rgb

from ..pictures import cub_archive, jpeg, pictures


def test_cub200_is_embedded_with_its_official_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BLOCKS": (1, 1, 1, 1), "RESIZE": 40, "CROP": 32, "BATCH": 3}.items():
        monkeypatch.setattr(resnet, name, value)
    sizes = ((60, 90), (90, 60), (64, 64), (50, 70))
    images = [pictures(1, 100, seed)[0][:h, :w] for seed, (h, w) in enumerate(sizes)]
    split = ((1, True), (1, False), (2, False), (2, True))
    rows = [(*of, jpeg(image)) for of, image in zip(split, images, strict=True)]
    torch.manual_seed(0)
    network = resnet.ResNet50().eval()
    torch.save(network.state_dict(), tmp_path / "resnet.pth")
    found = convert(cub_archive(tmp_path / "cub.tgz", rows), tmp_path / "resnet.pth")
    assert found["y_train"].tolist() == [1, 0]  # in the order of the archive, which is backwards
    assert found["y_test"].tolist() == [1, 0]
    order = [3, 0, 2, 1]
    expected = resnet.embed(network, [rgb(rows[i][2]) for i in order])
    np.testing.assert_allclose(np.concatenate([found["x_train"], found["x_test"]]), expected, rtol=1e-2, atol=1e-3)
    assert np.unique(expected.round(3), axis=0).shape == (4, 2048)
    write(tmp_path / "cub200.npz", found)
    replace(CUB200, train=2, test=2).read(tmp_path / "cub200.npz")
