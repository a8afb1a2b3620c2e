"""Arrows between rooms run down only, and the package holds nothing but rooms and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import house
from .house import GUESTS, LEVEL, ROOT, Import, all_imports, imports

IMPORTS = all_imports()


def faults(found: list[Import]) -> list[str]:
    """Return the imports that a room may not have: from a room that is not below it, from a guest, from the door."""
    inside = [line for line in found if line.source in LEVEL]
    return [
        str(line)
        for line in inside
        if line.target not in ("", line.source) and LEVEL.get(line.target, len(LEVEL)) >= LEVEL[line.source]
    ]


def test_arrows_run_down_only() -> None:
    assert {line.source for line in IMPORTS} >= {*LEVEL, *GUESTS} - {"sleep"}
    assert faults(IMPORTS) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("srclib/sleep/event.py", "from ..data import streams"),
        ("srclib/sleep/event.py", "if TYPE_CHECKING:\n    from ..data.streams import Task"),
        ("srclib/data/streams.py", "def late():\n    import srclib.learning.training"),
        ("srclib/data/streams.py", "from .. import learning"),
        ("srclib/learning/methods/ewc.py", "from ...experiments import cell"),
        ("srclib/experiments/protocols/__init__.py", "from ...search.outcomes import best"),
        ("srclib/search/fleet.py", "from ..verdicts import judging"),
        ("srclib/verdicts/drift.py", "from srclib.search import trials"),
        ("srclib/pages/tables.py", "from benchmarks import kernel"),
        ("srclib/pages/tables.py", "from book.build import execute"),
        ("srclib/pages/tables.py", "from .. import __main__"),
    ],
)
def test_an_arrow_that_runs_up_is_seen(path: str, source: str) -> None:
    assert len(faults(list(imports(Path(path), source)))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("srclib/learning/methods/ewc.py", "from ..training import evaluate"),
        ("srclib/learning/methods/ewc.py", "from ...sleep import sleep"),
        ("srclib/pages/__init__.py", "from . import figures\nimport torch\nfrom ..search import trials"),
        ("benchmarks/kernel.py", "from srclib.pages import figures"),
    ],
)
def test_other_arrows_are_allowed(path: str, source: str) -> None:
    assert faults(list(imports(Path(path), source))) == []


def test_only_the_command_line_knows_commands() -> None:
    users = {line.path for line in IMPORTS if ".commands" in line.module}
    assert {path.name for path in users} <= {"__main__.py", "commands.py"}
    door = [line.module.split(".")[2] for line in IMPORTS if line.source == "command line" and line.target]
    assert set(door) == {"commands", "command"}


def test_the_package_holds_nothing_but_rooms() -> None:
    inside = [path for path in (ROOT / "srclib").iterdir() if path.name != "__pycache__"]
    found = {
        path.name for path in inside if path.is_file() or any(path.rglob("*.py"))
    }  # caches of old folders may stay
    assert found - {"py.typed"} == {"__init__.py", "__main__.py", *LEVEL}


def test_every_room_says_what_it_is_for() -> None:
    assert [room for room in LEVEL if not house.purpose(room)] == []


def test_the_picture_is_up_to_date() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert house.drawn(text) == text, "`nox -s house` draws it anew"
