"""Downloads: once, tried again, checked; and what the messages say when they fail."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pooch
import pytest

from srclib.data import publishers
from srclib.data.cifar10 import CIFAR10
from srclib.data.dataset import SPLITS
from srclib.data.prepared import Prepared
from srclib.data.publishers import Origin, fetch

from ..pictures import cifar10_archive, miniature, rows, small


@dataclass
class Server:
    """A publisher on this machine: the files it offers, how often it fails first, what it was asked for."""

    folder: Path
    url: str = ""
    failures: int = 0
    asked: list[str] = field(default_factory=list)

    def origin(self, path: Path, checksum: str = "") -> Origin:
        return Origin(f"{self.url}/{path.name}", checksum or f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")


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
    monkeypatch.setattr(publishers, "SCHEME", "http://")  # this machine has no certificate
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield state
        listening.shutdown()
        thread.join()


Published = tuple[Server, Prepared]


@pytest.fixture
def published(server: Server) -> Published:
    """Return a server that offers a miniature of CIFAR-10, and the data set that comes from there."""
    archive = cifar10_archive(server.folder / "cifar.tar.gz", miniature())
    return server, small(CIFAR10, origins=(server.origin(archive),))


def test_cifar10_is_downloaded_and_converted_once(published: Published, tmp_path: Path) -> None:
    server, source = published
    found = source.arrays(tmp_path)
    for split in SPLITS:
        assert rows(found, split) == rows(miniature(), split)
    again = source.arrays(tmp_path)
    assert all(np.array_equal(again[key], found[key]) for key in found)
    assert server.asked == ["/cifar.tar.gz"]
    assert sorted(path.suffix for path in tmp_path.glob("cifar10.*")) == [".lock", ".npz"]  # no .part is left


def test_a_download_that_fails_is_tried_again(published: Published, tmp_path: Path) -> None:
    server, source = published
    server.failures = publishers.RETRIES
    assert rows(source.arrays(tmp_path), "train") == rows(miniature(), "train")
    assert len(server.asked) == publishers.RETRIES + 1


@pytest.mark.parametrize("obstacle", ["offline", "refused"])
def test_offline_the_message_says_which_file_to_put_where(obstacle: str, published: Published, tmp_path: Path) -> None:
    server, source = published
    if obstacle == "offline":
        source = replace(source, origins=(Origin("http://127.0.0.1:9/cifar.tar.gz", "sha256:" + "0" * 64),))
    else:
        server.failures = publishers.RETRIES + 1
    with pytest.raises(FileNotFoundError) as caught:
        source.arrays(tmp_path / "cache")
    archive = tmp_path / "cache" / "downloads" / "cifar.tar.gz"
    reason = "ConnectionError" if obstacle == "offline" else "HTTPError"
    assert str(caught.value) == (
        f"{archive} is missing and {source.origins[0].url} cannot be downloaded ({reason}): put that file there, "
        f"or put the prepared file cifar10.npz into {tmp_path / 'cache'}"
    )
    archive.write_bytes((server.folder / "cifar.tar.gz").read_bytes())  # as it says
    source = replace(source, origins=(server.origin(archive),))
    assert rows(source.arrays(tmp_path / "cache"), "test") == rows(miniature(), "test")


def test_a_download_with_another_checksum_is_not_kept(published: Published, tmp_path: Path) -> None:
    server, source = published
    wrong = server.origin(server.folder / "cifar.tar.gz", "sha256:" + "0" * 64)
    source = replace(source, origins=(wrong,))
    with pytest.raises(ValueError, match=rf"{re.escape(wrong.url)} is not the file it was: .*hash") as caught:
        source.arrays(tmp_path)
    assert "0" * 64 in str(caught.value)
    assert list((tmp_path / "downloads").iterdir()) == []
    assert not source.where(tmp_path).exists()


def test_a_damaged_archive_is_named(published: Published, tmp_path: Path) -> None:
    server, source = published
    archive = fetch(source.origins[0], tmp_path)
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(
        ValueError, match=rf"{re.escape(str(archive))} is damaged or incomplete: its sha256 is \w+, expec"
    ):
        source.arrays(tmp_path)
    assert server.asked == ["/cifar.tar.gz"]  # not replaced behind the user's back
