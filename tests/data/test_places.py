"""Where files are, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from srclib.data import places
from srclib.data.places import committed, scratch

ROOT = Path(__file__).resolve().parents[2]


def test_in_a_checkout_all_is_in_the_repository() -> None:
    assert committed("published") == ROOT / "data" / "published"
    assert committed("results/new.jsonl") == ROOT / "data" / "results" / "new.jsonl"  # it need not be there
    assert scratch("searches") == ROOT / "build" / "searches"


def test_an_installed_package_has_what_it_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CHECKOUT", False)
    monkeypatch.setattr(places, "SHIPPED", tmp_path)
    (tmp_path / "published").mkdir()
    assert committed("published") == tmp_path / "published"
    with pytest.raises(FileNotFoundError, match=r"^data/results is missing: it is in the repository .*$"):
        committed("results")
    monkeypatch.chdir(tmp_path)
    assert scratch("searches").resolve() == tmp_path / "build" / "searches"
