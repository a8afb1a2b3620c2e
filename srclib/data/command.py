"""How the commands of all rooms refuse."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from .terminal import line


class Command(TyperCommand):
    """A command whose expected errors are one red line on the error stream and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, OSError, ArithmeticError) as error:
            line(f"error: {error}", "red")
            raise typer.Exit(2) from None
