"""Opening a page: what parameters it refuses, before anything is computed, and what it then gives."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from srclib import pages
from srclib.experiments import compute
from srclib.experiments.records import Record
from srclib.experiments.store import Store
from srclib.pages import Page, Records, page
from srclib.verdicts.claims import ClaimVerdict
from srclib.verdicts.reproduced import Reproduction, Verdict

from .judgements import RECORDS, claim, effect, value


@pytest.fixture(autouse=True)
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def never(*args: object, **changes: object) -> None:
        raise AssertionError("nothing is to be computed")

    monkeypatch.setattr(compute, "collect", never)
    monkeypatch.setenv("SRCLIB_RESULTS", str(tmp_path))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"profile": "tiny"}, "profile = 'tiny': allowed is one of smoke, ci, full"),
        ({"profile": None}, "profile = None: allowed is one of smoke, ci, full"),
        ({"protocol": "tuned"}, "protocol = 'tuned': allowed is one of released, described"),
        ({"protocol": ["released"]}, "protocol = ['released']: allowed is one of released, described"),
        ({"seeds": 0}, "seeds = 0: allowed is a whole number of at least 1, or None"),
        ({"seeds": -1}, "seeds = -1: allowed is"),
        ({"seeds": True}, "seeds = True: allowed is"),
        ({"seeds": 2.0}, "seeds = 2.0: allowed is"),
        ({"seeds": "2"}, "seeds = '2': allowed is"),
        ({"seeds": [2]}, "seeds = [2]: allowed is"),
        ({"reading": pages.one_of("after", "active", "preferring")}, "reading = 'after': allowed is one of active"),
        ({"dropout": pages.one_of(1, False, True)}, "dropout = 1: allowed is one of False, True"),
        ({"dropout": pages.one_of("true", False, True)}, "dropout = 'true': allowed is one of False, True"),
        ({"steps": pages.whole(None, 1)}, "steps = None: allowed is a whole number of at least 1"),
        ({"overlap": pages.whole(101, 0, 100, optional=True)}, "overlap = 101: allowed is a whole number from 0"),
        ({"overlap": pages.whole(False, 0, 100)}, "overlap = False: allowed is a whole number from 0 to 1"),
        ({"datasets": pages.some_of([], "a", "b")}, "datasets = []: allowed is a list of one or more of a, b"),
        ({"datasets": pages.some_of("a", "a", "b")}, "datasets = 'a': allowed is a list of one or more of a, b"),
        ({"datasets": pages.some_of(["a", "c"], "a", "b")}, "datasets = ['a', 'c']: allowed is a list"),
        ({"datasets": pages.some_of(["a", "a"], "a", "b")}, "datasets = ['a', 'a']: allowed is a list"),
        ({"log": pages.file("/nowhere/log")}, "log = '/nowhere/log': allowed is the path of a file, or \"\""),
        ({"log": pages.file(None)}, "log = None: allowed is the path of a file"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named_with_what_is_allowed(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(said)):
        pages.open("fig2_recovery", **given)


def test_what_a_parameter_may_be(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    opened = pages.open(
        "fig2_recovery",
        profile="smoke",
        protocol="described",
        seeds=3,
        dropout=pages.one_of(True, False, True),
        steps=pages.whole(1, 1, 1),
        least=pages.whole(0, 0),
        none=pages.whole(None, 1, optional=True),
        datasets=pages.some_of(["b", "a"], "a", "b"),
        log=pages.file(str(tmp_path / "log")),
        no_log=pages.file(""),
    )
    assert (opened.profile, opened.protocol, opened.seeds) == ("smoke", "described", 3)
    assert opened.experiments == ("fig2_recovery",)
    assert pages.open("status").experiments == ()


def test_a_profile_without_a_run_by_the_protocol_is_refused() -> None:
    said = "profile = 'ci' has no run by 'described': allowed is smoke or full"
    with pytest.raises(ValueError, match=re.escape(said)):
        pages.open("table2_icarl", profile="ci", protocol="described")
    assert pages.open("table2_icarl", profile="ci").other.protocol == "described"  # beside the page's own, none may be


def test_an_unknown_experiment_is_refused() -> None:
    with pytest.raises(ValueError, match="experiment 'fig9' is unknown"):
        pages.open("fig2_recovery", experiments="fig9")


def a_record(name: str) -> Record:
    return {
        "key": name, "seed": 0, "commit": "a" * 40, "device": "a processor", "versions": {"python": "3.11.2"},
        "seconds": 60.0, "date": "2026-03-01T10:00:00+00:00",
    }  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Return what is asked of `compute.collect`, which has two runs on MNIST under every protocol."""
    calls: list[tuple[Any, ...]] = []

    def collect(name: str, profile: str, protocol: str, **changes: Any) -> dict[tuple[str, str], list[Record]]:
        changes.pop("store")
        calls.append((name, profile, protocol, changes))
        return {("mnist", run): [a_record(f"{name} {protocol} {run}")] for run in ("src", "sequential")}

    monkeypatch.setattr(page.compute, "collect", collect)
    return calls


def opened(**given: Any) -> Page:
    return pages.open("fig2_recovery", **{"profile": "full"} | given)


def test_records_are_collected_once_and_when_they_are_needed(asked: list[tuple[Any, ...]]) -> None:
    page = opened(profile="ci", seeds=2)
    assert asked == []
    assert page.records is page.records
    assert page.other.records is page.other.records
    assert asked == [("fig2_recovery", "ci", name, {"seeds": 2}) for name in ("released", "described")]
    assert page.other.other.protocol == "released"
    assert page.under("tuned").protocol == "tuned"
    assert page.under("released") is page


def test_several_experiments_and_some_of_their_runs(asked: list[tuple[Any, ...]]) -> None:
    found = opened().collect("a", "b", only=["src"], overlap=3)
    assert [call[0] for call in asked] == ["a", "b"]
    assert asked[0][3] == {"seeds": None, "overlap": 3}
    assert list(found) == [("mnist", "src")]
    assert [record["key"] for record in found.all()] == ["b released src"]  # a later experiment's count


def test_changes_that_leave_no_run_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page.compute, "collect", lambda *args, **changes: {("patches", "src"): []})
    with pytest.raises(ValueError, match=re.escape("{'overlap_min': 20} leaves no run of fig1_patches")):
        opened().collect("fig1_patches", overlap_min=20)


def test_records_by_data_set_and_by_run() -> None:
    a, b, c = (a_record(name) for name in "abc")
    records = Records({("mnist", "src"): [a, b], ("mnist", "ewc"): [c]})
    assert records.datasets == ["mnist"]
    assert records.by_run == records.of("mnist") == {"src": [a, b], "ewc": [c]}
    assert records.of("cifar10") == {}
    assert records.all() == [a, b, c]
    assert Records().by_run == {}
    with pytest.raises(ValueError, match="the records are of mnist, cifar10: allowed is one data set"):
        Records(records | {("cifar10", "src"): [a]}).by_run  # noqa: B018


def test_the_foot_counts_all_that_was_collected(asked: list[tuple[Any, ...]]) -> None:
    page = opened(seeds=1)
    assert "No runs" in page.provenance().data
    assert len(page.records) == len(page.collect("fig2_recovery")) == 2
    alone = page.provenance().data
    assert alone.startswith("Profile `full`, protocol `released`. 2 runs, computed 2026-03-01")  # each once
    assert "nox" not in alone
    assert page.other.records
    both = page.provenance("seeds 3", "More.").data
    assert both.startswith("Profile `full`, protocols `released` and `described`. 4 runs, computed 2026-03-01")
    assert "python 3.11.2. More.\n\nTo run this page again" in both
    assert both.endswith("```bash\nnox -s notebook -- fig2_recovery -p seeds 3\n```")


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Any]:
    """Return what is judged, by id or number and protocol, in place of the store's verdicts."""
    found: dict[tuple[str, str], Any] = {}

    def reproduced(store: Store, protocol: str, ids: str = "") -> dict[str, Reproduction]:
        known = {key: each for (key, under), each in found.items() if under == protocol and isinstance(each, Verdict)}
        return {key: Reproduction(each, RECORDS) for key, each in known.items() if re.match(ids, key)}

    def judged(store: Store, protocol: str, only: Collection[int] = ()) -> list[ClaimVerdict]:
        known = [each for (_, under), each in found.items() if under == protocol and isinstance(each, ClaimVerdict)]
        return [each for each in known if not only or each.number in only]

    monkeypatch.setattr(page.reproduced, "reproduced", reproduced)
    monkeypatch.setattr(page.claims, "judged", judged)
    return found


def test_verdicts_by_the_beginning_of_their_ids(verdicts: dict[tuple[str, str], Any]) -> None:
    for key in ("table1/mnist/src", "text/mnist_two_tasks/src"):
        verdicts[key, "released"] = value(key, label=key)
    verdicts["table1/mnist/src", "described"] = value(protocol="described")
    assert opened().judged()["id"].tolist() == ["table1/mnist/src", "text/mnist_two_tasks/src"]
    assert opened().judged("text/.*(owm|src)$")["id"].tolist() == ["text/mnist_two_tasks/src"]
    assert len(opened().judged("mnist")) == 0
    assert opened(protocol="described").judged("table1")["protocol"].tolist() == ["described"]
    assert opened().judged("table1", both=True)["protocol"].tolist() == ["released", "described"]
    text = opened().verdicts("table1").data
    assert text.startswith('<div role="region" aria-label="Verdicts" tabindex="0"')
    assert '<th scope="row">table1/mnist/src</th>' in text
    assert "two_tasks" not in text


def test_without_a_result_there_is_no_verdict(verdicts: dict[tuple[str, str], Any]) -> None:
    assert len(opened().judged("table1/", both=True)) == 0
    assert "<tbody>" in opened().verdicts("table1/").data


def test_verdicts_on_claims_by_their_numbers(verdicts: dict[tuple[str, str], Any]) -> None:
    for protocol in ("released", "described"):
        verdicts["55", protocol], verdicts["56", protocol] = claim(55, protocol=protocol), claim(56, protocol=protocol)
    assert opened().claims()["number"].tolist() == [55, 56]
    assert opened(protocol="described").claims(56)["protocol"].tolist() == ["described"]
    both = opened().claims(55, both=True)
    assert both["protocol"].tolist() == ["released", "described"]
    assert set(both["number"]) == {55}


ANSWER = {55: "confirmed", "table1/mnist/src": "agrees", "table1/mnist/src effect": "confirmed"}


@pytest.fixture
def answered(verdicts: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    """Return what is judged, with all that ANSWER rests on, under both protocols."""
    for protocol in ("released", "described"):
        verdicts["55", protocol] = claim(55, protocol=protocol)
        verdicts["table1/mnist/src", protocol] = value(protocol=protocol, **effect())
    return verdicts


def test_an_answer_has_a_badge_for_each_verdict(answered: dict[tuple[str, str], Any]) -> None:
    badges, _, text = opened().answer(ANSWER, "It helps.").data.partition("\n\n")
    assert text == "It helps."
    assert re.findall(r'href="(.*?)"', badges) == [
        "claims.html#claim-55",
        *["table1_accuracy.html#row-released-table1-mnist-src"] * 2,
    ]
    assert re.findall(r"[✓≠?⇅∅] [a-z ]+(?=</span>)", badges) == ["✓ confirmed", "✓ agrees", "✓ confirmed"]
    assert badges.count("MNIST: SRC, effect") == 2  # on hover, and to be read out


@pytest.mark.parametrize(
    ("key", "changed", "said"),
    [
        ("55", claim(verdict="reversed"), "fig2_recovery: 55 = 'reversed': the sentences are written for 'confirmed'"),
        ("table1/mnist/src", value(verdict="differs", **effect()), "table1/mnist/src = 'differs'"),
        (
            "table1/mnist/src",
            value(**effect(effect_verdict="no effect")),
            "table1/mnist/src effect = 'no effect': the sentences are written for 'confirmed'",
        ),
    ],
)
def test_a_changed_verdict_stops_the_page(
    answered: dict[tuple[str, str], Any], key: str, changed: object, said: str
) -> None:
    answered[key, "released"] = changed
    with pytest.raises(ValueError, match=re.escape(said)):
        opened().answer(ANSWER, "It helps.")
    assert opened(profile="smoke").answer(ANSWER, "It helps.").data.endswith("It helps.")  # says nothing of the book
    assert opened(protocol="described").answer(ANSWER, "It helps.").data


def test_under_the_other_protocol_the_badges_speak_alone(answered: dict[tuple[str, str], Any]) -> None:
    answered["55", "described"] = claim(55, protocol="described", verdict="undecided")
    told = opened(protocol="described").answer(ANSWER, "It helps.").data
    assert "? undecided" in told
    assert "#row-described-table1-mnist-src" in told
    assert told.endswith("\n\nThe verdicts under `described`.")
    assert opened(protocol="described").answer({55: "undecided"}, "Open.", protocol="described").data.endswith("Open.")


def test_what_the_store_lacks_has_no_badge(answered: dict[tuple[str, str], Any]) -> None:
    answered["55", "released"] = claim(55, verdict="not tested", records=())
    del answered["table1/mnist/src", "released"]
    assert opened().answer(ANSWER, "It helps.").data == '<p class="answer"></p>\n\nIt helps.'
