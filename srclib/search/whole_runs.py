"""Whole runs: each trial trains networks to the end. Of a method, or a sleep that is the same after all tasks.

The score is the final accuracy. What the study starts from is tried first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from statistics import fmean

from ..experiments.cell import Cell
from ..experiments.protocols.sleep import Section
from ..experiments.run import run
from ..sleep import RunawayError
from ..sleep.space import Values
from . import fleet
from .outcomes import Stage
from .parameters import Settings, config_of, values_of, with_values
from .studies import Study
from .trials import Optimize


def search(study: Study, optimize: Optimize, device: str | None) -> tuple[Settings, list[Stage]]:
    """Search for the best settings; return them, and what came out of the one stage that there is.

    device: where the runs of all candidates that are tried at once are a fleet; None: they are run one by one.
    """
    start, each, draws = study.start(), len(study.networks), count(study.seed)

    def score(candidates: Sequence[Values]) -> list[float]:
        cells = [
            study.cell(with_values(start, values), seed, values) for values in candidates for seed in study.networks
        ]
        if device is None:
            finals = [final(cell) for cell in cells]
        else:
            finals = fleet.finals(cells, seed=next(draws), device=device)
        return [fmean(finals[i : i + each]) for i in range(0, len(finals), each)]

    awake = study.cell(start, study.networks[0]).awake
    stage = optimize(1, score, values_of(start, awake, study.space))
    found = with_values(start, stage.values)
    if isinstance(found, Section):  # to give up a sleep belongs to the search
        found = replace(found, config=replace(config_of(found), max_updates=None))
    return found, [stage]


def final(cell: Cell) -> float:
    """Return the final accuracy of a run, a fraction; 0 where a sleep runs away."""
    try:
        accuracy: float = run(cell)["final"]
    except RunawayError:
        return 0.0
    return accuracy
