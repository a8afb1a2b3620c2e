"""Files of the publishers of data sets and weights: their download, and what stands in their archives."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

RETRIES = 3  # of a download that fails
TIMEOUT = 30  # seconds that a server may be silent


@dataclass(frozen=True)
class Origin:
    """A file of a publisher."""

    url: str
    checksum: str  # algorithm:hex

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
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=1 << 16, timeout=TIMEOUT)
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


def contents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a tar archive, in its order: it is slow to jump about in."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if (file := tar.extractfile(member)) is not None:
                yield member.name, file.read()


def rgb(content: bytes) -> Image.Image:
    """Return the image that a file holds, in colours."""
    from PIL import Image

    return Image.open(io.BytesIO(content)).convert("RGB")
