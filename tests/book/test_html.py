"""The built pages as files: nothing missing, nothing broken, nothing published that should not be."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

from .conftest import HTML, Page

ROOT = HTML.parents[1]
GENERATED = {"index.html", "genindex.html", "search.html", "py-modindex.html"}


def _contents() -> set[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [toc["root"]] + [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return {f"{file}.html" for file in files}


def test_only_the_table_of_contents_is_published(pages: dict[Path, Page]) -> None:
    found = {path.relative_to(HTML).as_posix() for path in pages}
    assert _contents() <= found
    assert found - _contents() <= GENERATED


def test_internal_links_and_anchors_lead_somewhere(pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not target.exists():
                broken.append(f"{path.name}: {link}")
            elif url.fragment and target in pages and unquote(url.fragment) not in pages[target].ids:
                broken.append(f"{path.name}: {link} (no such anchor)")
    assert not broken


def test_every_image_is_there_and_has_alternative_text(pages: dict[Path, Page]) -> None:
    faults, figures = [], 0
    for path, page in pages.items():
        for image in page.images:
            source = image.get("src") or ""
            if not source.startswith(("http", "data:")) and not (path.parent / unquote(source)).exists():
                faults.append(f"{path.name}: {source} is missing")
            if "_images" in source:
                figures += 1
                if len(image.get("alt") or "") < 40:
                    faults.append(f"{path.name}: {source} has no description: alt={image.get('alt')!r}")
    assert not faults
    assert figures >= 10
