"""Every task of the project; `nox -l` lists them. All share one environment, made on first use."""

from __future__ import annotations

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "tests", "book"]
nox.options.default_venv_backend = "venv"

ENVIRONMENT = ".nox/environment"
session = nox.session(venv_location=ENVIRONMENT, reuse_venv=True)


def install(session: nox.Session) -> None:
    session.install("-e", ".[book,tests,lint]")


@session
def book(session: nox.Session) -> None:
    """Execute the notebooks and build the book into build/html [-- --profile smoke|ci|full --fresh]."""
    install(session)
    session.run("python", "book/build.py", "book", *session.posargs)


@session
def notebook(session: nox.Session) -> None:
    """Execute one notebook: -- fig1_patches -p overlap_max 20."""
    install(session)
    session.run("python", "book/build.py", "notebook", *_join_parameters(session.posargs))


def _join_parameters(arguments: list[str]) -> list[str]:
    """Turn `-p KEY VALUE` into `-p KEY=VALUE`."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument == "-p":
            key = next(rest, "")
            joined.append(key if "=" in key else f"{key}={next(rest, '')}")
    return joined


@session
def tests(session: nox.Session) -> None:
    """Run the tests [-- arguments of pytest]; those of the built book need build/html and Chromium."""
    install(session)
    session.run("pytest", *session.posargs)


@session
def results(session: nox.Session) -> None:
    """Compute results that the store lacks: -- all|EXPERIMENT --profile P --scheduler tcp://HOST:PORT."""
    install(session)
    session.run("python", "-m", "srclib", "run", *(session.posargs or ["all"]))


@session
def drift(session: nox.Session) -> None:
    """Compare results computed anew in build/results, and the committed verdicts, with what is expected."""
    install(session)
    session.run("python", "-m", "srclib", "verdicts", "--check", "--against", "build/results", *session.posargs)


@session
def bench(session: nox.Session) -> None:
    """Measure the sleep kernels against a textbook loop [-- options]."""
    install(session)
    session.run("python", "-m", "srclib", "bench", *session.posargs)


@session
def lint(session: nox.Session) -> None:
    """Check style, types, the citation file and the workflows."""
    install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("cffconvert", "--validate", "--infile", "CITATION.cff")


@session
def links(session: nox.Session) -> None:
    """Check the external links of the book; needs the internet."""
    install(session)
    session.run("python", "book/build.py", "book", "--builder", "linkcheck", *session.posargs)


@session
def serve(session: nox.Session) -> None:
    """Serve the built book at http://localhost:8000 [-- PORT]."""
    install(session)
    session.run("python", "-m", "http.server", *session.posargs, "--directory", "build/html")
