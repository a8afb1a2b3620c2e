"""The VGG: its layers, what its blocks compute, its first weights."""

from __future__ import annotations

import torch
from torch import nn

from srclib.data.vgg import vgg, vgg_blocks


def test_vgg_has_the_layers_of_the_paper() -> None:
    torch.manual_seed(0)
    model = vgg(200)
    weights = {name: tuple(w.shape) for name, w in model.named_parameters() if name.endswith("weight")}
    assert list(weights.values()) == [
        (32, 3, 3, 3), (32, 32, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3), (128, 64, 3, 3), (128, 128, 3, 3),
        (1028, 2048), (256, 1028), (200, 256),
    ]  # fmt: skip
    assert [name for name in weights if "conv" in name][::5] == ["blocks.conv1_1.weight", "blocks.conv3_2.weight"]
    images = torch.randint(256, (2, 32, 32, 3), dtype=torch.uint8)
    features = model.blocks(images)
    assert (features.shape, features.dtype) == ((2, 2048), torch.float32)
    assert features.min() == 0
    assert model(images).shape == (2, 200)


def test_vgg_blocks_compute_what_they_say() -> None:
    torch.manual_seed(0)
    blocks = vgg_blocks()
    for name, w in blocks.named_parameters():
        if name.endswith("bias"):
            nn.init.uniform_(w, -0.1, 0.1)
    images = torch.randint(256, (3, 32, 32, 3), dtype=torch.uint8)
    state = blocks.state_dict()
    x = torch.stack([image.permute(2, 0, 1) for image in images]).double() / 127.5 - 1
    for block in (1, 2, 3):
        for i in (1, 2):
            w, b = (state[f"conv{block}_{i}.{part}"].double() for part in ("weight", "bias"))
            x = nn.functional.conv2d(x, w, b, padding=1).clamp(min=0)
        x = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))
    torch.testing.assert_close(blocks(images).double(), x.flatten(1), rtol=1e-4, atol=1e-4)


def test_signals_keep_their_size_in_a_new_vgg() -> None:
    torch.manual_seed(0)
    images = torch.randint(256, (8, 32, 32, 3), dtype=torch.uint8)
    z = vgg(200)(images).detach()
    assert 0.2 < float(z.std()) < 5
