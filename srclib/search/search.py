"""Search for the parameters of a method on training images only, with Optuna: genetic (NSGA-II), TPE or random.

The last images of every task are held out of training and scored in place of the test images: no search sees a test
image. Parameters are tried on several networks and task orders at once, so that they transfer to others.

A sleep is searched stage by stage: the networks learn the next task once, then only the sleep after it is tried, from
the same weights each time; the best one is slept, and the next task follows. The score of a stage is the accuracy on
all tasks seen. After the first task nothing can have been forgotten, so nothing can be searched: the network sleeps as
the study starts if that is a whole set of parameters, thresholds for each layer, and else not. What is best at once is
not best in the end: with `ahead` a sleep is scored by the final accuracy, after the tasks that are left and the sleeps
that the study starts with. Any other method, and a sleep that is the same after all tasks, is scored by its final
accuracy, too.

`studies` says what can be searched. Dask workers share the trials of a study (`trials`): each trains the networks by
itself, to the same weights, and tries one candidate after another. A killed search goes on. The outcome is written to
`data/searches`: all trials as CSV, the best of them with budget, seeds and commit as YAML.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pandas as pd
import torch
import yaml

from ..data import provenance
from ..data.places import scratch
from ..data.terminal import progress
from ..experiments import workers
from ..experiments.cell import Cell
from ..experiments.dialect import OUTCOMES
from ..experiments.protocols.sleep import Section
from ..experiments.run import Runner
from ..experiments.run import run as run_cell
from ..experiments.typed import to_mapping
from ..learning.methods.plugin import overriding
from ..learning.methods.sleep import Sleep, mean_of
from ..learning.training import reproducible
from ..sleep import RunawayError, SleepConfig, layer_scales, linear_layers, set_weights, sleep, space
from ..sleep.space import Values
from . import fleet, trials
from .studies import AWAKE, Settings, Study, awake_values, studies, values_of, with_values
from .trials import Optimize

JOURNALS = scratch("searches")


def run(
    name: str,
    study: Study | None = None,
    *,
    scheduler: str | None = None,
    device: str | None = None,
    outcomes: Path = OUTCOMES,
    journals: Path = JOURNALS,
) -> Settings:
    """Run a study to its end and write its outcome; return the best settings of its method.

    A study that was begun goes on where it stopped. scheduler: of the Dask workers that share it, as for
    `compute.complete`; they write to `journals`. device: on which the whole runs of candidates that are tried at once
    are one fleet; None: a GPU where there is one, else workers run them one by one. Raises ValueError for an unknown
    name.
    """
    if study is None:
        known = studies()
        if name not in known:
            raise ValueError(f"study {name!r} is unknown: allowed is one of {', '.join(known)}")
        study = known[name]
    journals.mkdir(parents=True, exist_ok=True)
    outcomes.mkdir(parents=True, exist_ok=True)
    journal = journals / f"{name}.journal"
    if study.at_once == 1:
        device = None
    elif device is None and torch.cuda.is_available():
        device = "cuda"
    with _progress(name, study, journal):
        best, stages = _shared(study, journal, scheduler, device)
    spent = round(sum(stage["seconds"] for stage in stages) / 60, 1)
    on_gpu = device is not None and device.startswith("cuda")
    origin = {
        "commit": provenance.commit(),
        "device": torch.cuda.get_device_name(device) if on_gpu else provenance.device(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "gpu_minutes" if on_gpu else "core_minutes": spent,
    }
    table = pd.concat([stage.pop("trials") for stage in stages])
    table.to_csv(outcomes / f"{name}.csv", index=False)
    report = {"study": to_mapping(asdict(study)), "stages": stages, "found": to_mapping(best)}
    if awake := awake_values(stages[-1]["values"]):
        report["awake"] = awake
    text = yaml.safe_dump(report | {"provenance": origin}, sort_keys=False, default_flow_style=None, width=120)
    (outcomes / f"{name}.yaml").write_text(text)
    return best


Found = tuple[Settings, list[dict[str, Any]]]  # the best settings, and a report on every stage


def _shared(study: Study, journal: Path, scheduler: str | None, device: str | None) -> Found:
    """Let workers share a study until all of them are at its end; fleets on a device do without."""
    address = workers.address_of(scheduler)
    if address == "inline" or device is not None:
        return _work(study, journal, 0, device)
    with workers.pool(address, study.all_trials) as (executor, slots):
        flying = [executor.submit(_work, study, journal, worker) for worker in range(slots)]
        wait(flying, return_when=FIRST_EXCEPTION)
        return flying[0].result()


def _work(study: Study, journal: Path, worker: int, device: str | None = None) -> Found:
    """Take part in a study until it is at its end."""
    optimize = partial(trials.optimize, journal, study, worker)
    return _sleep_stages(study, optimize) if study.sleeps_by_stage else _whole_runs(study, optimize, device)


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


class _Network:
    """One network of a sleep's search: it learns the tasks in turn and tries sleeps in between."""

    def __init__(self, cell: Cell) -> None:
        self.seed = cell.seed
        with reproducible(cell.seed):
            self.runner = Runner(cell)
            self.random = torch.get_rng_state()

    def learn(self, task: int) -> float:
        """Learn the next task and remember the weights; return the accuracy without a sleep."""
        with reproducible(self.seed):
            torch.set_rng_state(self.random)
            self.runner.learn(task)
            self.random = torch.get_rng_state()
            plugin = self.runner.cell.plugins[0]
            assert isinstance(plugin, Sleep)
            self.task, state = task, self.runner.state
            self.awake = [w.detach().clone() for w in state.weights()]
            inputs = plugin.inputs(state)
            self.mean, self.scales = mean_of(inputs, plugin.drive), layer_scales(list(state.model), inputs)
            seen = self.runner.tasks[: task + 1]
            self.x, self.y = torch.cat([t.x_test for t in seen]), torch.cat([t.y_test for t in seen])
            return self.accuracy()

    def go_on(self) -> None:
        """Let the other plugins act after the task, as they do after its sleep."""
        with reproducible(self.seed):
            for plugin in overriding(self.runner.cell.plugins[1:], "after_task"):
                plugin.after_task(self.runner.state)

    def accuracy(self) -> float:
        predicted, *_ = self.runner.predict(self.x).values()  # of the head that counts
        return float((predicted == self.y).double().mean())

    def sleep(self, config: SleepConfig) -> float:
        """Sleep from the weights after the last task; return the accuracy, 0 for a runaway."""
        model = self.runner.state.model
        with reproducible(self.seed), torch.no_grad():
            set_weights(linear_layers(model), self.awake)
            try:
                sleep(model, self.mean, config.scaled(self.scales), seed=(self.seed, self.task), progress=False)
            except RunawayError:
                return 0.0
            return self.accuracy()

    def final(self, night: SleepConfig, later: Sequence[SleepConfig]) -> float:
        """Sleep, learn what is left with these sleeps after it, and come back; return the last accuracy."""
        accuracy = self.sleep(night)
        state, phases, here = self.runner.state, list(self.runner.phases), dict(vars(self))
        seen, optimizer = list(state.seen), copy.deepcopy(state.optimizer.state_dict())
        for task, next_night in enumerate(later, self.task + 1):
            if accuracy:  # it did not run away
                self.learn(task)
                accuracy = self.sleep(next_night)
        vars(self).update(here)
        state.seen, self.runner.phases = seen, phases
        state.optimizer.load_state_dict(optimizer)
        return accuracy


def _sleep_stages(study: Study, optimize: Optimize) -> Found:
    start = study.start()
    assert isinstance(start, Section) and isinstance(start.config, SleepConfig)
    networks = [_Network(study.cell(start, seed)) for seed in study.networks]
    tasks = range(len(networks[0].runner.tasks))
    # of every task, where the search of its sleep starts and later what it found
    nights = [start.night(task) or start.config for task in tasks]
    whole = isinstance(start.config.beta, tuple)  # a set of parameters that is worth a trial
    sleeps_first = whole and start.night(0) is not None
    stages: list[dict[str, Any]] = []

    def stage(task: int) -> dict[str, Any]:
        later = nights[task + 1 :] if study.ahead else ()

        def score(candidates: Sequence[Values]) -> list[float]:
            tried = [space.with_values(nights[task], values) for values in candidates]
            return [_mean([network.final(night, later) for network in networks]) for night in tried]

        known = isinstance(nights[task].beta, tuple)
        first = values_of(nights[task], study.space) if known else {}
        within = {name: min(value, study.space[name][1]) for name, value in first.items()}
        values, report = optimize(task + 1, score, within)
        nights[task] = space.with_values(nights[task], values)
        return report

    for task in tasks:
        began = time.perf_counter()
        before = [network.learn(task) for network in networks]
        learned = time.perf_counter() - began
        if task or study.ahead:  # after the first one nothing can have been forgotten
            report = stage(task)
            after = [network.sleep(nights[task]) for network in networks]
            stages.append(report | {"before": before, "after": after, "seconds": report["seconds"] + learned})
            if not study.ahead and task + 1 in tasks:
                last, growth = nights[task], start.growth
                nights[task + 1] = replace(last, inc=last.inc * growth, dec=last.dec * growth)
        elif sleeps_first:
            for network in networks:
                network.sleep(nights[task])
        for network in networks:
            network.go_on()
    steps = (nights[0].steps if sleeps_first or study.ahead else 0, *(night.steps for night in nights[1:]))
    return _unlimited(replace(start, config=tuple(nights), steps=steps, growth=1.0)), stages


def _whole_runs(study: Study, optimize: Optimize, device: str | None) -> Found:
    start, draws = study.start(), count(study.seed)

    def settings(values: Values) -> Settings:
        return with_values(start, {key: value for key, value in values.items() if not key.startswith(AWAKE)})

    def score(candidates: Sequence[Values]) -> list[float]:
        cells = [study.cell(settings(values), seed, values) for values in candidates for seed in study.networks]
        if device is None:
            finals = [_final(cell) for cell in cells]
        else:
            finals = fleet.finals(cells, seed=next(draws), device=device)
        each = len(study.networks)
        return [_mean(finals[i : i + each]) for i in range(0, len(finals), each)]

    own = [name for name in study.space if not name.startswith(AWAKE)]
    awake = study.cell(start, study.networks[0]).awake
    others = {name: getattr(awake, name.removeprefix(AWAKE)) for name in study.space if name.startswith(AWAKE)}
    values, report = optimize(1, score, {**values_of(start, own), **others})
    return _unlimited(settings(values)), [report]


def _final(cell: Cell) -> float:
    try:
        return run_cell(cell)["final"]
    except RunawayError:
        return 0.0


def _unlimited(settings: Settings) -> Settings:
    """Return settings whose sleeps are never given up: `max_updates` belongs to the search."""
    if not isinstance(settings, Section):
        return settings
    if isinstance(settings.config, SleepConfig):
        return replace(settings, config=replace(settings.config, max_updates=None))
    return replace(settings, config=tuple(replace(config, max_updates=None) for config in settings.config))


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
