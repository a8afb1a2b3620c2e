"""Search for the parameters of a method on training images only, with Optuna: genetic (NSGA-II), TPE or random.

The last images of every task are held out of training and scored in place of the test images: no search sees a test
image. Parameters are tried on several networks and task orders at once, so that they transfer to others.

A sleep is searched stage by stage: the networks learn the next task once, then only the sleep after it is tried, from
the same weights each time; the best one is slept, and the next task follows. The score of a stage is the accuracy on
all tasks seen. After the first task nothing can have been forgotten, so nothing can be searched: the network sleeps as
the study starts if that is a whole set of parameters, thresholds for each layer, and else not. Any other method, and
a sleep that is the same after all tasks, is scored by its final accuracy on all tasks.

`studies` says what can be searched. Trials are kept in a journal, so that a killed search goes on; the outcome is
written to `data/searches`: all trials as CSV, the best of them with budget, seeds and commit as YAML.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
import yaml
from filelock import FileLock

from . import experiment, fleet, results
from .datasets import DATA
from .experiment import Cell, Runner
from .plugins import Plugin, overriding
from .plugins.sleep import Sleep, mean_of
from .sleep import RunawayError, SleepConfig, layer_scales, linear_layers, set_weights, sleep
from .studies import AWAKE, Study, Values, awake_values, studies, suggest, values_of, with_values
from .training import reproducible

if TYPE_CHECKING:
    import optuna

log = logging.getLogger(__name__)

OUTCOMES = DATA / "searches"
JOURNALS = DATA.parent / "build" / "searches"


def run(name: str, study: Study | None = None, *, outcomes: Path = OUTCOMES, journals: Path = JOURNALS) -> Plugin:
    """Run a study to its end and write its outcome; return the plugin with the best parameters.

    A study that was begun goes on where it stopped. Raises ValueError for an unknown name.
    """
    if study is None:
        known = studies()
        if name not in known:
            raise ValueError(f"study {name!r} is unknown: allowed is one of {', '.join(known)}")
        study = known[name]
    journals.mkdir(parents=True, exist_ok=True)
    outcomes.mkdir(parents=True, exist_ok=True)
    with FileLock(journals / f"{name}.lock"):
        find = _sleep_stages if study.part == "sleep" and study.by_stage else _whole_runs
        best, stages = find(study, partial(_optimize, name, study, journals))
        spent = round(sum(stage["seconds"] for stage in stages) / 60, 1)
        provenance = {
            "commit": results.commit(),
            "device": torch.cuda.get_device_name() if study.together else results.device(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "gpu_minutes" if study.together else "core_minutes": spent,
        }
        table = pd.concat([stage.pop("trials") for stage in stages])
        table.to_csv(outcomes / f"{name}.csv", index=False)
        plain = experiment.plain
        report = {"study": plain(asdict(study)), "stages": stages, "found": plain(best)}
        if awake := awake_values(stages[-1]["values"]):
            report["awake"] = awake
        text = yaml.safe_dump(report | {"provenance": provenance}, sort_keys=False, default_flow_style=None, width=120)
        (outcomes / f"{name}.yaml").write_text(text)
    return best


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Let Optuna report warnings only, and at the end whatever it did before. Importing it takes a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm misses notebook widgets, which are not used here
        import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


Score = Callable[[Sequence[Values]], Sequence[float]]  # of candidates
Optimize = Callable[[int, Score, Values | None], tuple[Values, dict[str, Any]]]


@quiet_optuna()
def _optimize(
    name: str, study: Study, journals: Path, stage: int, score: Score, first: Values | None
) -> tuple[Values, dict[str, Any]]:
    """Try values until the stage has its trials; return the best ones and what to report. `first` is tried first."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    found = optuna.create_study(
        study_name=f"stage {stage}",
        storage=JournalStorage(JournalFileBackend(str(journals / f"{name}.journal"))),
        direction="maximize",
        load_if_exists=True,
    )
    seed = 10_000 * study.seed + 1_000 * stage + len(found.trials)  # one that goes on does not draw the same again
    samplers: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
        "genetic": partial(optuna.samplers.NSGAIISampler, population_size=study.population, seed=seed),
        "tpe": partial(optuna.samplers.TPESampler, multivariate=True, constant_liar=study.at_once > 1, seed=seed),
        "random": partial(optuna.samplers.RandomSampler, seed=seed),
    }
    found.sampler = samplers[study.sampler]()
    if first and not found.trials:
        found.enqueue_trial(dict(first))

    done = (optuna.trial.TrialState.COMPLETE,)
    with results.progress(f"{name}, stage {stage}", study.trials) as advance:
        for _ in found.get_trials(states=done):
            advance()
        while (missing := study.trials - len(found.get_trials(states=done))) > 0:
            asked = [found.ask() for _ in range(min(study.at_once, missing))]
            start = time.perf_counter()
            scores = score([suggest(trial, study.space) for trial in asked])
            for trial, reached in zip(asked, scores, strict=True):
                trial.set_user_attr("seconds", (time.perf_counter() - start) / len(asked))
                found.tell(trial, reached)
                advance()
    trials = found.get_trials(states=done)
    table = pd.DataFrame(
        [
            {"stage": stage, "trial": t.number, "score": t.value, **t.params, "seconds": t.user_attrs["seconds"]}
            for t in trials
        ]
    )
    best = found.best_trial
    report = {"stage": stage, "trials": table, "score": best.value, "values": dict(best.params)}
    report["seconds"] = float(table["seconds"].sum())
    log.info("%s, stage %d: %.4f after %d trials", name, stage, best.value, len(trials))
    return best.params, report


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


def _sleep_stages(study: Study, optimize: Optimize) -> tuple[Plugin, list[dict[str, Any]]]:
    start = study.plugin()
    assert isinstance(start, Sleep) and isinstance(start.config, SleepConfig)
    networks = [_Network(study.cell(start, seed)) for seed in study.networks]
    config, stages, found = start.config, [], [start.config]
    whole = isinstance(config.beta, tuple)  # a set of parameters that is worth a trial
    values = values_of(config, study.space) if whole else None

    def score(candidates: Sequence[Values]) -> list[float]:
        return [_mean([n.sleep(with_values(config, values)) for n in networks]) for values in candidates]

    for task in range(len(networks[0].runner.tasks)):
        began = time.perf_counter()
        before = [network.learn(task) for network in networks]
        learned = time.perf_counter() - began
        if task:  # after the first one nothing can have been forgotten
            values, report = optimize(task + 1, score, values)
            found.append(with_values(config, values))
            after = [network.sleep(found[-1]) for network in networks]
            stages.append(report | {"before": before, "after": after, "seconds": report["seconds"] + learned})
        elif whole:
            for network in networks:
                network.sleep(config)
        for network in networks:
            network.go_on()
    steps = (config.steps if whole else 0, *(c.steps for c in found[1:]))
    return _unlimited(replace(start, config=tuple(found), steps=steps)), stages


def _whole_runs(study: Study, optimize: Optimize) -> tuple[Plugin, list[dict[str, Any]]]:
    start, draws = study.plugin(), count(study.seed)

    def plugin(values: Values) -> Plugin:
        return with_values(start, {key: value for key, value in values.items() if not key.startswith(AWAKE)})

    def score(candidates: Sequence[Values]) -> list[float]:
        cells = [study.cell(plugin(values), seed, values) for values in candidates for seed in study.networks]
        finals = fleet.finals(cells, seed=next(draws)) if study.together else [_final(cell) for cell in cells]
        each = len(study.networks)
        return [_mean(finals[i : i + each]) for i in range(0, len(finals), each)]

    own = [name for name in study.space if not name.startswith(AWAKE)]
    awake = study.cell(start, study.networks[0]).awake
    others = {name: getattr(awake, name.removeprefix(AWAKE)) for name in study.space if name.startswith(AWAKE)}
    values, report = optimize(1, score, {**values_of(start, own), **others})
    return _unlimited(plugin(values)), [report]


def _final(cell: Cell) -> float:
    try:
        return experiment.run(cell)["final"]
    except RunawayError:
        return 0.0


def _unlimited(plugin: Plugin) -> Plugin:
    """Return a plugin whose sleeps are never given up: `max_updates` belongs to the search."""
    if not isinstance(plugin, Sleep):
        return plugin
    if isinstance(plugin.config, SleepConfig):
        return replace(plugin, config=replace(plugin.config, max_updates=None))
    return replace(plugin, config=tuple(replace(config, max_updates=None) for config in plugin.config))


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
