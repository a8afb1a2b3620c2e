"""The verdicts on published values and on their effects, on made-up results; and what explains them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from srclib.experiments.store import Store
from srclib.verdicts import published, reproduced
from srclib.verdicts.judging import (
    AGREES,
    CONFIRMED,
    DIFFERS,
    DIVERGED,
    NO_EFFECT,
    REVERSED,
    UNDECIDED,
    UNPUBLISHED,
)
from srclib.verdicts.reproduced import Reason, Verdict
from srclib.verdicts.statistics import Sample, difference

from .cases import ended

BASE = (19.4, 19.5, 19.6, 19.5, 19.4)
SRC = "table1/mnist/src"  # published: 48.47 ± 5.03 of five, against 19.49 ± 0.2


def verdicts(store: Store) -> dict[str, Verdict]:
    return {key: found.verdict for key, found in reproduced.reproduced(store).items() if key.startswith("table1")}


@pytest.mark.parametrize(
    ("src", "level", "effect"),
    [
        ((48, 49, 48, 49, 48), UNDECIDED, CONFIRMED),  # theirs alone is known to 2.8 · 5.03 / sqrt 5 = 6.2 points
        ((30, 31, 32, 31, 30), DIFFERS, CONFIRMED),
        ((19.4, 19.5, 19.7, 19.5, 19.4), DIFFERS, NO_EFFECT),
        ((10, 11, 12, 11, 10), DIFFERS, REVERSED),
        ((90, 10, 50, 10, 60), UNDECIDED, UNDECIDED),
    ],
)
def test_a_level_and_its_effect_are_judged_apart(
    tmp_path: Path, src: tuple[float, ...], level: str, effect: str
) -> None:
    found = verdicts(ended(tmp_path, "mnist", sequential=BASE, src=src))[SRC]
    assert (found.verdict, found.effect_verdict) == (level, effect)
    assert found.control == "sequential"
    assert (found.n, found.effect_n, found.diverged) == (5, 5, 0)
    assert found.published_effect == pytest.approx(48.47 - 19.49)
    assert found.effect == pytest.approx(sum(src) / 5 - sum(BASE) / 5)


def test_what_a_verdict_rests_on_is_told(tmp_path: Path) -> None:
    found = verdicts(ended(tmp_path, "mnist", sequential=BASE, src=(48, 49, 48, 49, 48)))
    row, base = found[SRC], found["table1/mnist/sequential"]
    interval = difference(Sample(48.4, 0.3**0.5, 5), Sample(48.47, 5.03, 5))
    assert (row.difference, row.low, row.high) == pytest.approx((interval.mean, interval.low, interval.high))
    assert (row.published, row.published_sd, row.trials, row.margin) == (48.47, 5.03, 5, 3)
    assert row.source == published.load().loc[SRC, "source"]
    assert (base.verdict, base.control, base.effect_verdict) == (AGREES, "", "")
    assert math.isnan(base.effect)
    assert math.isnan(base.needed)


def test_a_level_may_agree_while_the_effect_is_absent(tmp_path: Path) -> None:
    found = verdicts(ended(tmp_path, "mnist", sequential=(98,) * 5, parallel=(98,) * 5))["table1/mnist/parallel"]
    assert (found.verdict, found.effect_verdict) == (AGREES, NO_EFFECT)


def test_a_control_that_was_not_run_leaves_the_effect_open(tmp_path: Path) -> None:
    found = verdicts(ended(tmp_path, "mnist", src=(30, 31, 32, 31, 30)))[SRC]
    assert (found.verdict, found.effect_verdict, found.effect_n) == (DIFFERS, "", 0)


def test_without_a_published_value_the_effect_has_a_direction(tmp_path: Path) -> None:
    found = verdicts(ended(tmp_path, "mnist", sequential=BASE, owm=(60, 61, 62, 61, 60)))["table1/mnist/owm"]
    assert (found.verdict, found.effect_verdict) == (UNPUBLISHED, CONFIRMED)
    assert reproduced.as_published(vars(found)) == "not available"


def test_runs_that_diverged_are_counted_and_not_averaged(tmp_path: Path) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=(48, None, 48, 49, 48), ewc=(None,) * 5)
    found = reproduced.reproduced(store)
    src, ewc = found[SRC].verdict, found["table1/mnist/ewc"].verdict
    assert (src.n, src.diverged, src.reproduced, src.effect_n) == (4, 1, pytest.approx(48.25), 4)
    assert (ewc.verdict, ewc.n, ewc.diverged, ewc.effect_verdict) == (DIVERGED, 0, 5, "")
    assert len(found["table1/mnist/ewc"].records) == 10  # with those of its control


def test_all_stored_networks_count(tmp_path: Path) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE * 2, src=(48, 49, 48, 49, 48) * 4)
    found = verdicts(store)[SRC]
    assert (found.n, found.effect_n) == (20, 10)


def test_fractions_and_points_are_both_read_where_it_matters(tmp_path: Path) -> None:
    """19.49 ± .002, as printed: read as 0.2 points it is not known well enough, read as 0.002 points it is."""
    far = (22.5, 22.49, 22.51, 22.5, 22.49)  # 3.0 points away
    found = verdicts(ended(tmp_path, "mnist", sequential=far))["table1/mnist/sequential"]
    assert (found.verdict, found.other_reading) == (DIFFERS, "")
    near = tuple(value - 0.1 for value in far)
    found = verdicts(ended(tmp_path / "near", "mnist", sequential=near))["table1/mnist/sequential"]
    assert (found.verdict, found.other_reading) == (DIFFERS, AGREES)


def test_a_protocol_of_our_own_reproduces_nothing(tmp_path: Path) -> None:
    assert reproduced.reproduced(ended(tmp_path, "mnist", sequential=BASE), "tuned") == {}
    assert reproduced.table(Store(tmp_path), "tuned").columns.tolist()[0] == "id"


# What explains a verdict


@pytest.fixture
def reasons(monkeypatch: pytest.MonkeyPatch) -> list[Reason]:
    found = [
        Reason("table1/mnist/(src|owm)", "released", DIFFERS, "It sleeps less."),
        Reason("table1/mnist/src", "released", AGREES, "It sleeps as long."),
        Reason("table1/mnist/src", "described", DIFFERS, "As described."),
        Reason("table1/mnist/sr", "released", DIFFERS, "No part of an id is one."),
    ]
    monkeypatch.setattr(reproduced, "reasons", lambda: found)
    return found


@pytest.mark.usefixtures("reasons")
def test_a_reason_stands_beside_its_verdict_and_no_other(tmp_path: Path) -> None:
    found = verdicts(ended(tmp_path, "mnist", sequential=BASE, src=(30, 31, 32, 31, 30)))
    assert found[SRC].reason == "It sleeps less."
    assert found["table1/mnist/sequential"].reason == ""


def test_a_reason_that_fits_no_verdict_is_named(tmp_path: Path, reasons: list[Reason]) -> None:
    table = reproduced.table(ended(tmp_path, "mnist", sequential=BASE, src=(30, 31, 32, 31, 30)))
    told = reproduced.without_verdict(table)
    assert told == [
        "reasons.yaml: table1/mnist/src (released) explains why it agrees, which no verdict says",
        "reasons.yaml: table1/mnist/src (described) explains why it differs, which no verdict says",
        "reasons.yaml: table1/mnist/sr (released) explains why it differs, which no verdict says",
    ]
    assert len(reproduced.without_verdict(table.iloc[:0])) == len(reasons)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{ids: a, protocol: released, verdict: differs}", "key 'reason' is missing"),
        ("{ids: a, protocol: released, verdict: differs, reason: b, why: c}", "unknown key 'why'"),
    ],
)
def test_a_bad_reason_is_named(tmp_path: Path, entry: str, says: str) -> None:
    path = tmp_path / "reasons.yaml"
    path.write_text(f"- {entry}")
    with pytest.raises(ValueError, match=rf"reasons\.yaml\[0\]: {says}"):
        reproduced.reasons(path)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"published": 48.47, "published_sd": 5.03}, "48.47 ± 5.03"),
        ({"published": 44.0, "published_sd": math.nan}, "44"),
        ({"published": math.nan, "published_sd": math.nan, "claim": "> 0"}, "> 0"),
        ({"published": math.nan, "published_sd": math.nan}, "not available"),
    ],
)
def test_what_was_published_in_words(row: dict[str, Any], text: str) -> None:
    assert reproduced.as_published(row) == text
