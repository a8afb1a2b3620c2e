"""The bench of the GPU kernel on a tiny network, under the interpreter of Triton; no time is ever judged."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import gpu as bench
from benchmarks import kernel
from srclib.data.places import committed
from srclib.sleep import cuda

from ..cells import bench_case

pytest.importorskip("triton")


@pytest.fixture
def case() -> kernel.Case:
    return bench_case()


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the CPU pass for a GPU where there is none."""
    if not cuda.available():
        monkeypatch.setattr(cuda, "available", lambda: True)
        monkeypatch.setattr(torch.Tensor, "cuda", lambda tensor: tensor)
        monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "no GPU")


@pytest.mark.usefixtures("gpu")
def test_the_report_has_every_contender_and_time_per_network(case: kernel.Case) -> None:
    short = replace(case, config=replace(case.config, steps=20))  # the interpreter is slow
    report = json.loads(json.dumps(bench.measure(short, (1, 2), repeats=2, steps=5)))
    names = ["event, CPU", "textbook, CPU", "textbook, GPU", "cuda, 1", "cuda, 2"]
    assert list(report["seconds"]) == list(report["seconds_per_sleep"]) == list(report["ratios"]) == names
    assert all(len(rounds) == 2 for rounds in report["seconds"].values())
    assert report["seconds_per_sleep"]["cuda, 2"] == pytest.approx(np.median(report["seconds"]["cuda, 2"]) / 2)
    assert report["ratios"]["textbook, CPU"] == 1
    assert report["agreement"]["differ"] == [0, 0] and min(report["agreement"]["spikes"]) > 0


def test_without_a_gpu_it_is_refused(case: kernel.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "available", lambda: False)
    with pytest.raises(ValueError, match="no GPU: allowed is a machine with a CUDA GPU and the triton package"):
        bench.measure(case)


@pytest.mark.parametrize("changes", [{"networks": (0,)}, {"repeats": 0}, {"steps": 0}])
def test_numbers_below_1_are_refused(case: kernel.Case, changes: dict) -> None:
    with pytest.raises(ValueError, match="allowed are whole numbers >= 1"):
        bench.measure(case, **changes)


def test_the_committed_report_has_the_same_spikes_on_both() -> None:
    report = json.loads((committed("benchmarks") / "gpu.json").read_text())
    assert report["agreement"]["differ"] == [0, 0, 0]
    assert "+" not in report["commit"]
