"""The built book, for tests that read it; with SRCLIB_REQUIRE_BOOK=1 its absence is a failure."""

from __future__ import annotations

import os
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

HTML = Path(__file__).resolve().parents[2] / "build" / "html"
REQUIRED = os.environ.get("SRCLIB_REQUIRE_BOOK") == "1"


class Page(HTMLParser):
    """The ids, links and images of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.add(str(values["id"]))
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if tag == "img":
            self.images.append(values)


def absent(what: str) -> None:
    if REQUIRED:
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def book() -> Path:
    if not (HTML / "index.html").exists():
        absent("build/html is missing: run `nox -s book` first")
    return HTML


@pytest.fixture(scope="session")
def pages(book: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(book.rglob("*.html")) if "_static" not in path.parts}


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        absent("Chromium is missing")
    return str(found)
