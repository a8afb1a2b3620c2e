"""What all rooms share: how they print, log, and show on a terminal that they go on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.text import Text

WIDTH = 140  # columns where the output is no terminal


def console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDTH)


def line(text: str, style: str = "") -> None:
    """Print one line that is never wrapped, to the error stream."""
    console(stderr=True).print(Text(text, style), soft_wrap=True)


def log_stages(stream: TextIO | None = None) -> None:
    """Log one line per stage to a stream, stderr unless given."""
    logging.basicConfig(stream=stream, format="%(message)s")
    logging.getLogger("srclib").setLevel(logging.INFO)


@contextmanager
def progress(name: str, total: int) -> Iterator[Callable[[], None]]:
    """Yield a function that counts one of `total`; a bar on a terminal, nothing elsewhere."""
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(name, total=total)
        yield lambda: bar.advance(task)
