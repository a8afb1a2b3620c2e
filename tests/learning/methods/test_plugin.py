"""Plugins: the order of their hooks, and what they are given."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from srclib.experiments.run import run
from srclib.learning.methods import PARTS
from srclib.learning.methods.plugin import Examples, Plugin, Run, overriding

from ...cells import awake, sleep, tiny
from .cases import a_run, task

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

    def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
        self._note("predict", run)
        return heads


@pytest.fixture(autouse=True)
def _watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARTS, "watcher", Watcher)
    Watcher.log.clear()


# The hooks


def test_hooks_run_in_the_order_of_the_plugins() -> None:
    metrics = run(tiny(plugins=(Watcher("a"), Watcher("b", measures=True)), awake=awake(epochs=(1, 2))))
    expected = []
    for seen, steps in ((1, 1), (2, 2)):  # one batch an epoch
        hooks = ["task_data", *STEP * steps, "after_training", "predict", "after_task"]  # of a and b in turn
        expected += [f"{name}.{hook} {seen}" for hook in hooks for name in "ab"]
        expected += [f"{name}.predict {seen}" for name in "ab"]  # of the phase of b
    assert Watcher.log == expected
    assert [(phase["kind"], phase["task"], phase.get("from")) for phase in metrics["phases"]] == [
        ("training", 0, None), ("watcher", 0, "b"), ("training", 1, None), ("watcher", 1, "b"),
    ]  # fmt: skip


def test_joint_training_has_no_end_of_a_task() -> None:
    run(tiny(plugins=(Watcher("a", measures=True),), awake=awake(epochs=1), joint=True))
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
            run.model.zero_grad()
            if len(run.seen) == 2:
                run.optimizer.rest()  # the momentum of the first task

    phases = run(tiny(plugins=(Freeze(),), keep_weights=True))["phases"]
    assert phases[0]["weights"] == phases[1]["weights"]
    assert run(tiny(keep_weights=True))["phases"][0]["weights"] != phases[0]["weights"]


def test_the_first_head_counts() -> None:
    @dataclass(frozen=True)
    class Say(Plugin):
        label: int
        counts: bool

        def predict(self, run: Run, x: Tensor, hidden: Tensor, heads: dict[str, Tensor]) -> dict[str, Tensor]:
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


@pytest.mark.parametrize(("images", "expected"), [(None, 12), (3, 3), (100, 12)])
def test_trained_on(images: int | None, expected: int) -> None:
    x, y = a_run(images_per_task=images).trained_on(task(1))
    assert torch.equal(x, task(1).x_train[:expected])
    assert torch.equal(y, task(1).y_train[:expected])
