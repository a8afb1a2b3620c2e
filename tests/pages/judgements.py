"""Verdicts that were never reached but could have been, shared by the tests of everything that shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from srclib.experiments.records import Record
from srclib.verdicts import claims, reproduced
from srclib.verdicts.claims import ClaimVerdict
from srclib.verdicts.reproduced import Reproduction, Verdict

RECORDS: list[Record] = [{"key": "a" * 64, "seed": 0, "metrics": {}}]


def value(key: str = "table1/mnist/src", **changes: Any) -> Verdict:
    """Return the verdict on a published value that agrees, and has no effect to judge."""
    given: dict[str, Any] = {
        "id": key, "label": "MNIST: SRC", "protocol": "released", "page": "table1_accuracy", "unit": "percent",
        "published": 48.47, "published_sd": 5.03, "trials": 5.0, "claim": "", "confidence": "text", "source": "p. 6",
        "reproduced": 48.3, "reproduced_sd": 2.2, "n": 10, "diverged": 0, "networks": (48.3,) * 10,
        "margin": 3.0, "difference": -0.17,
        "low": -2.5, "high": 2.2, "verdict": "agrees", "needed": math.nan, "other_reading": "", "control": "",
    }  # fmt: skip
    return Verdict(**(given | changes))


def effect(**changes: Any) -> dict[str, Any]:
    """Return the fields of a verdict on an effect that is confirmed."""
    given = {"effect": 28.5, "effect_low": 26.2, "effect_high": 31.9, "effect_n": 10, "effect_verdict": "confirmed"}
    return given | changes


def claim(number: int = 55, **changes: Any) -> ClaimVerdict:
    """Return the verdict on a claim that is confirmed."""
    given: dict[str, Any] = {
        "number": number, "family": "table 1", "words": "SRC is above sequential training.", "published": "> 0",
        "page": "table1_accuracy", "protocol": "released", "verdict": "confirmed", "sentence": "+28.5 points.",
        "records": tuple(RECORDS),
    }  # fmt: skip
    return ClaimVerdict(**(given | changes))


def frame(*found: Verdict) -> pd.DataFrame:
    """Return verdicts on values as a table."""
    return reproduced.frame({f"{each.id} {each.protocol}": Reproduction(each, RECORDS) for each in found})


def frame_of_claims(found: Sequence[ClaimVerdict]) -> pd.DataFrame:
    """Return verdicts on claims as a table."""
    return claims.frame(found)
