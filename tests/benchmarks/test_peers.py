"""The peers of the bench, on a network of 16-12-4 neurons; no time is ever judged."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch

from benchmarks import peers
from benchmarks.kernel import Case

from ..cells import bench_case


def test_report_takes_turns_and_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []

    def event(case: Case) -> float:
        turns.append("event")
        return 0.5

    def walker(case: Case, raster: torch.Tensor) -> peers.Walk:
        assert raster.shape == (20, 16) and raster.dtype == torch.bool
        return lambda: turns.append("torch")

    def absent(case: Case, raster: torch.Tensor) -> peers.Walk:
        importlib.import_module("no_such_simulator")
        raise AssertionError

    monkeypatch.setattr(peers, "time_event", event)
    report = peers.measure(bench_case(), {"torch": walker, "absent": absent}, repeats=3, steps=20)
    assert turns == ["event", "torch", *["event", "torch"] * 3]
    assert report["missing"] == {"absent": "No module named 'no_such_simulator'"}
    assert report["peers"] == {"torch": torch.__version__}
    assert report["steps_timed"] == {"event": 50, "torch": 20}
    median = report["microseconds_per_step"]
    assert median["event"] == 10_000
    assert report["ratios"] == {"torch": median["torch"] / 10_000}


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_goes_through_all_steps_again_and_again(name: str) -> None:
    case = bench_case()
    raster = torch.from_numpy(case.stimulus().dense()[:5])
    try:
        walk = peers.PEERS[name](case, raster)
    except ImportError as error:
        pytest.skip(str(error))
    before = [w.clone() for w in case.weights]
    walk()
    walk()
    assert all(torch.equal(w, old) for w, old in zip(case.weights, before, strict=True))


@pytest.mark.parametrize("bad", [{"repeats": 0}, {"steps": 0}])
def test_numbers_below_one_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(bad))} = .*allowed are whole numbers >= 1"):
        peers.measure(bench_case(), **bad)
