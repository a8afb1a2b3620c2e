"""HTML, CSS and JavaScript of the pages, in files of their own beside this one."""

from __future__ import annotations

from importlib.resources import files
from string import Template


def filled(name: str, /, **values: object) -> str:
    """Return a file of this package with values in place of its `$names`; KeyError for one that is not given."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return Template(text.removesuffix("\n")).substitute(values)
