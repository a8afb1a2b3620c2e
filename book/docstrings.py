"""A Sphinx extension that reads the docstrings of `srclib`, which are plain text, as reStructuredText.

`name: text` of an argument becomes a list item, an indented block stays as it is, and `code` is code.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from sphinx.application import Sphinx

AFTERWORD = re.compile(r" (?=Raises |Sources?: )")  # ends a list of arguments


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    try:
        arguments = list(inspect.signature(obj).parameters)
    except (TypeError, ValueError):
        arguments = []
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip("\n"))
    lines[:] = "\n\n".join(convert(p, arguments) for p in [*paragraphs, ""]).split("\n")


def convert(paragraph: str, arguments: list[str]) -> str:
    """Return one paragraph as reStructuredText."""
    if paragraph.startswith("    "):
        return f"::\n\n{paragraph}"
    paragraph = re.sub(r"([|*])", r"\\\1", paragraph)
    paragraph = re.sub(r"(?<!`)`([^`]+)`(?!`)", lambda code: f"``{code[1].replace(chr(92), '')}``", paragraph)
    if paragraph.startswith("- ") or not arguments:
        return paragraph
    start = rf"(?:^|(?<=[.;] ))((?:{'|'.join(arguments)})(?:, (?:{'|'.join(arguments)}))*): "
    head, *pairs = re.split(start, " ".join(paragraph.split()))
    if not pairs:
        return paragraph
    pairs[-1], *after = AFTERWORD.split(pairs[-1], maxsplit=1)
    items = [f"- **{name}**: {text.strip(' ;')}" for name, text in zip(pairs[::2], pairs[1::2], strict=True)]
    return "\n\n".join([head.strip(), "\n".join(items), *after]).strip()
