"""The sleep lab: HTML in which a reader lets a network sleep. Its code and data lie in the book (book/_static/lab)."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping

from matplotlib.colors import to_hex

from . import figures
from .templates import filled


def lab(published: Mapping[str, float]) -> str:
    """Return the HTML of the lab.

    published: percent of the test images that the paper recognises after the last sleep, by data set.
    """
    colors = json.dumps([to_hex(color) for color in figures.TASKS])
    return filled("lab.html", colors=html.escape(colors), published=html.escape(json.dumps(dict(published))))
