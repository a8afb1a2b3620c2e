"""What all commands of the package have in common; what each does is tested in its room."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from srclib.__main__ import app
from srclib.data.command import Command

from .terminal import Terminal, commands, srclib

COMMANDS = commands(typer.main.get_command(app))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_suffices(name: str) -> None:
    output = srclib.call(*name.split(), "--help").output
    assert f"Example: python -m srclib {name}" in " ".join(output.split())


@pytest.mark.parametrize("command", [[], ["data"]])
def test_without_a_command_there_is_help(command: list[str]) -> None:
    assert "Usage" in CliRunner().invoke(app, command).output


def test_version_is_that_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert srclib.call("--version").output == f"srclib {project['version']}\n"


@pytest.mark.parametrize("kind", [ValueError, FileNotFoundError, ArithmeticError])
def test_an_expected_error_is_one_line_of_the_error_stream(kind: type[Exception]) -> None:
    refusing = typer.Typer()

    @refusing.command(cls=Command)
    def refuse() -> None:
        raise kind("x = 0: allowed is 1")

    assert Terminal(refusing).refused() == "error: x = 0: allowed is 1\n"
    assert Terminal(refusing).call(code=2).stdout == ""


def test_every_command_refuses_in_one_line() -> None:
    assert [name for name, command in COMMANDS.items() if not isinstance(command, Command)] == []
