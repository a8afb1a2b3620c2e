"""Build the book: jupytext -> papermill -> Jupyter Book. Run through nox; `python book/build.py --help` lists options.

Everything is written under `build/`: `src/` is the book's source with executed notebooks, `executed.jsonl` says when
and how long each ran, `html/` is the book.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import nbformat
import papermill
import yaml

from srclib.data.provenance import device
from srclib.data.stopping import Stopped, end, stoppable, telling
from srclib.experiments.grid import PROFILES
from srclib.experiments.workers import cluster
from srclib.pages.figures import CAPTIONED
from srclib.pages.page import Checked, checking

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

    offered: parameters for every notebook, which those that do not have them ignore; but a page that collects runs has
    the parameter `profile`. bar: show how far it is. The target is written when all is done: two runs at once do not
    meet.
    Raises ValueError, before a kernel starts, for an unknown notebook or parameter, and for a value that the page does
    not allow; papermill's error when a cell fails (the target then holds the notebook up to there).
    """
    known = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))
    if name not in known:
        raise ValueError(f"notebook {name!r} is unknown: allowed is one of {', '.join(known)}")
    page = jupytext.read(ROOT / "notebooks" / f"{name}.py", fmt="py:percent")
    page.metadata["kernelspec"] = KERNEL
    allowed, offered = parameters_of(page), offered or {}
    for key in parameters:
        if key not in allowed:
            raise ValueError(f"{name} has no parameter {key!r}: allowed is one of {', '.join(allowed)}")
    given = {key: value for key, value in offered.items() if key in allowed} | parameters
    if check(name, page, given) is not False and "profile" in offered and "profile" not in allowed:
        raise ValueError(f"{name} has no parameter 'profile': a page that collects runs takes the one it is offered")
    target.parent.mkdir(parents=True, exist_ok=True)
    with unfinished(target.parent, name) as folder:
        plain, executed = folder / "plain.ipynb", folder / "executed.ipynb"
        jupytext.write(page, plain)
        start = time.perf_counter()
        where = {"metadata": {"path": str(ROOT)}}  # of the kernel; papermill's `cwd` would move this process there
        try:
            papermill.execute_notebook(
                str(plain),
                str(executed),
                given,
                progress_bar=bar,
                resources=where,
                stdout_file=sys.stdout,  # one line per stage, and what was skipped
            )
        finally:
            if executed.exists():
                executed.replace(target)
        return time.perf_counter() - start


UNFINISHED: set[Path] = set()  # folders of what is being made


@contextmanager
def unfinished(parent: Path, name: str) -> Iterator[Path]:
    """Yield a new folder for what is not finished; it is removed, too, where this process is stopped."""
    with TemporaryDirectory(dir=parent, prefix=f".{name}-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        UNFINISHED.add(folder)
        yield folder
    UNFINISHED.discard(folder)


def code(page: Any, tag: str | None = None) -> list[str]:
    """Return the sources of a notebook's cells of code, or of those with a tag."""
    cells = [cell for cell in page.cells if cell.cell_type == "code"]
    return [cell.source for cell in cells if tag is None or tag in cell.metadata.get("tags", [])]


def parameters_of(page: Any) -> list[str]:
    """Return the names that the cell tagged `parameters` assigns, whatever annotations and comments stand there."""
    names = []
    for source in code(page, "parameters"):
        for node in ast.parse(source).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names


def check(name: str, page: Any, given: dict[str, Any]) -> bool | None:
    """Run a notebook in this process as far as `pages.open`, which checks its parameters, and no further.

    Returns if it was opened with a profile, None for a notebook that does not call it. Raises ValueError for what it
    refuses, and for what fails before.
    """
    sources = code(page)
    opens = [i for i, source in enumerate(sources) if "pages.open(" in source]
    if not opens:
        return None
    namespace: dict[str, Any] = {"__name__": name}
    try:
        with checking():
            for source in sources[: opens[0] + 1]:
                exec(compile(source, f"notebooks/{name}.py", "exec"), namespace)
                if source in code(page, "parameters"):
                    namespace |= given
    except Checked as found:
        return found.profiled
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"{type(error).__name__} before the page is opened: {error}") from error
    return None


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
    done: list[str] = []
    told = telling(lambda: (len(done), len(others) + 1), "pages ")
    with told, nullcontext(scheduler) if scheduler else cluster() as address, threads(os.cpu_count() or 1) as pool:
        os.environ["SRCLIB_SCHEDULER"] = address
        for names in (others, [status]):
            for entry in pool.map(page, names):
                with executed.open("a") as file:
                    file.write(json.dumps(entry) + "\n")
                done.append(entry["notebook"])


@contextmanager
def threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Yield an executor; whoever is stopped does not wait for what it has begun."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


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


def notebook(name: str, parameters: dict[str, Any], target: Path | None = None) -> int:
    """Execute one notebook with parameters into an .ipynb and an .html; return the exit status.

    target: the .ipynb; None: in build, named after the notebook and the parameters.
    """
    try:
        if target and target.suffix != ".ipynb":
            raise ValueError(f"-o {target}: allowed is a path that ends in .ipynb")
        target = target or BUILD / f"{named(name, parameters)}.ipynb"
        with (
            telling(lambda: (0, 1), "pages "),
            threads(1) as pool,
        ):  # signals reach this thread, not the kernel's client
            seconds = pool.submit(execute, name, parameters, target, bar=sys.stderr.isatty()).result()
    except (ValueError, OSError, papermill.PapermillExecutionError) as error:
        print(f"error: {name}: {getattr(error, 'evalue', error)}", file=sys.stderr)
        return 2
    html = target.with_suffix(".html")
    with unfinished(target.parent, name) as folder:
        convert = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--log-level=WARN", str(target)]
        status = subprocess.run([*convert, "--output-dir", str(folder)]).returncode
        if not status:
            (folder / html.name).replace(html)
    print(f"{name} ran in {seconds:.0f} s: {target} and {html}")
    return status


def named(name: str, parameters: dict[str, Any]) -> str:
    """Return a name for what a notebook with parameters gives: other parameters, another name."""
    parts = [name, *(f"{key}-{value}" for key, value in parameters.items())]
    plain = re.sub(r"[^\w.+-]+", "_", "-".join(parts))
    if plain == "-".join(parts) and len(plain) < 100:
        return plain
    return f"{plain[:80]}-{hashlib.sha256(repr(sorted(parameters.items())).encode()).hexdigest()[:8]}"


def values(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return parameters as YAML reads them; ValueError for one that is there twice or is no plain value."""
    found: dict[str, Any] = {}
    for key, text in pairs:
        if key in found:
            raise ValueError(f"-p {key} is there twice: allowed is once")
        try:
            found[key] = yaml.safe_load(text)
            plain = json.loads(json.dumps(found[key])) == found[key]
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):
            plain = False
        if not plain:
            raise ValueError(f"-p {key} {text!r}: allowed are numbers, texts, true, false, null, and lists of them")
    return found


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
    one.add_argument("-o", type=Path, metavar="FILE", help="the .ipynb to write, with an .html beside it")
    given = parser.parse_args(arguments)
    if given.command == "book":
        return book(given.profile, given.fresh, given.builder)
    try:
        parameters = values(given.p)
    except ValueError as error:
        print(f"error: {given.name}: {error}", file=sys.stderr)
        return 2
    return notebook(given.name, parameters, given.o)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("papermill").setLevel(logging.WARNING)
    try:
        with stoppable():
            sys.exit(main())
    except Stopped as stopped:
        for folder in list(UNFINISHED):
            shutil.rmtree(folder, ignore_errors=True)
        end(stopped)
