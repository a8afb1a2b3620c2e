"""Parameters: that values go into settings and come out again."""

from __future__ import annotations

from srclib.experiments.protocols.sleep import Section
from srclib.learning.methods.owm import OWM
from srclib.search.parameters import awake_values, config_of, values_of, with_values

from .tiny import STRENGTH, WHOLE

AWAKE_PHASE = WHOLE.cell(WHOLE.start(), 7).awake


def test_those_of_several_layers_become_one_tuple() -> None:
    start = WHOLE.start()
    assert isinstance(start, Section)
    changed = with_values(start, {"beta[0]": 1.5, "inc": 0.5, "beta[1]": 2.5})
    assert isinstance(changed, Section)
    config = config_of(changed)
    assert (config.beta, config.inc, config.dec) == ((1.5, 2.5), 0.5, config_of(start).dec)
    assert values_of(changed, AWAKE_PHASE, ["beta[1]", "dec"]) == {"beta[1]": 2.5, "dec": 0.001}
    assert values_of(config, AWAKE_PHASE, ["beta[1]", "inc"]) == {"beta[1]": 2.5, "inc": 0.5}


def test_a_sleep_is_as_long_as_its_config_says_and_grows_as_its_section_does() -> None:
    values = {"steps": 30, "growth": 1.5, "leak": 0.25, "awake.lr": 0.5}
    changed = with_values(WHOLE.start(), values)
    assert isinstance(changed, Section)
    assert (changed.steps, changed.growth, config_of(changed).decay) == ((30,), 1.5, 0.75)
    assert values_of(changed, AWAKE_PHASE, values) == values | {"awake.lr": AWAKE_PHASE.lr}


def test_other_methods_have_them_as_fields() -> None:
    assert with_values(STRENGTH.start(), {"strength": 3.0}).strength == 3.0  # type: ignore[union-attr]
    found = with_values(OWM((1.0, 2.0), (0.3, 0.4), 5.0), {"alpha[0]": 0.5, "alpha[1]": 0.25, "clip": 1.0})
    assert found == OWM((0.5, 0.25), (0.3, 0.4), 1.0)


def test_those_of_the_awake_phase_have_its_names() -> None:
    assert awake_values({"awake.lr": 0.5, "inc": 0.1, "awake.epochs": 3}) == {"lr": 0.5, "epochs": 3}
