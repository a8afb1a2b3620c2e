"""The ledger of claims, and its rules on made-up results."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from srclib.data.places import committed
from srclib.experiments import grid
from srclib.experiments.store import Store
from srclib.verdicts import claims
from srclib.verdicts.claims import Claim, families
from srclib.verdicts.judging import (
    AGREES,
    CONFIRMED,
    DIFFERS,
    DIVERGED,
    NO_EFFECT,
    REVERSED,
    SHOWN,
    UNDECIDED,
    UNTESTED,
)
from srclib.verdicts.reproduced import reproduced
from srclib.verdicts.rows import rows

from .cases import ended

NOTEBOOKS = committed("results").parents[1] / "notebooks"
BASE = (20.0,) * 5
UP = (30.0, 32.0, 34.0, 36.0, 38.0)  # 10 to 18 points above the base
DOWN = (9.0, 10.0, 11.0, 10.0, 9.0)
LITTLE = (20.0, 20.1, 20.2, 20.1, 20.2)
NOISE = (0.0, 60.0, 10.0, 50.0, 5.0)


# The ledger


def test_every_claim_from_1_to_102_stands_there_once_in_order() -> None:
    assert [number for family in families().values() for number in family] == list(range(1, 103))


def test_every_claim_is_shown_on_a_page_that_exists() -> None:
    pages = {claim.page for family in families().values() for claim in family.values()}
    assert pages <= {path.stem for path in NOTEBOOKS.glob("*.py")}


def test_every_condition_of_a_claim_names_runs_that_exist() -> None:
    """Under the released or the described protocol, as its row or itself says."""
    seen, settings_of = 0, cache(grid.settings)
    for family in families().values():
        for claim in family.values():
            for row, direction in claim.conditions("released") + claim.conditions("described"):
                assert claims.DIRECTION.fullmatch(direction)
                for part in filter(None, (row, row.compared())):
                    settings = settings_of(part.experiment)
                    assert part.dataset in settings["datasets"]
                    assert part.run in settings["runs"]
                    for path, value in part.over.items():
                        for one in value if isinstance(value, list) else [value]:
                            assert one in settings["over"][path]
                    seen += 1
    assert seen > 200


def test_every_cell_of_the_tables_is_a_claim() -> None:
    """Whatever a value is published of in Table 1 and has runs here is judged by number."""
    told = {key for family in families().values() for claim in family.values() for key in claim.values}
    assert {key for key in rows() if key.startswith("table1/")} == {key for key in told if key.startswith("table1/")}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "[] are given: allowed is one of values, effects, runs, untested, shown"),
        ({"untested": "no", "shown": "there"}, "['untested', 'shown'] are given"),
        ({"values": ["table1/mnist/scr"]}, "'table1/mnist/scr' is no id of rows.yaml"),
        ({"effects": ["table1/mnist/scr"]}, "'table1/mnist/scr' is no id of rows.yaml"),
        ({"untested": "no", "rule": "some"}, "rule = 'some': allowed is one of mean, every, any"),
        ({"untested": "no", "claim": "~ 0"}, "claim = '~ 0': allowed is > X, < X, <= X or = X"),
        ({"runs": {"experiment": "table1_accuracy", "dataset": "mnist", "run": "src"}}, "claim = ''"),
        ({"effects": ["table1/mnist/src"]}, "claim = ''"),
        ({"runs": {"experiment": "e", "dataset": "mnist"}, "claim": "> 0"}, "key 'run' is missing"),
        ({"runs": {"experiment": "e", "dataset": "d", "run": "r", "seed": 1}, "claim": "> 0"}, "unknown key 'seed'"),
        ({"untested": "no", "sign": 1}, "unknown key 'sign'"),
        (
            {"effects": ["text/mnist_two_tasks/spiking/forgetting", "text/mnist_two_tasks/spiking/recovery"]},
            "effects ['< 0', '> 0'] are given: allowed with rule mean is one direction",
        ),
    ],
)
def test_a_bad_claim_is_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(f"figure 9: {{page: p, claims: {{7: { {'words': 'w'} | changes }}}}}".replace("'", '"'))
    with pytest.raises(ValueError, match=r"claims\.yaml: figure 9: 7") as error:
        families(path)
    assert says.replace("'", "") in str(error.value).replace("'", "")


def test_a_number_that_stands_there_twice_is_named(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    one = 'claims: {7: {words: "w", untested: "no"}}'
    path.write_text(f"a: {{page: p, {one}}}\nb: {{page: p, {one}}}")
    with pytest.raises(ValueError, match=r"claims\.yaml: b: claim 7 stands there twice"):
        families(path)


# The rules


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that judges made-up claims, each on runs against sequential training of MNIST."""

    def judge(
        store: Store, *given: dict[str, Any], protocol: str = "released", apart: bool = False
    ) -> list[claims.ClaimVerdict]:
        start = {"experiment": "table1_accuracy", "dataset": "mnist", "control": {"run": "sequential"}}
        made = [
            Claim(
                **(
                    {"words": "w", "claim": "> 0"}
                    | claim
                    | ({"runs": start | claim["runs"]} if "runs" in claim else {})
                )
            )
            for claim in given
        ]
        split = [[claim] for claim in made] if apart else [made]
        numbered = iter(range(1, len(made) + 1))
        found = {f"family {i}": {next(numbered): claim for claim in own} for i, own in enumerate(split)}
        monkeypatch.setattr(claims, "families", lambda: found)
        values = reproduced(store, protocol) if any("values" in claim for claim in given) else {}
        return claims.judged(store, protocol, values=values)

    return judge


@pytest.mark.parametrize(
    ("src", "claim", "verdict"),
    [
        (UP, "> 0", CONFIRMED),
        (UP, "< 0", REVERSED),
        (DOWN, "> 0", REVERSED),
        (DOWN, "< 0", CONFIRMED),
        (LITTLE, "> 0", NO_EFFECT),
        (NOISE, "> 0", UNDECIDED),
        (UP, "> 10", CONFIRMED),
        (UP, "> 13", UNDECIDED),
        (UP, "> 20", REVERSED),
        (LITTLE, "<= 0", CONFIRMED),
        (DOWN, "<= 0", CONFIRMED),
        (UP, "<= 0", REVERSED),
        (NOISE, "<= 0", UNDECIDED),
        (LITTLE, "= 0", CONFIRMED),
        (UP, "= 14", UNDECIDED),
        (UP, "= 0", DIFFERS),
        (BASE, "= 0", CONFIRMED),
        (BASE, "> 0", NO_EFFECT),
    ],
)
def test_a_claim_on_one_condition(tmp_path: Path, judge: Any, src: tuple[float, ...], claim: str, verdict: str) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=src)
    (found,) = judge(store, {"runs": {"run": "src"}, "claim": claim, "margin": 1.0})
    assert found.verdict == verdict
    assert (found.n, found.conditions, found.conditions_of) == (5, 1, 1)
    assert len(found.records) == 10
    interval = stats.ttest_1samp([a - b for a, b in zip(src, BASE, strict=True)], 0).confidence_interval()
    if src != BASE:
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert math.isnan(found.p) == ("=" in claim)


def test_a_mean_over_data_sets_of_equal_weight(tmp_path: Path, judge: Any) -> None:
    """Changes of 10 to 18 on the one and of 1 to 5 on the other: 14 and 3, sd 10**0.5 and 2.5**0.5."""
    ended(tmp_path, "mnist", sequential=BASE, src=UP)
    store = ended(tmp_path, "fashion_mnist", sequential=BASE, src=(21, 22, 23, 24, 25))
    each = ({"dataset": "mnist"}, {"dataset": "fashion_mnist"})
    (found,) = judge(store, {"runs": {"run": "src"}, "each": each})
    assert (found.verdict, found.n, found.conditions) == (CONFIRMED, 10, 2)
    assert found.effect == pytest.approx(8.5)
    error = (10 / 5 + 2.5 / 5) ** 0.5 / 2
    df = (2 + 0.5) ** 2 / (2**2 / 4 + 0.5**2 / 4)
    assert found.high - found.effect == pytest.approx(float(stats.t.ppf(0.975, df)) * error)
    assert found.p == pytest.approx(float(2 * stats.t.sf(8.5 / error, df)))
    assert found.sentence.startswith("+8.5 points [+6.6, +10.4] on average. confirmed in 2 of 2.")
    assert "from +3.0 (Fashion-MNIST) to +14.0 (MNIST)" in found.sentence


def test_conditions_of_a_data_set_are_averaged_for_each_network_first(tmp_path: Path, judge: Any) -> None:
    """What one method gains by a seed the other loses: their mean is the same in all, and its spread none."""
    store = ended(tmp_path, "mnist", sequential=BASE, src=(30, 32, 34, 36, 38), owm=(38, 36, 34, 32, 30))
    (found,) = judge(store, {"runs": {}, "each": ({"run": "src"}, {"run": "owm"})})
    assert (found.effect, found.low, found.high) == pytest.approx((14, 14, 14))
    assert (found.n, found.p) == (5, pytest.approx(0, abs=1e-12))


def test_networks_that_only_some_conditions_have_are_not_averaged_with_others(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=(*BASE, 20, 20), src=(*UP, 90, 90), owm=UP)
    (found,) = judge(store, {"runs": {}, "each": ({"run": "src"}, {"run": "owm"})})
    assert (found.n, found.effect) == (5, pytest.approx(14))
    (found,) = judge(store, {"runs": {"run": "src"}})  # alone, all that are stored count
    assert (found.n, found.effect) == (7, pytest.approx((5 * 14 + 2 * 70) / 7))


SRC_AND_OWM = ({"run": "src"}, {"run": "owm"})


@pytest.mark.parametrize(
    ("owm", "every", "any_"),
    [
        (UP, CONFIRMED, CONFIRMED),
        (NOISE, UNDECIDED, CONFIRMED),
        (LITTLE, DIFFERS, CONFIRMED),
        (DOWN, DIFFERS, CONFIRMED),
    ],
)
def test_every_and_any(tmp_path: Path, judge: Any, owm: tuple[float, ...], every: str, any_: str) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=UP, owm=owm)
    claim = {"runs": {}, "each": SRC_AND_OWM}
    assert [found.verdict for found in judge(store, claim | {"rule": "every"}, claim | {"rule": "any"})] == [
        every,
        any_,
    ]


def test_every_and_any_where_no_condition_holds(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=DOWN, owm=DOWN, ewc=LITTLE)
    for rule in ("every", "any"):
        same, other = ({"runs": {}, "rule": rule, "each": ({"run": "src"}, {"run": run})} for run in ("owm", "ewc"))
        assert [found.verdict for found in judge(store, same, other)] == [
            REVERSED,
            UNDECIDED if rule == "any" else DIFFERS,
        ]


def test_p_values_of_every_and_any(tmp_path: Path, judge: Any) -> None:
    """The largest of all, and the smallest times how many; one on the other side counts as 1."""
    weak = (21.0, 25.0, 21.0, 24.0, 20.5)
    store = ended(tmp_path, "mnist", sequential=BASE, src=UP, owm=weak, ewc=DOWN)
    p = [float(stats.ttest_1samp([a - 20 for a in run], 0).pvalue) for run in (UP, weak)]
    two = {"runs": {}, "each": SRC_AND_OWM}
    three = {"runs": {}, "each": (*SRC_AND_OWM, {"run": "ewc"})}
    found = judge(store, *({**each, "rule": rule} for each in (two, three) for rule in ("every", "any")))
    assert [each.p for each in found] == pytest.approx([max(p), 2 * min(p), 1, 3 * min(p)])


def test_no_effect_makes_no_claim_true_however_sure_it_is(tmp_path: Path, judge: Any) -> None:
    """0.12 points of one method are sure; the 3 points of the other are not, once there are two to choose from."""
    unsure = (20.3, 23.0, 25.35, 21.0, 25.35)
    store = ended(tmp_path, "mnist", sequential=BASE, src=(20.1, 20.12, 20.14, 20.12, 20.12), owm=unsure)
    (alone,) = judge(store, {"runs": {"run": "owm"}})
    (found,) = judge(store, {"runs": {}, "rule": "any", "each": SRC_AND_OWM})
    assert (alone.verdict, found.verdict) == (CONFIRMED, UNDECIDED)
    assert found.p == pytest.approx(2 * alone.p)
    assert found.p > 0.05


def test_a_number_that_is_equal_in_every_or_any_condition(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=LITTLE, owm=BASE, ewc=UP)
    for rule, ewc in (("every", DIFFERS), ("any", CONFIRMED)):
        same, other = (
            {"runs": {}, "rule": rule, "claim": "= 0", "margin": 1.0, "each": ({"run": "src"}, {"run": run})}
            for run in ("owm", "ewc")
        )
        assert [found.verdict for found in judge(store, same, other)] == [CONFIRMED, ewc]


# Families


def test_claims_of_a_family_are_corrected_together(tmp_path: Path, judge: Any) -> None:
    """The weaker of two has p = 0.036: enough by itself, and as the larger of two in Holm; not beside two that fail."""
    weak = (20.0, 25.0, 21.0, 24.0, 23.5)
    store = ended(tmp_path, "mnist", sequential=BASE, src=UP, owm=weak, ewc=NOISE, si=NOISE)
    runs = [{"runs": {"run": run}} for run in ("src", "owm", "ewc", "si")]
    together, apart = judge(store, *runs), judge(store, *runs, apart=True)
    p = [each.p for each in apart]
    assert [each.p for each in together] == p == [each.p_holm for each in apart]
    assert p[0] < p[1] < 0.05 < p[2] == p[3]
    holm = [4 * p[0], 3 * p[1], min(1.0, 2 * p[2]), min(1.0, 2 * p[3])]
    assert [each.p_holm for each in together] == pytest.approx(holm)
    assert [each.verdict for each in apart] == [CONFIRMED, CONFIRMED, UNDECIDED, UNDECIDED]
    assert [each.verdict for each in together] == [CONFIRMED, UNDECIDED, UNDECIDED, UNDECIDED]
    assert {each.family for each in together} == {"family 0"}


def test_claims_without_a_p_value_do_not_count_in_a_family(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=UP)
    others = [
        {"untested": "no data", "claim": ""},
        {"shown": "a curve", "claim": ""},
        {"runs": {"run": "src"}, "claim": "= 14", "margin": 5.0},
        {"runs": {"run": "owm"}},
        {"values": ("table1/mnist/src",), "claim": ""},
    ]
    first, *rest = judge(store, {"runs": {"run": "src"}}, *others)
    assert first.p_holm == first.p < 0.05
    assert all(math.isnan(each.p_holm) for each in rest)
    assert [each.verdict for each in rest] == [UNTESTED, SHOWN, CONFIRMED, UNTESTED, DIFFERS]
    assert [each.sentence for each in rest[:2]] == ["no data", "a curve"]
    assert rest[3].sentence == "No runs under `released`, or none in which there is such a number."


# What is not there


def test_a_condition_that_is_missing_is_told(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=UP, owm=UP[:4])
    each = ({"run": "src"}, {"run": "owm"}, {"run": "ewc"})
    (found,) = judge(store, {"runs": {}, "each": each})
    assert (found.verdict, found.conditions, found.conditions_of) == (CONFIRMED, 1, 3)
    assert "2 of 3 conditions are not computed." in found.sentence


def test_networks_that_diverged_are_told_and_not_averaged(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=(*UP[:4], None), owm=(None,) * 5)
    (found,) = judge(store, {"runs": {}, "each": SRC_AND_OWM})
    assert (found.n, found.effect) == (4, pytest.approx(13))
    assert (found.conditions, found.conditions_of) == (1, 2)
    assert found.sentence.endswith("6 of 10 networks diverged, all of them in 1 of 2 conditions.")
    assert "not computed" not in found.sentence
    assert len(found.records) == 15  # those that diverged are looked after, too
    (found,) = judge(store, {"runs": {"run": "src"}})
    assert found.sentence == "+13.0 points [+8.9, +17.1]. 1 of 5 networks diverged."


def test_a_control_that_diverged_takes_its_network_with_it(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=(None, *BASE[1:]), src=UP)
    (found,) = judge(store, {"runs": {"run": "src"}})
    assert (found.n, found.effect) == (4, pytest.approx(15))


def test_conditions_in_which_every_network_diverged(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=(None,) * 5)
    (found,) = judge(store, {"runs": {"run": "src"}})
    assert (found.verdict, found.n, found.sentence) == (DIVERGED, 0, "5 of 5 networks diverged.")
    assert math.isnan(found.effect)


def test_conditions_that_share_no_network_are_undecided(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=(*UP[:3], None, None), owm=(None, None, None, *UP[3:]))
    (found,) = judge(store, {"runs": {}, "each": SRC_AND_OWM})
    assert found.verdict == UNDECIDED
    assert found.effect == pytest.approx((12 + 17) / 2)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_a_condition_may_belong_to_one_protocol(tmp_path: Path, judge: Any) -> None:
    store = ended(tmp_path, "mnist", sequential=BASE, src=UP, owm=DOWN)
    claim = {"runs": {}, "each": ({"run": "src"}, {"run": "owm", "protocol": "described"})}
    (found,) = judge(store, claim)
    assert (found.conditions, found.conditions_of, found.effect) == (1, 1, pytest.approx(14))
    (found,) = judge(store, claim, protocol="described")
    assert (found.verdict, found.conditions, found.conditions_of) == (UNTESTED, 0, 2)


def test_no_claim_is_judged_under_a_protocol_of_our_own(tmp_path: Path) -> None:
    assert claims.judged(Store(tmp_path), "tuned") == []
    with pytest.raises(ValueError, match=r"protocol 'relaesed' is unknown"):
        claims.judged(Store(tmp_path), "relaesed")


# The level of published values


def test_one_value_that_differs_decides(tmp_path: Path, judge: Any) -> None:
    near = (19.4, 19.5, 19.6, 19.5, 19.4)
    store = ended(tmp_path, "mnist", sequential=near, src=UP, parallel=(98.0,) * 5, ewc=(None,) * 5)
    cells = [f"table1/mnist/{run}" for run in ("sequential", "parallel", "src", "ewc", "si")]
    found = judge(
        store, *({"values": tuple(cells[i] for i in which), "claim": ""} for which in ([0], [0, 1], [0, 1, 2]))
    )
    assert [each.verdict for each in found] == [AGREES, AGREES, DIFFERS]
    assert found[0].sentence == "Ours: 19.5 ± 0.1 (n = 5)."
    assert found[0].published == "19.49 ± 0.2"
    assert found[0].effect == pytest.approx(-0.01)
    assert found[0].low < found[0].effect < found[0].high
    assert math.isnan(found[1].effect)  # there is no single number
    assert found[2].sentence.endswith("2 agrees, 1 differs.")
    lost, missing = judge(store, *({"values": (cells[0], cells[i]), "claim": ""} for i in (3, 4)))
    assert (lost.verdict, lost.sentence) == (DIVERGED, "Ours: 19.5 ± 0.1 (n = 5) / 5 of 5 diverged.")
    assert (missing.verdict, missing.conditions, missing.conditions_of) == (AGREES, 1, 2)
    assert missing.sentence == "Ours: 19.5 ± 0.1 (n = 5). 1 of 2 values are not computed."


# All of them, without a result


def test_every_claim_has_a_verdict_and_a_sentence(tmp_path: Path) -> None:
    found = claims.judged(Store(tmp_path), "released")
    assert [each.number for each in found] == list(range(1, 103))
    assert {each.verdict for each in found} == {UNTESTED, SHOWN}
    assert all(each.sentence and each.words and each.published for each in found)
    assert not any(each.records or each.n for each in found)
    assert "records" not in claims.frame(found)
