"""Conducting a study: workers share its trials, a study that was killed goes on, and its outcome is written.

Each worker trains the networks by itself, to the same weights, and tries one candidate after another. A GPU does
without workers: it runs the networks of several candidates at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread

import torch

from ..data import provenance
from ..data.places import scratch
from ..data.stopping import telling
from ..data.terminal import progress
from ..experiments import workers
from ..experiments.dialect import OUTCOMES
from . import by_stage, outcomes, trials, whole_runs
from .outcomes import Stage
from .parameters import Settings
from .studies import Study, studies

JOURNALS = scratch("searches")


def conduct(
    name: str,
    study: Study | None = None,
    *,
    scheduler: str | None = None,
    device: str | None = None,
    folder: Path = OUTCOMES,
    journals: Path = JOURNALS,
) -> Settings:
    """Conduct a study to its end and write its outcome into a folder; return the best settings of its method.

    A study that was begun goes on: the trials that ended are kept and count, those in flight are lost, networks are
    trained anew to the same weights, and other values are drawn than had it not stopped (see `trials`).
    study: by default the one of this name. scheduler: of the Dask workers that share it, as for `compute.complete`;
    they write to `journals`. device: on which the whole runs of candidates that are tried at once are one fleet; None:
    a GPU where there is one, else workers run them one by one.
    Raises ValueError for an unknown name, and for a journal that is damaged.
    """
    if study is None:
        known = studies()
        if name not in known:
            raise ValueError(f"study {name!r} is unknown: allowed is one of {', '.join(known)}")
        study = known[name]
    if study.at_once == 1:
        device = None
    elif device is None and torch.cuda.is_available():
        device = "cuda"
    journals.mkdir(parents=True, exist_ok=True)
    journal = journals / f"{name}.journal"
    made = partial(trials.counter, journal)
    with telling(lambda: (made()(), study.all_trials), "trials "), _progress(name, study, journal):
        found, stages = _share(study, journal, scheduler, device)
    on_gpu = device is not None and device.startswith("cuda")
    origin = {
        "commit": provenance.commit(),
        "device": torch.cuda.get_device_name(device) if on_gpu else provenance.device(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "gpu_minutes" if on_gpu else "core_minutes": round(sum(stage.seconds for stage in stages) / 60, 1),
    }
    outcomes.write(name, study, found, stages, origin, folder)
    return found


def _share(study: Study, journal: Path, scheduler: str | None, device: str | None) -> tuple[Settings, list[Stage]]:
    """Let workers share a study until all of them are at its end; a fleet on a device does without."""
    address = workers.address_of(scheduler)
    if address == "inline" or device is not None:
        return _work(study, journal, 0, device)
    with workers.pool(address, study.all_trials) as (executor, slots):
        flying = [executor.submit(_work, study, journal, worker, None) for worker in range(slots)]
        for ended in wait(flying, return_when=FIRST_EXCEPTION).done:
            ended.result()  # raises what stopped a worker
        return flying[0].result()


def _work(study: Study, journal: Path, worker: int, device: str | None) -> tuple[Settings, list[Stage]]:
    """Take part in a study until it is at its end."""
    optimize = partial(trials.optimize, journal, study, worker)
    if study.sleeps_by_stage:
        return by_stage.search(study, optimize)
    return whole_runs.search(study, optimize, device)


@contextmanager
def _progress(name: str, study: Study, journal: Path) -> Iterator[None]:
    """Show how many trials there are, whoever makes them."""
    over, made = Event(), trials.counter(journal)

    def watch() -> None:
        shown = 0
        while not over.wait(workers.POLL):
            before, shown = shown, made()
            for _ in range(before, shown):
                advance()

    with progress(name, study.all_trials) as advance:
        watcher = Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
