"""Where files are: those committed to `data/`, and those that come and go while something is computed."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent  # of the repository, where the package is in a checkout of it
CHECKOUT = (ROOT / "data" / "published").is_dir()
SHIPPED = PACKAGE / "_committed"  # what an installed package has of `data/`: published values, outcomes of searches


def committed(name: str) -> Path:
    """Return the path of a file or folder of the repository's `data/`, such as "results" or "mnist".

    In a checkout it need not be there. An installed package has few of them: the others raise FileNotFoundError.
    """
    if CHECKOUT:
        return ROOT / "data" / name
    if (path := SHIPPED / name).exists():
        return path
    raise FileNotFoundError(f"data/{name} is missing: it is in the repository of the book, not in the package")


def scratch(name: str) -> Path:
    """Return a path below `build`, in the checkout if there is one, else in the working directory."""
    return (ROOT if CHECKOUT else Path()) / "build" / name
