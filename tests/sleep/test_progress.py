"""The progress bar: when it is shown."""

from __future__ import annotations

import sys

import pytest

from srclib.sleep import (
    progress,
    run_layers,
)

from .cases import dyadic_config, dyadic_weights, input_raster


@pytest.mark.parametrize(
    ("show", "terminal", "seconds", "shown"),
    [
        (True, False, 0, True),
        (None, True, 0, True),
        (None, False, 0, False),
        (False, True, 0, False),
        (True, True, 60, False),
    ],
    ids=["asked_for", "terminal", "no_terminal", "unwanted", "short"],
)
def test_progress_bar(monkeypatch, capsys, show: bool | None, terminal: bool, seconds: float, shown: bool) -> None:
    monkeypatch.setattr(progress, "SHOW_AFTER", seconds)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setenv("FORCE_COLOR", "1")
    run_layers(dyadic_weights((5, 4, 3)), input_raster(20, 5, 0.5), dyadic_config(), progress=show)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("sleeping" in printed.err) == shown
