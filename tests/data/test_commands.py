"""`srclib data`, as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from srclib.data import sources
from srclib.data.embedded import FASHION_MNIST, FILES, MNIST
from srclib.data.prepared import write

from .. import terminal
from ..pictures import embeddings, expect

call, refused = terminal.srclib.call, terminal.srclib.refused


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Return a copy of the data in which one file is cut short and one is missing."""
    for source in (MNIST, FASHION_MNIST):
        (tmp_path / source.name).mkdir()
        for file in FILES.values():
            (tmp_path / source.name / file).symlink_to(source.where() / file)
    cut, missing = tmp_path / "mnist" / FILES["x_test"], tmp_path / "fashion_mnist" / FILES["y_test"]
    whole = cut.read_bytes()
    cut.unlink()
    cut.write_bytes(whole[:-100])
    missing.unlink()
    return tmp_path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache directory that holds a miniature of cub50 and nothing else."""
    directory = tmp_path / "cache"
    directory.mkdir()
    expect(monkeypatch, "cub50", shape=(3072,))
    write(directory / "cub50.npz", embeddings())
    monkeypatch.setenv("SRCLIB_DATA", str(directory))
    return directory


def test_data_list_names_images_and_classes(cache: Path) -> None:
    lines = {name: line for line in call("data", "list").output.splitlines() for name in line.split()[1:2]}
    for source in (MNIST, FASHION_MNIST):
        for part in ("60,000", "10,000", " 10 ", "MB", str(source.where())):
            assert part in lines[source.name]
    for name, parts in {"cub50": ("12", "6", "3", "MB"), "cub200": ("5,994", "5,794", "200", "-")}.items():
        assert [part for part in parts if part not in lines[name].split()] == []
    assert list(lines)[-6:] == list(sources())


def test_data_verify_names_every_damaged_file(damaged: Path, cache: Path) -> None:
    output = call("data", "verify").output
    assert output == "mnist, fashion_mnist, cub50: all 9 files are whole\n"
    (cache / "cub50.npz").write_bytes((cache / "cub50.npz").read_bytes()[:-1])
    assert "cub50.npz is damaged" in call("data", "verify", code=1).output
    (cache / "cub50.npz").unlink()
    assert "all 8 files are whole" in call("data", "verify").output
    lines = call("data", "verify", "--directory", damaged, code=1).output.splitlines()
    assert len(lines) == 2
    assert "mnist/t10k-images-idx3-ubyte.gz is not a whole gzip file" in lines[0]
    assert "fashion_mnist/t10k-labels-idx1-ubyte.gz is missing" in lines[1]


def test_data_prepare_checks_what_is_embedded(damaged: Path) -> None:
    assert "mnist is ready: 60,000 training and 10,000 test images" in call("data", "prepare", "mnist").output
    assert "data set 'cifar' is unknown: allowed is one of mnist, fashion_mnist, cifar10" in refused(
        "data", "prepare", "cifar"
    )
    assert "t10k-images-idx3-ubyte.gz" in refused("data", "prepare", "mnist", "--directory", damaged)


def test_data_prepare_makes_what_is_not_embedded(cache: Path) -> None:
    assert "cub50 is ready: 12 training and 6 test images" in call("data", "prepare", "cub50").output
    assert "cub50.npz is missing: cub50 cannot be downloaded" in refused(
        "data", "prepare", "cub50", "--directory", cache / "other"
    )
