"""MNIST and Fashion-MNIST: the committed files, and what happens when one is damaged."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from srclib.data import load, places
from srclib.data.embedded import FASHION_MNIST, FILES, MNIST, Embedded, read_idx

SOURCES = pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)

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


@SOURCES
def test_data_set_is_whole(source: Embedded) -> None:
    name = source.name
    data = load(name)
    assert data.name == name
    assert data.classes == source.classes
    assert (len(data.x_train), len(data.x_test)) == (source.train, source.test)
    assert len(set(data.classes)) == 10
    for x, y, counts in ((data.x_train, data.y_train, TRAIN_COUNTS), (data.x_test, data.y_test, TEST_COUNTS)):
        assert x.shape == (len(y), 784)
        assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
        assert y.bincount(minlength=10).tolist() == counts[name]
        assert (x.min(), x.max()) == (0, 1)
    assert torch.equal((data.x_test * 255).round() / 255, data.x_test)  # multiples of 1/255
    assert load(name) is data  # read once


@SOURCES
def test_rows_are_the_images_of_the_file(source: Embedded) -> None:
    data = source.load()
    images, labels = (read_idx(source.where() / FILES[key], source.sha256[key]) for key in ("x_test", "y_test"))
    assert images.shape == (10_000, 28, 28)
    for row in (0, 4321, 9999):
        np.testing.assert_array_equal((data.x_test[row] * 255).round().numpy().astype(np.uint8), images[row].ravel())
        assert data.y_test[row] == labels[row]


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
    for file in FILES.values():
        (folder / file).symlink_to(MNIST.where() / file)
    assert list(MNIST.faults(tmp_path)) == []
    damaged = folder / FILES[key]
    content = damaged.read_bytes()
    damaged.unlink()
    match damage:
        case "truncated":
            damaged.write_bytes(content[:-100])
        case "altered":
            middle = len(content) // 2
            damaged.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        case "exchanged":
            damaged.symlink_to(FASHION_MNIST.where() / FILES[key])
    with pytest.raises(error, match=f"{re.escape(str(damaged))} {message}"):
        load("mnist", tmp_path)
    (fault,) = MNIST.faults(tmp_path)
    assert fault.startswith(f"{damaged} {message}")


def test_an_installed_package_says_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CHECKOUT", False)
    message = "data/mnist is missing: it is in the repository of the book, not in the package"
    with pytest.raises(FileNotFoundError, match=f"^{message}$"):
        load("mnist")
    assert not MNIST.at_hand()
    assert MNIST.files() == []
    assert list(MNIST.faults()) == [message]
