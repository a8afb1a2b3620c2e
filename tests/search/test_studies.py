"""Studies: what they accept, and that protocols hold what they found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from srclib.experiments import cell, grid, protocols
from srclib.learning.methods.sleep import Sleep
from srclib.search import outcomes, run, studies
from srclib.search.studies import values_of, with_values

from .test_search import SLEEP

VARIANTS = ("four_hidden", "spiking")  # of experiments.yaml, with a sleep that was searched for them
BY_NAME = {"tuned_mnist_sleep_stages", *(f"own_mnist_sleep_{seed}" for seed in range(5))}  # and that they name


def test_an_unknown_sampler_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"sampler = 'annealing': allowed is one of \('genetic', 'tpe', 'random'\)"):
        replace(SLEEP, sampler="annealing")


def test_values_of_several_layers_become_a_tuple() -> None:
    changed = with_values(SLEEP.plugin().config, {"beta[0]": 1.5, "inc": 0.5, "beta[1]": 2.5})
    assert (changed.beta, changed.inc, changed.dec) == ((1.5, 2.5), 0.5, 0.001)
    assert values_of(changed, ["beta[1]", "dec"]) == {"beta[1]": 2.5, "dec": 0.001}


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
        ({"ahead": True, "by_stage": False}, "ahead: allowed is a sleep by stage with no other method beside it"),
        ({"ahead": True, "beside": ("rehearsal",)}, "ahead: allowed is a sleep by stage"),
    ],
)
def test_a_bad_study_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SLEEP, **changes)


def test_unknown_studies_and_missing_starts_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"study 'none' is unknown: allowed is one of described_mnist_sleep"):
        run.run("none")
    with pytest.raises(ValueError, match="`changes` must give a start"):
        replace(SLEEP, part="si", changes={"si": None}).plugin()
    path = tmp_path / "searches.yaml"
    path.write_text("a: {protocol: described, colour: red}")
    with pytest.raises(ValueError, match=r"searches.yaml: a: unknown key 'colour'"):
        studies.studies(path)


def test_studies_start_from_a_plugin_and_search_fields_it_has() -> None:
    for study in studies.studies().values():
        values = {name: low for name, (low, _) in study.space.items()}
        own = {name: low for name, low in values.items() if not name.startswith(studies.AWAKE)}
        with_values(study.plugin(), own)
        assert len(studies.awake_values(values)) == len(values) - len(own)
        study.cell(study.plugin(), 1, values)
        assert study.dataset in protocols.datasets(study.protocol)
        assert study.protocol in protocols.names()


@pytest.mark.parametrize("name", outcomes.names())
def test_an_outcome_is_that_of_its_study(name: str) -> None:
    """A study may have been changed since."""
    study, outcome, trials = studies.studies()[name], outcomes.outcome(name), outcomes.trials(name)
    assert protocols.from_mapping(studies.Study, outcome["study"], name) == study
    for stage in outcome["stages"]:
        assert len(trials[trials.stage == stage["stage"]]) >= study.trials_of(stage["stage"])
        assert trials.score[trials.stage == stage["stage"]].max() == pytest.approx(stage["score"])


def best_of_each() -> list[str]:
    """Return the studies whose values a protocol takes: of those that differ in the sampler alone, the best one."""
    last = {name: outcomes.outcome(name)["stages"][-1]["score"] for name in outcomes.names()}
    alike: dict[str, list[str]] = {}
    for name in set(last) - {f"{variant}_sleep" for variant in VARIANTS} - BY_NAME:
        alike.setdefault(str(replace(studies.studies()[name], sampler="tpe")), []).append(name)
    return sorted(max(names, key=lambda name: last[name]) for names in alike.values())


@pytest.mark.parametrize("name", best_of_each())
def test_a_protocol_holds_what_its_search_found(name: str) -> None:
    """Those of the awake phase are copied by hand, and the study of the sleep is named by hand."""
    study, outcome = studies.studies()[name], outcomes.outcome(name)
    section = protocols.load(study.protocol, study.dataset, parts=(study.part, *study.beside))
    assert cell.plain(getattr(section, study.part)) == outcome["found"]
    for setting, value in outcome.get("awake", {}).items():
        assert getattr(section.awake, setting) == value


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_holds_what_its_search_found(variant: str) -> None:
    found = {key: value for key, value in outcomes.outcome(f"{variant}_sleep")["found"].items() if key != "is"}
    theirs = protocols.from_mapping(Sleep, found, variant)
    (night,) = grid.cell("mnist", f"src/{variant}").plugins
    assert isinstance(night, Sleep) and night.statistics == theirs.statistics
    assert [night.config_after(task) for task in (0, 1)] == [theirs.config_after(task) for task in (0, 1)]
