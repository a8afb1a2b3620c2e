"""Natural images: downloads, conversions, the prepared form, and what happens when a file is missing or damaged."""

from __future__ import annotations

import hashlib
import http.server
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pooch
import pytest
import torch

from srclib.data import natural, resnet
from srclib.data.natural import Arrays, Origin, Source, arrays, path_of, read, write

from ..pictures import (
    cifar10_archive,
    cub_archive,
    expect,
    jpeg,
    labelled,
    miniature,
    pictures,
    tiny_imagenet_archive,
)

SMALL = Source((2, 2, 3), train=3, test=1, classes=2)


def small() -> Arrays:
    x = pictures(4, side=2)
    return {"x_train": x[:3], "y_train": np.uint8([0, 1, 1]), "x_test": x[3:], "y_test": np.uint8([0])}


def same(a: Arrays, b: Arrays) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def rows(data: Arrays, split: str) -> set[bytes]:
    return {x.tobytes() + bytes([y]) for x, y in labelled(data, split)}


@dataclass
class Server:
    """A publisher on this machine: the files it offers, how often it fails first, what it was asked for."""

    folder: Path
    url: str = ""
    failures: int = 0
    asked: list[str] = field(default_factory=list)

    def origin(self, path: Path, checksum: str = "") -> Origin:
        return Origin(f"{self.url}/{path.name}", checksum or f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server(tmp_path / "published")
    state.folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(state.folder))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.failures -= 1
            if state.failures >= 0:
                self.send_error(503)
            else:
                super().do_GET()

        def log_message(self, *_: object) -> None: ...

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield state
        listening.shutdown()
        thread.join()


@pytest.fixture
def published(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return a server that offers a miniature of CIFAR-10."""
    archive = cifar10_archive(server.folder / "cifar.tar.gz", miniature())
    expect(monkeypatch, "cifar10", origins=(server.origin(archive),))
    return server


# Downloads and conversions


def test_cifar10_is_downloaded_and_converted_once(published: Server, tmp_path: Path) -> None:
    found = arrays("cifar10", tmp_path)
    for split in natural.SPLITS:
        assert rows(found, split) == rows(miniature(), split)
    assert (found["x_train"].shape, found["y_test"].shape) == ((12, 32, 32, 3), (6,))
    assert published.asked == ["/cifar.tar.gz"]
    assert same(arrays("cifar10", tmp_path), found)
    assert published.asked == ["/cifar.tar.gz"]
    assert sorted(path.suffix for path in tmp_path.glob("cifar10.*")) == [".lock", ".npz"]  # no .part is left


def test_a_download_that_fails_is_tried_again(published: Server, tmp_path: Path) -> None:
    published.failures = natural.RETRIES
    assert rows(arrays("cifar10", tmp_path), "train") == rows(miniature(), "train")
    assert len(published.asked) == natural.RETRIES + 1


@pytest.mark.parametrize("obstacle", ["offline", "refused"])
def test_offline_the_message_says_which_file_to_put_where(
    obstacle: str, published: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle == "offline":
        expect(monkeypatch, "cifar10", origins=(Origin("http://127.0.0.1:9/cifar.tar.gz", "md5:0"),))
    else:
        published.failures = natural.RETRIES + 1
    (origin,) = natural.SOURCES["cifar10"].origins
    with pytest.raises(FileNotFoundError) as caught:
        arrays("cifar10", tmp_path / "cache")
    archive = tmp_path / "cache" / "downloads" / "cifar.tar.gz"
    reason = "ConnectionError" if obstacle == "offline" else "HTTPError"
    assert str(caught.value) == (
        f"{archive} is missing and {origin.url} cannot be downloaded ({reason}): put that file there, "
        f"or put the prepared file cifar10.npz into {tmp_path / 'cache'}"
    )
    archive.write_bytes((published.folder / "cifar.tar.gz").read_bytes())  # as it says
    expect(monkeypatch, "cifar10", origins=(published.origin(archive),))
    assert rows(arrays("cifar10", tmp_path / "cache"), "test") == rows(miniature(), "test")


def test_a_download_with_another_checksum_is_not_kept(
    published: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = published.origin(published.folder / "cifar.tar.gz", "md5:" + "0" * 32)
    expect(monkeypatch, "cifar10", origins=(wrong,))
    with pytest.raises(ValueError, match=rf"{re.escape(wrong.url)} is not the file it was: .*hash") as caught:
        arrays("cifar10", tmp_path)
    assert "0" * 32 in str(caught.value)
    assert list((tmp_path / "downloads").iterdir()) == []
    assert not path_of("cifar10", tmp_path).exists()


def test_a_damaged_archive_is_named(published: Server, tmp_path: Path) -> None:
    archive = natural.fetch(natural.SOURCES["cifar10"].origins[0], tmp_path)
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(ValueError, match=rf"{re.escape(str(archive))} is damaged or incomplete: its md5 is \w+, expec"):
        arrays("cifar10", tmp_path)
    assert published.asked == ["/cifar.tar.gz"]  # not replaced behind the user's back


def test_tiny_imagenet_is_halved(tmp_path: Path) -> None:
    images = [jpeg(np.kron(pictures(1, 8, seed)[0], np.ones((8, 8, 1), np.uint8))) for seed in range(5)]
    grey = jpeg(np.full((64, 64), 77, np.uint8))
    train = {"n02": images[:2], "n01": [images[2], grey]}
    archive = tiny_imagenet_archive(tmp_path / "tiny.zip", train, [("n02", images[3]), ("n01", images[4])])
    found = natural.tiny_imagenet32(archive)
    assert [found[f"y_{split}"].tolist() for split in natural.SPLITS] == [[1, 1, 0, 0], [1, 0]]  # by sorted id
    for x, content in zip((*found["x_train"], *found["x_test"]), (*images[:3], grey, *images[3:]), strict=True):
        whole = np.asarray(natural._rgb(content), float)
        means = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
        assert np.abs(x - means).max() <= 0.5
    write(tmp_path / "tiny.npz", found)
    read(tmp_path / "tiny.npz", Source((32, 32, 3), train=4, test=2, classes=2))


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
    found = natural.cub200(cub_archive(tmp_path / "cub.tgz", rows), tmp_path / "resnet.pth")
    assert found["y_train"].tolist() == [1, 0]  # in the order of the archive, which is backwards
    assert found["y_test"].tolist() == [1, 0]
    order = [3, 0, 2, 1]
    expected = resnet.embed(network, [natural._rgb(rows[i][2]) for i in order])
    np.testing.assert_allclose(np.concatenate([found["x_train"], found["x_test"]]), expected, rtol=1e-2, atol=1e-3)
    assert np.unique(expected.round(3), axis=0).shape == (4, 2048)
    write(tmp_path / "cub200.npz", found)
    read(tmp_path / "cub200.npz", Source((2048,), train=2, test=2, classes=2))


def test_cub50_cannot_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"{re.escape(str(tmp_path))}/cub50\.npz is missing: cub50 cannot be"):
        arrays("cub50", tmp_path)


# The prepared form


@pytest.mark.parametrize("order", [slice(None, None, -1), np.random.default_rng(1).permutation(12)], ids=str)
def test_every_copy_gives_the_same_arrays(order: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, "cifar10")
    data = miniature()
    (tmp_path / "other").mkdir()
    write(tmp_path / "cifar10.npz", data)
    write(tmp_path / "other" / "cifar10.npz", data | {k: data[k][order] for k in ("x_train", "y_train")})
    found = arrays("cifar10", tmp_path)
    assert same(found, arrays("cifar10", tmp_path / "other"))
    assert rows(found, "train") == rows(data, "train")


def test_other_arrays_of_a_prepared_file_are_ignored(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", **small(), words=np.array(["n01443537"]))
    assert same(read(tmp_path / "x.npz", SMALL), small())


def test_every_truncation_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    write(path, small())
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 5), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=re.escape(f"{path} is damaged")):
            read(path, SMALL)


def test_no_altered_byte_gives_other_data(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    write(path, small())
    whole = path.read_bytes()
    named: list[bool] = []
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            found = read(path, SMALL)
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
        read(path, SMALL)


def test_embeddings_are_numbers(tmp_path: Path) -> None:
    path, source = tmp_path / "e.npz", Source((5,), train=3, test=1, classes=2)
    for dtype in (np.float16, np.float32):
        write(path, small() | {"x_train": np.ones((3, 5), dtype), "x_test": np.ones((1, 5), dtype)})
        assert read(path, source)["x_train"].dtype == dtype
    write(path, small() | {"x_train": np.ones((3, 5), np.uint8), "x_test": np.ones((1, 5), np.uint8)})
    with pytest.raises(ValueError, match=r"x_train is uint8 \(3, 5\) .*: allowed is float16 or float32 \(3, 5\)"):
        read(path, source)


def test_a_lacking_array_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **{key: a for key, a in small().items() if key != "y_test"})
    with pytest.raises(ValueError, match=r"x\.npz is damaged .*y_test"):
        read(tmp_path / "x.npz", SMALL)


# Written once, and never half


def test_a_writer_that_dies_leaves_nothing_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.npz"

    def dies(file: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dies)
        with pytest.raises(KeyboardInterrupt):
            natural.made_once(path, small)
    assert not path.exists()
    assert path.with_suffix(".part").exists()  # and is written anew
    assert same(read(natural.made_once(path, small), SMALL), small())
    assert not path.with_suffix(".part").exists()


def test_many_at_once_make_it_once(tmp_path: Path) -> None:
    made: list[int] = []
    at_once = threading.Barrier(4)

    def make() -> Arrays:
        made.append(1)
        return small()

    def one(_: int) -> Path:
        at_once.wait()
        return natural.made_once(tmp_path / "small.npz", make)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(one, range(4))) == {tmp_path / "small.npz"}
    assert made == [1]


def test_the_directory_is_the_users_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCLIB_DATA", str(tmp_path))
    assert path_of("cifar10") == tmp_path / "cifar10.npz"
    monkeypatch.setenv("SRCLIB_DATA", "")
    assert path_of("cifar10") == Path(pooch.os_cache("srclib")) / "cifar10.npz"
    assert path_of("cifar10", tmp_path / "x") == tmp_path / "x" / "cifar10.npz"


# The real files, where they are


@pytest.mark.parametrize("name", natural.SOURCES)
def test_prepared_files_are_whole(name: str) -> None:
    if not path_of(name).exists():
        pytest.skip("no data")
    source = natural.SOURCES[name]
    found = read(path_of(name), source)
    for split in natural.SPLITS:
        counts = np.bincount(found[f"y_{split}"], minlength=source.classes)
        if name in ("cifar10", "tiny_imagenet32"):
            assert set(counts) == {getattr(source, split) // source.classes}
        else:
            assert counts.min() >= 11  # birds are not as even
