"""What searches found: their outcomes and trials in `data/searches`, and which parameters mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import yaml

from ..experiments.dialect import OUTCOMES
from ..sleep.space import quiet_optuna, suggest


def names() -> list[str]:
    """Return the names of all studies that have an outcome."""
    return sorted(path.stem for path in OUTCOMES.glob("*.yaml"))


def outcome(name: str) -> dict[str, Any]:
    """Read the outcome of a study: `study`, its `stages` with scores and values, what was `found`, `provenance`."""
    return yaml.safe_load((OUTCOMES / f"{name}.yaml").read_text())


def trials(name: str) -> pd.DataFrame:
    """Read all trials of a study, a row each: stage, trial, score (a fraction), every parameter, seconds."""
    return pd.read_csv(OUTCOMES / f"{name}.csv")


@quiet_optuna()
def importances(trials: pd.DataFrame, space: Mapping[str, Sequence[int | float]]) -> pd.Series:
    """Return how much each parameter of a stage mattered, as fractions that add up to 1.

    trials: of one stage, as `trials` returns them. space: bounds of each parameter. One matters as far as its values in
    the best tenth of the trials are distributed otherwise than in all of them.
    Source: Watanabe, Bansal, Hutter: PED-ANOVA, arXiv:2304.10255, by Optuna.
    """
    import optuna

    study = optuna.create_study(direction="maximize")
    for row in trials.to_dict("records"):
        trial = optuna.trial.FixedTrial({name: row[name] for name in space})
        values = dict(suggest(trial, space))
        study.add_trial(optuna.trial.create_trial(params=values, distributions=trial.distributions, value=row["score"]))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.1)
    return pd.Series(optuna.importance.get_param_importances(study, evaluator=evaluator))[list(space)]
