"""The command line: `srclib --help`, or `python -m srclib --help`. It mounts what each room offers."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import version
from typing import Annotated

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules are imported ends it without a word

try:
    import typer

    from .data import commands as data
    from .data.command import Command
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

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")
results_app = typer.Typer(no_args_is_help=True, help="Keep the store of results.")
data_app = typer.Typer(no_args_is_help=True, help="List, verify and prepare the data sets.")
app.add_typer(results_app, name="results")
app.add_typer(data_app, name="data")
app.command(cls=experiments.WithSettings)(experiments.run)
app.command(cls=Command)(verdicts.verdicts)
app.command(cls=Command)(search.search)
app.command(cls=Command)(learning.backbone)
app.command(cls=Command)(experiments.lab)
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
