"""Many runs: grids of cells, and the scheduler that computes what the store lacks."""

from __future__ import annotations

import logging
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from datetime import UTC, datetime
from functools import cache, reduce
from importlib.metadata import version
from itertools import chain, product
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO

import yaml
from filelock import BaseFileLock

from . import datasets, experiment, methods, protocols, streams, workers
from .experiment import Cell
from .store import Record, Store

log = logging.getLogger(__name__)

EXPERIMENTS = Path(__file__).with_name("experiments.yaml")
PROFILES = ("smoke", "ci", "full")
VERSIONS = ("torch", "numpy", "numba")  # recorded with every result


@cache
def _file(part: str) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(EXPERIMENTS.read_text())[part]


def experiments() -> list[str]:
    """Return the names of all experiments in `experiments.yaml`."""
    return list(_file("experiments"))


def settings(name: str, profile: str = "full", protocol: str = "released", **changes: Any) -> dict[str, Any]:
    """Return the settings of an experiment under a profile and protocol; a change of None leaves the file's value.

    Raises ValueError for an unknown experiment, profile, protocol or setting.
    """
    known = _file("experiments")
    _check("experiment", name, known)
    _check("profile", profile, PROFILES)
    _check("protocol", protocol, protocols.names())
    values: dict[str, Any] = {}
    for part in (known[name], known[name].get(protocol, {})):
        values |= part.get("full", {}) | (part.get(profile) or {})
    for key in changes:
        _check(f"setting of {name}", key, values)
    return values | {key: value for key, value in changes.items() if value is not None}


def grid(name: str, profile: str = "full", protocol: str = "released", **changes: Any) -> list[Cell]:
    """Return the cells of an experiment: its runs on every data set, overlap, value of `over` and seed."""
    values = settings(name, profile, protocol, **changes)
    overlaps = range(values["overlap_min"], values["overlap_max"] + 1) if "overlap_min" in values else [None]
    points = [dict(zip(each, point, strict=True)) for each in _over(values) for point in product(*each.values())]
    return [
        cell(dataset, run, protocol, order=values["order"], overlap=overlap, at=point,
             seed=seed, keep_weights=values.get("keep_weights", False), tasks=values.get("tasks"),
             measures=values.get("measures", ()), changes=values.get("changes", {}))
        for dataset, run, overlap, point, seed in product(
            values["datasets"], values["runs"], overlaps, points, range(values["seeds"])
        )
    ]  # fmt: skip


def paths(values: Mapping[str, Any]) -> list[str]:
    """Return the settings of a protocol's parts that an experiment is `over`, such as `rehearsal.fraction`."""
    return [path for each in _over(values) for path in each]


def _over(values: Mapping[str, Any]) -> list[dict[str, list[Any]]]:
    """Return `over` of an experiment as a list: in each entry, all combinations of its values."""
    over = values.get("over", {})
    return over if isinstance(over, list) else [over]


def cell(
    dataset: str,
    run: str,
    protocol: str = "released",
    *,
    order: str = "sorted",
    seed: int = 0,
    overlap: int | None = None,
    at: Mapping[str, Any] = MappingProxyType({}),
    keep_weights: bool = False,
    tasks: int | None = None,
    measures: Sequence[str] = (),
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> Cell:
    """Return one cell.

    run: a method, or several joined by `+`, then `/variant` for a variant of `experiments.yaml`. at: settings of the
    protocol's parts, such as {"rehearsal.fraction": 0.1} or {"sleep.config.rate": 50}. tasks, measures: see `Cell`.
    changes: to the protocol's section, before the variant's.
    """
    name, _, variant = run.partition("/")
    method = methods.find(name)
    variants = _file("variants")
    if variant:
        _check("variant", variant, variants)
    all_changes = [changes, _of_seed(variants[variant], seed) if variant else {}]
    known = protocols.load(protocol, dataset, *all_changes) if at else None
    for path, value in at.items():
        part, *inner = path.split(".")
        if getattr(known, part, None) is None:
            raise ValueError(f"{path} = {value}: {protocol} has no {part} for {dataset}")
        all_changes.append({part: reduce(lambda change, key: {key: change}, reversed(inner), value)})
    found = protocols.load(protocol, dataset, *all_changes, parts=method.parts)
    in_all = streams.count_tasks(dataset, found.awake.layers[-1], found.classes_per_task)
    return Cell(
        dataset=dataset,
        awake=found.awake,
        classes_per_task=found.classes_per_task,
        plugins=method.plugins(found),
        joint=method.joint,
        tested=found.tested,
        order=streams.task_order(order, in_all, seed),
        seed=seed,
        overlap=overlap,
        keep_weights=keep_weights,
        tasks=tasks,
        measures=tuple(measures),
    )


def _of_seed(value: Any, seed: int) -> Any:
    """Return a variant with the seed in place of `{seed}` in its texts."""
    if isinstance(value, Mapping):
        return {key: _of_seed(inner, seed) for key, inner in value.items()}
    return value.replace("{seed}", str(seed)) if isinstance(value, str) else value


def _check(what: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{what} {value!r} is unknown: allowed is one of {', '.join(allowed)}")


def run(name: str, cells: Sequence[Cell], *, store: Store | None = None, scheduler: str | None = None) -> list[Record]:
    """Return the records of cells, in their order, computing and storing what the store lacks.

    name: the experiment, whose file new records go to. scheduler: the address of a Dask scheduler such as
    `tcp://host:8786`; "inline": this process; None: what $SRCLIB_SCHEDULER says, else a local cluster with one
    single-threaded worker per core.
    """
    store = store or Store()
    store.refresh()
    missing = list({cell.key(): cell for cell in cells if cell not in store}.values())
    log.info("%s: %d cells, %d to compute", name, len(cells), len(missing))
    if missing:
        with workers.pool(workers.address_of(scheduler), len(missing)) as (executor, slots):
            _compute_all(name, missing, store, executor, slots)
    return [store[cell] for cell in cells]


def collect(
    name: str, profile: str = "full", protocol: str = "released", *, store: Store | None = None, **changes: Any
) -> dict[tuple[str, str], list[Record]]:
    """Return the records of an experiment by data set and run (method and variant), computing what is missing.

    A data set that would have to be downloaded for it is skipped, and the log says so.
    """
    store = store or Store()
    values = settings(name, profile, protocol, **changes)
    cells = {d: grid(name, profile, protocol, **changes | {"datasets": [d]}) for d in values["datasets"]}
    for dataset in [d for d, those in cells.items() if not datasets.at_hand(d) and not all(c in store for c in those)]:
        log.info("%s: %s skipped: no data; see `python -m srclib data prepare %s`", name, dataset, dataset)
        del cells[dataset]
    records = run(name, list(chain.from_iterable(cells.values())), store=store)
    pairs = list(product(cells, values["runs"]))  # in the order of the grid, all with equally many cells
    each = len(records) // max(1, len(pairs))
    return {pair: records[i * each : (i + 1) * each] for i, pair in enumerate(pairs)}


def log_stages(stream: TextIO | None = None) -> None:
    """Log one line per stage to a stream, stderr unless given."""
    logging.basicConfig(stream=stream, format="%(message)s")
    logging.getLogger("srclib").setLevel(logging.INFO)


def _compute_all(name: str, cells: list[Cell], store: Store, executor: Executor, slots: int) -> None:
    """Keep `slots` cells in flight until all are stored; one that another process computes is waited for."""
    flying: dict[Future[Record], BaseFileLock] = {}
    with workers.progress(name, len(cells)) as advance:
        try:
            while cells or flying:
                for cell in cells[:]:
                    if len(flying) == slots:
                        break
                    if (claim := store.claim(cell)) is None:
                        continue
                    cells.remove(cell)
                    store.refresh()
                    if cell in store:
                        claim.release()
                        advance()
                    else:
                        flying[executor.submit(compute, cell)] = claim
                if not flying:  # another process computes what is left
                    time.sleep(workers.POLL)
                for future in wait(flying, workers.POLL, FIRST_COMPLETED).done:
                    store.append(name, future.result())
                    flying.pop(future).release()
                    advance()
        finally:
            for claim in flying.values():
                claim.release()


_SHARED: experiment.Shared = {}  # of this process


def compute(cell: Cell) -> Record:
    """Run one cell; return its metrics with their provenance, ready for the store."""
    start = time.perf_counter()
    metrics = experiment.run(cell, _SHARED)
    return {
        "key": cell.key(),
        "cell": cell.canonical(),
        "metrics": metrics,
        "seed": cell.seed,
        "commit": commit(),
        "versions": {"python": platform.python_version(), **{package: version(package) for package in VERSIONS}},
        "device": device(),
        "seconds": round(time.perf_counter() - start, 3),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@cache
def commit() -> str:
    """Return the commit of the source, with a `+` when it was changed since, or "unknown" outside a repository."""
    here = Path(__file__).parent
    git = ["git", "-C", str(here)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run(
            [*git, "status", "--porcelain", "."], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + "+" * bool(changed.strip())


@cache
def device() -> str:
    """Return the processor's name and the number of its cores."""
    name = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        name = models[0] if models else name
    return f"{name or platform.machine()}, {os.cpu_count()} cores"
