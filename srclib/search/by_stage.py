"""By stage: a sleep after each task, searched one after another.

The networks learn the next task once, then only the sleep after it is tried, from the same weights each time; the best
one is slept, and the next task follows. The score of a stage is the accuracy on all tasks seen. After the first task
nothing can have been forgotten, so nothing can be searched: the network sleeps as the study starts if that is a whole
set of parameters, thresholds for each layer, and else not.

What is best at once is not best in the end: with `ahead` a sleep, the first one too, is scored by the final accuracy,
after the tasks that are left and the sleeps that the study starts with.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import torch

from ..experiments.cell import Cell
from ..experiments.protocols.sleep import Section
from ..experiments.run import Runner
from ..learning.methods.plugin import overriding
from ..learning.methods.sleep import Sleep, mean_of
from ..learning.training import reproducible
from ..sleep import RunawayError, SleepConfig, SleepWarning, layer_scales, linear_layers, set_weights, sleep, space
from ..sleep.space import Values
from .outcomes import Stage
from .parameters import Settings, config_of, values_of
from .studies import Study
from .trials import Optimize


class Network:
    """One network of a study: it learns the tasks in turn and tries sleeps in between."""

    def __init__(self, cell: Cell) -> None:
        self.seed = cell.seed
        with reproducible(cell.seed):
            self.runner = Runner(cell)
            self.random = torch.get_rng_state()
        self.slept = False  # after the last task

    def learn(self, task: int) -> float:
        """Learn the next task and remember the weights; return the accuracy without a sleep."""
        with reproducible(self.seed):
            plugin, state = self.runner.cell.plugins[0], self.runner.state
            assert isinstance(plugin, Sleep)
            if self.slept and plugin.reset_velocity:
                state.optimizer.rest()
            torch.set_rng_state(self.random)
            self.runner.learn(task)
            self.random = torch.get_rng_state()
            self.task, self.slept = task, False
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
        """Return the accuracy on the held-out images of all tasks seen, a fraction."""
        predicted, *_ = self.runner.predict(self.x).values()  # of the head that counts
        return float((predicted == self.y).double().mean())

    def sleep(self, config: SleepConfig) -> float:
        """Sleep from the weights after the last task; return the accuracy, 0 for a runaway."""
        model, self.slept = self.runner.state.model, True
        with reproducible(self.seed), torch.no_grad():
            set_weights(linear_layers(model), self.awake)
            try:
                with warnings.catch_warnings(action="ignore", category=SleepWarning):  # a weak one has a low score
                    sleep(model, self.mean, config.scaled(self.scales), seed=(self.seed, self.task), progress=False)
            except RunawayError:
                return 0.0
            return self.accuracy()

    def score(self, night: SleepConfig, later: Sequence[SleepConfig]) -> float:
        """Sleep, learn the next tasks with these sleeps after them, and come back; return the last accuracy."""
        accuracy = self.sleep(night)
        state, phases, here = self.runner.state, list(self.runner.phases), dict(vars(self))
        seen, velocity = list(state.seen), copy.deepcopy(state.optimizer.velocity)
        for task, next_night in enumerate(later, self.task + 1):
            if accuracy:  # it did not run away
                self.learn(task)
                accuracy = self.sleep(next_night)
        vars(self).update(here)
        state.seen, self.runner.phases = seen, phases
        state.optimizer.velocity = velocity
        return accuracy


def search(study: Study, optimize: Optimize) -> tuple[Settings, list[Stage]]:
    """Search for the sleep after each task; return how the network sleeps, and what came out of each stage."""
    start = study.start()
    assert isinstance(start, Section)
    networks = [Network(study.cell(start, seed)) for seed in study.networks]
    tasks = range(len(networks[0].runner.tasks))
    # after every task, where the search of its sleep starts and later what it found
    nights = [start.night(task) or config_of(start) for task in tasks]
    whole = isinstance(config_of(start).beta, tuple)  # a set of parameters that is worth a trial
    sleeps_first = study.ahead or (whole and start.night(0) is not None)
    stages: list[Stage] = []

    def stage(task: int) -> Stage:
        later = nights[task + 1 :] if study.ahead else ()

        def score(candidates: Sequence[Values]) -> list[float]:
            tried = [space.with_values(nights[task], values) for values in candidates]
            return [fmean(network.score(night, later) for network in networks) for night in tried]

        first: dict[str, int | float] = {}
        if isinstance(nights[task].beta, tuple):
            present = values_of(nights[task], networks[0].runner.cell.awake, study.space)
            first = {name: min(max(low, present[name]), high) for name, (low, high) in study.space.items()}
        found = optimize(task + 1, score, first)
        nights[task] = space.with_values(nights[task], found.values)
        return found

    for task in tasks:
        began = time.perf_counter()
        before = [network.learn(task) for network in networks]
        learned = time.perf_counter() - began
        if task or study.ahead:  # after the first one nothing can have been forgotten
            found = stage(task)
            after = [network.sleep(nights[task]) for network in networks]
            stages.append(replace(found, before=before, after=after, seconds=found.seconds + learned))
            if not study.ahead and task + 1 in tasks:
                last, growth = nights[task], start.growth
                nights[task + 1] = replace(last, inc=last.inc * growth, dec=last.dec * growth)
        elif sleeps_first:
            for network in networks:
                network.sleep(nights[task])
        for network in networks:
            network.go_on()
    found_nights = tuple(replace(night, max_updates=None) for night in nights)  # to give up belongs to the search
    steps = (nights[0].steps if sleeps_first else 0, *(night.steps for night in nights[1:]))
    plain = {name: getattr(start, name) for name in ("statistics", "drive", "reset_velocity")}
    return Section(config=found_nights, steps=steps, **plain), stages
