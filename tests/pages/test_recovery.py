"""The course of forgetting and sleeping to step through."""

from __future__ import annotations

import json
import re

import pandas as pd

from srclib.pages.recovery import recovery


def phases() -> pd.DataFrame:
    """Return two tasks, two networks: the first is lost in training, and half of it comes back in sleep."""
    course = [("training", 0, (90, 10)), ("sleep", 0, (80, 10)), ("training", 1, (0, 100)), ("sleep", 1, (40, 60))]
    return pd.DataFrame(
        {"seed": seed, "phase": number, "kind": kind, "task": task, "tested": tested, "accuracy": value + 2 * seed}
        for number, (kind, task, accuracy) in enumerate(course)
        for tested, value in enumerate(accuracy)
        for seed in (0, 1)
    )


def test_frames_are_means_over_networks_of_the_tasks_learned_so_far() -> None:
    text = recovery(phases(), ["0/1", "<2/3>"], "course")
    match = re.search(r"frames = (\[.*?\]), top", text)
    assert match is not None
    frames = json.loads(match[1])
    assert [frame["name"] for frame in frames] == ["T1", "S1", "T2", "S2"]
    assert [frame["heights"] for frame in frames] == [[91, 0], [81, 0], [1, 101], [41, 61]]
    assert frames[1]["said"] == "After the sleep after task 1: 0/1 81 %."
    assert frames[2]["said"].startswith("After training on task 2: 0/1 1 %")


def test_without_javascript_the_end_is_shown_and_told() -> None:
    text = recovery(phases(), ["0/1", "<2/3>"], "course")
    assert '<p class="said" id="course-said" aria-live="polite">After the sleep after task 2: 0/1 41 %' in text
    assert "&lt;2/3&gt;" in text
    assert '<div class="controls" hidden>' in text
