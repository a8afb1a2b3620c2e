"""What the commands of the command line share: how they fail, how they print."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperCommand

WIDTH = 140  # columns where the output is no terminal


class Command(TyperCommand):
    """A command whose expected errors are one red line and exit code 2, and that takes `--set KEY VALUE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _join_settings(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, OSError, ArithmeticError) as error:
            line(f"error: {error}", "red")
            raise typer.Exit(2) from None


def _join_settings(args: Iterable[str]) -> list[str]:
    """Turn `--set KEY VALUE` into `--set KEY=VALUE`, which is understood as well."""
    joined: list[str] = []
    rest = iter(args)
    for argument in rest:
        joined.append(argument)
        if argument in ("-s", "--set"):
            key = next(rest, None)
            if key is not None:
                joined.append(key if "=" in key else f"{key}={next(rest, '')}")
    return joined


def console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDTH)


def line(text: str, style: str = "") -> None:
    """Print one line that is never wrapped, to the error stream."""
    console(stderr=True).print(Text(text, style), soft_wrap=True)
