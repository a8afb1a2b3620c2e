"""The built book in headless Chromium: no console error, no missing image, nothing wider than a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Response

SIZES = {"phone": {"width": 375, "height": 800}, "desktop": {"width": 1280, "height": 900}}


@pytest.mark.parametrize("size", SIZES)
def test_pages_work_in_a_browser(
    book: Path, pages: dict[Path, object], address: str, browser: Browser, size: str
) -> None:
    faults = []
    page = browser.new_page(viewport=SIZES[size])
    page.on("console", lambda m: faults.append(f"{page.url}: {m.text}") if _is_error(m) else None)
    page.on("response", lambda r: faults.append(f"{r.status} {r.url}") if _is_missing(r) else None)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("request", lambda r: faults.append(f"{page.url} asks for {r.url}") if not _own(r.url, address) else None)
    page.goto(f"{address}/index.html")
    page.wait_for_url("**/notebooks/introduction.html")  # the first page of the book
    for path in pages.keys() - {book / "index.html"}:
        page.goto(f"{address}/{path.relative_to(book).as_posix()}", wait_until="load")
        page.evaluate("() => document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
        page.wait_for_function("() => [...document.images].every(image => image.complete)")
        missing = page.evaluate("() => [...document.images].filter(i => i.naturalWidth === 0).map(i => i.src)")
        faults += [f"{page.url}: {source} is not shown" for source in missing]
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            faults.append(f"{page.url} is {wide} pixels wider than a {size}")
    page.close()
    assert not faults


def _is_error(message: ConsoleMessage) -> bool:
    return message.type == "error" and "Failed to load resource" not in message.text  # named by its response


def _is_missing(response: Response) -> bool:
    return response.status >= 400 and not response.url.endswith("/favicon.ico")  # asked for by the browser itself


def _own(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:"))


def test_a_sleep_can_be_played(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport=SIZES["phone"])
    page.goto(f"{address}/notebooks/fig6_replay.html")
    said, button = page.locator(".player .said"), page.locator(".player button")
    page.locator(".player input").fill("0")
    assert said.inner_text().startswith("Steps 1 to 1: ")
    button.click()
    page.wait_for_function("() => document.querySelector('.player input').value > 1")
    button.click()
    assert button.inner_text() == "Play"
    assert not said.inner_text().startswith("Steps 1 to 1: ")
    page.locator(".player input").fill("1000")  # its end
    before = said.inner_text()
    page.locator(".player select").select_option("mean image")
    assert said.inner_text() != before
    page.close()
