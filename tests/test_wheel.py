"""The wheel, built from the source distribution and installed outside the checkout, works in environments of its own.

Each environment holds what the wheel asks for and nothing else: links to the packages installed here. So nothing is
downloaded, and a requirement that is not declared is missed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LIBRARY = Path(os.path.relpath(pytest.__file__, sys.prefix)).parents[1]  # site-packages, as seen from an environment

# Run there in one interpreter, since starting one takes seconds. Prints [command, exit status, lines of errors].
COMMANDS = """
import json, sys
from typer.main import get_command
from typer.testing import CliRunner
from srclib.__main__ import app
from srclib.experiments import protocols
from srclib.verdicts import published

assert protocols.names() == ["described", "released", "tuned"]
for name in protocols.names():
    assert [protocols.load(name, dataset) for dataset in protocols.datasets(name)]
assert len(published.load()) > 100

def commands(command, path=()):
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))

tried = [[*path, "--help"] for path in commands(get_command(app))]
for arguments in tried + [["--version"], ["data", "list"]] + json.loads(sys.argv[1]):
    result = CliRunner().invoke(app, arguments)
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    print(json.dumps([" ".join(arguments), result.exit_code, result.stderr.splitlines()]))
"""
# Without the repository or the internet each of these ends with one line.
REFUSED = [
    ["verdicts"],
    ["run", "table1_accuracy", "--profile", "smoke", "--scheduler", "inline"],
    ["search", "described_mnist_sleep", "--scheduler", "inline"],
    ["backbone", "--epochs", "1"],
    ["data", "prepare", "mnist"],
    ["data", "prepare", "cifar10"],
]


def with_requirements(lines: list[str]) -> set[str]:
    """Return the names of the packages that these requirements bring, here."""
    found: set[tuple[str, str]] = set()
    left = [(Requirement(line), "") for line in lines]
    while left:
        requirement, parent_extra = left.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": parent_extra}):
            continue
        for extra in {"", *requirement.extras}:
            if (requirement.name, extra) in found:
                continue
            found.add((requirement.name, extra))
            if requirement.name == PROJECT["name"]:
                needs = PROJECT["optional-dependencies"].get(extra, PROJECT["dependencies"])
            else:
                needs = distribution(requirement.name).requires or []
            left += [(Requirement(line), extra) for line in needs]
    return {name for name, _ in found} - {PROJECT["name"]}


class Environment:
    """An environment outside the checkout, with the wheel and what one of its extras needs."""

    def __init__(self, folder: Path, wheel: Path, extra: str) -> None:
        self.folder = folder
        venv.create(folder, symlinks=True)
        asked = f"{PROJECT['name']}[{extra}]" if extra else PROJECT["name"]
        for name in with_requirements([asked]):
            self.link(name)
        command = [sys.executable, "-m", "pip", "--python", self.bin("python"), "install", "--quiet", "--no-index"]
        subprocess.run([*command, f"{asked} @ {wheel.as_uri()}"], check=True, cwd=folder)

    def link(self, name: str) -> None:
        """Link what an installed package has in site-packages."""
        package = distribution(name)
        for top in {Path(path).parts[0] for path in package.files or ()} - {"..", "__pycache__"}:
            target = self.folder / LIBRARY / top
            if not target.exists():
                target.symlink_to(Path(str(package.locate_file(top))))

    def bin(self, name: str) -> str:
        return str(self.folder / Path(sys.executable).parent.name / name)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, far from the checkout and cut off from the internet."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "SRCLIB", "XDG"))}
        env |= {"HOME": str(home), "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
        program, *arguments = command
        return subprocess.run([self.bin(program), *arguments], cwd=home, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run([*build, "--target", "sdist"], cwd=ROOT, check=True, capture_output=True)
    (source,) = folder.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(source)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("core"), wheel, "")


@pytest.fixture(scope="module")
def experiments(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("experiments"), wheel, "experiments")


def test_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "srclib").rglob("*") if path.is_file()}
    source = {path for path in here if "__pycache__" not in path}
    for folder, pattern in (("published", "*"), ("searches", "*.yaml")):
        source |= {f"srclib/_committed/{folder}/{path.name}" for path in (ROOT / "data" / folder).glob(pattern)}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == source


def test_core_sleeps_and_names_the_extra_that_the_command_line_needs(core: Environment) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    slept = core.run("python", "-c", snippet)
    assert (slept.returncode, slept.stderr) == (0, "")
    assert slept.stdout.endswith("asleep tensor([True, True, True, True])\n")
    asked = core.run("srclib", "--help")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr == "error: the command line needs typer: pip install 'srclib[experiments]'\n"
    assert core.run("srclib", "--version").stdout == f"srclib {PROJECT['version']}\n"


def test_console_script(experiments: Environment) -> None:
    done = experiments.run("srclib", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: srclib " in done.stdout


def test_commands_work_or_say_in_one_line_what_is_missing(experiments: Environment) -> None:
    done = experiments.run("python", "-c", COMMANDS, json.dumps(REFUSED))
    assert done.returncode == 0, done.stderr
    tried = [json.loads(line) for line in done.stdout.splitlines()]
    assert len([name for name, _, _ in tried if "--help" in name]) > 7
    expected = [(name, 2, 1) if name.split() in REFUSED else (name, 0, 0) for name, _, _ in tried]
    assert [(name, status, len(lines)) for name, status, lines in tried] == expected, done.stdout
