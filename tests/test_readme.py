"""What README, CONTRIBUTING and the book tell a reader to do works: snippets run; sessions and linked files exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from srclib.experiments import grid

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
MARKDOWN = [
    README,
    CONTRIBUTING,
    ROOT / "CHANGELOG.md",
    ROOT / "data" / "README.md",
    ROOT / "data" / "published" / "README.md",
]
WITH_COMMANDS = [
    README,
    CONTRIBUTING,
    *sorted((ROOT / "book").glob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.py")),
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
]


def fenced(path: Path, language: str) -> list[str]:
    """Return the code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


def commands(pattern: str) -> list[tuple[str, str]]:
    """Return (file, match) for every match in the files that name commands."""
    return [(path.name, found) for path in WITH_COMMANDS for found in re.findall(pattern, path.read_text())]


SNIPPETS = [
    pytest.param(snippet, id=f"{path.stem}-{i}")
    for path in (README, CONTRIBUTING, ROOT / "data" / "README.md")
    for i, snippet in enumerate(fenced(path, "python"))
]


def run(snippet: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a snippet from the root of the repository and return its namespace; torch's random state stays."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    monkeypatch.chdir(ROOT)
    with torch.random.fork_rng(devices=[]):
        exec(compile(snippet, "snippet", "exec"), namespace)
    return namespace


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippet_runs(snippet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run(snippet, monkeypatch)


def test_snippets_are_found() -> None:
    assert {str(p.id).split("-")[0] for p in SNIPPETS} >= {"README", "CONTRIBUTING"}


def test_readme_snippet_forgets_and_recovers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(fenced(README, "python")[0], monkeypatch)
    awake, asleep = capsys.readouterr().out.splitlines()
    assert awake == "awake  tensor([False, False,  True,  True])"
    assert asleep == "asleep tensor([True, True, True, True])"


def sessions() -> set[str]:
    """Return the names of the functions in noxfile.py that are decorated as sessions."""
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {f.name for f in functions if any("session" in ast.unparse(d) for d in f.decorator_list)}


def test_sessions_exist() -> None:
    named = commands(r"\bnox -s ([\w-]+)")
    assert {name for file, name in named if file == "README.md"} >= {"book", "tests", "notebook", "results"}
    known = sessions()
    assert [(file, name) for file, name in named if name not in known] == []


def test_notebooks_and_experiments_exist() -> None:
    known = {path.stem for path in (ROOT / "notebooks").glob("*.py")}
    named = commands(r"\bnox -s notebook -- (\w+)")
    assert named
    assert [(file, name) for file, name in named if name not in known] == []
    known = {"all", *grid.experiments()}
    named = commands(r"\bnox -s results -- (\w+)")
    assert named
    assert [(file, name) for file, name in named if name not in known] == []


def test_parameters_of_the_readme_exist() -> None:
    text = README.read_text() + CONTRIBUTING.read_text()
    for name, parameter in re.findall(r"nox -s notebook -- (\w+) -p (\w+)", text):
        assert re.search(rf"^{parameter} = ", (ROOT / "notebooks" / f"{name}.py").read_text(), re.MULTILINE), parameter


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_exist(path: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    relative = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in relative if not (path.parent / target).exists()] == []


def test_paths_of_the_layout_table_exist() -> None:
    paths = re.findall(r"^\| `([^`]+)` \|", README.read_text(), re.MULTILINE)
    assert "srclib/" in paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
