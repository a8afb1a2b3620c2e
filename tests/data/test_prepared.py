"""The prepared form: what it holds, how it is written, and what happens when a file is missing or damaged."""

from __future__ import annotations

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pooch
import pytest

from srclib.data.cifar10 import CIFAR10
from srclib.data.cub import CUB50, CUB200
from srclib.data.dataset import SPLITS, Arrays
from srclib.data.prepared import Prepared, made_once, write
from srclib.data.tiny_imagenet import TINY_IMAGENET32

from ..pictures import miniature, pictures, rows
from ..pictures import small as smaller

SMALL = Prepared(name="small", label="Small", classes=("0", "1"), train=3, test=1, shape=(2, 2, 3))


def small() -> Arrays:
    x = pictures(4, side=2)
    return {"x_train": x[:3], "y_train": np.uint8([0, 1, 1]), "x_test": x[3:], "y_test": np.uint8([0])}


def same(a: Arrays, b: Arrays) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("order", [slice(None, None, -1), np.random.default_rng(1).permutation(12)], ids=str)
def test_every_copy_gives_the_same_arrays(order: object, tmp_path: Path) -> None:
    source, data = smaller(CIFAR10), miniature()
    (tmp_path / "other").mkdir()
    write(tmp_path / "cifar10.npz", data)
    write(tmp_path / "other" / "cifar10.npz", data | {k: data[k][order] for k in ("x_train", "y_train")})
    found = source.arrays(tmp_path)
    assert same(found, source.arrays(tmp_path / "other"))
    assert rows(found, "train") == rows(data, "train")


def test_other_arrays_of_a_prepared_file_are_ignored(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", **small(), words=np.array(["n01443537"]))
    assert same(SMALL.read(tmp_path / "x.npz"), small())


def test_every_truncation_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    write(path, small())
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 5), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=re.escape(f"{path} is damaged")):
            SMALL.read(path)


def test_no_altered_byte_gives_other_data(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    write(path, small())
    whole = path.read_bytes()
    named: list[bool] = []
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            found = SMALL.read(path)
        except ValueError as error:
            named.append(str(path) in str(error))
        else:
            assert same(found, small())
    assert all(named)
    assert len(named) > len(whole) / 6  # the rest is what zip keeps twice or for show: dates, padding


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x_train": pictures(2, 2)},
            r"x_train is uint8 \(2, 2, 2, 3\) with labels uint8 \(3,\): allowed is uint8 \(3, 2",
        ),
        ({"x_test": pictures(1, 3)}, r"x_test is uint8 \(1, 3, 3, 3\)"),
        ({"x_test": pictures(1, 2) / 255}, r"x_test is float64 .*: allowed is uint8"),
        ({"y_train": np.array([0, 1, 1])}, r"with labels int64 \(3,\): allowed is .* with uint8 \(3,\)"),
        ({"y_train": np.uint8([0, 1])}, r"with labels uint8 \(2,\)"),
        ({"y_test": np.uint8([2])}, r"a label of y_test is 2: allowed is 0 to 1"),
        ({"y_test": np.array([{}])}, "is damaged .*allow_pickle"),
    ],
    ids=["few", "size", "type", "label_type", "few_labels", "label", "pickled"],
)
def test_what_is_not_in_the_prepared_form_is_refused(change: Arrays, message: str, tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    np.savez(path, **{**small(), **change})
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}.*{message}"):
        SMALL.read(path)


def test_embeddings_are_numbers(tmp_path: Path) -> None:
    path, source = tmp_path / "e.npz", replace(SMALL, shape=(5,))
    for dtype in (np.float16, np.float32):
        write(path, small() | {"x_train": np.ones((3, 5), dtype), "x_test": np.ones((1, 5), dtype)})
        assert source.read(path)["x_train"].dtype == dtype
    write(path, small() | {"x_train": np.ones((3, 5), np.uint8), "x_test": np.ones((1, 5), np.uint8)})
    with pytest.raises(ValueError, match=r"x_train is uint8 \(3, 5\) .*: allowed is float16 or float32 \(3, 5\)"):
        source.read(path)


def test_a_lacking_array_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **{key: a for key, a in small().items() if key != "y_test"})
    with pytest.raises(ValueError, match=r"x\.npz is damaged .*y_test"):
        SMALL.read(tmp_path / "x.npz")


def test_cub50_cannot_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"{re.escape(str(tmp_path))}/cub50\.npz is missing: cub50 cannot be"):
        CUB50.arrays(tmp_path)


# Written once, and never half


def test_a_writer_that_dies_leaves_nothing_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.npz"

    def dies(file: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dies)
        with pytest.raises(KeyboardInterrupt):
            made_once(path, small)
    assert not path.exists()
    assert not list(tmp_path.glob("*.part"))
    assert same(SMALL.read(made_once(path, small)), small())
    assert not list(tmp_path.glob("*.part"))


def test_many_at_once_make_it_once(tmp_path: Path) -> None:
    made: list[int] = []
    at_once = threading.Barrier(4)

    def make() -> Arrays:
        made.append(1)
        return small()

    def one(_: int) -> Path:
        at_once.wait()
        return made_once(tmp_path / "small.npz", make)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(one, range(4))) == {tmp_path / "small.npz"}
    assert made == [1]


def test_the_directory_is_the_users_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCLIB_DATA", str(tmp_path))
    assert CIFAR10.where() == tmp_path / "cifar10.npz"
    monkeypatch.setenv("SRCLIB_DATA", "")
    assert CIFAR10.where() == Path(pooch.os_cache("srclib")) / "cifar10.npz"
    assert CIFAR10.where(tmp_path / "x") == tmp_path / "x" / "cifar10.npz"


# The real files, where they are


@pytest.mark.parametrize("known", [CIFAR10, TINY_IMAGENET32, CUB200, CUB50], ids=lambda source: source.name)
def test_prepared_files_are_whole(known: Prepared) -> None:
    if not known.files():
        pytest.skip("no data")
    found = known.read(known.where())
    for split in SPLITS:
        counts = np.bincount(found[f"y_{split}"], minlength=len(known.classes))
        if known in (CIFAR10, TINY_IMAGENET32):
            assert set(counts) == {getattr(known, split) // len(known.classes)}
        else:
            assert counts.min() >= 11  # birds are not as even
