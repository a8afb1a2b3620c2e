"""A Sphinx extension that lets the pages stand on their own: nothing is loaded from elsewhere.

Live code (thebe) is not offered, so its scripts are dropped; they would be declared twice on every page. Of MathJax,
which is served from the book itself, only the bundle that the pages load is kept.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", drop_thebe)
    app.connect("build-finished", prune_mathjax, priority=900)  # after it was copied
    return {"parallel_read_safe": True}


def drop_thebe(app: Sphinx, config: Config) -> None:
    for event in ("env-before-read-docs", "doctree-resolved"):
        for listener in list(app.events.listeners[event]):
            if listener.handler.__name__ in ("init_thebe_core", "update_thebe_context"):
                app.disconnect(listener.id)


def prune_mathjax(app: Sphinx, exception: Exception | None) -> None:
    for bundle in (Path(app.outdir) / "_static" / "mathjax").glob("*-*.js"):
        if bundle.name != "tex-chtml.js":
            bundle.unlink()
