"""Studies: which parameters of a method are searched, between which bounds, on which networks and how long.

`studies.yaml` holds those of the book.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..experiments import dialect, grid, protocols
from ..experiments.cell import Cell
from ..experiments.protocols import SECTIONS
from ..experiments.protocols.sleep import Section
from ..experiments.typed import from_mapping
from ..sleep.space import Values, check_space
from .parameters import AWAKE, Settings, awake_values

STUDIES = Path(__file__).with_name("studies.yaml")
SAMPLERS = ("genetic", "tpe", "random")


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is searched, over what, and how long."""

    protocol: str
    dataset: str
    part: str  # the section of the protocol that is searched: sleep, ewc, si or owm
    beside: tuple[str, ...] = ()  # sections whose methods are there too, such as rehearsal
    space: dict[str, tuple[int | float, ...]]  # lowest and highest value, drawn log-uniformly; whole numbers stay whole
    trials: int | tuple[int, ...]  # of every stage of a sleep, or of each; of anything else, in all
    networks: tuple[int, ...]  # seeds of the networks, which also draw their task orders
    by_stage: bool = True  # a sleep after each task; false: the same sleep after all, scored as other methods are
    ahead: bool = False  # by stage, the first sleep too: score it by the final accuracy, after all tasks that are left
    order: str = "random"  # of the tasks: random, or sorted as in a stream that has one order
    tasks: int | None = None  # the stream ends after so many
    held_out: int  # training images of each task
    sampler: str = "genetic"  # or tpe, random
    population: int = 20  # of a generation of the genetic sampler
    at_once: int = 1  # candidates whose whole runs a GPU computes together, as a fleet; without one, one by one
    seed: int = 0  # of the sampler
    changes: dict[str, Any] = field(default_factory=dict)  # to the protocol's section

    def __post_init__(self) -> None:
        check_space(self.space)
        trials = self.trials if isinstance(self.trials, tuple) else (self.trials,)
        if not self.networks or not trials or min(*trials, self.population, self.at_once) < 1:
            raise ValueError("networks, trials, population and at_once: allowed is one or more of each")
        if self.held_out < 1 or (self.tasks is not None and self.tasks < 1):
            raise ValueError(f"held_out = {self.held_out}, tasks = {self.tasks}: allowed are whole numbers >= 1")
        if min(*self.networks, self.seed) < 0:
            raise ValueError(f"networks = {self.networks}, seed = {self.seed}: allowed are whole numbers >= 0")
        if self.part not in SECTIONS:
            raise ValueError(f"part = {self.part!r}: allowed is one of {', '.join(SECTIONS)}")
        if self.ahead and (not self.sleeps_by_stage or self.beside):
            raise ValueError("ahead: allowed is a sleep by stage with no other method beside it")
        whole = [name for name in self.space if name == "growth" or name.startswith(AWAKE)]
        if self.sleeps_by_stage and whole:
            raise ValueError(f"space: {whole[0]}: allowed with by_stage: false only, it belongs to whole runs")
        if isinstance(self.trials, tuple) and self.stages != len(trials):
            raise ValueError(f"trials = {self.trials}: allowed is one number, or {self.stages}, one for each stage")
        if self.sampler not in SAMPLERS:
            raise ValueError(f"sampler = {self.sampler!r}: allowed is one of {SAMPLERS}")

    @property
    def sleeps_by_stage(self) -> bool:
        """Return whether a sleep is searched after each task by itself."""
        return self.part == "sleep" and self.by_stage

    @property
    def stages(self) -> int:
        """Return how many searches there are, one after another."""
        tasks = self.cell(self.start(), self.networks[0]).order[: self.tasks]
        return len(tasks) - (not self.ahead) if self.sleeps_by_stage else 1

    def trials_of(self, stage: int) -> int:
        """Return how many trials a stage has; stages of a sleep have the numbers of their tasks, from 1."""
        first = 2 if self.sleeps_by_stage and not self.ahead else 1
        return self.trials if isinstance(self.trials, int) else self.trials[stage - first]

    @property
    def all_trials(self) -> int:
        """Return how many trials all stages have."""
        return self.trials * self.stages if isinstance(self.trials, int) else sum(self.trials)

    def start(self) -> Settings:
        """Return the section whose parameters are searched, as the protocol has it; of several sleeps, the first."""
        found = protocols.load(self.protocol, self.dataset, self.changes).sections.get(self.part)
        if found is None:
            raise ValueError(f"{self.part} is null in {self.protocol}, {self.dataset}: `changes` must give a start")
        if isinstance(found, Section) and isinstance(found.config, tuple):
            return replace(found, config=found.config[0])
        return found

    def cell(self, settings: Settings, network: int, values: Values = MappingProxyType({})) -> Cell:
        """Return the run of one network with settings of the method and methods beside, scored on held-out images.

        network: its seed. values: of parameters; those of the awake phase are used here.
        """
        run = "+".join(self.beside) or "sequential"
        beside = grid.cell(
            self.dataset, run, self.protocol, order=self.order, seed=network, tasks=self.tasks, changes=self.changes
        )
        awake = replace(beside.awake, **awake_values(values))
        plugin = settings.sleep(len(beside.order)) if isinstance(settings, Section) else settings
        return replace(beside, awake=awake, plugins=(plugin, *beside.plugins), held_out=self.held_out, tested=("test",))


def studies(path: Path = STUDIES) -> dict[str, Study]:
    """Return the studies by name; ValueError names one with an unknown or missing key."""
    sections = dialect.read(path)
    return {
        name: from_mapping(Study, dialect.section(sections, name, path.name), f"{path.name}: {name}")
        for name in sections
    }
