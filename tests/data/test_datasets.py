"""Data sets: the committed files, and what happens when one is damaged."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from srclib.data import datasets, features, natural
from srclib.data.datasets import CLASSES, DATA, EMBEDDED, IDX_FILES, NAMES, SHA256, at_hand, file_of, load, read_idx

from ..pictures import expect, miniature

TRAIN_COUNTS = {
    "mnist": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "fashion_mnist": [6000] * 10,
}
TEST_COUNTS = {
    "mnist": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    "fashion_mnist": [1000] * 10,
}


def idx(array: NDArray[np.uint8]) -> bytes:
    """Return the IDX file of an array of bytes."""
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def some_bytes(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


# The committed files


@pytest.mark.parametrize("name", EMBEDDED)
def test_data_set_is_whole(name: str) -> None:
    data = load(name)
    assert data.name == name
    assert data.classes == CLASSES[name]
    assert len(set(data.classes)) == 10
    for x, y, counts in ((data.x_train, data.y_train, TRAIN_COUNTS), (data.x_test, data.y_test, TEST_COUNTS)):
        assert x.shape == (len(y), 784)
        assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
        assert y.bincount(minlength=10).tolist() == counts[name]
        assert (x.min(), x.max()) == (0, 1)
    assert torch.equal((data.x_test * 255).round() / 255, data.x_test)  # multiples of 1/255
    assert load(name) is data  # read once


@pytest.mark.parametrize("name", EMBEDDED)
def test_rows_are_the_images_of_the_file(name: str) -> None:
    data = load(name)
    images = read_idx(file_of(DATA / name, "x_test"), SHA256[name]["x_test"])
    labels = read_idx(file_of(DATA / name, "y_test"), SHA256[name]["y_test"])
    assert images.shape == (10_000, 28, 28)
    for row in (0, 4321, 9999):
        np.testing.assert_array_equal((data.x_test[row] * 255).round().numpy().astype(np.uint8), images[row].ravel())
        assert data.y_test[row] == labels[row]


def test_unknown_name() -> None:
    with pytest.raises(
        ValueError, match=r"data set 'minst' is unknown: allowed is one of mnist, .*, cifar10, .*cub50$"
    ):
        load("minst")


def test_every_data_set_has_classes() -> None:
    assert tuple(CLASSES) == NAMES
    assert {name: len(set(classes)) for name, classes in CLASSES.items()} == {
        "mnist": 10, "fashion_mnist": 10, "cifar10": 10, "tiny_imagenet32": 200, "cub200": 200, "cub50": 50,
    }  # fmt: skip


# Prepared files


def test_pixels_of_a_prepared_file_lie_in_0_to_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, "tiny_imagenet32")
    natural.write(tmp_path / "tiny_imagenet32.npz", miniature())
    data = load("tiny_imagenet32", tmp_path)
    images = natural.arrays("tiny_imagenet32", tmp_path)
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
    natural.write(tmp_path / f"{name}.npz", miniature() | {"x_train": x[:12], "x_test": x[12:]})
    data = load(name, tmp_path)
    assert data.x_train.dtype == torch.float32
    assert sorted(data.x_train.tolist()) == sorted(x[:12].astype(float).tolist())
    assert float(data.x_test.max()) > 1


def test_cub50_of_the_cache_is_whole() -> None:
    if not natural.path_of("cub50").exists():
        pytest.skip("no data")
    data = load("cub50")
    assert (data.x_train.shape, data.x_test.shape) == ((1500, 1280), (1389, 1280))
    assert data.y_train.bincount().tolist() == [30] * 50
    assert len(data.y_train[:200].unique()) > 40  # the first images are of all classes


# Damaged files


@pytest.mark.parametrize("shape", [(5,), (3, 4, 4), (2, 0)], ids=str)
def test_read_idx_gives_the_array(shape: tuple[int, ...], tmp_path: Path) -> None:
    array = some_bytes(*shape)
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx(array)))
    np.testing.assert_array_equal(read_idx(path, sha256(idx(array))), array)


def test_every_truncation_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    content = idx(some_bytes(2, 3, 3))
    path = tmp_path / "images.gz"
    whole = gzip.compress(content, mtime=0)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=re.escape(str(path))):
            read_idx(path, sha256(content))


def test_no_altered_byte_gives_other_data(tmp_path: Path) -> None:
    array = some_bytes(2, 3, 3)
    path = tmp_path / "images.gz"
    whole = gzip.compress(idx(array), mtime=0)
    messages: list[str] = []
    harmless: set[int] = set()  # places where the gzip format keeps what is not content
    for place in range(len(whole)):
        for bit in range(8):
            altered = bytearray(whole)
            altered[place] ^= 1 << bit
            path.write_bytes(altered)
            try:
                found = read_idx(path, sha256(idx(array)))
            except ValueError as error:
                messages.append(str(error))
            else:
                np.testing.assert_array_equal(found, array)
                harmless.add(place)
    assert all(str(path) in message for message in messages)
    assert harmless <= {*range(3, 10), len(whole) - 9}  # flags, time and system; padding after the last bit


def test_other_content_in_a_whole_file_is_an_error(tmp_path: Path) -> None:
    expected, found = idx(some_bytes(4)), idx(some_bytes(4) ^ 1)
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(found))
    with pytest.raises(ValueError, match=r"labels\.gz was altered") as caught:
        read_idx(path, sha256(expected))
    assert sha256(expected) in str(caught.value)
    assert sha256(found) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"images\.gz is missing"):
        read_idx(tmp_path / "images.gz", "")


@pytest.mark.parametrize(
    ("key", "damage", "error", "message"),
    [
        ("x_train", "truncated", ValueError, "is not a whole gzip file"),
        ("y_train", "altered", ValueError, "is not a whole gzip file"),
        ("y_train", "exchanged", ValueError, "was altered"),
        ("x_train", "missing", FileNotFoundError, "is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_load_names_the_damaged_file(
    key: str, damage: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    for other in IDX_FILES:
        file_of(folder, other).symlink_to(file_of(DATA / "mnist", other))
    damaged = file_of(folder, key)
    content = damaged.read_bytes()
    damaged.unlink()
    match damage:
        case "truncated":
            damaged.write_bytes(content[:-100])
        case "altered":
            middle = len(content) // 2
            damaged.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        case "exchanged":
            damaged.symlink_to(file_of(DATA / "fashion_mnist", key))
    with pytest.raises(error, match=f"{re.escape(str(damaged))} {message}"):
        load("mnist", tmp_path)


def test_what_is_at_hand_needs_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCLIB_DATA", str(tmp_path))
    assert all(at_hand(name) for name in (*EMBEDDED, "cross_modal", "patches"))
    assert not any(at_hand(name) for name in natural.SOURCES)
    natural.write(tmp_path / "cub50.npz", miniature())
    assert [name for name in natural.SOURCES if at_hand(name)] == ["cub50"]
    for path in (tmp_path / "cifar10.npz", features.path_of(datasets.BACKBONE)):  # images, or what is made of them
        natural.write(path, miniature())
        assert at_hand("cifar10")
        assert not at_hand("cifar10", tmp_path / "elsewhere")
        path.unlink()
    assert not at_hand("cifar10")
