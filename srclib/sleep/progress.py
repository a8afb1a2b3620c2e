"""A progress bar for sleeps that take a while, on a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

SHOW_AFTER = 1.0  # seconds


@contextmanager
def long_sleep_bar(total: int, show: bool | None) -> Iterator[Callable[[int], None]]:
    """Yield `advance(n)`; a bar appears after a second where `show` is True, or is None and stderr is a terminal.

    Needs rich; without it there is no bar.
    """
    if show is None:
        show = sys.stderr.isatty()
    if not show or find_spec("rich") is None:
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task("sleeping", total=total)
    start, running = time.monotonic(), False

    def advance(n: int) -> None:
        nonlocal running
        bar.advance(task, n)
        if not running and time.monotonic() - start > SHOW_AFTER:
            bar.start()
            running = True

    try:
        yield advance
    finally:
        if running:
            bar.stop()
