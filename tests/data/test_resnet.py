"""ResNet-50: the names and shapes of torchvision's weights, its numbers on a small one, files of weights."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from srclib.data import resnet
from srclib.data.resnet import ResNet50, embed, load, pixels

from ..pictures import pictures

# SHA-256 of the lines "name shape" of torchvision's resnet50 without its last layer, version 0.29.1.
NAMES = "3fd989592177b1c749e47c453801c32bd0aeb3f6ac2c08c91f91894389c5e192"


def waves(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights of these shapes that need no random numbers, so that another program can make them too."""
    made = {}
    for i, (name, w) in enumerate(sorted(state.items())):
        if w.is_floating_point():
            wave = torch.sin(0.7 * torch.arange(w.numel(), dtype=torch.float64) + i).reshape(w.shape)
            if w.dim() == 4:
                wave = wave * (3 / w[0].numel()) ** 0.5
            else:
                wave = 1 + wave / 2 if name.endswith(("var", "weight")) else wave / 10
            made[name] = wave.float()
    return made


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> ResNet50:
    """Return a network of five bottlenecks that embeds images of 64 x 64 pixels."""
    for name, value in {"BLOCKS": (1, 2, 1, 1), "RESIZE": 72, "CROP": 64, "BATCH": 2}.items():
        monkeypatch.setattr(resnet, name, value)
    torch.manual_seed(0)
    return ResNet50().eval()


def test_weights_have_the_names_and_shapes_of_torchvision() -> None:
    with torch.device("meta"):
        network = ResNet50()
    lines = [f"{name} {tuple(w.shape)}" for name, w in network.state_dict().items()]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == NAMES
    assert sum(w.numel() for w in network.parameters()) == 25_557_032 - 1000 * 2049  # without the last layer


def test_outputs_are_those_of_torchvision(shallow: ResNet50) -> None:
    shallow.load_state_dict(waves(shallow.state_dict()), strict=False)
    x = torch.sin(0.3 * torch.arange(3 * 64 * 64, dtype=torch.float64)).reshape(1, 3, 64, 64).float()
    with torch.no_grad():
        y = shallow(x)[0]
    # Of torchvision's ResNet(Bottleneck, [1, 2, 1, 1]), version 0.29.1, with these weights.
    expected = torch.tensor([56909.7422, 0, 127878.75, 0, 164136.9062, 0])
    torch.testing.assert_close(y[::400], expected, rtol=1e-4, atol=1.0)
    assert float(y.mean()) == pytest.approx(73156.297, rel=1e-4)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_files_of_weights_load(suffix: str, shallow: ResNet50, tmp_path: Path) -> None:
    path = tmp_path / f"weights{suffix}"
    weights = shallow.state_dict() | {"fc.weight": torch.ones(1000, 2048), "fc.bias": torch.ones(1000)}
    torch.save(weights, path) if suffix == ".pth" else save_file(weights, path)
    state = torch.get_rng_state()
    found = load(path)
    assert torch.equal(torch.get_rng_state(), state)
    assert not found.training
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(found(x), shallow(x))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_bad_files_of_weights_are_named(suffix: str, shallow: ResNet50, tmp_path: Path) -> None:
    path = tmp_path / f"weights{suffix}"

    def store(weights: dict[str, Tensor]) -> bytes:
        torch.save(weights, path) if suffix == ".pth" else save_file(weights, path)
        return path.read_bytes()

    whole = store(shallow.state_dict())
    wrong = [
        whole[: len(whole) // 2],
        b"",
        b"<html>not found</html>",
        store({name: w for name, w in shallow.state_dict().items() if name != "conv1.weight"}),
        store(shallow.state_dict() | {"extra": torch.ones(1)}),
    ]
    for content in wrong:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{re.escape(str(path))} holds no weights of a ResNet-50: "):
            load(path)
    with pytest.raises(FileNotFoundError, match="missing"):
        load(tmp_path / f"missing{suffix}")


def test_a_file_of_torch_runs_nothing(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "harm",)  # type: ignore[return-value]

    torch.save({"conv1.weight": Harm()}, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match="holds no weights"):
        load(tmp_path / "weights.pth")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(("width", "height"), [(300, 500), (375, 257), (224, 224), (101, 90)])
def test_pixels_are_the_middle_of_the_image_standardised(width: int, height: int) -> None:
    flat = Image.new("RGB", (width, height), (255, 0, 51))
    x = pixels(flat)
    assert (x.shape, x.dtype) == ((3, 224, 224), torch.float32)
    for channel, (value, mean, sd) in enumerate([(1, 0.485, 0.229), (0, 0.456, 0.224), (0.2, 0.406, 0.225)]):
        torch.testing.assert_close(x[channel], torch.full((224, 224), (value - mean) / sd))
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[:] = np.linspace(0, 255, width).round()[None, :, None]
    row = pixels(Image.fromarray(ramp))[0, 112] * 0.229 + 0.485
    shown = 224 / 256 * min(width, height) / width  # of the width
    assert float(row[0]) == pytest.approx((1 - shown) / 2, abs=0.02)
    assert float(row[-1]) == pytest.approx((1 + shown) / 2, abs=0.02)


def test_embed_takes_any_number_of_images(shallow: ResNet50) -> None:
    images = [Image.fromarray(image) for image in pictures(5, 80)]
    found = embed(shallow, iter(images))
    assert (found.shape, found.dtype) == ((5, 2048), np.float32)
    assert found.min() >= 0
    for image, row in zip(images, found, strict=True):
        np.testing.assert_allclose(embed(shallow, [image])[0], row, rtol=1e-4, atol=1e-5)
    assert len(np.unique(found.round(3), axis=0)) == 5
