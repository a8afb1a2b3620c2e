"""Methods: which plugins each is made of, and how they combine."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest

from srclib.experiments.protocols import load
from srclib.experiments.run import run
from srclib.learning import methods
from srclib.learning.methods import METHODS, PARTS, find, part_of
from srclib.learning.methods.alignment import Alignment
from srclib.learning.methods.averaging import Averaging
from srclib.learning.methods.calibration import Calibration
from srclib.learning.methods.class_means import ClassMeans
from srclib.learning.methods.closed_form import ClosedForm
from srclib.learning.methods.distillation import Distillation
from srclib.learning.methods.ewc import EWC
from srclib.learning.methods.icarl import ICaRL
from srclib.learning.methods.owm import OWM
from srclib.learning.methods.plugin import Plugin
from srclib.learning.methods.pseudo_rehearsal import PseudoRehearsal
from srclib.learning.methods.random_features import RandomFeatures
from srclib.learning.methods.rehearsal import Rehearsal
from srclib.learning.methods.shuffled import Shuffled
from srclib.learning.methods.si import SI
from srclib.learning.methods.slda import SLDA
from srclib.learning.methods.thresholds import Thresholds
from srclib.learning.training import LOSSES

from ...cells import awake, sleep, tiny

EVERY: dict[str, Plugin] = {
    "sleep": sleep(0, 60, beta=0.3),
    "ewc": EWC(1.0),
    "si": SI(0.1, 0.1),
    "owm": OWM((3.0, 3.0), (0.5, 1.0)),
    "rehearsal": Rehearsal(0.5),
    "icarl": ICaRL(4, dropout=True),
    "closed_form": ClosedForm(),
    "shuffled": Shuffled(),
    "distillation": Distillation(),
    "pseudo_rehearsal": PseudoRehearsal(8),
    "alignment": Alignment(),
    "thresholds": Thresholds(1.0),
    "calibration": Calibration(),
    "averaging": Averaging(),
    "class_means": ClassMeans(),
    "slda": SLDA(),
    "random_features": RandomFeatures(1.0, 20),
}
PHASES = {"src": "sleep", "closed_form": "closed_form", "shuffled": "shuffled"}  # methods with a phase of their own
NAMES = [name for name, method in METHODS.items() if method.parts]


@pytest.mark.parametrize(
    ("name", "label", "plugins"),
    [
        ("sequential", "Sequential", []),
        ("src", "SRC", ["sleep"]),
        ("ewc", "EWC", ["ewc"]),
        ("si", "SI", ["si"]),
        ("owm", "OWM", ["owm"]),
        ("rehearsal", "Rehearsal", ["rehearsal"]),
        ("icarl", "iCaRL", ["icarl"]),
        ("closed_form", "Closed form", ["closed_form"]),
        ("distillation", "LwF", ["distillation"]),
        ("pseudo_rehearsal", "Pseudo-rehearsal", ["pseudo_rehearsal"]),
        ("parallel", "Parallel (ideal)", []),
        ("src+shuffled", "SRC + Shuffled", ["sleep", "shuffled"]),
        (
            "slda+averaging+calibration+thresholds+alignment+class_means+random_features",
            "Aligned norms (WA) + Thresholds + Calibrated outputs + Averaged weights + Class means (NCM) + SLDA + "
            "Random features",
            ["alignment", "thresholds", "calibration", "averaging", "class_means", "slda", "random_features"],
        ),
        ("icarl+src", "SRC + iCaRL", ["sleep", "icarl"]),
        ("src+rehearsal", "SRC + Rehearsal", ["sleep", "rehearsal"]),
        ("src+ewc", "SRC + EWC", ["sleep", "ewc"]),
        ("owm+rehearsal+si+ewc+src", "SRC + EWC + SI + OWM + Rehearsal", ["sleep", "ewc", "si", "owm", "rehearsal"]),
    ],
)
def test_plugins_of_a_method(name: str, label: str, plugins: list[str]) -> None:
    method = find(name)
    assert method.label == label
    assert method.plugins(EVERY, "a test") == tuple(EVERY[plugin] for plugin in plugins)
    assert method.joint == (name == "parallel")


def test_every_file_with_a_method_is_one() -> None:
    files = {path.stem for path in Path(methods.__path__[0]).glob("*.py")}
    assert set(PARTS) == set(EVERY) == files - {"__init__", "plugin"}
    for part, plugin in EVERY.items():
        assert part_of(plugin) == part
        assert PARTS[part] is type(plugin)


def test_a_plugin_that_is_no_method_has_no_name() -> None:
    class Other(EWC):
        pass

    for plugin in (Plugin(), Other(1.0)):
        with pytest.raises(
            ValueError,
            match="is no method: allowed is one of sleep, closed_form, shuffled, ewc, si, owm, rehearsal, icarl",
        ):
            part_of(plugin)


def test_the_order_of_names_does_not_matter() -> None:
    for names in combinations(NAMES, 3):
        assert len({find("+".join(order)) for order in permutations(names)}) == 1


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", [*METHODS, *("+".join(pair) for pair in combinations(NAMES, 2)), "+".join(NAMES)])
def test_every_combination_runs(name: str, loss: str) -> None:
    """On the patches; with a sleep after the second task in some."""
    method = find(name)
    config = awake(layers=(100, 12, 4), loss=loss, init=0.3, dropout=0.1)
    metrics = run(tiny(awake=config, plugins=method.plugins(EVERY, "a test"), joint=method.joint))
    training = ["training"] * (1 if method.joint else 2)
    own = [kind for part, kind in PHASES.items() if part in name.split("+")]
    kinds = [phase["kind"] for phase in metrics["phases"]]
    assert [kind for kind in kinds if kind == "training"] == training
    assert set(kinds) == {"training", *own}
    assert 0 <= metrics["final"] <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_method_needs_its_parameters(name: str) -> None:
    (part,) = METHODS[name].parts
    others = {other: plugin for other, plugin in EVERY.items() if other != part}
    with pytest.raises(ValueError, match=rf"{part} is null: no {part} parameters are known \(a test\)"):
        find(name).plugins(others, "a test")
    assert find("sequential").plugins(others, "a test") == ()


def plugins_of(name: str, protocol: str, dataset: str) -> tuple[Plugin, ...]:
    found = load(protocol, dataset)
    return find(name).plugins(found.methods, found.source)


@pytest.mark.parametrize("protocol", ["released", "described"])
@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist", "cross_modal"])
@pytest.mark.parametrize("name", ["ewc", "si", "owm", "rehearsal"])
def test_the_protocols_have_them(name: str, dataset: str, protocol: str) -> None:
    (plugin,) = plugins_of(name, protocol, dataset)
    if isinstance(plugin, OWM):
        assert len(plugin.alpha) == 3  # layers
    if isinstance(plugin, Rehearsal):
        assert (plugin.fraction, plugin.released) == (0.0075, protocol == "released")


def test_icarl_of_the_protocols() -> None:
    for dataset in ("mnist", "fashion_mnist"):
        (described,), (released,) = (plugins_of("icarl", name, dataset) for name in ("described", "released"))
        assert described == ICaRL(100)
        assert released == ICaRL(
            100, "network", normalized=False, first="smallest_projection", dropout=True, pool=True, pad=100
        )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "scr",
            "method 'scr' is unknown: allowed is one of sequential, src, closed_form, shuffled, ewc, si, owm",
        ),
        ("src+", "method '' is unknown"),
        ("src+hat", "method 'hat' is unknown"),
        (
            "src+src",
            "method 'src.src' is no combination: allowed are src, closed_form, shuffled, ewc, si, owm, rehearsal",
        ),
        ("src+sequential", "method 'src.sequential' is no combination"),
        ("parallel+rehearsal", "method 'parallel.rehearsal' is no combination"),
    ],
)
def test_bad_names(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find(name)


CHANGES: list[tuple[Plugin, dict[str, Any]]] = [
    (EWC(1.0), {"strength": 2.0, "fisher": "empirical"}),
    (SI(1.0, 0.1), {"strength": 2.0, "damping": 0.2}),
    (OWM((1.0,), (0.1,)), {"alpha": (2.0,), "decay": (0.2,), "clip": 10.0}),
    (Rehearsal(0.1), {"fraction": 0.2, "released": True}),
    (
        ICaRL(4),
        {
            "memory": 5,
            "head": "network",
            "normalized": False,
            "first": "smallest_projection",
            "dropout": True,
            "pool": True,
            "pad": 100,
            "herding": False,
            "distillation": False,
        },
    ),
]
CHANGES += [
    (ClosedForm(), {"share": 0.5, "outputs": True}),
    (Shuffled(), {"among": "inputs"}),
    (PseudoRehearsal(), {"items": 10, "drive": "random"}),
    (Thresholds(1.0), {"factor": 2.0}),
    (SLDA(), {"shrinkage": 0.1}),
    (RandomFeatures(1.0), {"ridge": 2.0, "features": 10}),
]


@pytest.mark.parametrize(("plugin", "changes"), CHANGES, ids=lambda value: type(value).__name__)
def test_every_setting_enters_the_key(plugin: Plugin, changes: dict[str, Any]) -> None:
    assert set(changes) == {field.name for field in fields(plugin)}
    changed = [tiny(plugins=(replace(plugin, **{name: value}),)).key() for name, value in changes.items()]
    assert len({tiny(plugins=(plugin,)).key(), *changed}) == len(changes) + 1
