"""`srclib backbone`, as a user types it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from srclib.data import cifar10
from srclib.learning import backbone

from .. import terminal

call, refused = terminal.srclib.call, terminal.srclib.refused


def test_backbone_trains_with_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(cifar10, "backbone", lambda: tmp_path / "vgg.safetensors")
    (tmp_path / "vgg.yaml").write_text("accuracy: 0.3\n")
    monkeypatch.setattr(backbone, "run", lambda schedule, threads: given.append((schedule, threads)))
    assert "accuracy: 0.3" in call("backbone", "--epochs", 2, "--peak", 0.01, "--seed", 4, "--threads", 1).output
    call("backbone")
    assert given == [(backbone.Schedule(epochs=2, peak=0.01, seed=4), 1), (backbone.Schedule(), None)]
    assert "allowed are peak and clip > 0" in refused("backbone", "--peak", 0)
