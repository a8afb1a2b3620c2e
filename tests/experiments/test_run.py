"""One run: its phases, its reproducibility."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch

from srclib.data import streams
from srclib.experiments import records
from srclib.experiments.run import SHARED, Shared, run
from srclib.learning import training
from srclib.learning.methods.ewc import EWC
from srclib.learning.methods.icarl import ICaRL
from srclib.learning.methods.plugin import Examples, Plugin, Run
from srclib.learning.methods.rehearsal import Rehearsal

from ..cells import awake, sleep, tiny
from ..made_up import record


def flat(phase: dict[str, Any]) -> torch.Tensor:
    """Return the weights of a phase as one vector."""
    return torch.cat([torch.tensor(w).flatten() for w in phase["weights"]])


# Phases


@pytest.mark.parametrize(
    ("steps", "kinds", "tasks"),
    [
        (None, ["training", "training"], [0, 1]),
        ((0,), ["training", "training"], [0, 1]),
        ((0, 300), ["training", "training", "sleep"], [0, 1, 1]),
        ((100,), ["training", "sleep", "training", "sleep"], [0, 0, 1, 1]),
        ((100, 0), ["training", "sleep", "training"], [0, 0, 1]),
    ],
    ids=["no_sleep", "zero_steps", "after_the_second", "after_both", "after_the_first"],
)
def test_phases(steps: tuple[int, ...] | None, kinds: list[str], tasks: list[int]) -> None:
    metrics = run(tiny(plugins=() if steps is None else (sleep(*steps, beta=0.2),), keep_weights=True))
    phases = metrics["phases"]
    assert [phase["kind"] for phase in phases] == kinds
    assert [phase["task"] for phase in phases] == tasks
    assert phases[0]["cosine"] == pytest.approx(1, abs=1e-6)
    for phase in phases:
        assert len(phase["accuracy"]) == 2
        assert phase["overall"] == pytest.approx(sum(phase["accuracy"]) / 2)  # as many images in both tasks
        cosine = torch.cosine_similarity(flat(phase), flat(phases[0]), dim=0)
        assert phase["cosine"] == pytest.approx(float(cosine), abs=1e-6)
        assert ("spikes" in phase) == ("steps" in phase) == (phase["kind"] == "sleep")
        if phase["kind"] == "sleep":
            assert phase["steps"] == steps[min(phase["task"], len(steps) - 1)]
            assert len(phase["spikes"]) == 1  # one layer
            assert phase["spikes"][0] > 0
    for before, after in itertools.pairwise(phases):
        assert not torch.equal(flat(before), flat(after))
    assert metrics["final"] == phases[-1]["overall"]
    assert set(metrics["seconds"]) == {"training", "plugins", "evaluation"}
    assert min(metrics["seconds"].values()) >= 0
    assert json.loads(json.dumps(metrics)) == metrics  # plain data


def test_the_patches_are_learned_and_forgotten() -> None:
    """Figure 1: with 12 shared pixels of 17, learning the second task on its own loses the first."""
    phases = run(tiny(awake=awake(epochs=30)))["phases"]
    assert phases[0]["accuracy"] == [1, 0]
    assert phases[1]["accuracy"][1] == 1
    assert phases[1]["accuracy"][0] < 1
    assert run(tiny(awake=awake(epochs=30), overlap=0))["phases"][1]["accuracy"] == [1, 1]  # nothing shared


def test_joint_training_is_one_phase() -> None:
    cell = tiny(awake=awake(epochs=60), joint=True, plugins=(sleep(100),))
    (phase,) = run(cell)["phases"]
    assert (phase["kind"], phase["task"], phase["accuracy"]) == ("training", 0, [1, 1])


def test_a_run_that_diverges_says_so() -> None:
    cell = tiny(awake=awake(loss="relu_mse", lr=1e20, epochs=30), plugins=(sleep(50),))
    metrics = run(cell)
    assert metrics["diverged"] is True
    assert [phase["kind"] for phase in metrics["phases"]] == ["training", "training"]  # nothing is left to replay
    assert [phase["cosine"] for phase in metrics["phases"]] == [None, None]
    line = records.to_line(record(cell) | {"metrics": metrics})
    assert records.read(line)["metrics"] == metrics
    assert "diverged" not in run(tiny())


def test_a_run_may_diverge_in_its_second_task() -> None:
    metrics = run(tiny(awake=awake(loss="relu_mse", lr=(0.05, 1e20), epochs=30), plugins=(sleep(50),)))
    assert metrics["diverged"] is True
    assert [phase["kind"] for phase in metrics["phases"]] == ["training", "sleep", "training"]
    assert [phase["cosine"] is None for phase in metrics["phases"]] == [False, False, True]


def test_the_order_is_that_of_the_cell() -> None:
    turned = run(tiny(awake=awake(epochs=30), order=(1, 0), keep_weights=True))
    images = streams.patches(12, 0)
    outputs = torch.tensor(turned["phases"][0]["weights"][0]) @ images[1].x_test.T
    assert outputs.argmax(0).tolist() == [2, 3]  # the second two images were learned first
    assert turned["phases"][0]["accuracy"] == [1, 0]  # accuracies in the order of the stream


def test_a_stream_may_end_early() -> None:
    cell = tiny(plugins=(sleep(50, 50, beta=0.2),), keep_weights=True)
    whole, part = run(cell)["phases"], run(replace(cell, tasks=1))["phases"]
    assert [phase["weights"] for phase in part] == [phase["weights"] for phase in whole[:2]]
    assert [phase["accuracy"] for phase in part] == [phase["accuracy"][:1] for phase in whole[:2]]
    assert run(replace(cell, tasks=2))["phases"] == whole
    for tasks in (0, 3):
        with pytest.raises(ValueError, match=f"tasks = {tasks}: allowed is 1 to 2, or None for all"):
            run(replace(cell, tasks=tasks))


def test_training_images_may_be_what_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    turned = [replace(task, y_test=task.y_test.flip(0)) for task in streams.patches(0, 0)]
    monkeypatch.setattr(streams, "patches", lambda *_, **__: turned)
    cell = tiny(awake=awake(epochs=30), plugins=(sleep(0, 50, beta=0.2),), keep_weights=True)
    test, train, both = (run(replace(cell, tested=t))["phases"] for t in (("test",), ("train",), ("train", "test")))
    assert [phase["accuracy"] for phase in test[:2]] == [[0, 0], [0, 0]]
    assert [phase["accuracy"] for phase in train[:2]] == [[1, 0], [1, 1]]
    for i, phase in enumerate(both):
        split = phase.pop("images")
        assert phase == train[i]  # the first ones count
        assert list(split) == ["train", "test"]
        assert split["test"] == {key: test[i].pop(key) for key in ("accuracy", "overall")}
        assert test[i].items() <= phase.items()  # nothing else changes
    with pytest.raises(ValueError, match=r"tested = \['tset'\]: allowed are test and train"):
        run(replace(cell, tested=("tset",)))


def test_a_task_may_have_a_learning_rate_of_its_own() -> None:
    def weights(lr: float | tuple[float, ...]) -> list[torch.Tensor]:
        return [flat(phase) for phase in run(tiny(awake=awake(lr=lr), keep_weights=True))["phases"]]

    same, smaller = weights((0.05, 0.05)), weights((0.05, 0.01))
    assert torch.equal(torch.stack(same), torch.stack(weights(0.05)))
    assert torch.equal(smaller[0], same[0])
    assert (smaller[1] - smaller[0]).norm() < 0.5 * (same[1] - same[0]).norm()
    with pytest.raises(ValueError, match=r"lr = \(0.05,\): allowed is one number, or one per task"):
        run(tiny(awake=awake(lr=(0.05,))))
    with pytest.raises(ValueError, match=r"lr = \(0.05, 0.0\), .*: allowed is lr > 0"):
        awake(lr=(0.05, 0.0))


@pytest.mark.parametrize("hidden", [(), (7, 5)], ids=["one_layer", "three_layers"])
def test_weights_are_kept_on_request(hidden: tuple[int, ...]) -> None:
    cell = tiny(awake=awake(layers=(100, *hidden, 4)), plugins=(sleep(0, 50),))
    kept, plain = run(replace(cell, keep_weights=True))["phases"], run(cell)["phases"]
    sizes = (100, *hidden, 4)
    for with_weights, without in zip(kept, plain, strict=True):
        shapes = [tuple(torch.tensor(w).shape) for w in with_weights.pop("weights")]
        assert shapes == list(zip(sizes[1:], sizes[:-1], strict=True))
        assert with_weights == without  # keeping them changes nothing else


def test_runs_that_begin_alike_share_their_first_training(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []
    train = training.train
    monkeypatch.setattr(training, "train", lambda *args, **kw: (trained.append(kw), train(*args, **kw)))
    config = awake(layers=(100, 7, 4), momentum=0.5, dropout=0.25)
    alike = [
        tiny(awake=config, plugins=plugins, keep_weights=True)
        for plugins in (
            (), (sleep(0, 50),), (sleep(30, 50),), (Rehearsal(0.5),), (Rehearsal(0.5), sleep(30)), (ICaRL(4),),
            (sleep(30), ICaRL(2, dropout=True)),
        )
    ]  # fmt: skip
    alone = [run(cell)["phases"] for cell in alike]
    shared: Shared = {}
    trained.clear()
    assert [run(cell, shared)["phases"] for cell in alike] == alone
    assert len(shared) == 1
    assert len(trained) == 1 + len(alike)
    assert [run(cell, shared)["phases"] for cell in alike] == alone  # nothing of it was changed


@pytest.mark.parametrize(
    "other",
    [
        {"plugins": (EWC(1.0),)},
        {"seed": 1},
        {"order": (1, 0)},
        {"overlap": 5},
        {"joint": True},
        {"awake": awake(lr=0.01)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_runs_that_do_not_begin_alike_share_nothing(other: dict[str, Any]) -> None:
    shared: Shared = {}
    run(tiny(), shared)
    cell = tiny(**other)
    assert run(cell, shared)["phases"] == run(cell)["phases"]


def test_the_first_trainings_used_last_are_kept() -> None:
    shared: Shared = {}
    for seed in (*range(SHARED), 0, SHARED):
        run(tiny(seed=seed), shared)
    kept = [seed for seed in range(SHARED + 1) if tiny(seed=seed).key() in shared]
    assert kept == [0, *range(2, SHARED + 1)]


def test_a_run_on_mnist() -> None:
    """Five tasks of two digits, 300 images each."""
    config = awake(
        layers=(784, 40, 10), loss="relu_mse", epochs=(3, 1, 1, 1, 1), batch=10, lr=0.1, images_per_task=300,
        dropout=0.25, dropout_scaling="test",
    )  # fmt: skip
    night = sleep(0, 50, statistics="trained", beta=0.5, window=11)
    cell = tiny(dataset="mnist", awake=config, plugins=(night,), order=(1, 0, 2, 3, 4), overlap=None)
    phases = run(cell)["phases"]
    assert [phase["kind"] for phase in phases] == ["training"] + ["training", "sleep"] * 4
    assert [len(phase["spikes"]) for phase in phases if phase["kind"] == "sleep"] == [2] * 4
    assert phases[0]["accuracy"][0] > 0.8
    assert phases[0]["accuracy"][2:] == [0, 0, 0]
    sizes = torch.tensor([2042, 2115, 1874, 1986, 1983], dtype=torch.float64)  # test images of every task
    for phase in phases:
        accuracy = torch.tensor(phase["accuracy"], dtype=torch.float64)
        assert phase["overall"] == pytest.approx(float(accuracy @ sizes / sizes.sum()))


def test_a_cross_modal_run() -> None:
    """MNIST, then Fashion-MNIST, 500 images each, with the same ten outputs."""
    config = awake(layers=(784, 40, 10), epochs=6, batch=10, lr=0.1, images_per_task=500)
    cell = tiny(dataset="cross_modal", awake=config, classes_per_task=10, overlap=None)
    first, second = run(cell)["phases"]
    assert first["accuracy"][0] > 0.7
    assert second["accuracy"][1] > 0.6
    assert second["accuracy"][0] < first["accuracy"][0] - 0.2  # forgotten
    assert second["overall"] == pytest.approx(sum(second["accuracy"]) / 2)  # 10,000 test images each
    turned = run(replace(cell, order=(1, 0)))["phases"]
    assert turned[0]["accuracy"][0] > 0.6  # accuracies in the order of the stream


@dataclass(frozen=True)
class AtTheStart(Plugin):
    """Writes down the first layer's weights when a task begins, and whether there is a velocity."""

    log: ClassVar[list[tuple[torch.Tensor, bool]]] = []

    def task_data(self, run: Run, data: Examples) -> Examples:
        self.log.append((run.weights()[0].detach().clone(), run.optimizer.velocity[0] is not None))
        return data


@pytest.mark.parametrize("restart", [False, True])
def test_every_task_may_start_from_the_initial_weights(restart: bool) -> None:
    AtTheStart.log.clear()
    config = awake(layers=(100, 9, 4), epochs=30, restart_from_initial=restart)
    phases = run(tiny(awake=config, overlap=0, plugins=(AtTheStart(),)))["phases"]
    (first, no_velocity), (second, velocity) = AtTheStart.log
    assert not no_velocity
    assert velocity == (not restart)
    assert torch.equal(first, second) == restart
    assert phases[0]["accuracy"] == [1, 0]
    assert phases[1]["accuracy"][1] == 1
    if restart:
        assert phases[1]["accuracy"][0] == 0  # it never saw the first task


def test_patches_need_an_overlap() -> None:
    with pytest.raises(ValueError, match="overlap is missing: the patches need one"):
        run(tiny(overlap=None))


@pytest.mark.parametrize("side", [3, 11])
def test_patches_fill_the_inputs(side: int) -> None:
    phases = run(tiny(awake=awake(layers=(side * side, 4)), overlap=1, keep_weights=True))["phases"]
    assert len(phases[0]["weights"][0][0]) == side * side


def test_patches_are_square() -> None:
    with pytest.raises(ValueError, match="inputs = 99: the patches need a square number of inputs"):
        run(tiny(awake=awake(layers=(99, 4))))


# Reproducibility

NOISY = {
    "awake": awake(layers=(100, 30, 4), dropout=0.5, epochs=8),
    "plugins": (sleep(200, beta=0.3),),
    "overlap": 100,  # every pixel: the images do not depend on the seed
    "keep_weights": True,
}


def test_the_same_seed_gives_the_same_bits() -> None:
    first = run(tiny(3, **NOISY))
    torch.manual_seed(99)  # what the caller does to torch's generator changes nothing
    torch.rand(5)
    again = run(tiny(3, **NOISY))
    assert json.dumps(again["phases"]) == json.dumps(first["phases"])
    other = run(tiny(4, **NOISY))
    for phase, changed in zip(first["phases"], other["phases"], strict=True):
        assert phase["weights"] != changed["weights"]
        assert phase["kind"] == changed["kind"]


def test_a_run_leaves_the_random_state_of_the_caller_alone() -> None:
    before = torch.get_rng_state()
    run(tiny(**NOISY))
    assert torch.equal(torch.get_rng_state(), before)


@dataclass(frozen=True)
class Velocity(Plugin):
    """Writes down the momentum of the first layer before and after every step, and how many tasks were seen."""

    log: ClassVar[list[tuple[str, int, torch.Tensor]]] = []

    def _note(self, when: str, run: Run) -> None:
        velocity = run.optimizer.velocity[0]
        self.log.append((when, len(run.seen), torch.zeros(()) if velocity is None else velocity.clone()))

    def before_step(self, run: Run) -> None:
        self._note("before", run)

    def after_step(self, run: Run) -> None:
        self._note("after", run)


@pytest.mark.parametrize("plugins", [(), (sleep(50),)], ids=["awake", "over_a_sleep"])
def test_momentum_carries_across_tasks(plugins: tuple[Plugin, ...]) -> None:
    Velocity.log.clear()
    run(tiny(plugins=(*plugins, Velocity())))
    last = next(buffer for when, seen, buffer in reversed(Velocity.log) if (when, seen) == ("after", 1))
    first = next(buffer for when, seen, buffer in Velocity.log if (when, seen) == ("before", 2))
    assert bool(last.any())
    assert torch.equal(first, last)
