"""How the commands of all rooms refuse, and stop."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from .stopping import Stopped, end, stoppable
from .terminal import line


class Command(TyperCommand):
    """A command whose expected errors are one red line on the error stream and exit code 2.

    Stopped by Ctrl-C or SIGTERM it says in one line how much is stored, and exits with 130 or 143.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            with stoppable():
                return super().invoke(ctx)
        except Stopped as stopped:
            end(stopped)
        except (ValueError, OSError, ArithmeticError) as error:
            line(f"error: {error}", "red")
            raise typer.Exit(2) from None
