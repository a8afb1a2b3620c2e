"""Every task of the project; `nox -l` lists them. All share one environment, made on first use."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests", "book"]

# One environment for all sessions: torch and its companions take a gigabyte. nox would make one per session.
ENVIRONMENT = Path(".nox/environment").resolve()
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PEER = ("avalanche-lib==0.6.0", "torch==2.14.1", "torchvision==0.29.1", "pytest>=8.3")

session: Callable[..., Callable[[nox.Session], None]] = nox.session(venv_backend="none")


def run(session: nox.Session, *command: str) -> None:
    """Run a command in the environment, after bringing it up to date with pyproject.toml."""
    if not (BIN / "python").exists():
        session.run(sys.executable, "-m", "venv", str(ENVIRONMENT))
    if not session.env.get("SRCLIB_INSTALLED"):
        pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--editable", ".[book,tests,lint]"]
        session.run(*pip)
        session.env["SRCLIB_INSTALLED"] = "1"
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    session.run(str(BIN / command[0]), *command[1:], env={"PATH": path, "VIRTUAL_ENV": str(ENVIRONMENT)})


@session
def book(session: nox.Session) -> None:
    """Execute the notebooks and build the book into build/html [-- --profile smoke|ci|full --fresh]."""
    run(session, "python", "book/build.py", "book", *session.posargs)


@session
def notebook(session: nox.Session) -> None:
    """Execute one notebook: -- fig1_patches -p overlap_max 20."""
    run(session, "python", "book/build.py", "notebook", *session.posargs)


@session
def tests(session: nox.Session) -> None:
    """Run the tests [-- arguments of pytest]; those of the built book need build/html and Chromium."""
    run(session, "pytest", "--numprocesses=auto", "--dist=worksteal", *session.posargs)


@session
def results(session: nox.Session) -> None:
    """Compute results that the store lacks: -- all|EXPERIMENT --profile P --scheduler tcp://HOST:PORT."""
    run(session, "python", "-m", "srclib", "run", *(session.posargs or ["all"]))


@session
def drift(session: nox.Session) -> None:
    """Compare results computed anew in build/results, and the committed verdicts, with what is expected."""
    run(session, "python", "-m", "srclib", "verdicts", "--check", "--against", "build/results", *session.posargs)


@session
def bench(session: nox.Session) -> None:
    """Measure the sleep kernels against a textbook loop [-- options]."""
    run(session, "python", "-m", "benchmarks", "kernel", *session.posargs)


@session
def search(session: nox.Session) -> None:
    """Search for the parameters of a method: -- STUDY, one of srclib/search/studies.yaml."""
    run(session, "python", "-m", "srclib", "search", *session.posargs)


@session
def backbone(session: nox.Session) -> None:
    """Train the VGG that makes the features of CIFAR-10 [-- --epochs 30 --threads 2]; it goes on where it stopped."""
    run(session, "python", "-m", "srclib", "backbone", *session.posargs)


def in_peer(session: nox.Session, *command: str) -> None:
    """Run a Python command beside Avalanche, which wants another torch than the project: 6 GB."""
    python = Path(".nox/peer").resolve() / BIN.name / "python"
    if not python.exists():
        session.run(sys.executable, "-m", "venv", ".nox/peer")
    dependencies = nox.project.load_toml("pyproject.toml")["project"]["dependencies"]
    ours = [dependency for dependency in dependencies if not dependency.startswith(("torch", "triton"))]
    session.run(str(python), "-m", "pip", "install", "--quiet", *PEER, *ours)
    session.run(str(python), *command, env={"PYTHONPATH": str(Path().resolve())})


@session
def peer(session: nox.Session) -> None:
    """Time training here and in Avalanche [-- --images 1000 --json FILE]."""
    in_peer(session, "-m", "benchmarks.avalanche_peer", *session.posargs)


@session
def avalanche(session: nox.Session) -> None:
    """Test the plugin for Avalanche, and run it on MNIST."""
    in_peer(session, "-m", "pytest", "--noconftest", "tests/test_avalanche_sleep.py")
    in_peer(session, "examples/avalanche_sleep.py")


@session
def lint(session: nox.Session) -> None:
    """Check style, types, the citation file and the workflows."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")
    run(session, "mypy")
    run(session, "cffconvert", "--validate", "--infile", "CITATION.cff")
    run(session, "actionlint")


@session
def links(session: nox.Session) -> None:
    """Check the external links of the book; needs the internet."""
    run(session, "python", "book/build.py", "book", "--builder", "linkcheck", *session.posargs)


@session
def serve(session: nox.Session) -> None:
    """Serve the built book at http://localhost:8000 [-- PORT]."""
    run(session, "python", "-m", "http.server", *session.posargs, "--directory", "build/html")
