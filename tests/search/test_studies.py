"""Studies: what they accept, and that protocols hold what they found."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from srclib.experiments import grid, protocols
from srclib.experiments.protocols.sleep import Section
from srclib.experiments.run import stream
from srclib.experiments.typed import from_mapping, to_mapping
from srclib.search import outcomes
from srclib.search.parameters import AWAKE, with_values
from srclib.search.studies import Study, studies

from .tiny import SLEEP

STUDIES = studies()
VARIANTS = ("four_hidden", "spiking")  # of experiments.yaml, with a sleep that was searched for them
BY_NAME = {"tuned_mnist_sleep_stages", *(f"own_mnist_sleep_{seed}" for seed in range(5))}  # and that they name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": {"inc": (0.1, 0.01)}}, r"space: inc = \[0.1, 0.01\]: allowed are two rising numbers > 0"),
        ({"space": {"inc": (0, 1)}}, "allowed are two rising numbers > 0"),
        ({"space": {"inc": (1, 2.0)}}, "of one type"),
        ({"networks": ()}, "networks, trials, population and at_once: allowed is one or more of each"),
        ({"trials": 0}, "networks, trials, population and at_once: allowed is one or more of each"),
        ({"trials": ()}, "networks, trials, population and at_once: allowed is one or more of each"),
        ({"trials": (3, 3)}, r"trials = \(3, 3\): allowed is one number, or 4, one for each stage"),
        ({"space": {"growth": (1.0, 2.0)}}, "space: growth: allowed with by_stage: false only"),
        ({"space": {"awake.lr": (0.1, 0.2)}}, "space: awake.lr: allowed with by_stage: false only"),
        ({"sampler": "annealing"}, r"sampler = 'annealing': allowed is one of \('genetic', 'tpe', 'random'\)"),
        ({"ahead": True, "by_stage": False}, "ahead: allowed is a sleep by stage with no other method beside it"),
        ({"ahead": True, "beside": ("rehearsal",)}, "ahead: allowed is a sleep by stage"),
    ],
)
def test_a_bad_study_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SLEEP, **changes)


def test_missing_starts_and_unknown_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`changes` must give a start"):
        replace(SLEEP, part="si", changes={"si": None}).start()
    path = tmp_path / "some.yaml"
    path.write_text("a: {protocol: described, colour: red}")
    with pytest.raises(ValueError, match=r"some.yaml: a: unknown key 'colour'"):
        studies(path)


def test_a_study_may_begin_like_another(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(yaml.safe_dump({"a": to_mapping(asdict(SLEEP)), "b": {"like": "a", "space": {"inc": [0.1, 0.2]}}}))
    both = studies(path)
    assert both == {"a": SLEEP, "b": replace(SLEEP, space=SLEEP.space | {"inc": (0.1, 0.2)})}
    path.write_text("b: {like: c}")
    with pytest.raises(ValueError, match=r"some.yaml: b: like = 'c' names no other section"):
        studies(path)


def test_images_held_out_are_training_images_that_no_task_is_trained_on() -> None:
    cell = SLEEP.cell(SLEEP.start(), 7)
    for held, task in zip(stream(cell), stream(replace(cell, held_out=0)), strict=True):
        assert held.x_test.equal(task.x_train[-50:]) and held.y_test.equal(task.y_train[-50:])
        assert held.x_train.equal(task.x_train[:-50]) and held.y_train.equal(task.y_train[:-50])
    with pytest.raises(ValueError, match=r"held_out = 99999: allowed is 1 to \d+ images of task"):
        stream(replace(cell, held_out=99_999))


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_starts_from_settings_and_searches_fields_they_have(name: str) -> None:
    study = STUDIES[name]
    lowest = {name: low for name, (low, _) in study.space.items()}
    awake = {key.removeprefix(AWAKE): value for key, value in lowest.items() if key.startswith(AWAKE)}
    cell = study.cell(with_values(study.start(), lowest), study.networks[0], lowest)
    assert {key: getattr(cell.awake, key) for key in awake} == awake
    assert cell.held_out and cell.tested == ("test",)


@pytest.mark.parametrize("name", outcomes.names())
def test_an_outcome_is_that_of_its_study(name: str) -> None:
    study, outcome, trials = STUDIES[name], outcomes.outcome(name), outcomes.trials(name)
    then = from_mapping(Study, outcome["study"], name)
    assert replace(then, changes=study.changes) == study  # these may be spelled otherwise, and say the same:
    assert then.start() == study.start()
    for network in study.networks:
        assert then.cell(then.start(), network) == study.cell(study.start(), network)
    for stage in outcome["stages"]:
        assert len(trials[trials.stage == stage["stage"]]) >= study.trials_of(stage["stage"])


def best_of_each() -> list[str]:
    """Return the studies whose values a protocol takes: of those that differ in the sampler alone, the best one."""
    last = {name: outcomes.outcome(name)["stages"][-1]["score"] for name in outcomes.names()}
    alike: dict[str, list[str]] = {}
    for name in set(last) - {f"{variant}_sleep" for variant in VARIANTS} - BY_NAME:
        alike.setdefault(str(replace(STUDIES[name], sampler="tpe")), []).append(name)
    return sorted(max(names, key=lambda name: last[name]) for names in alike.values())


@pytest.mark.parametrize("name", best_of_each())
def test_a_protocol_takes_what_its_search_found(name: str) -> None:
    study, outcome = STUDIES[name], outcomes.outcome(name)
    protocol = protocols.load(study.protocol, study.dataset, parts=(study.part, *study.beside))
    assert protocol.sections[study.part] == from_mapping(protocols.SECTIONS[study.part], outcome["found"], name)
    assert {key: getattr(protocol.awake, key) for key in outcome.get("awake", {})} == outcome.get("awake", {})


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_takes_what_its_search_found(variant: str) -> None:
    found = from_mapping(Section, outcomes.outcome(f"{variant}_sleep")["found"], variant)
    cell = grid.cell("mnist", f"src/{variant}")
    assert cell.plugins == (found.sleep(len(cell.order)),)
