"""The HTML of the sleep lab."""

from __future__ import annotations

import html
import json
import re

from srclib.pages import figures
from srclib.pages.lab import lab


def test_what_the_page_is_told() -> None:
    text = lab({"mnist": 12.5})
    told = {key: html.unescape(value) for key, value in re.findall(r"data-(colors|published)='(.*?)'", text)}
    assert json.loads(told["published"]) == {"mnist": 12.5}
    assert len(json.loads(told["colors"])) == len(figures.TASKS)


def test_without_javascript_it_says_what_is_missing() -> None:
    text = lab({})
    assert '<div class="with" hidden>' in text
    assert "needs JavaScript" in text
