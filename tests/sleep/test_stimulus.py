"""The noise that drives a sleep: its frequencies, its streams, and the two ways to hold it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from srclib.sleep import draw_input, stimulus
from srclib.sleep.stimulus import InputSpikes

STEPS = 20_000


def check_frequencies(spikes: InputSpikes, probability: NDArray[np.float64]) -> None:
    """Every input fires as often as it should, to five standard errors; never at 0, always at 1."""
    found = spikes.dense().mean(0)
    error = np.sqrt(probability * (1 - probability) / spikes.steps)
    assert (np.abs(found - probability) <= 5 * error).all(), (found, probability)


@pytest.mark.parametrize("gain", [0.0, 0.064, 0.479, 1.0, 2.5])
def test_frequency_of_the_whole_mean(gain: float) -> None:
    mean = np.array([0.0, 0.01, 0.1, 0.4, 0.8, 1.0])
    check_frequencies(draw_input(mean, STEPS, gain, seed=4), np.minimum(1, gain * mean))


@pytest.mark.parametrize("window", [1, 2, 5])
def test_frequency_of_the_windowed_mean(window: int) -> None:
    """A pixel fires with its probability times the share of the windows that show it."""
    side, gain = 5, 0.9
    mean = np.linspace(0, 1, side * side)
    one = np.array([min(i, side - window) - max(0, i - window + 1) + 1 for i in range(side)])  # places along one axis
    shown = np.outer(one, one).ravel() / (side - window + 1) ** 2
    check_frequencies(draw_input(mean, STEPS, gain, seed=4, window=window), shown * gain * mean)


def test_window_shows_one_square_at_a_time() -> None:
    side, window = 6, 3
    image = draw_input(np.ones(side * side), 400, 1.0, window=window).dense().reshape(-1, side, side)
    places = set()
    for frame in image:
        rows, columns = np.nonzero(frame)
        assert len(rows) == window * window  # certain to fire where it is shown
        assert np.ptp(rows) == np.ptp(columns) == window - 1
        places.add((rows[0], columns[0]))
    assert len(places) == (side - window + 1) ** 2


@pytest.mark.parametrize("window", [None, 2])
def test_zero_mean_is_silent(window: int | None) -> None:
    spikes = draw_input(np.zeros(9), 50, 1.0, window=window)
    assert len(spikes.indices) == 0
    assert spikes.steps == 50
    assert spikes.inputs == 9


@pytest.mark.parametrize("seed", [0, 3, np.int64(3), (3,), (3, 1), (0, 0, 7)], ids=repr)
def test_same_seed_same_spikes(seed: int | tuple[int, ...]) -> None:
    one, two = (draw_input(np.full(20, 0.5), 200, 0.5, seed=seed) for _ in range(2))
    assert len(one.indices) > 0
    np.testing.assert_array_equal(one.start, two.start)
    np.testing.assert_array_equal(one.indices, two.indices)


@pytest.mark.parametrize(
    ("one", "two"),
    [(3, 4), ((3, 0), (3, 1)), ((3, 1), (1, 3)), (3, (3, 0)), ((3, 0), (3, 0, 0))],
    ids=["run", "sleep_index", "order", "number_and_tuple", "length"],
)
def test_every_seed_is_a_stream_of_its_own(one: int | tuple[int, ...], two: int | tuple[int, ...]) -> None:
    """Two streams agree as often as chance says: 1/2 of the draws, 20,000 of them, here to five standard errors."""
    a, b = (draw_input(np.full(100, 1.0), 200, 0.5, seed=seed).dense() for seed in (one, two))
    assert abs((a == b).mean() - 0.5) < 5 * 0.5 / np.sqrt(a.size)


@pytest.mark.parametrize("piece", [1, 7, 1000])
@pytest.mark.parametrize("window", [None, 3])
def test_pieces_do_not_change_the_spikes(monkeypatch: pytest.MonkeyPatch, window: int | None, piece: int) -> None:
    mean = np.linspace(0, 1, 25)
    whole = draw_input(mean, 300, 0.5, seed=(2, 1), window=window)
    monkeypatch.setattr(stimulus, "PIECE", piece)
    parts = draw_input(mean, 300, 0.5, seed=(2, 1), window=window)
    np.testing.assert_array_equal(parts.start, whole.start)
    np.testing.assert_array_equal(parts.indices, whole.indices)


@settings(max_examples=50)
@given(
    side=st.integers(1, 9),
    window=st.one_of(st.none(), st.integers(1, 9)),
    steps=st.integers(1, 40),
    silent=st.floats(0, 1),
    gain=st.sampled_from([0.3, 1.0, 2.0]),
    seed=st.integers(0, 99),
)
def test_the_numbers_are_those_that_numpy_draws_one_after_another(side, window, steps, silent, gain, seed) -> None:
    """Stored results rest on these very spikes."""
    window = window and min(window, side)
    random = np.random.default_rng(seed)
    mean = random.random(side * side) * (random.random(side * side) >= silent)
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(7,))))
    masks = np.ones((steps, side, side), bool)
    if window is not None:
        places = [generator.integers(side - window + 1, size=steps) for _ in range(2)]
        masks[:] = False
        for mask, row, column in zip(masks, *places, strict=True):
            mask[row : row + window, column : column + window] = True
    expected = np.zeros((steps, side * side), bool)
    for step, mask in zip(expected, masks, strict=True):
        shown = np.flatnonzero(mask.ravel() & (mean > 0))
        drawn = generator.integers(0, 2**32, size=len(shown), dtype=np.uint32)
        step[shown] = drawn < np.minimum(1, gain * mean[shown]) * 2.0**32
    found = draw_input(mean, steps, gain, seed=(seed, 7), window=window)
    np.testing.assert_array_equal(found.dense(), expected)


def test_any_number_of_threads_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stimulus, "PIECE", 500)
    drawn = []
    for threads in range(1, 9):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        drawn.append(draw_input(np.full(100, 0.5), 200, 0.5, window=3))
    assert len(drawn[0].indices) > 100
    for other in drawn[1:]:
        np.testing.assert_array_equal(other.start, drawn[0].start)
        np.testing.assert_array_equal(other.indices, drawn[0].indices)


@pytest.mark.parametrize("inputs", [1, 3, 8, 70])
def test_a_raster_is_read_wherever_it_lies(inputs: int) -> None:
    """Words of memory do not begin where its rows do, and it may be a view or not writable."""
    whole = np.random.default_rng(0).random((40, 2 * inputs)) < 0.2
    for view in (whole[3:], whole[:, ::2], whole[1:, :inputs], whole.T):
        np.testing.assert_array_equal(InputSpikes.from_dense(view).dense(), view)
    whole.flags.writeable = False
    np.testing.assert_array_equal(InputSpikes.from_dense(whole).dense(), whole)


@given(steps=st.integers(0, 30), inputs=st.integers(1, 70), density=st.floats(0, 1), seed=st.integers(0, 99))
def test_dense_and_lists_hold_the_same(steps: int, inputs: int, density: float, seed: int) -> None:
    dense = np.random.default_rng(seed).random((steps, inputs)) < density
    spikes = InputSpikes.from_dense(dense)
    assert spikes.steps == steps
    assert spikes.inputs == inputs
    assert spikes.start[-1] == len(spikes.indices) == dense.sum()
    np.testing.assert_array_equal(spikes.dense(), dense)
    for t in range(steps):
        np.testing.assert_array_equal(spikes.indices[spikes.start[t] : spikes.start[t + 1]], np.flatnonzero(dense[t]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean_input": [0.1, 0.2, 1.5, 0]}, r"mean_input\[2\] = 1.5: allowed is .* in \[0, 1\]"),
        ({"mean_input": [0.1, -0.2, 1.0, 0]}, r"mean_input\[1\] = -0.2: allowed is .* in \[0, 1\]"),
        ({"mean_input": [0.1, 0.2, 1.0, np.nan]}, r"mean_input\[3\] = nan: allowed is .* in \[0, 1\]"),
        ({"mean_input": np.zeros((2, 2))}, r"mean_input has shape \(2, 2\): allowed is \(inputs,\)"),
        ({"window": 3}, "window = 3 with 4 inputs: allowed is a side from 1 to that of a square image"),
        ({"window": 0}, "window = 0 with 4 inputs: allowed is a side from 1"),
        ({"window": 1, "mean_input": np.zeros(5)}, "window = 1 with 5 inputs: allowed is .* a square image"),
        ({"gain": -0.1}, "gain = -0.1: allowed is a finite number >= 0"),
        ({"gain": np.nan}, "gain = nan: allowed is a finite number >= 0"),
        ({"steps": 0}, "steps = 0: allowed is a whole number >= 1"),
        ({"seed": -1}, "seed = -1: allowed is a whole number >= 0"),
        ({"seed": (1, -2)}, r"seed = \(1, -2\): allowed is a whole number >= 0 or a tuple"),
        ({"seed": ()}, r"seed = \(\): allowed is a whole number >= 0 or a tuple"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_refuses(changes, message: str) -> None:
    arguments = {"mean_input": np.full(4, 0.5), "steps": 5, "gain": 0.5}
    draw_input(**arguments)  # is fine without the change
    with pytest.raises(ValueError, match=message):
        draw_input(**(arguments | changes))
