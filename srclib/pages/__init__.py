"""What a notebook calls: `pages.open` first, then its page, `say`, `figures`, `tables` and the `player`."""

from .page import Page, Records, file, one_of, open, rising, say, settings, some_of, whole

__all__ = ["Page", "Records", "file", "one_of", "open", "rising", "say", "settings", "some_of", "whole"]
