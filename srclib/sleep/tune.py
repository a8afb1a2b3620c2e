"""Find the parameters of a sleep for a network, data and a score of your own.

The parameters belong to a network and its training, and nothing in the paper tells them beforehand. Here they are tried
from the same weights again and again, each on several streams of noise. The score needs examples of the old tasks that
were held out of training: find parameters on a stream where you have them, and judge the sleep on another one.
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from torch import Tensor

from . import RunawayError, SleepConfig, SleepWarning, layer_scales, linear_layers, set_weights, sleep
from .layers import Network, once
from .space import check_space, quiet_optuna, suggest, with_values

Space = Mapping[str, tuple[int | float, int | float]]

# With a gain of 1 times the layer scales, which is as good as any where nothing leaks: it only scales the thresholds.
START = SleepConfig(alpha=1.0, beta=1.0, inc=0.001, dec=0.0001, max_updates=400_000_000)
SPACE: Space = {
    "steps": (500, 30_000),
    "rate": (20.0, 500.0),
    "inc": (1e-5, 0.1),
    "dec": (1e-6, 0.01),
    "beta": (0.002, 2.0),
}


@dataclass(frozen=True)
class Tuned:
    """What a search found."""

    config: SleepConfig  # the best settings, for `sleep` with `scale_inputs` as they were given here
    score: float  # its mean score
    awake: float  # the score without a sleep
    trials: list[dict[str, float]]  # those that ended: `score`, `seconds` and parameters by name


@quiet_optuna()
def tune(
    model_or_linears: Network,
    mean_input: Tensor | np.ndarray,
    score: Callable[[], float],
    *,
    scale_inputs: Tensor | None = None,
    start: SleepConfig = START,
    space: Space = SPACE,
    trials: int = 100,
    noise: int = 2,
    seed: int = 0,
) -> Tuned:
    """Search for the sleep after which a network has its best score; the network is as before in the end.

    model_or_linears, mean_input, scale_inputs: as for `srclib.sleep.sleep`. score: how good the network is with its
    present weights, the higher the better.
    start: what is not searched, such as `gate`. Beyond its `max_updates` a sleep is given up: its neurons fire without
    end. space: lowest and highest value by parameter, drawn log-uniformly, whole numbers stay whole; `beta` and `alpha`
    are searched for every layer by itself, `beta[1]` is that of the second one.
    trials: how many settings are tried, each on `noise` streams of noise. seed: of the sampler and of the noise.
    Raises ValueError for an unknown parameter, bad bounds, and where `sleep` does; RunawayError if no sleep ended.
    """
    import optuna

    network = once(model_or_linears)
    linears = linear_layers(network)
    bounds = _by_layer(space, len(linears))
    if min(trials, noise) < 1:
        raise ValueError(f"trials = {trials}, noise = {noise}: allowed are whole numbers >= 1")
    scales = [1.0] * len(linears)
    if scale_inputs is not None:
        scales = layer_scales(network, scale_inputs)
    weights = [layer.weight.detach().clone() for layer in linears]
    awake = _finite(score())

    def objective(trial: optuna.Trial) -> float:
        began, reached = time.perf_counter(), []
        config = with_values(start, suggest(trial, bounds)).scaled(scales)
        try:
            for stream in range(noise):
                set_weights(linears, weights)
                sleep(network, mean_input, config, seed=(seed, stream), progress=False)
                reached.append(_finite(score()))
        except RunawayError:
            raise optuna.TrialPruned from None
        trial.set_user_attr("seconds", time.perf_counter() - began)
        return statistics.fmean(reached)

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True))
    try:
        with warnings.catch_warnings(action="ignore", category=SleepWarning):  # some that are tried are too weak
            study.optimize(objective, n_trials=trials)
    finally:
        set_weights(linears, weights)
    ended = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    if not ended:
        raise RunawayError(f"all of {trials} sleeps made more than max_updates = {start.max_updates} synaptic updates")
    tried = [{"score": t.value, **t.params, "seconds": t.user_attrs["seconds"]} for t in ended]
    return Tuned(with_values(start, study.best_params), study.best_value, awake, tried)


def _finite(score: float) -> float:
    if not math.isfinite(score):
        raise ValueError(f"score() = {score}: allowed is a finite number")
    return float(score)


def _by_layer(space: Space, layers: int) -> dict[str, tuple[int | float, int | float]]:
    check_space(space)
    known = {field.name for field in fields(SleepConfig)}
    bounds: dict[str, tuple[int | float, int | float]] = {}
    for key, pair in space.items():
        name = key.partition("[")[0]
        if name not in known:
            raise ValueError(f"space: {key!r} is no parameter of a sleep: allowed is one of {', '.join(sorted(known))}")
        each = [f"{key}[{layer}]" for layer in range(layers)] if key in ("alpha", "beta") else [key]
        bounds |= dict.fromkeys(each, pair)
    return bounds
