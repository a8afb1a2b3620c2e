"""What a run tells about its last sleep."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from srclib.data.streams import patches
from srclib.experiments import analysis, measures
from srclib.experiments.cell import Cell
from srclib.experiments.measures import MEASURES, Subject, firing
from srclib.experiments.run import run
from srclib.learning.networks import mlp
from srclib.sleep import SleepConfig, settle

from ..cells import awake, sleep, tiny

NAMES = tuple(MEASURES)


def measured(**changes: Any) -> Cell:
    """Return a cell with two hidden layers, a sleep after the second task and every measure."""
    values = {"awake": awake(layers=(100, 20, 12, 4)), "plugins": (sleep(0, 60, beta=0.2),), "measures": NAMES}
    return tiny(**values | changes)


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    return run(measured(keep_weights=True))


def subject(**changes: Any) -> Subject:
    """Return a run of the patches with one hidden layer: weights of one before the sleep, of two after it."""
    tasks = patches(4, 0)
    sizes = (100, 3, 4)
    weights = {
        name: [torch.full((out, n), value) for n, out in ((100, 3), (3, 4))]
        for name, value in (("training 1", 0.5), ("training 2", 1.0), ("sleep 2", 2.0))
    }
    values: dict[str, Any] = {
        "model": mlp(sizes, init=0.1),
        "tasks": tasks,
        "initial": [torch.zeros_like(w) for w in weights["sleep 2"]],
        "phases": weights,
        "config": SleepConfig(alpha=1.0, beta=0.5, inc=0.0, dec=0.0, rate=100.0, steps=50),
        "inputs": torch.cat([task.x_train for task in tasks]),
        "seed": (3, 1),
        "alone": lambda task: weights["training 1"] if task == 0 else weights["training 2"],
    }
    return Subject(**values | changes)


# In a run


def test_measures_are_plain_data_beside_the_accuracies(metrics: dict[str, Any]) -> None:
    assert tuple(metrics["measures"]) == NAMES
    text = json.dumps(metrics, allow_nan=False)
    assert json.loads(text) == metrics
    plain = run(measured(measures=(), keep_weights=True))
    assert "measures" not in plain
    assert plain["phases"] == metrics["phases"]  # measuring changes nothing else


def test_a_measure_does_not_depend_on_the_others(metrics: dict[str, Any]) -> None:
    for names in (NAMES[::-1], ("replay",)):
        found = run(measured(measures=names))["measures"]
        assert {name: found[name] for name in names} == {name: metrics["measures"][name] for name in names}


def test_what_cannot_be_measured_is_refused_before_any_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("srclib.learning.training.train", lambda *args, **kw: pytest.fail("trained"))
    with pytest.raises(ValueError, match="measure 'sparsity' is unknown: allowed is one of correlations, sparseness"):
        run(measured(measures=("sparsity",)))
    for cell in (measured(plugins=()), measured(plugins=(sleep(60, 0),)), measured(joint=True)):
        with pytest.raises(ValueError, match=r"measures = .*: allowed is none where no sleep follows the last task"):
            run(cell)


def test_the_course_ends_where_the_sleep_does(metrics: dict[str, Any]) -> None:
    course, phases = metrics["measures"]["course"], metrics["phases"]
    assert course["steps"][0] == 0
    assert course["steps"][-1] == 60
    first, last = (course["mean"]["accuracy"][i] for i in (0, -1))
    assert sum(first) / 4 == pytest.approx(phases[1]["overall"])
    assert sum(last) / 4 == pytest.approx(phases[2]["overall"])
    assert course["mean"]["spikes"][-1] == phases[2]["spikes"]
    assert course["mean"]["changed"][0] == [0, 0, 0]
    before, after = ([torch.tensor(w) for w in phase["weights"]] for phase in phases[1:])
    assert course["mean"]["changed"][-1] == [int((a != b).sum()) for a, b in zip(after, before, strict=True)]


def test_replay_of_the_last_sleep_is_the_last_sleep(metrics: dict[str, Any]) -> None:
    replay = metrics["measures"]["replay"]
    assert [layer["spikes"] for layer in replay["mean"]] == metrics["phases"][2]["spikes"][:2]
    for layer in replay["mean"]:
        assert len(layer["events"]["steps"]) == len(layer["events"]["neurons"]) == layer["spikes"]
        assert layer["events"]["steps"] == sorted(layer["events"]["steps"])
        assert max(layer["events"]["steps"]) < 60
    assert replay["inputs_per_step"]["random"] == pytest.approx(replay["inputs_per_step"]["mean"], rel=0.5)
    assert [len(subset) for subset in replay["subset"]] == [20, 12]


def test_streams_of_a_sleep_share_its_steps() -> None:
    found = run(measured(plugins=(sleep(0, 15, beta=0.2, batch=4),), measures=("replay", "course")))
    replay, course = found["measures"]["replay"], found["measures"]["course"]
    assert course["steps"][-1] == 15
    assert course["mean"]["spikes"][-1] == found["phases"][2]["spikes"]
    assert max(replay["mean"][0]["events"]["steps"]) < 15


def test_weights_through_the_sleep(metrics: dict[str, Any]) -> None:
    found = metrics["measures"]["synapses"]
    assert found["cosine"]["training 1"][0] == 1  # the solution of the first task is the network after it
    assert found["cosine_of_change"]["training 1"][0] == 1
    assert list(found["cosine"]) == ["initial", "training 1", "training 2", "sleep 2"]
    alone = run(tiny(awake=measured().awake, order=(1, 0), tasks=1, keep_weights=True))["phases"][0]["weights"]
    before = [torch.tensor(w) for w in metrics["phases"][1]["weights"]]
    assert found["cosine"]["training 2"][1] == pytest.approx(analysis.cosine(before, [*map(torch.tensor, alone)]))
    for layer, old, new in zip(found["layers"], *(p["weights"] for p in metrics["phases"][1:]), strict=True):
        change = torch.tensor(new) - torch.tensor(old)
        assert layer["raised"] + layer["lowered"] == int((change != 0).sum())


# By hand


def test_what_neurons_receive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image has 17 pixels on, so that a hidden neuron receives 17 w; one neuron answers to each task."""
    counts = [torch.tensor([[3.0, 0, 1], [3, 0, 1], [0, 2, 0], [0, 2, 0]])]
    monkeypatch.setattr(Subject, "responses", dict.fromkeys(("initial", "before", "after"), counts))
    found = measures.received(subject())
    (layer,) = found["active"]
    assert [task["neurons"] for task in layer["tasks"]] == [2, 1]
    assert [task["before"] for task in layer["tasks"]] == [17, 17]
    assert [task["after"] for task in layer["tasks"]] == [34, 34]
    assert [task["change_other"] for task in layer["tasks"]] == [17, 17]
    assert layer["tasks"][0]["changes"] == [17, 17]
    assert layer["shared"] == 0
    assert layer["difference"] is None  # one neuron is no sample
    assert set(found) == {"active", "preferring", "after"}


def test_correlations_before_and_after_are_those_of_the_weights() -> None:
    """All hidden units receive the same, so that no image varies over them."""
    found = measures.correlations(subject())
    assert found["classes"] == [0, 1, 2, 3]
    assert found["before"][0]["silent"] == found["after_dropout"][0]["silent"] == 4
    assert found["before"][0]["between"] is None
    weights = torch.zeros(3, 100)
    weights[0] = 1.0
    phases = {"training 2": [weights, torch.ones(4, 3)], "sleep 2": [weights, torch.ones(4, 3)]}
    found = measures.correlations(subject(phases=phases))
    assert found["before"][0]["between"] == 1  # every image excites the same unit


def test_sparseness_is_that_of_the_weights() -> None:
    one = torch.zeros(3, 100)
    one[0] = 1.0
    phases = {"training 2": [torch.ones(3, 100), torch.ones(4, 3)], "sleep 2": [one, torch.ones(4, 3)]}
    found = measures.sparseness(subject(phases=phases))
    assert found["before"]["mean"] == [0]
    assert found["after"]["mean"] == [1]
    assert found["initial"]["mean"] == [None]  # all weights are zero
    assert [c["active"] for c in found["after"]["layers"][0]] == [0.3333] * 4


def test_firing_by_hand() -> None:
    rates = torch.tensor([4.0, 2.0, 0.0, 1.0])
    counts = torch.tensor([[5.0, 4.0, 0, 0], [0, 0, 0, 2.0]])
    entry = firing(rates, counts, torch.tensor([2, 3]), last=1)
    assert entry["rate_subset"] == [0.5, pytest.approx(0.7071)]
    assert entry["active"]["rates"] == [[3.0, pytest.approx(1.414)], [1.0, None]]
    assert entry["active"]["subset"][0] == analysis.compare([4, 2], [0, 1])
    assert entry["active"]["subset_all"] == analysis.compare([4, 2, 1], [0, 1])
    assert entry["rank_correlation"] == 1  # awake 2.5, 2, 0, 1
    assert firing(torch.zeros(4), counts, torch.tensor([2, 3]), last=1)["rank_correlation"] is None


def test_completely_random_input_has_the_mean_brightness() -> None:
    inputs = torch.zeros(2, 100)
    inputs[:, :10] = 1.0
    config = replace(subject().config, steps=4000)
    drawn = subject(inputs=inputs, config=config)
    mean, random = drawn.noise("mean").dense(), drawn.noise("random").dense()
    assert mean[:, 10:].sum() == 0
    assert mean.sum() / 4000 == pytest.approx(2, abs=0.1)  # ten inputs, each in a fifth of the steps
    assert random.sum() / 4000 == pytest.approx(2, abs=0.1)
    assert random.mean(0).max() < 0.05  # 0.02 expected of each


# Rasters


def test_rasters_of_a_spiking_network() -> None:
    config = awake(layers=(100, 20, 12, 4), init=0.2, loss="relu_mse", spiking=15)
    cell = measured(awake=config, plugins=(sleep(0, 60, alpha=1.0, beta=0.5),), measures=("rasters",))
    metrics = run(cell)
    found = metrics["measures"]["rasters"]
    assert list(found["awake"]) == ["0", "1", "2", "3"]
    for layers in found["awake"].values():
        for layer, neurons in zip(layers, (20, 12, 4), strict=True):
            assert layer["steps"] == sorted(layer["steps"])
            assert set(layer["steps"]) <= set(range(15))
            assert set(layer["neurons"]) <= set(range(neurons))
    assert sum(len(layers[0]["steps"]) for layers in found["awake"].values()) > 0
    spikes = metrics["phases"][-1]["spikes"]
    assert [len(layer["steps"]) for layer in found["asleep"]] == spikes  # those of the sleep itself
    assert spikes[0] > 0


def test_a_network_of_rectified_units_has_no_spikes_awake(metrics: dict[str, Any]) -> None:
    found = metrics["measures"]["rasters"]
    assert all(layers == [] for layers in found["awake"].values())
    assert len(found["asleep"]) == 3


# The closed form


def test_a_sleep_that_is_the_closed_form_agrees_with_it() -> None:
    """In the network before it, every neuron is excited by twice the inputs that inhibit it."""
    given = subject()
    excited = [torch.where(torch.arange(w.shape[1]) % 2 == 0, 1.0, -0.5).expand(w.shape) for w in given.before]
    slopes = [w * (1 + torch.arange(len(w)))[:, None] for w in excited]
    model = given.network(slopes)
    settle(model, torch.cat([task.x_train for task in given.tasks]).mean(0))
    phases = {"training 2": slopes, "sleep 2": [w.detach() for w in model.parameters()]}
    (found,) = measures.agreement(replace(given, phases=phases))
    assert (found["task"], found["same"]) == (1, 1.0)
    assert found["sleep"] == found["closed_form"]
    (layer,) = found["layers"]
    assert [layer[key] for key in ("weights", "size", "excited", "negative")] == [1.0] * 4
    assert layer["neurons"] == 1.0


def test_a_sleep_that_does_the_opposite_does_not() -> None:
    before = torch.tensor([[1.0, -1.0, 0.5], [2.0, -1.0, 0.5], [-1.0, -1.0, -1.0]])
    settled, slept = before.clone(), before.clone()
    settled[0, 1] -= 1
    settled[1, 1] -= 2
    slept[0, 0] -= 2
    slept[2, 0] -= 2
    found = analysis.agreement(before, slept, settled)
    assert found["weights"] < 0
    assert found["neurons"] < 0
    assert found["size"] == pytest.approx(2 * 2**0.5 / 5**0.5, abs=1e-3)
    assert (found["excited"], found["negative"]) == (0.5, 0.5)


def test_every_sleep_is_compared(metrics: dict[str, Any]) -> None:
    (found,) = metrics["measures"]["agreement"]
    assert found["task"] == 1
    assert found["sleep"] == pytest.approx(metrics["final"], abs=1e-3)
    assert len(found["layers"]) == 2
