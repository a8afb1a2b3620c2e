"""Build the book: jupytext -> papermill -> Jupyter Book. Run through nox; `python book/build.py --help` lists options.

Everything is written under `build/`: `src/` is the book's source with executed notebooks, `executed.jsonl` says when
and how long each ran, `html/` is the book.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
import yaml

from srclib.data.provenance import device
from srclib.experiments.grid import PROFILES
from srclib.experiments.workers import cluster
from srclib.pages.figures import CAPTIONED

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}  # of every notebook

log = logging.getLogger("book")


def notebooks() -> list[str]:
    """Return the notebooks of the table of contents, in its order, the status page last: it reads the others' log."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]
    names = [f.removeprefix("notebooks/") for f in files if f.startswith("notebooks/")]
    return sorted(names, key=lambda name: name == "status")


def execute(
    name: str, parameters: dict[str, Any], target: Path, *, offered: dict[str, Any] | None = None, bar: bool = False
) -> float:
    """Execute one notebook with parameters and return the seconds it took; target: the .ipynb to write.

    offered: parameters for every notebook, which those that do not have them ignore. bar: show how far it is.
    Raises ValueError for an unknown notebook or parameter, papermill's error when a cell fails (the target then holds
    the notebook up to there).
    """
    source = ROOT / "notebooks" / f"{name}.py"
    if not source.exists():
        known = ", ".join(sorted(p.stem for p in source.parent.glob("*.py")))
        raise ValueError(f"notebook {name!r} is unknown: allowed is one of {known}")
    target.parent.mkdir(parents=True, exist_ok=True)
    plain = target.with_suffix(".source.ipynb")
    page = jupytext.read(source, fmt="py:percent")
    page.metadata["kernelspec"] = KERNEL
    jupytext.write(page, plain)
    try:
        allowed = papermill.inspect_notebook(str(plain))
        for key in parameters:
            if key not in allowed:
                raise ValueError(f"{name} has no parameter {key!r}: allowed is one of {', '.join(allowed)}")
        parameters = {k: v for k, v in (offered or {}).items() if k in allowed} | parameters
        start = time.perf_counter()
        where = {"metadata": {"path": str(ROOT)}}  # of the kernel; papermill's `cwd` would move this process there
        papermill.execute_notebook(
            str(plain),
            str(target),
            parameters,
            progress_bar=bar,
            resources=where,
            stdout_file=sys.stdout,  # one line per stage, and what was skipped
        )
    finally:
        plain.unlink()
    return time.perf_counter() - start


def book(profile: str, fresh: bool, builder: str) -> int:
    """Execute every notebook and build the book, where any warning is an error; return the exit status."""
    source, executed = BUILD / "src", BUILD / "executed.jsonl"
    for old in (source, BUILD / "html", BUILD / "_build"):
        shutil.rmtree(old, ignore_errors=True)
    executed.unlink(missing_ok=True)
    shutil.copytree(ROOT / "book", source / "book", ignore=shutil.ignore_patterns("build.py", "__*__*"))
    (source / "book" / "_static").rename(source / "_static")
    shutil.copytree(ROOT / "data" / "lab", source / "_static" / "lab" / "data")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, source)
    if fresh:
        shutil.rmtree(BUILD / "results", ignore_errors=True)
        os.environ["SRCLIB_RESULTS"] = str(BUILD / "results")
    _execute_all(profile, source / "notebooks", executed)
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        str(source),
        "--path-output",
        str(BUILD),
        "-W",
        "-n",
        "--keep-going",
    ]
    status = subprocess.run([*command, "--builder", builder]).returncode
    if not status and builder == "html":
        (BUILD / "_build" / "html").rename(BUILD / "html")
        print(f"The book is {BUILD / 'html' / 'index.html'}")
    return status


def captioned(notebook: Any) -> None:
    """Move what `figures.show` says of a figure to where the build looks for it.

    Caption, name and text alternative go to the metadata of the cell; the links to its data into a cell of their own,
    since a cell with a caption gives it to each of its outputs. Raises ValueError for a cell that shows more than one.
    """
    cells = []
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        parts = [part for output in outputs for part in output.get("metadata", {}).values()]
        named = [part[CAPTIONED] for part in parts if CAPTIONED in part]
        if len(named) > 1:
            names = ", ".join(each["name"] for each in named)
            raise ValueError(f"a cell shows the figures {names}: allowed is one for each cell")
        cells.append(cell)
        for each in named:
            figure = {"caption": each["caption"], "name": each["name"]}
            cell.metadata["mystnb"] = {"image": {"alt": each["alt"]}, "figure": figure}
            links = [output for output in outputs if "figure-links" in output.get("data", {}).get("text/html", "")]
            cell["outputs"] = [output for output in outputs if output not in links]
            cells += [nbformat.v4.new_markdown_cell(output["data"]["text/html"]) for output in links]
    notebook.cells = cells


def _execute_all(profile: str, target: Path, executed: Path) -> None:
    """Execute every notebook into `target`, as many at once as there are cores, with a line for each in `executed`.

    They share one cluster, unless $SRCLIB_SCHEDULER says otherwise: no core waits for the last run of a page, and what
    a worker has trained serves all pages.
    """
    scheduler = os.environ.get("SRCLIB_SCHEDULER")
    offered = {"profile": profile, "executions": executed.relative_to(ROOT).as_posix()}
    page = partial(_page, target=target, offered=offered)
    *others, status = notebooks()
    with nullcontext(scheduler) if scheduler else cluster() as address, ThreadPoolExecutor(os.cpu_count()) as pool:
        os.environ["SRCLIB_SCHEDULER"] = address
        for names in (others, [status]):
            for entry in pool.map(page, names):
                with executed.open("a") as file:
                    file.write(json.dumps(entry) + "\n")


def _page(name: str, target: Path, offered: dict[str, Any]) -> dict[str, Any]:
    """Execute one notebook of the book; return its entry in the log."""
    log.info("executing %s", name)
    path = target / f"{name}.ipynb"
    seconds = execute(name, {}, path, offered=offered)
    executed = nbformat.read(path, as_version=4)
    captioned(executed)
    nbformat.write(executed, path)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    profile = offered["profile"]
    return {"notebook": name, "profile": profile, "date": now, "seconds": round(seconds, 1), "device": device()}


def notebook(name: str, parameters: dict[str, Any]) -> int:
    """Execute one notebook with parameters into build/NAME.ipynb and .html; return the exit status."""
    target = BUILD / f"{name}.ipynb"
    try:
        seconds = execute(name, parameters, target, bar=sys.stderr.isatty())
    except (ValueError, papermill.PapermillExecutionError) as error:
        print(f"error: {name}: {getattr(error, 'evalue', error)}", file=sys.stderr)
        return 2
    convert = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--log-level=WARN", str(target)]
    status = subprocess.run(convert).returncode
    print(f"{name} ran in {seconds:.0f} s: {target} and {target.with_suffix('.html')}")
    return status


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    whole = commands.add_parser("book", help="execute every notebook and build the book")
    whole.add_argument("--profile", choices=PROFILES, default="full", help="how many runs a figure is made of")
    whole.add_argument("--fresh", action="store_true", help="compute every result anew, into build/results")
    whole.add_argument("--builder", choices=("html", "linkcheck"), default="html", help="linkcheck: external links")
    one = commands.add_parser("notebook", help="execute one notebook, e.g. fig1_patches -p overlap_max 20")
    one.add_argument("name", help="a notebook of notebooks/, without .py")
    one.add_argument("-p", nargs=2, action="append", default=[], metavar=("KEY", "VALUE"), help="one of its parameters")
    given = parser.parse_args(arguments)
    if given.command == "book":
        return book(given.profile, given.fresh, given.builder)
    return notebook(given.name, {key: yaml.safe_load(value) for key, value in given.p})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("papermill").setLevel(logging.WARNING)
    sys.exit(main())
