"""A sleep to play with: self-contained HTML with a slider, readable as a still picture without JavaScript."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypedDict

import numpy as np

from .templates import filled

COLUMNS = 10  # dots in a row of a block
PITCH, GAP = 11, 26  # pixels between dots, between blocks
TOP, LEFT = 34, 66
FRAMES = 48


@dataclass(frozen=True)
class Replay:
    """One sleep as the player shows it."""

    steps: int  # length of the sleep
    events: Sequence[tuple[Sequence[int], Sequence[int]]]  # per layer: step and neuron of every spike
    at: Sequence[int]  # steps after which `accuracy` is known, ascending, from 0 on
    accuracy: Mapping[str, Sequence[float]]  # by task, in [0, 1]


class Frame(TypedDict):
    """What is seen at one moment."""

    lit: list[int]  # the dots, counted over layers and blocks
    said: str  # in words


def player(
    replays: Mapping[str, Replay],
    blocks: Sequence[Mapping[str, Sequence[int]]],
    colors: Sequence[str],
    title: str,
    name: str = "replay",
) -> str:
    """Return HTML that plays sleeps: a dot lights up when its neuron fires, along a logarithmic axis of steps.

    replays: the sleeps to choose from, by what they are called. blocks: per layer the neurons to show, by the title of
    their block; a neuron may be in several. colors: CSS colours, one per block. name: starts every id on the page.
    Without JavaScript the frame with the most spikes of the first sleep is shown, described by its `title` and `desc`.
    """
    sleeps = {label: frames(replay, blocks) for label, replay in replays.items()}
    first = next(iter(sleeps.values()))
    still = max(range(len(first)), key=lambda k: len(first[k]["lit"]))
    number, dots, texts = 0, [], []
    lit = set(first[still]["lit"])
    for layer, of in enumerate(blocks):
        y = TOP + layer * (PITCH * COLUMNS + GAP + 14)
        texts.append(f'<text x="0" y="{y + 5 * PITCH}">layer {layer + 1}</text>')
        for block, (label, neurons) in enumerate(of.items()):
            x = LEFT + block * (PITCH * COLUMNS + GAP)
            texts.append(f'<text x="{x}" y="{y - 12}">{html.escape(label)}</text>')
            for place in range(len(neurons)):
                on = ' class="on"' if number in lit else ""
                column, row = place % COLUMNS, place // COLUMNS
                color = html.escape(colors[block])
                dots.append(f'<circle cx="{x + PITCH * column + 4}" cy="{y + PITCH * row}" r="4" color="{color}"{on}/>')
                number += 1
    width = LEFT + max(map(len, blocks)) * (PITCH * COLUMNS + GAP) - GAP
    height = TOP + len(blocks) * (PITCH * COLUMNS + GAP + 14) - GAP - 14
    options = "".join(f"<option>{html.escape(label)}</option>" for label in sleeps)
    name = html.escape(name)
    data = json.dumps(sleeps, separators=(",", ":")).replace("<", "\\u003c")  # which cannot end the script
    return filled(
        "player.html",
        name=name,
        style=filled("player.css", name=name),
        script=filled("player.js", name=name, sleeps=data),
        title=html.escape(title),
        options=options,
        last=len(first) - 1,
        still=still,
        said=html.escape(first[still]["said"]),
        width=width,
        height=height,
        texts="".join(texts),
        dots="".join(dots),
    )


def frames(replay: Replay, blocks: Sequence[Mapping[str, Sequence[int]]]) -> list[Frame]:
    """Return what is seen at each of `FRAMES` moments, spread logarithmically over the sleep.

    Lit are the dots whose neurons fired since the moment before.
    """
    edges = np.unique([0, *np.geomspace(1, replay.steps, FRAMES).round().astype(int)]).tolist()
    places: list[dict[int, list[int]]] = []
    number = 0
    for of in blocks:
        layer: dict[int, list[int]] = {}
        for neurons in of.values():
            for neuron in neurons:
                layer.setdefault(neuron, []).append(number)
                number += 1
        places.append(layer)
    found: list[Frame] = []
    for start, stop in pairwise(edges):
        fired = [
            [neuron for step, neuron in zip(*events, strict=True) if start <= step < stop] for events in replay.events
        ]
        lit = sorted(
            {dot for layer, neurons in zip(places, fired, strict=True) for n in neurons for dot in layer.get(n, [])}
        )
        known = max(k for k, step in enumerate(replay.at) if step <= stop)
        right = ", ".join(f"{task}: {100 * values[known]:.0f} %" for task, values in replay.accuracy.items())
        spikes = " + ".join(str(len(neurons)) for neurons in fired)
        found.append({"lit": lit, "said": f"Steps {start + 1:,} to {stop:,}: {spikes} spikes. Recognised {right}."})
    return found
