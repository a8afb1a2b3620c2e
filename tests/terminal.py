"""Commands as a user types them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer
from typer.testing import CliRunner, Result

from srclib.__main__ import app


@dataclass(frozen=True)
class Terminal:
    """Where the commands of an app are typed."""

    app: typer.Typer

    def call(self, *args: object, code: int = 0) -> Result:
        """Run a command that ends with an exit code, and never with a traceback."""
        result = CliRunner().invoke(self.app, [str(arg) for arg in args])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    def refused(self, *args: object) -> str:
        """Return the one line that a refused command prints."""
        output = self.call(*args, code=2).output
        assert output.startswith("error: ")
        assert output.count("\n") == 1
        return output


srclib = Terminal(app)


def commands(group: Any, *path: str) -> dict[str, Any]:
    """Return every command below a group by its full name, as `data list`."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found |= commands(command, *path, name)
        else:
            found[" ".join([*path, name])] = command
    return found
