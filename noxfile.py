"""Every task of the project; `nox -l` lists them. All share one environment, made on first use from requirements.lock.

With SRCLIB_NEWEST=1 they share another one, of the newest packages that pyproject.toml allows.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import nox
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

nox.options.sessions = ["lint", "tests", "book"]

# One environment for all sessions: torch and its companions take a gigabyte. nox would make one per session.
NEWEST = bool(os.environ.get("SRCLIB_NEWEST"))
ENVIRONMENT = Path(".nox/newest" if NEWEST else ".nox/environment").resolve()
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
LOCK = Path("requirements.lock")
EXTRAS = ".[book,tests,lint]"
HELD = ("torch", "triton")  # decide numbers, and are chosen together: a new lock keeps them unless they are named
UNLISTED = ("srclib", "cuda-", "nvidia-")  # names of what is not locked begin so
LINUX_ONLY = "; platform_system == 'Linux'"
PEER = ("avalanche-lib==0.6.0", "torch==2.14.1", "torchvision==0.29.1", "pytest>=8.3")
PEERS = ("brian2==2.9.0", "cython", "numpy<2.4", "snntorch", "spikingjelly==2.0.0", "bindsnet==0.3.4", "norse==1.1.0")
LOCK_HEADER = """\
# The environment of the book: the exact version of every package that it is built with, on Python {python}.
# `nox -s lock` writes this file: all at their newest, but for those named in `nox -s lock -- torch==X triton==Y`,
# which otherwise stay. torch and triton are a pair: a CUDA build of torch asks for just that triton, and for its
# nvidia packages, which are not listed here.
#
# There are no hashes: pip checks those of all packages or of none, and one version of torch has several builds (CPU,
# CUDA), any of which will do."""

session: Callable[..., Callable[[nox.Session], None]] = nox.session(venv_backend="none")


def run(session: nox.Session, *command: str) -> None:
    """Run a command in the environment, after making it if the files that say what is in it have changed."""
    sources = [Path("pyproject.toml")] if NEWEST else [Path("pyproject.toml"), LOCK]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = ENVIRONMENT / "made-from.sha256"
    if not stamp.exists() or stamp.read_text() != wanted:
        if NEWEST:
            install(session, ENVIRONMENT, "--upgrade", "--upgrade-strategy=eager", "--editable", EXTRAS)
        else:
            install(session, ENVIRONMENT, "--requirement", str(LOCK))
            install(session, ENVIRONMENT, "--no-deps", "--editable", ".")
        stamp.write_text(wanted)
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    session.run(str(BIN / command[0]), *command[1:], env={"PATH": path, "VIRTUAL_ENV": str(ENVIRONMENT)})


def install(session: nox.Session, environment: Path, *arguments: str) -> Path:
    """Run `pip install` in an environment, made if it is not there; return the environment's Python."""
    python = environment.resolve() / BIN.name / "python"
    if not python.exists():
        session.run(sys.executable, "-m", "venv", str(environment))
    session.run(str(python), "-m", "pip", "install", "--quiet", *arguments)
    return python


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
def faults(session: nox.Session) -> None:
    """Try again to make a wrong value, a wrong network, a damaged file or a dying process pass silently."""
    run(session, "pytest", "tests/faults", *session.posargs)


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
    """Measure the sleep kernels against a textbook loop [-- options], then a step in other sleeps than that one."""
    run(session, "python", "-m", "benchmarks", "kernel", *session.posargs)
    run(session, "python", "-m", "benchmarks", "shapes")


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
    python = install(session, Path(".nox/peer"), *PEER, ".[experiments]")
    session.run(str(python), *command, env={"PYTHONPATH": str(Path().resolve())})


@session
def peer(session: nox.Session) -> None:
    """Time training here and in Avalanche [-- --images 1000 --json FILE]."""
    in_peer(session, "-m", "benchmarks.avalanche_peer", *session.posargs)


@session
def peers(session: nox.Session) -> None:
    """Time a step of a sleep in other simulators [-- --json FILE]; they want other packages than the project: 6 GB."""
    python = install(session, Path(".nox/peers"), *PEERS, ".[experiments]")
    session.run(str(python), "-m", "benchmarks.peers", *session.posargs, env={"PYTHONPATH": str(Path().resolve())})


@session
def avalanche(session: nox.Session) -> None:
    """Test the plugin for Avalanche, and run it on MNIST."""
    in_peer(session, "-m", "pytest", "--noconftest", "tests/test_avalanche_sleep.py")
    in_peer(session, "examples/avalanche_sleep.py")


@session
def oldest(session: nox.Session) -> None:
    """Test the sleep with the oldest versions that pyproject.toml allows [-- torch==X in place of one]."""
    core = [Requirement(line) for line in nox.project.load_toml("pyproject.toml")["project"]["dependencies"]]
    lower = {r.name: f"{r.name}=={next(s.version for s in r.specifier if s.operator == '>=')}" for r in core}
    lower |= {Requirement(line).name: line for line in session.posargs}
    environment = Path(".nox/oldest")
    install(session, environment, *lower.values(), "pytest", "hypothesis")
    python = install(session, environment, "--no-deps", "--editable", ".")
    session.run(str(python), "-m", "pytest", "tests/sleep")


@session
def lock(session: nox.Session) -> None:
    """Write requirements.lock anew, on the oldest Python that the project allows [-- torch==X triton==Y]."""
    oldest = nox.project.load_toml("pyproject.toml")["project"]["requires-python"].removeprefix(">=")
    if not platform.python_version().startswith(f"{oldest}."):
        session.error(
            f"this is Python {platform.python_version()}: allowed is {oldest}, whose packages suit later ones"
        )
    named = {Requirement(line).name for line in session.posargs}
    lines = [line for line in LOCK.read_text().splitlines() if line and not line.startswith("#")]
    held = [line for line in lines if Requirement(line).name in {*HELD} - named]
    report = Path(session.create_tmp()) / "report.json"
    resolve = ["--dry-run", "--ignore-installed", "--report", str(report)]
    install(session, Path(".nox/lock"), *resolve, *session.posargs, *held, EXTRAS)
    found = [package["metadata"] for package in json.loads(report.read_text())["install"]]
    versions = {canonicalize_name(each["name"]): Version(each["version"]).public for each in found}  # not the build
    pins = [f"{name}=={version}" for name, version in sorted(versions.items()) if not name.startswith(UNLISTED)]
    marked = [pin + LINUX_ONLY if pin.startswith("triton=") else pin for pin in pins]
    LOCK.write_text("\n".join([LOCK_HEADER.format(python=oldest), *marked]) + "\n")


@session
def house(session: nox.Session) -> None:
    """Draw the rooms of the package and the imports between them into CONTRIBUTING.md."""
    run(session, "python", "-m", "tests.house")


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
    """Serve the built book at http://localhost:8000, to this machine alone [-- PORT]."""
    run(session, "python", "book/serve.py", *session.posargs)
