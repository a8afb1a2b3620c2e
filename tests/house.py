"""The house in one picture: rooms and the imports between them, drawn into CONTRIBUTING.md by `nox -s house`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEVELS = (("sleep",), ("data",), ("learning",), ("experiments",), ("search", "verdicts"), ("pages",))  # from the ground
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
GUESTS = {  # what may import the package and is never imported by it
    "command line": "mounts the commands of all rooms",
    "notebooks": "one for each page",
    "book": "prose, and what builds the pages",
    "benchmarks": "everything that only measures speed",
}
MARKS = ("<!-- house: drawn by `nox -s house` -->\n", "<!-- end of house -->\n")


@dataclass(frozen=True)
class Import:
    """A line of a file that imports a module: `srclib.data.streams`, or a name in it."""

    path: Path  # from the root of the repository
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.module}"

    @property
    def source(self) -> str:
        """The room or guest that imports."""
        top, below, *_ = self.path.parts
        return top if top != "srclib" else "command line" if below == "__main__.py" else below

    @property
    def target(self) -> str:
        """The room or guest that is imported; "" for what does not belong to the project."""
        top, _, rest = self.module.partition(".")
        return rest.partition(".")[0] if top == "srclib" else top if top in GUESTS else ""


def imports(path: Path, source: str | None = None) -> Iterator[Import]:
    """Yield every import of a file, wherever it stands: in functions and for type checkers, too.

    path: from the root of the repository. source: of the file, if it is not there.
    """
    for node in ast.walk(ast.parse((ROOT / path).read_text() if source is None else source)):
        if isinstance(node, ast.Import):
            yield from (Import(path, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.parts[: len(path.parts) - node.level] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (Import(path, node.lineno, f"{base}.{alias.name}") for alias in node.names)


def all_imports() -> list[Import]:
    """Return the imports of the package and of its guests."""
    folders = ("srclib", *(guest for guest in GUESTS if (ROOT / guest).is_dir()))
    paths = [path.relative_to(ROOT) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [found for path in paths for found in imports(path)]


def arrows() -> dict[str, set[str]]:
    """Return what each room and each guest imports; an arrow that others imply is left out."""
    found: dict[str, set[str]] = {name: set() for name in (*GUESTS, *reversed(LEVEL))}
    for line in all_imports():
        if line.source in found and line.target in LEVEL and line.source != line.target:
            found[line.source].add(line.target)
    below: dict[str, set[str]] = {}
    for room in LEVEL:  # from the ground, so that what is below is known
        below[room] = found[room].union(*(below.get(target, set()) for target in found[room]))
    return {
        name: {target for target in targets if not any(target in below[other] for other in targets - {target})}
        for name, targets in found.items()
    }


def purpose(room: str) -> str:
    """Return the first line of a room's docstring, without its stop."""
    text = ast.get_docstring(ast.parse((ROOT / "srclib" / room / "__init__.py").read_text())) or ""
    return text.partition("\n")[0].rstrip(".")


def size(room: str) -> str:
    """Return about how many lines of Python a room has: hundreds, so that the picture keeps for a while."""
    lines = sum(path.read_bytes().count(b"\n") for path in (ROOT / "srclib" / room).rglob("*.py"))
    return f"{round(lines, -2):,} lines"


def picture() -> str:
    """Return the house as text of Mermaid, which GitHub draws."""
    boxes = [
        *(f'    {key(name)}(["{name}<br/>{text}"])' for name, text in GUESTS.items()),
        *(f'    {key(room)}["<b>{room}</b>, {size(room)}<br/>{purpose(room)}"]' for room in reversed(LEVEL)),
    ]
    lines = [f"    {key(name)} --> {' & '.join(sorted(targets))}" for name, targets in arrows().items() if targets]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *lines, "```", ""])


def key(name: str) -> str:
    return name.replace(" ", "_")


def drawn(text: str) -> str:
    """Return a text with the picture between its two marks."""
    head, _, rest = text.partition(MARKS[0])
    _, _, tail = rest.partition(MARKS[1])
    return head + MARKS[0] + picture() + MARKS[1] + tail


if __name__ == "__main__":
    contributing = ROOT / "CONTRIBUTING.md"
    contributing.write_text(drawn(contributing.read_text()))
