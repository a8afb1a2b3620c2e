"""The sleep after a task: what it replays, how long it lasts, what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from srclib.data.streams import Task
from srclib.learning.methods import sleep as sleep_method
from srclib.learning.methods.plugin import Run
from srclib.learning.methods.sleep import Sleep, mean_of
from srclib.sleep import SleepConfig, linear_layers
from srclib.sleep import sleep as sleep_now

from ...cells import CONFIG, awake, sleep

NIGHT = SleepConfig(**CONFIG)


def a_run(images_per_task: int | None = 3, seed: int = 5, hidden: int = 8) -> Run:
    """Return the state of a run after two tasks of six images, with strong random weights."""
    generator = torch.Generator().manual_seed(0)
    config = awake(layers=(10, hidden, 4), init=0.5)
    torch.manual_seed(seed)
    model = config.network()
    tasks = [
        Task((0, 1), torch.rand(6, 10, generator=generator), torch.tensor([0, 1] * 3), torch.empty(0), torch.empty(0))
        for _ in range(2)
    ]
    return Run(model, config.optimizer(model), seed, images_per_task, config.loss, tasks)


@pytest.mark.parametrize(
    ("statistics", "images", "used", "tasks"),
    [("trained", 3, 3, 2), ("pool", 3, 6, 2), ("trained", None, 6, 2), ("pool", None, 6, 2), ("first_task", 3, 6, 1)],
)
def test_sleep_uses_the_statistics_it_is_told(statistics: str, images: int | None, used: int, tasks: int) -> None:
    state, twin = a_run(images), a_run(images)
    plugin = sleep(100, 300, statistics=statistics, alpha=2.0, beta=0.5, rate=200.0)
    measured = plugin.after_task(state)

    inputs = torch.cat([task.x_train[:used] for task in twin.seen[:tasks]])
    config = plugin.night(1)
    assert config is not None and config.steps == 300
    record = sleep_now(twin.model, inputs.mean(0, dtype=torch.float64), config, scale_inputs=inputs, seed=(5, 1))
    assert measured == {"steps": 300, "spikes": [int(count.sum()) for count in record.spike_counts]}
    assert min(measured["spikes"]) > 0
    for slept, expected, before in zip(
        linear_layers(state.model), linear_layers(twin.model), linear_layers(a_run().model), strict=True
    ):
        assert torch.equal(slept.weight, expected.weight)
        assert not torch.equal(slept.weight, before.weight)


@pytest.mark.parametrize(
    ("steps", "slept"),
    [((7,), [7, 7, 7]), ((7, 9), [7, 9, 9]), ((0, 9), [9, 9]), ((7, 0), [7]), ((0,), [])],
    ids=str,
)
def test_sleep_lasts_as_long_as_told(steps: tuple[int, ...], slept: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, tuple[int, int]]] = []

    def fake(model: Any, mean: Tensor, config: SleepConfig, *, seed: tuple[int, int], **options: Any) -> Any:
        calls.append((config.steps, seed))
        return sleep_now(model, mean, config, seed=seed, **options)

    monkeypatch.setattr(sleep_method, "sleep", fake)
    state = a_run()
    task, state.seen = state.seen[0], []
    phases = []
    for _ in range(3):
        state.seen.append(task)
        phases.append(sleep(*steps).after_task(state))
    assert [phase["steps"] for phase in phases if phase] == slept
    first = [index for index in range(3) if phases[index]]
    assert calls == [(length, (5, index)) for length, index in zip(slept, first, strict=True)]  # a stream each


def test_every_sleep_may_have_its_own_settings() -> None:
    one, two = replace(NIGHT, steps=70), replace(NIGHT, steps=90, inc=0.2)
    plugin = Sleep((one, None, two), "pool")
    nights = [plugin.night(task) for task in range(4)]
    assert nights == [one, None, two, two]
    for task, night in enumerate(nights):
        state, twin = a_run(), a_run()
        state.seen, twin.seen = state.seen[:1] * (task + 1), twin.seen[:1] * (task + 1)
        assert plugin.after_task(state) == (night and Sleep((night,), "pool").after_task(twin))
        assert all(torch.equal(w, other) for w, other in zip(state.weights(), twin.weights(), strict=True))


@pytest.mark.parametrize(
    ("nights", "tasks", "kept"),
    [
        ((NIGHT, None, NIGHT), 3, (NIGHT, None, NIGHT)),
        ((NIGHT, None, NIGHT), 2, (NIGHT, None)),
        ((None, NIGHT, NIGHT, NIGHT), 4, (None, NIGHT)),
        ((NIGHT, NIGHT), 5, (NIGHT,)),
        ((None, None), 2, (None,)),
        ((replace(NIGHT, beta=(1.0, 1.0, 1.0), alpha=(2.0,)),), 2, (replace(NIGHT, beta=1.0, alpha=2.0),)),
        ((replace(NIGHT, beta=(1.0, 2.0)),), 2, (replace(NIGHT, beta=(1.0, 2.0)),)),
        ((replace(NIGHT, beta=(1.0, 1.0)), replace(NIGHT, beta=1.0)), 2, (NIGHT,)),
    ],
    ids=["as_it_is", "shorter", "repeated", "one", "none", "numbers", "layers", "two_spellings"],
)
def test_one_sleep_has_one_spelling(
    nights: tuple[SleepConfig | None, ...], tasks: int, kept: tuple[SleepConfig | None, ...]
) -> None:
    plugin = Sleep(nights, "pool")
    plain = plugin.for_tasks(tasks)
    assert plain == Sleep(kept, "pool") == plain.for_tasks(tasks)


def test_a_network_that_diverged_does_not_sleep() -> None:
    state = a_run()
    with torch.no_grad():
        state.weights()[1][0, 0] = torch.nan
    before = [w.clone() for w in state.weights()]
    assert sleep(50).after_task(state) is None
    assert all(torch.equal(w, old) for w, old in zip(state.weights()[::2], before[::2], strict=True))


def test_sleep_leaves_the_velocity_alone_unless_told() -> None:
    state = a_run()
    weight = linear_layers(state.model)[0].weight
    velocity = torch.rand_like(weight)
    state.optimizer.velocity[0] = velocity.clone()
    sleep(50).after_task(state)
    assert torch.equal(state.optimizer.velocity[0], velocity)
    replace(sleep(50), reset_velocity=True).after_task(state)
    assert state.optimizer.velocity == [None, None]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"nights": ()}, "nights is empty: allowed is one sleep or None, or one for each task"),
        ({"statistics": "all"}, r"statistics = 'all': allowed is one of \('trained', 'pool', 'first_task'\)"),
        ({"drive": "noise"}, r"drive = 'noise': allowed is one of \('mean', 'random'\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_sleep(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(sleep(5), **wrong)


def test_the_mean_of_images_is_exact() -> None:
    """Pixels are whole numbers over 255 in float32; their sums are exact in float64, so no order of them shows."""
    pixels = torch.randint(256, (3000, 40), generator=torch.Generator().manual_seed(0))
    images = pixels.float() / 255
    mean = mean_of(images)
    assert mean.dtype == torch.float64
    assert torch.equal(mean, images.double().flip(0).cumsum(0)[-1] / 3000)
    torch.testing.assert_close(mean, pixels.double().mean(0) / 255, rtol=1e-7, atol=0)


def test_random_drive_has_the_mean_brightness_everywhere() -> None:
    state, twin = a_run(), a_run()
    plugin = replace(sleep(300, alpha=2.0, beta=0.5, rate=200.0), drive="random")
    measured = plugin.after_task(state)

    inputs = torch.cat([task.x_train for task in twin.seen])
    even = torch.full((10,), float(inputs.mean(0, dtype=torch.float64).mean()), dtype=torch.float64)
    night = plugin.night(0)
    assert night is not None
    record = sleep_now(twin.model, even, night, scale_inputs=inputs, seed=(5, 1))
    assert measured is not None
    assert measured["spikes"] == [int(count.sum()) for count in record.spike_counts]
    assert min(measured["spikes"]) > 0


def test_a_sleep_may_have_several_streams_at_once() -> None:
    state, twin = a_run(), a_run()
    measured = sleep(75, batch=4).after_task(state)

    inputs = torch.cat([task.x_train for task in twin.seen])
    config = replace(NIGHT, steps=75, batch=4)
    record = sleep_now(twin.model, inputs.mean(0, dtype=torch.float64), config, scale_inputs=inputs, seed=(5, 1))
    assert measured == {"steps": 75, "spikes": [int(count.sum()) for count in record.spike_counts]}
    assert min(measured["spikes"]) > 0


def test_a_sleep_that_diverges_is_a_state_of_the_run() -> None:
    state = a_run()
    measured = sleep(100, 300, statistics="pool", alpha=2.0, beta=0.5, rate=200.0, inc=2e38, dec=0.0).after_task(state)
    assert measured is not None and max(measured["spikes"]) > 0
    assert not all(layer.weight.isfinite().all() for layer in linear_layers(state.model))
