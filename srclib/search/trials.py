"""Trials of a study, kept in a journal that several processes share: each adds what it tries until there are enough.

A process that is killed loses its trial in flight. One that comes later goes on with what the journal holds: the trials
that ended count, and it draws further ones until there are enough. They are not those that the killed one would have
drawn, since the sampler starts anew, from another seed; so the outcome may be another than that of a search that was
never killed.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from filelock import FileLock

from ..sleep.space import Values, quiet_optuna, suggest
from .outcomes import Stage
from .studies import Study

if TYPE_CHECKING:
    import optuna

log = logging.getLogger(__name__)

REDRAWS = 100  # of values that were tried before, until they are tried again

Score = Callable[[Sequence[Values]], Sequence[float]]  # of candidates
Optimize = Callable[[int, Score, Values], Stage]  # `optimize` in a journal of a study, by one of its workers


@quiet_optuna()
def optimize(journal: Path, study: Study, worker: int, stage: int, score: Score, first: Values) -> Stage:
    """Try values until the stage has its trials; return what came out.

    worker: number of this process among those that share the journal. first: what is tried first, by one of them; where
    it is empty, the sampler draws that, too. Raises ValueError for a journal that is damaged.
    """
    import optuna

    found = optuna.create_study(
        study_name=f"stage {stage}", storage=_storage(journal), direction="maximize", load_if_exists=True
    )
    with _alone(journal):
        if first and not found.trials:
            found.enqueue_trial(dict(first))
    # one that goes on, or shares the journal, does not draw the same again
    seed = 10_000 * study.seed + 1_000 * stage + len(found.trials) + 1_000_000 * worker
    samplers: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
        "genetic": partial(optuna.samplers.NSGAIISampler, population_size=study.population, seed=seed),
        "tpe": partial(optuna.samplers.TPESampler, multivariate=True, constant_liar=study.at_once > 1, seed=seed),
        "random": partial(optuna.samplers.RandomSampler, seed=seed),
    }
    found.sampler = samplers[study.sampler]()
    enough = study.trials_of(stage)
    while not (trials := _settled(found, journal, enough)):
        made = _complete(found)
        asked: list[optuna.Trial] = []
        while len(asked) < min(study.at_once, max(1, enough - len(made))):
            asked.append(_draw(found, study, [trial.params for trial in (*made, *asked)]))
        start = time.perf_counter()
        scores = score([suggest(trial, study.space) for trial in asked])
        for trial, reached in zip(asked, scores, strict=True):
            trial.set_user_attr("seconds", (time.perf_counter() - start) / len(asked))
            found.tell(trial, reached)
    table = pd.DataFrame(
        [
            {"stage": stage, "trial": t.number, "score": t.value, **t.params, "seconds": t.user_attrs["seconds"]}
            for t in trials
        ]
    )
    best = max(trials, key=lambda trial: trial.value)
    log.info("%s, stage %d: %.4f after %d trials", journal.stem, stage, best.value, len(trials))
    seconds = float(table["seconds"].sum())
    return Stage(stage=stage, score=best.value, values=dict(best.params), seconds=seconds, trials=table)


def _draw(found: optuna.Study, study: Study, tried: Sequence[Values]) -> optuna.Trial:
    """Return a trial with values that were not tried before.

    A genetic search repeats itself the more, the more its population agrees; a repetition tells nothing new. Where all
    that can be drawn was tried, values come again.
    """
    import optuna

    trial = found.ask()
    for _ in range(REDRAWS):
        if suggest(trial, study.space) not in tried:
            break
        found.tell(trial, state=optuna.trial.TrialState.PRUNED)
        trial = found.ask()
    return trial


@quiet_optuna()
def counter(journal: Path) -> Callable[[], int]:
    """Return a function that returns how many trials of all stages a journal holds; it reads only what is new."""
    import optuna

    storage, complete = _storage(journal), optuna.trial.TrialState.COMPLETE
    return lambda: sum(storage.get_n_trials(s._study_id, complete) for s in storage.get_all_studies())


def _settled(found: optuna.Study, journal: Path, enough: int) -> list[Any]:
    """Return the trials that count, or none while there are too few.

    Which ones they are is settled by the first process that finds enough: another may still have one in flight.
    """
    with _alone(journal):
        trials = _complete(found)
        numbers = found.user_attrs.get("settled", [])
        if len(numbers) < enough <= len(trials):
            numbers = [trial.number for trial in trials]
            found.set_user_attr("settled", numbers)
    return [trial for trial in trials if trial.number in numbers] if len(numbers) >= enough else []


def _complete(found: optuna.Study) -> list[Any]:
    import optuna

    return found.get_trials(states=(optuna.trial.TrialState.COMPLETE,))


def _storage(journal: Path) -> optuna.storages.JournalStorage:
    """Open a journal; what stands after its last whole line, where a process died or a disk lost it, is cut off before.

    Raises ValueError, which names the journal, where a line before that is damaged.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

    lock = JournalFileSymlinkLock(str(journal))  # of whoever writes
    lock.acquire()
    try:
        if journal.exists():
            _cut_torn_end(journal)
    finally:
        lock.release()
    try:
        return JournalStorage(JournalFileBackend(str(journal)))
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        found = f"{error.doc!r:.60}" if isinstance(error, json.JSONDecodeError) else f"{error!r:.60}"
        raise ValueError(f"{journal} has a damaged line, {found}: allowed are lines of JSON") from None


def _cut_torn_end(journal: Path) -> None:
    content = journal.read_bytes()
    lines = [part + b"\n" for part in content.split(b"\n")]
    lines[-1] = lines[-1][:-1]  # no line ends there
    while lines and not _whole(lines[-1]):
        lines.pop()
    whole = sum(map(len, lines))
    if whole < len(content):
        log.warning(
            "%s: what follows its last whole line is torn (%d bytes) and cut off", journal, len(content) - whole
        )
        os.truncate(journal, whole)


def _whole(line: bytes) -> bool:
    """Return whether a line is one that a worker wrote to its end."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return line.endswith(b"\n") and isinstance(entry, dict) and {"op_code", "worker_id"} <= set(entry)


def _alone(journal: Path) -> FileLock:
    return FileLock(journal.with_suffix(".lock"))
