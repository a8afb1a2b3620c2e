"""Files of the publishers of data sets and weights: their download, and what stands in their archives."""

from __future__ import annotations

import errno
import io
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from PIL import Image

SCHEME = "https://"
LARGEST = 64 << 20  # bytes of a file in an archive; those of CIFAR-10 have 31 million
PIXELS = 25_000_000  # of an image
RETRIES = 3  # of a download that fails
TIMEOUT = 30  # seconds that a server may be silent


@dataclass(frozen=True)
class Origin:
    """A file of a publisher."""

    url: str
    checksum: str  # sha256:hex

    def __post_init__(self) -> None:
        if not self.url.startswith(SCHEME):
            raise ValueError(f"url = {self.url!r}: allowed is one that begins with {SCHEME}")
        if not re.fullmatch("sha256:[0-9a-f]{64}", self.checksum):
            raise ValueError(f"checksum of {self.url} = {self.checksum!r}: allowed is sha256: and 64 digits in hex")

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]


def fetch(origin: Origin, directory: Path) -> Path:
    """Return the path of a publisher's file in `downloads`, downloaded if it is missing, its checksum checked.

    Raises ValueError for a file with another checksum, FileNotFoundError for one that cannot be downloaded.
    """
    import pooch  # its import warns in a notebook without widgets, and few need it

    path = directory / "downloads" / origin.file
    algorithm, expected = origin.checksum.split(":")
    if path.exists():
        found = pooch.file_hash(str(path), alg=algorithm)
        if found != expected:
            raise ValueError(
                f"{path} is damaged or incomplete: its {algorithm} is {found}, expected {expected}; delete it"
            )
        return path
    keeper = pooch.create(
        path.parent, "", registry={path.name: origin.checksum}, urls={path.name: origin.url}, retry_if_failed=RETRIES
    )
    hooks = {"response": _stay_secure}
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=1 << 16, timeout=TIMEOUT, hooks=hooks)
    try:
        keeper.fetch(path.name, downloader=downloader)
    except ValueError as error:
        raise ValueError(f"{origin.url} is not the file it was: {error}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileNotFoundError(
            f"{path} is missing and {origin.url} cannot be downloaded ({reason}): put that file there"
        ) from error
    return path


def _stay_secure(response: Any, **_: Any) -> None:
    """Refuse to be led away from a secure connection."""
    target = urljoin(response.url, response.headers.get("location", ""))
    if not target.startswith(SCHEME):
        raise OSError(errno.EPROTO, f"it leads to {target}, which does not begin with {SCHEME}")


def contents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a tar archive, in its order: it is slow to jump about in.

    Raises ValueError for a file that is larger than any that is expected.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            if (file := tar.extractfile(member)) is not None:
                check_size(archive, member.name, member.size)
                yield member.name, file.read()


def check_size(archive: Path, name: str, size: int) -> None:
    """Raise ValueError for a file in an archive that would unpack to more bytes than any that is expected."""
    if size > LARGEST:
        raise ValueError(f"{archive}: {name} would unpack to {size:,} bytes: allowed are at most {LARGEST:,}")


def rgb(content: bytes) -> Image.Image:
    """Return the image that a file holds, in colours; ValueError for one of too many pixels."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise ValueError(f"an image is too large ({error}): allowed are at most {PIXELS:,} pixels") from None
    if image.width * image.height > PIXELS:
        raise ValueError(f"an image has {image.width} x {image.height} pixels: allowed are at most {PIXELS:,}")
    return image.convert("RGB")
