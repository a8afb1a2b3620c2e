"""What a notebook calls: `pages.open` first, then its page, `figures`, `tables` and the `player`."""

from .page import Page, Records, file, one_of, open, rising, settings, some_of, whole

__all__ = ["Page", "Records", "file", "one_of", "open", "rising", "settings", "some_of", "whole"]
