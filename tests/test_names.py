"""Names that prose mentions exist: modules, files and commands, in pages, docstrings and comments."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest
import typer

from benchmarks.__main__ import app as benchmarks
from srclib.__main__ import app as srclib

from .terminal import commands

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("srclib", "benchmarks", "book", "notebooks", "examples", ".github")
PROSE = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "noxfile.py")),
    *(
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".md", ".yaml", ".yml")
    ),
]
API = (ROOT / "book" / "api.md").read_text()
FILES = {path.name for folder in (*FOLDERS, "tests", "data") for path in (ROOT / folder).rglob("*.*")}
FILES |= {path.name for path in ROOT.iterdir()}


def mentions(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield (file, match) for every match of a pattern in prose and code."""
    for path in PROSE:
        for found in re.findall(pattern, path.read_text()):
            yield str(path.relative_to(ROOT)), found


def exists(name: str) -> bool:
    """Return whether a dotted name is a module, or something in one."""
    try:
        resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_modules_and_what_is_in_them() -> None:
    found = list(mentions(r"(?<![\w./-])srclib(?:\.[A-Za-z]\w*)+"))
    assert len(found) > 50
    assert [(file, name) for file, name in found if not exists(name)] == []


def test_paths() -> None:
    found = list(mentions(r"(?<![\w./-])(?:srclib|benchmarks|book|notebooks|tests)/[\w./-]*\w"))
    assert len(found) > 20
    assert [(file, name) for file, name in found if "NAME" not in name and not (ROOT / name).exists()] == []


def test_files_named_without_their_folder() -> None:
    found = list(mentions(r"(?<![\w./*-])[a-z]\w*\.(?:yaml|py)\b"))
    assert len(found) > 20
    assert [(file, name) for file, name in found if name not in FILES] == []


@pytest.mark.parametrize(("program", "app"), [("srclib", srclib), ("benchmarks", benchmarks)])
def test_commands(program: str, app: typer.Typer) -> None:
    names = commands(typer.main.get_command(app))
    known = {*names, *(name.split()[0] for name in names)}  # `data list`, and `data`
    found = list(mentions(rf"python -m {program} ([a-z]+(?: [a-z]+)?)"))
    assert found
    assert [(file, name) for file, name in found if not {name, name.split()[0]} & known] == []


def documented() -> dict[str, object]:
    """Return what the API page documents, by the name under which a role finds it."""
    found: dict[str, object] = {}
    module = ""
    for kind, name, options in re.findall(r"^\.\. (\w+):: ([\w.]+)[()]*\n((?: +:.*\n)*)", API, re.MULTILINE):
        if kind.endswith("module"):
            module = name
            found[name] = resolve_name(name)
            members = re.search(r":members:(.*)", options)
            names = re.findall(r"\w+", members[1]) if members else []
            if members and not names:
                names = [key for key, value in vars(found[name]).items() if getattr(value, "__module__", "") == module]
            found |= {f"{module}.{member}": resolve_name(f"{module}.{member}") for member in names}
        else:
            full = name if "." in name else f"{module}.{name}"
            found[full] = resolve_name(full)
    return found


def test_what_the_api_page_documents_has_a_docstring() -> None:
    found = documented()
    assert len(found) > 80
    assert [name for name, value in found.items() if not inspect.getdoc(value)] == []


def classes(hint: Any) -> set[type]:
    """Return the classes of the package in a type, as in `list[Task] | None`."""
    inner = {cls for part in get_args(hint) for cls in classes(part)}
    own = isinstance(hint, type) and hint.__module__.startswith("srclib.")
    return inner | ({hint} if own else set())


def test_types_in_signatures_of_the_api_page_stand_there() -> None:
    found = documented()
    functions = {name: value for name, value in found.items() if inspect.isfunction(value)}
    known = [value for value in found.values() if isinstance(value, type)]
    used = {
        (name, cls) for name, f in functions.items() for hint in get_type_hints(f).values() for cls in classes(hint)
    }
    assert len(used) > 20
    assert sorted(f"{name}: {cls.__name__}" for name, cls in used if cls not in known) == []


def test_roles_lead_to_the_api_page() -> None:
    kinds = {"mod": ModuleType, "class": type, "func": object}
    found = documented()
    roles = list(mentions(r"\{(mod|class|func)\}`~?([\w.]+)`"))
    assert len(roles) > 10
    assert [(file, role) for file, role in roles if not isinstance(found.get(role[1]), kinds[role[0]])] == []


def test_pieces_of_files_that_a_page_shows() -> None:
    page = (ROOT / "book" / "protocols.md").read_text()
    pieces = re.findall(r"```\{literalinclude\} \.\./\.\./\.\./(\S+)\n(.*?)```", page, re.DOTALL)
    assert len(pieces) == 2
    for file, options in pieces:  # from build/src/book, where the page is built
        marks = [ast.literal_eval(text) for text in re.findall(r':(?:start-at|end-before): (".*")', options)]
        assert marks
        assert [mark for mark in marks if mark not in (ROOT / file).read_text()] == []
