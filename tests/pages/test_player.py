"""The player of sleeps: what it shows, and that it stands alone."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from srclib.pages.player import FRAMES, Replay, frames, player

BLOCKS = [{"digit 0": [4, 7], "random": [7, 1]}, {"digit 0": [2], "random": [2]}]  # dots 0 1, 2 3; 4, 5


def replay(steps: int = 1000, **changes: Any) -> Replay:
    values: dict[str, Any] = {
        "steps": steps,
        "events": [([0, 40, 999], [7, 4, 1]), ([40, 41], [2, 9])],
        "at": [0, 10, 1000],
        "accuracy": {"task 1": [0.0, 0.25, 0.875]},
    }
    return Replay(**values | changes)


def test_every_spike_is_in_one_frame() -> None:
    found = frames(replay(), BLOCKS)
    assert len(found) <= FRAMES
    assert found[0]["lit"] == [1, 2]  # neuron 7 of layer 1 stands in two blocks
    assert found[0]["said"] == "Steps 1 to 1: 1 + 0 spikes. Recognised task 1: 0 %."
    assert found[-1]["lit"] == [3]
    assert found[-1]["said"].endswith("to 1,000: 1 + 0 spikes. Recognised task 1: 88 %.")
    (middle,) = (frame for frame in found[1:-1] if frame["lit"])
    assert middle["lit"] == [0, 4, 5]
    assert "spikes. Recognised task 1: 25 %." in middle["said"]
    spikes = [sum(map(int, re.findall(r"(\d+) \+ (\d+) spikes", frame["said"])[0])) for frame in found]
    assert sum(spikes) == 5  # neuron 9 of layer 2 has no dot


@pytest.mark.parametrize("steps", [1, 2, 50])
def test_a_short_sleep(steps: int) -> None:
    found = frames(replay(steps, events=[([0], [4]), ([], [])], at=[0]), BLOCKS)
    assert 1 <= len(found) <= steps
    assert found[0]["lit"] == [0]
    assert not any(frame["lit"] for frame in found[1:])


def test_the_html_is_a_still_picture_that_stands_alone() -> None:
    text = player({"a <b>": replay(), "c": replay(50, at=[0])}, BLOCKS, ["#00f", "#888"], 'Neurons & "dots"', "one")
    assert text.count("<circle") == 6
    assert text.count('class="on"') == 3  # the frame with most dots
    assert re.findall(r'color="(.*?)"', text) == ["#00f", "#00f", "#888", "#888", "#00f", "#888"]
    assert f'<title id="one-title">{html.escape("Neurons & " + chr(34) + "dots" + chr(34))}</title>' in text
    assert "<option>a &lt;b&gt;</option><option>c</option>" in text
    assert '<div class="controls" hidden>' in text  # nothing to press where there is no JavaScript
    assert not re.search(r"https?:|src=|@import|url\(", text)
    data = text.partition("sleeps = ")[2].partition(";\n")[0]
    assert "<" not in data  # cannot end the script
    assert set(re.findall(r' id="(.*?)"', text)) == {"one", "one-title", "one-said"}
