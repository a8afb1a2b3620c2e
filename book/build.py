"""Build the book: jupytext -> papermill -> Jupyter Book. Run through nox; `python book/build.py --help` lists options.

Everything is written under `build/`: `src/` is the book's source with executed notebooks, `executed.jsonl` says when
and how long each ran, `html/` is the book.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import jupytext
import papermill
import typer
import yaml

from srclib.results import PROFILES, device

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
BUILDERS = ("html", "linkcheck")

app = typer.Typer(add_completion=False)
log = logging.getLogger("book")


def notebooks() -> list[str]:
    """Return the notebooks of the table of contents, in its order, the status page last: it reads the others' log."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    names = [f.removeprefix("notebooks/") for f in files if f.startswith("notebooks/")]
    return sorted(names, key=lambda name: name == "status")


def execute(name: str, parameters: dict[str, Any], target: Path, *, offered: dict[str, Any] | None = None) -> float:
    """Execute one notebook with parameters and return the seconds it took; target: the .ipynb to write.

    offered: parameters for every notebook, which those that do not have them ignore.
    Raises ValueError for an unknown notebook or parameter, papermill's error when a cell fails (the target then holds
    the notebook up to there).
    """
    source = ROOT / "notebooks" / f"{name}.py"
    if not source.exists():
        known = ", ".join(sorted(p.stem for p in source.parent.glob("*.py")))
        raise ValueError(f"notebook {name!r} is unknown: allowed is one of {known}")
    target.parent.mkdir(parents=True, exist_ok=True)
    plain = target.with_suffix(".source.ipynb")
    jupytext.write(jupytext.read(source), plain)
    try:
        allowed = papermill.inspect_notebook(str(plain))
        for key in parameters:
            if key not in allowed:
                raise ValueError(f"{name} has no parameter {key!r}: allowed is one of {', '.join(allowed)}")
        parameters = {k: v for k, v in (offered or {}).items() if k in allowed} | parameters
        start = time.perf_counter()
        papermill.execute_notebook(
            str(plain), str(target), parameters, cwd=str(ROOT), kernel_name="python3", progress_bar=sys.stderr.isatty()
        )
    finally:
        plain.unlink()
    return time.perf_counter() - start


def prune_mathjax(folder: Path) -> None:
    """Keep the one of MathJax's bundles that the pages load, and what it loads itself; the rest is 20 MB."""
    for bundle in folder.glob("*-*.js"):
        if bundle.name != "tex-chtml.js":
            bundle.unlink()


@app.command()
def book(
    profile: Annotated[str, typer.Option(help="smoke, ci or full: how many runs a figure is made of.")] = "full",
    fresh: Annotated[
        bool, typer.Option(help="Compute every result anew, into build/results; ignore data/results.")
    ] = False,
    builder: Annotated[str, typer.Option(help="html, or linkcheck for external links.")] = "html",
) -> None:
    """Execute every notebook and build the book; any warning is an error."""
    if profile not in PROFILES or builder not in BUILDERS:
        raise typer.BadParameter(f"profile is one of {PROFILES}, builder one of {BUILDERS}")
    source, executed = BUILD / "src", BUILD / "executed.jsonl"
    for old in (source, BUILD / "html", BUILD / "_build"):
        shutil.rmtree(old, ignore_errors=True)
    executed.unlink(missing_ok=True)
    shutil.copytree(ROOT / "book", source / "book", ignore=shutil.ignore_patterns("build.py", "__pycache__"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, source)
    if fresh:
        shutil.rmtree(BUILD / "results", ignore_errors=True)
        os.environ["SRCLIB_RESULTS"] = str(BUILD / "results")
    for name in notebooks():
        log.info("executing %s", name)
        offered = {"profile": profile, "executions": str(executed)}
        seconds = execute(name, {}, source / "notebooks" / f"{name}.ipynb", offered=offered)
        entry = {
            "notebook": name,
            "profile": profile,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 1),
            "device": device(),
        }
        with executed.open("a") as file:
            file.write(json.dumps(entry) + "\n")
    command = ["jupyter-book", "build", str(source), "--path-output", str(BUILD), "-W", "-n", "--keep-going"]
    if subprocess.run([*command, "--builder", builder]).returncode:
        raise typer.Exit(1)
    if builder == "html":
        (BUILD / "_build" / "html").rename(BUILD / "html")
        prune_mathjax(BUILD / "html" / "_static" / "mathjax")
        print(f"The book is {BUILD / 'html' / 'index.html'}")


@app.command()
def notebook(
    name: Annotated[str, typer.Argument(help="A notebook of notebooks/, without .py.")],
    parameter: Annotated[
        list[tuple[str, str]] | None, typer.Option("-p", help="A parameter and its value; may be given again.")
    ] = None,
) -> None:
    """Execute one notebook with parameters, e.g. fig1_patches -p overlap_max 20, into build/NAME.ipynb and .html."""
    values = {key: yaml.safe_load(value) for key, value in parameter or []}
    target = BUILD / f"{name}.ipynb"
    try:
        seconds = execute(name, values, target)
    except (ValueError, papermill.PapermillExecutionError) as error:
        last = getattr(error, "evalue", error)
        print(f"error: {name}: {last}", file=sys.stderr)
        raise typer.Exit(2) from None
    subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--log-level=WARN", str(target)], check=True
    )
    print(f"{name} ran in {seconds:.0f} s: {target} and {target.with_suffix('.html')}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("papermill").setLevel(logging.WARNING)
    app()
