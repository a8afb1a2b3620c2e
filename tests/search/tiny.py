"""Tiny studies: small networks, few images, few trials."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from srclib.search import outcomes
from srclib.search.conduct import conduct
from srclib.search.studies import Study

TINY: dict[str, Any] = {
    "awake": {"epochs": 1, "images_per_task": 400, "layers": [784, 20, 10]},
    "sleep": {
        "statistics": "trained", "steps": [0, 50], "config": {"alpha": 1.0, "beta": 1.0, "inc": 0.01, "dec": 0.001}
    },
}  # fmt: skip
SLEEP = Study(
    protocol="described", dataset="mnist", part="sleep", trials=4, population=2, networks=(7, 8), held_out=50,
    changes=TINY, space={"steps": (20, 200), "inc": (1e-4, 0.1), "beta[0]": (0.1, 2.0), "beta[1]": (0.1, 2.0)},
)  # fmt: skip
STRENGTH = replace(SLEEP, part="ewc", networks=(7,), trials=2, space={"strength": (0.01, 100.0)})


def with_sleep(study: Study, **changes: Any) -> Study:
    """Return a study that starts from another sleep; `config` holds changes to its config."""
    sleep = study.changes["sleep"]
    config = sleep["config"] | changes.pop("config", {})
    return replace(study, changes=study.changes | {"sleep": sleep | changes | {"config": config}})


# It starts from a whole set of parameters, thresholds for each layer.
WHOLE = with_sleep(replace(SLEEP, trials=2, networks=(7,)), steps=[60], config={"beta": [0.5, 0.4], "steps": 60})


def conducted(study: Study, folder: Path, device: str | None = None) -> tuple[Any, dict[str, Any], pd.DataFrame]:
    """Conduct a study in this process; return the best settings, its outcome and its trials as they are read again."""
    best = conduct("tiny", study, scheduler="inline", device=device, folder=folder, journals=folder / "journals")
    return best, outcomes.outcome("tiny", folder), outcomes.trials("tiny", folder)
