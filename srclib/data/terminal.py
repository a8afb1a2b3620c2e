"""What the commands of all rooms share: how they print and log."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from rich.console import Console
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
