"""Plugins: the order of their hooks, and the sleep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import pytest
import srclib.plugins.sleep as sleep_plugin
import torch
from torch import Tensor

from srclib.data.streams import Task
from srclib.experiments.run import run
from srclib.learning.methods.plugin import Examples, Plugin, Run, overriding
from srclib.sleep import SleepConfig, linear_layers
from srclib.sleep import sleep as sleep_now

from ...cells import CONFIG, awake, sleep, tiny

STEP = ["after_backward", "loss_term", "before_step", "after_step"]


@dataclass(frozen=True)
class Watcher(Plugin):
    """Writes every call down; `measures` says whether it has a phase of its own."""

    name: str
    measures: bool = False
    log: ClassVar[list[str]] = []

    def _note(self, hook: str, run: Run) -> None:
        self.log.append(f"{self.name}.{hook} {len(run.seen)}")

    def task_data(self, run: Run, data: Examples) -> Examples:
        self._note("task_data", run)
        return data

    def after_backward(self, run: Run) -> None:
        self._note("after_backward", run)

    def loss_term(self, run: Run) -> Tensor:
        self._note("loss_term", run)
        return (run.model[0].weight ** 2).sum() * 0

    def before_step(self, run: Run) -> None:
        self._note("before_step", run)

    def after_step(self, run: Run) -> None:
        self._note("after_step", run)

    def after_training(self, run: Run) -> None:
        self._note("after_training", run)

    def after_task(self, run: Run) -> dict[str, Any] | None:
        self._note("after_task", run)
        return {"from": self.name} if self.measures else None

    def predict(self, run: Run, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        self._note("predict", run)
        return heads


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    Watcher.log.clear()


# The hooks


def test_hooks_run_in_the_order_of_the_plugins() -> None:
    metrics = run(tiny(plugins=(Watcher("a"), Watcher("b", measures=True)), awake=awake(epochs=(1, 2))))
    expected = []
    for task, steps in ((1, 1), (2, 2)):  # one batch an epoch
        hooks = ["task_data", *STEP * steps, "after_training", "predict", "after_task"]  # of a and b in turn
        expected += [f"{name}.{hook} {task}" for hook in hooks for name in "ab"]
        expected += [f"{name}.predict {task}" for name in "ab"]  # of the phase of b
    assert Watcher.log == expected
    assert [(phase["kind"], phase["task"], phase.get("from")) for phase in metrics["phases"]] == [
        ("training", 0, None), ("watcher", 0, "b"), ("training", 1, None), ("watcher", 1, "b"),
    ]  # fmt: skip


def test_joint_training_has_no_end_of_a_task() -> None:
    run(tiny(plugins=(Watcher("a", measures=True),), awake=awake(joint_epochs=1), joint=True))
    assert Watcher.log == [
        f"a.{hook} 2" for hook in ("task_data", *STEP * 2, "after_training", "predict")
    ]  # 4 images, batches of 2


@pytest.mark.parametrize(
    ("images", "joint", "expected"),
    [(None, False, [[0, 1], [2, 3]]), (1, False, [[0], [2]]), (1, True, [[0, 1, 2, 3]])],
    ids=["all", "the_first", "joint_always_all"],
)
def test_images_per_task(images: int | None, joint: bool, expected: list[list[int]]) -> None:
    @dataclass(frozen=True)
    class Labels(Plugin):
        def task_data(self, run: Run, data: Examples) -> Examples:
            given.append(data.y.tolist())
            kept.append([label for task in run.seen for label in run.trained_on(task)[1].tolist()])
            return data

    given: list[list[int]] = []
    kept: list[list[int]] = []
    run(tiny(plugins=(Labels(),), awake=awake(images_per_task=images, batch=1), joint=joint))
    assert given == expected
    assert kept[-1] == list(chain(*expected))  # of all tasks seen


def test_a_plugin_that_overrides_nothing_does_nothing() -> None:
    plain, with_plugin = run(tiny()), run(tiny(plugins=(Plugin(),)))
    assert with_plugin["phases"] == plain["phases"]


def test_only_overridden_hooks_are_called() -> None:
    @dataclass(frozen=True)
    class Observer(Plugin):
        def after_step(self, run: Run) -> None: ...

    plugins = [Plugin(), Observer(), Watcher("a"), sleep(1)]
    assert overriding(plugins, "after_step") == plugins[1:3]
    assert overriding(plugins, "after_task") == plugins[2:]
    assert overriding(plugins, "task_data") == plugins[2:3]


def test_task_data_is_handed_on_and_trained_on() -> None:
    @dataclass(frozen=True)
    class Append(Plugin):
        label: int

        def task_data(self, run: Run, data: Examples) -> Examples:
            sizes.append(len(data.x))
            return Examples(
                torch.cat([data.x, run.seen[0].x_train]), torch.cat([data.y, torch.tensor([self.label] * 2)])
            )

    @dataclass(frozen=True)
    class CountSteps(Plugin):
        def after_step(self, run: Run) -> None:
            run.memory[self] = run.memory.get(self, 0) + 1
            steps[len(run.seen)] = run.memory[self]
            assert run.steps == 3

    sizes: list[int] = []
    steps: dict[int, int] = {}
    run(tiny(plugins=(Append(2), Append(3), CountSteps()), awake=awake(epochs=1)))
    assert sizes == [2, 4, 2, 4]
    assert steps == {1: 3, 2: 6}  # 6 images in batches of 2; the memory lasts for the run


def test_loss_terms_reach_the_weights() -> None:
    @dataclass(frozen=True)
    class Decay(Plugin):
        strength: float

        def loss_term(self, run: Run) -> Tensor:
            return self.strength * (run.model[0].weight ** 2).sum()

    def final_weights(*plugins: Plugin) -> np.ndarray:
        return np.array(run(tiny(plugins=plugins, keep_weights=True))["phases"][-1]["weights"][0])

    plain, once, both = final_weights(), final_weights(Decay(0.2)), final_weights(Decay(0.1), Decay(0.1))
    assert np.linalg.norm(once) < 0.95 * np.linalg.norm(plain)
    np.testing.assert_allclose(both, once, rtol=1e-5, atol=1e-7)


def test_old_examples_may_have_a_share_of_the_loss() -> None:
    @dataclass(frozen=True)
    class Rehearse(Plugin):
        share: float

        def task_data(self, run: Run, data: Examples) -> Examples:
            first = run.seen[0]
            return Examples(data.x, data.y, Examples(first.x_train, first.y_train), self.share)

    def final(*plugins: Plugin) -> dict[str, Any]:
        return run(tiny(plugins=plugins, keep_weights=True, awake=awake(epochs=30)))["phases"][-1]

    assert final()["accuracy"][0] < 1
    assert final(Rehearse(0.5))["accuracy"] == [1, 1]
    assert final(Rehearse(0.0))["accuracy"] == [1, 0]  # the new images count for nothing


def test_gradients_are_those_of_the_weights() -> None:
    @dataclass(frozen=True)
    class Compare(Plugin):
        def after_backward(self, run: Run) -> None:
            for w, gradient in zip(run.weights(), run.gradients(), strict=True):
                assert gradient is w.grad
                assert gradient.any()
            shapes.append([tuple(w.shape) for w in run.weights()])

    shapes: list[list[tuple[int, ...]]] = []
    run(tiny(plugins=(Compare(),), awake=awake(layers=(100, 7, 4), epochs=1)))
    assert shapes == [[(7, 100), (4, 7)]] * 2


def test_before_step_may_stop_learning() -> None:
    @dataclass(frozen=True)
    class Freeze(Plugin):
        def before_step(self, run: Run) -> None:
            run.optimizer.zero_grad()
            if len(run.seen) == 2:
                run.optimizer.state.clear()  # the momentum of the first task

    phases = run(tiny(plugins=(Freeze(),), keep_weights=True))["phases"]
    assert phases[0]["weights"] == phases[1]["weights"]
    assert run(tiny(keep_weights=True))["phases"][0]["weights"] != phases[0]["weights"]


def test_the_first_head_counts() -> None:
    @dataclass(frozen=True)
    class Say(Plugin):
        label: int
        counts: bool

        def predict(self, run: Run, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
            shapes.append((tuple(hidden.shape), list(heads)))
            own = {f"says {self.label}": torch.full((len(hidden),), self.label)}
            return own | heads if self.counts else heads | own

    shapes: list[Any] = []
    config = awake(layers=(100, 7, 4))
    plain = run(tiny(awake=config))["phases"]
    metrics = run(tiny(plugins=(Say(2, True), Say(0, False)), awake=config))
    for phase, without in zip(metrics["phases"], plain, strict=True):
        network = {key: without[key] for key in ("accuracy", "overall")}
        twos, zeros = {"accuracy": [0.0, 0.5], "overall": 0.25}, {"accuracy": [0.5, 0.0], "overall": 0.25}
        assert phase["heads"] == {"says 2": twos, "network": network, "says 0": zeros}
        assert phase["accuracy"] == [0.0, 0.5]
        assert "heads" not in without
    assert metrics["final"] == 0.25
    assert shapes == [((4, 7), ["network"]), ((4, 7), ["says 2", "network"])] * 2


# The sleep


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


def test_trained_on() -> None:
    for images, expected in ((None, 6), (3, 3), (100, 6)):
        state = a_run(images)
        x, y = state.trained_on(state.seen[1])
        assert torch.equal(x, state.seen[1].x_train[:expected])
        assert torch.equal(y, state.seen[1].y_train[:expected])


@pytest.mark.parametrize(
    ("statistics", "images", "used", "tasks"),
    [("trained", 3, 3, 2), ("pool", 3, 6, 2), ("trained", None, 6, 2), ("pool", None, 6, 2), ("first_task", 3, 6, 1)],
)
def test_sleep_uses_the_statistics_it_is_told(statistics: str, images: int | None, used: int, tasks: int) -> None:
    state, twin = a_run(images), a_run(images)
    plugin = sleep(100, 300, statistics=statistics, alpha=2.0, beta=0.5, rate=200.0)
    measured = plugin.after_task(state)

    inputs = torch.cat([task.x_train[:used] for task in twin.seen[:tasks]])
    config = replace(plugin.config, steps=300)
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

    monkeypatch.setattr(sleep_plugin, "sleep", fake)
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
    one, two = SleepConfig(**CONFIG), SleepConfig(**CONFIG | {"inc": 0.2})
    plugin = replace(sleep(70, 0, 90), config=(one, two))
    settings = [plugin.config_after(task) for task in range(4)]
    assert settings == [replace(one, steps=70), None, replace(two, steps=90), replace(two, steps=90)]
    for task, config in enumerate(settings):
        state, twin = a_run(), a_run()
        state.seen, twin.seen = state.seen[:1] * (task + 1), twin.seen[:1] * (task + 1)
        assert plugin.after_task(state) == (config and replace(plugin, config=config).after_task(twin))
        assert all(torch.equal(w, other) for w, other in zip(state.weights(), twin.weights(), strict=True))


@pytest.mark.parametrize(
    ("switches", "slept"),
    [
        ({}, [70, 90, 90]),
        ({"max_steps": 80}, [70, 80, 80]),
        ({"max_steps": 100}, [70, 90, 90]),
        ({"discard_first": True}, [None, 90, 90]),
        ({"max_steps": 80, "discard_first": True}, [None, 80, 80]),
    ],
    ids=["none", "some_saturate", "none_saturates", "discard_first", "both"],
)
def test_slips_of_the_released_sleep(switches: dict[str, Any], slept: list[int | None]) -> None:
    state, plugin = a_run(), replace(sleep(70, 90), **switches)
    task, state.seen = state.seen[0], []
    for steps in slept:
        state.seen.append(task)
        before = [w.detach().clone() for w in state.weights()]
        phase = plugin.after_task(state)
        assert (phase and phase["steps"]) == steps
        if not steps:
            assert all(torch.equal(w, old) for w, old in zip(state.weights(), before, strict=True))


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
    state.optimizer.state[weight]["momentum_buffer"] = velocity.clone()
    sleep(50).after_task(state)
    assert torch.equal(state.optimizer.state[weight]["momentum_buffer"], velocity)
    replace(sleep(50), reset_velocity=True).after_task(state)
    assert not state.optimizer.state


@pytest.mark.parametrize(
    ("steps", "statistics", "message"),
    [
        ((), "pool", r"steps = \(\): allowed are whole numbers >= 0, at least one"),
        ((5, -1), "pool", r"steps = \(5, -1\)"),
        ((5,), "all", r"statistics = 'all': allowed is one of \('trained', 'pool', 'first_task'\)"),
    ],
    ids=["no_steps", "negative", "statistics"],
)
def test_bad_sleep(steps: tuple[int, ...], statistics: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sleep_plugin.Sleep(SleepConfig(**CONFIG), steps, statistics)


def test_sleep_without_settings() -> None:
    with pytest.raises(ValueError, match="config is empty: allowed is one, or one for the sleep after each task"):
        replace(sleep(5), config=())


def test_random_drive_has_the_mean_brightness_everywhere() -> None:
    state, twin = a_run(), a_run()
    plugin = replace(sleep(300, alpha=2.0, beta=0.5, rate=200.0), drive="random")
    measured = plugin.after_task(state)

    inputs = torch.cat([task.x_train for task in twin.seen])
    even = torch.full((10,), float(inputs.mean(0, dtype=torch.float64).mean()), dtype=torch.float64)
    assert isinstance(plugin.config, SleepConfig)
    record = sleep_now(twin.model, even, replace(plugin.config, steps=300), scale_inputs=inputs, seed=(5, 1))
    assert measured is not None
    assert measured["spikes"] == [int(count.sum()) for count in record.spike_counts]
    assert min(measured["spikes"]) > 0


def test_bad_drive() -> None:
    with pytest.raises(ValueError, match=r"drive = 'noise': allowed is one of \('mean', 'random'\)"):
        replace(sleep(5), drive="noise")


@pytest.mark.parametrize("averaged", [False, True])
def test_a_sleep_may_be_split_over_streams(averaged: bool) -> None:
    state, twin = a_run(), a_run()
    plugin = replace(sleep(300), streams=4, averaged=averaged)
    measured = plugin.after_task(state)

    share = 4 if averaged else 1
    config = SleepConfig(**CONFIG | {"inc": CONFIG["inc"] / share, "dec": CONFIG["dec"] / share}, steps=75, batch=4)
    assert plugin.config_after(0) == config
    inputs = torch.cat([task.x_train for task in twin.seen])
    record = sleep_now(twin.model, inputs.mean(0, dtype=torch.float64), config, scale_inputs=inputs, seed=(5, 1))
    assert measured == {"steps": 75, "spikes": [int(count.sum()) for count in record.spike_counts]}
    assert min(measured["spikes"]) > 0
    assert replace(plugin, streams=1).config_after(0) == sleep(300).config_after(0)


def test_bad_streams() -> None:
    with pytest.raises(ValueError, match="streams = 0: allowed is a whole number >= 1"):
        replace(sleep(5), streams=0)


def test_bad_longest_sleep() -> None:
    with pytest.raises(ValueError, match="max_steps = 0: allowed is a whole number >= 1, or None"):
        replace(sleep(5), max_steps=0)
