"""What verdicts are worth, on few made-up networks."""

from __future__ import annotations

import pandas as pd
import pytest

from srclib.verdicts.judging import AGREES, CONFIRMED, DIFFERS, NO_EFFECT, REVERSED, UNDECIDED
from srclib.verdicts.simulation import simulate

REPEATS = 1000


@pytest.fixture(scope="module")
def shares() -> pd.DataFrame:
    return simulate((0.0, 10.0), (3, 20), repeats=REPEATS, seed=1)


def share(shares: pd.DataFrame, kind: str, difference: float, n: int, *verdicts: str) -> float:
    chosen = shares[(shares["kind"] == kind) & (shares["difference"] == difference) & (shares["n"] == n)]
    return float(chosen.loc[chosen["verdict"].isin(verdicts), "share"].sum())


def test_every_network_has_one_verdict_of_its_kind(shares: pd.DataFrame) -> None:
    assert shares.groupby(["kind", "difference", "n"])["share"].sum().tolist() == pytest.approx([1] * 8)
    by_kind = shares.groupby("kind")["verdict"].agg(set)
    assert by_kind["value"] <= {AGREES, DIFFERS, UNDECIDED}
    assert by_kind["effect"] <= {CONFIRMED, NO_EFFECT, REVERSED, UNDECIDED}


@pytest.mark.parametrize("n", [3, 20])
def test_where_nothing_is_to_find_five_percent_find_something(shares: pd.DataFrame, n: int) -> None:
    """Half of it on either side, with a standard error of 0.005 in 1000; few intervals are within a point."""
    for verdict in (CONFIRMED, REVERSED):
        assert share(shares, "effect", 0.0, n, verdict) == pytest.approx(0.025, abs=0.016)
    assert share(shares, "value", 0.0, n, DIFFERS) < 0.08


def test_more_networks_decide_more(shares: pd.DataFrame) -> None:
    for kind, difference, right in (("value", 10.0, DIFFERS), ("effect", 10.0, CONFIRMED), ("value", 0.0, AGREES)):
        few, many = (share(shares, kind, difference, n, right) for n in (3, 20))
        assert few < many
    assert share(shares, "effect", 10.0, 20, CONFIRMED) == 1
    assert share(shares, "effect", 10.0, 20, REVERSED) == 0


def test_a_seed_gives_the_same_again() -> None:
    one, again, other = (simulate((2.0,), (3,), repeats=20, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)
