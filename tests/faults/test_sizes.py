"""What would not fit is named with the memory that it would take, before any is taken; nothing unpacks without end."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from srclib.data import embedded, publishers
from srclib.data.cifar10 import CIFAR10
from srclib.data.embedded import read_idx
from srclib.data.prepared import write
from srclib.data.publishers import contents, rgb
from srclib.data.tiny_imagenet import convert
from srclib.experiments import grid
from srclib.learning.networks import mlp
from srclib.sleep import SleepConfig, draw_input, memory, run_layers, sleep

from ..pictures import miniature, small, tar

CONFIG = SleepConfig(alpha=1.0, beta=1.0, inc=0.1, dec=0.1)
SMALL = small(CIFAR10)


def net() -> torch.nn.Sequential:
    return torch.nn.Sequential(torch.nn.Linear(9, 4, bias=False))


@pytest.fixture
def allocates_little() -> Any:
    """Fail a test in which Python and NumPy take more than 60 MB at a time."""
    tracemalloc.start()
    yield
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60e6


@pytest.mark.usefixtures("allocates_little")
@pytest.mark.parametrize(
    ("changes", "takes"),
    [
        ({"steps": 10**9}, "40 GB"),
        ({"steps": 10**9, "rate": 0.0}, "32 GB"),
        ({"steps": 10**12}, "40 TB"),
        ({"steps": 10**18}, "40,000,000 TB"),
        ({"batch": 10**9}, "600 TB"),
        ({"batch": 10**9, "steps": 1}, "40 GB"),
        ({"batch": 10**15}, "600,000,000 TB"),
        ({"steps": 10**9, "window": 1}, "40 GB"),
    ],
    ids=str,
)
def test_a_sleep_that_does_not_fit(changes: dict[str, Any], takes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 10**10)
    model = net()
    before = model[0].weight.detach().clone()
    with pytest.raises(ValueError, match=rf"input spikes of [\d,]+ rows would take {takes} of memory: .* 10 GB here"):
        sleep(model, np.full(9, 0.5), replace(CONFIG, **changes))
    assert torch.equal(model[0].weight, before)


@pytest.mark.parametrize("backend", ["event", "reference"])
def test_a_raster_that_does_not_fit(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spikes, wide = draw_input(np.zeros(3), 1_000, 0.1), [torch.zeros(2_000, 3)]
    run_layers(wide, spikes, CONFIG, backend=backend, record=True)
    monkeypatch.setattr(memory, "available", lambda: 1_000_000)
    with pytest.raises(ValueError, match=r"the spikes of 1,000 rows and 2,000 neurons would take 2\.0 MB of memory"):
        run_layers(wide, spikes, CONFIG, backend=backend, record=True)


@pytest.mark.usefixtures("allocates_little")
@pytest.mark.parametrize("sizes", [(784, 10**9, 10), (10**6, 10**6), (10**12, 2)], ids=str)
def test_a_network_that_does_not_fit(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"layers = .* would take [\d,.]+ TB of memory: allowed is what fits"):
        mlp(sizes, init=0.1)


@pytest.mark.usefixtures("allocates_little")
@pytest.mark.parametrize("changes", [{"seeds": 10**9}, {"seeds": 10**15}, {"overlap_max": 10**12}], ids=str)
def test_a_grid_that_does_not_fit(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"fig1_patches: [\d,]+ cells would take [\d,.]+ TB of memory"):
        grid.grid("fig1_patches", **changes)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"max": "123\n"}, 123),
        ({"max": "max\n", "info": "MemTotal: 9 kB\nMemAvailable:  5 kB\n"}, 5 * 1024),
        ({"max": "99999\n", "info": "MemAvailable:  5 kB\n"}, 5 * 1024),
    ],
)
def test_the_memory_that_there_is(
    files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "LIMITS", (str(tmp_path / "max"),))
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "info")
    assert memory.available() == expected


def test_memory_is_told_without_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LIMITS", ())
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "none")
    assert memory.available() > 10**8


# What unpacks


@pytest.mark.usefixtures("allocates_little")
def test_a_gzip_file_is_unpacked_as_far_as_its_kind_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MOST", 1_000_000)
    path = tmp_path / "images.gz"
    with gzip.open(path, "wb", 9) as file:
        for _ in range(200):
            file.write(bytes(1_000_000))
    with pytest.raises(ValueError, match=r"images\.gz unpacks to more than 1,000,000 bytes"):
        read_idx(path, "0" * 64)


def npz(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.usefixtures("allocates_little")
def test_an_array_is_unpacked_only_where_its_head_is_right(tmp_path: Path) -> None:
    path = tmp_path / "cifar10.npz"
    content = miniature()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in content.items():
            with archive.open(f"{name}.npy", "w") as member:
                if name == "x_test":
                    head = {"descr": "|u1", "fortran_order": False, "shape": (300_000, 32, 32, 3)}
                    np.lib.format.write_array_header_1_0(member, head)
                    for _ in range(100):
                        member.write(bytes(9_216_000))
                else:
                    np.lib.format.write_array(member, array)
    with pytest.raises(
        ValueError, match=r"x_test is uint8 \(300000, 32, 32, 3\) .*: allowed is uint8 \(6, 32, 32, 3\)"
    ):
        SMALL.read(path)


@pytest.mark.parametrize("version", [(2, 0), (3, 0), (9, 9)], ids=str)
def test_an_array_of_another_version_is_named(version: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "cifar10.npz"
    write(path, miniature())
    content = path.read_bytes().replace(b"\x93NUMPY\x01\x00", b"\x93NUMPY" + bytes(version))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cifar10\.npz is damaged \(x_train is an array of version"):
        SMALL.read(path)


def test_a_file_of_an_archive_is_no_larger_than_expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishers, "LARGEST", 1_000)
    path = tar(tmp_path / "a.tar.gz", {"small": bytes(1_000), "large": bytes(1_001)})
    with pytest.raises(ValueError, match=r"a\.tar\.gz: large would unpack to 1,001 bytes: allowed are at most 1,000"):
        list(contents(path))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("tiny-imagenet-200/val/val_annotations.txt", bytes(1_001))
    with pytest.raises(ValueError, match=r"a\.zip: .*val_annotations\.txt would unpack to 1,001 bytes"):
        convert(tmp_path / "a.zip")


@pytest.mark.parametrize("side", [6_000, 30_000])
def test_an_image_has_no_more_pixels_than_expected(side: int) -> None:
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    with pytest.raises(ValueError, match=r"an image .* pixels.*: allowed are at most 25,000,000"):
        rgb(file.getvalue())
