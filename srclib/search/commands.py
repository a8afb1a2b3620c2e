"""The command on searches."""

from __future__ import annotations

from typing import Annotated

import typer

from ..data.terminal import line, log_stages
from ..experiments.commands import Scheduler
from ..experiments.dialect import OUTCOMES
from .conduct import conduct
from .studies import studies


def search(
    study: Annotated[str, typer.Argument(help=f"One of {', '.join(studies())}.")],
    scheduler: Scheduler = None,
) -> None:
    """Search for the parameters of a method on held-out training images.

    Every worker of the scheduler takes part. Killing it loses only the trials in flight. Start it again and it goes on:
    the trials that ended count, and others are drawn until there are enough, not the same as without a stop.
    The outcome goes to data/searches; a protocol takes it by its name: `sleep: {found: described_mnist_sleep}`.

    Example: `python -m srclib search described_mnist_sleep`
    """
    log_stages()
    conduct(study, scheduler=scheduler)
    line((OUTCOMES / f"{study}.yaml").read_text())
