"""The command line: `srclib --help`, or `python -m srclib --help`. It mounts what each room offers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import version
from typing import Annotated, Any

try:
    import typer
    from typer.core import TyperCommand

    from .data import commands as data
    from .data.terminal import line
    from .experiments import commands as experiments
    from .learning import commands as learning
    from .search import commands as search
    from .verdicts import commands as verdicts
except ModuleNotFoundError as missing:  # the package was installed for the sleep alone
    if (missing.name or "").startswith("srclib"):
        raise
    if sys.argv[1:] == ["--version"]:
        print(f"srclib {version('srclib')}")
        raise SystemExit(0) from None
    print(f"error: the command line needs {missing.name}: pip install 'srclib[experiments]'", file=sys.stderr)
    raise SystemExit(2) from None


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


app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")
results_app = typer.Typer(no_args_is_help=True, help="Keep the store of results.")
data_app = typer.Typer(no_args_is_help=True, help="List, verify and prepare the data sets.")
app.add_typer(results_app, name="results")
app.add_typer(data_app, name="data")
app.command(cls=Command)(experiments.run)
app.command(cls=Command)(verdicts.verdicts)
app.command(cls=Command)(search.search)
app.command(cls=Command)(learning.backbone)
results_app.command("migrate", cls=Command)(experiments.migrate)
data_app.command("list", cls=Command)(data.list_data)
data_app.command("verify", cls=Command)(data.verify)
data_app.command("prepare", cls=Command)(data.prepare)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"srclib {version('srclib')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Sleep Replay Consolidation: compute results, judge them against the paper, search parameters, check data."""


if __name__ == "__main__":
    app()
