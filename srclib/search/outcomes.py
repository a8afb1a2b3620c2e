"""Outcomes, what came out of studies: written to `data/searches`, read again, and which parameters mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ..data import files
from ..experiments import dialect
from ..experiments.dialect import OUTCOMES
from ..experiments.typed import to_mapping
from ..sleep.space import Values, quiet_optuna, suggest
from .parameters import Settings, awake_values
from .studies import Study


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """What came out of one stage of a study."""

    stage: int  # from 1; of a sleep, the number of the task that it follows
    score: float  # the best one, a fraction
    values: Values  # which reached it
    seconds: float  # of all trials, whoever made them
    before: list[float] | None = None  # accuracy of each network without and with the best sleep of the stage
    after: list[float] | None = None
    trials: pd.DataFrame  # as `trials` reads them


def write(
    name: str, study: Study, found: Settings, stages: Sequence[Stage], provenance: Mapping[str, Any], folder: Path
) -> None:
    """Write what a study found, the best settings of its method: all trials as CSV, everything else as YAML.

    Each file is written whole or not at all, the YAML last: where it stands, the trials do.
    """
    plain = [{key: v for key, v in vars(stage).items() if key != "trials" and v is not None} for stage in stages]
    outcome = {"study": to_mapping(asdict(study)), "stages": plain, "found": to_mapping(found)}
    if awake := awake_values(stages[-1].values):
        outcome["awake"] = awake
    with files.whole(folder / f"{name}.csv") as path:
        pd.concat([stage.trials for stage in stages]).to_csv(path, index=False)
    with files.whole(folder / f"{name}.yaml") as path, path.open("w") as file:
        yaml.safe_dump(
            outcome | {"provenance": dict(provenance)}, file, sort_keys=False, default_flow_style=None, width=120
        )


def names() -> list[str]:
    """Return the names of all studies that have an outcome."""
    return sorted(path.stem for path in OUTCOMES.glob("*.yaml"))


def outcome(name: str, folder: Path = OUTCOMES) -> dict[str, Any]:
    """Read the outcome of a study.

    `study`: as it was then. `stages`: each as `Stage`, without its trials. `found`: the best settings of the method, as
    a protocol has them. `awake`: the best settings of the awake phase, where these were searched. `provenance`: commit,
    device, date, and core or GPU minutes.
    """
    found: dict[str, Any] = dialect.read(folder / f"{name}.yaml")
    return found


def trials(name: str, folder: Path = OUTCOMES) -> pd.DataFrame:
    """Read all trials of a study, a row each: stage, trial, score (a fraction), every parameter, seconds."""
    return pd.read_csv(folder / f"{name}.csv")


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
