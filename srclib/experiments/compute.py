"""Many runs: compute what the store lacks, on the cores of this machine or on a Dask cluster."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from datetime import UTC, datetime
from itertools import chain, product
from typing import Any

from filelock import BaseFileLock

from ..data import at_hand, provenance
from ..data.terminal import progress
from . import grid, workers
from .cell import Cell
from .records import Record
from .run import Shared
from .run import run as run_cell
from .store import Store

log = logging.getLogger(__name__)


def complete(
    name: str, cells: Sequence[Cell], *, store: Store | None = None, scheduler: str | None = None
) -> list[Record]:
    """Return the records of cells, in their order, computing and storing what the store lacks.

    name: the experiment, whose file new records go to. scheduler: the address of a Dask scheduler such as
    `tcp://host:8786`; "inline": this process; None: what $SRCLIB_SCHEDULER says, else a local cluster with one
    single-threaded worker per core.
    Beside the committed results, a cell that is in no profile of the experiment is kept in the store's `trials`.
    """
    store = store or Store()
    store.refresh()
    missing = list({cell.key(): cell for cell in cells if cell not in store}.values())
    log.info("%s: %d cells, %d to compute", name, len(cells), len(missing))
    if missing:
        homes = [(store, missing)]
        if store.trials is not store:
            own = grid.keys(name)
            homes = [
                (store, [c for c in missing if c.key() in own]),
                (store.trials, [c for c in missing if c.key() not in own]),
            ]
        with workers.pool(workers.address_of(scheduler), len(missing)) as (executor, slots):
            for home, cells_there in homes:
                _compute_all(name, cells_there, home, executor, slots)
    return [store[cell] for cell in cells]


def collect(
    name: str, profile: str = "full", protocol: str = "released", *, store: Store | None = None, **changes: Any
) -> dict[tuple[str, str], list[Record]]:
    """Return the records of an experiment by data set and run (method and variant), computing what is missing.

    Each record says in `at` at which point of the grid it lies (`grid.Point`), with its overlap if it has one; a list
    of numbers stands there as a tuple.
    A data set that would have to be downloaded for it is skipped, and the log says so.
    """
    store = store or Store()
    values = grid.settings(name, profile, protocol, **changes)
    found = {d: grid.points(name, profile, protocol, **changes | {"datasets": [d]}) for d in values["datasets"]}
    for dataset, those in list(found.items()):
        if not at_hand(dataset) and not all(cell in store for _, cell in those):
            log.info("%s: %s skipped: no data; see `srclib data prepare %s`", name, dataset, dataset)
            del found[dataset]
    points = list(chain.from_iterable(found.values()))
    records = complete(name, [cell for _, cell in points], store=store)
    placed = [{**record, "at": _at(*point)} for record, point in zip(records, points, strict=True)]
    pairs = list(product(found, values["runs"]))  # in the order of the grid, all with equally many cells
    each = len(placed) // max(1, len(pairs))
    return {pair: placed[i * each : (i + 1) * each] for i, pair in enumerate(pairs)}


def _at(point: grid.Point, cell: Cell) -> grid.Point:
    overlap = {} if cell.overlap is None else {"overlap": cell.overlap}
    return overlap | {path: tuple(value) if isinstance(value, list) else value for path, value in point.items()}


def _compute_all(name: str, cells: list[Cell], store: Store, executor: Executor, slots: int) -> None:
    """Keep `slots` cells in flight until all are stored; one that another process computes is waited for."""
    flying: dict[Future[Record], BaseFileLock] = {}
    with progress(name, len(cells)) as advance:
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


_SHARED: Shared = {}  # of this process


def compute(cell: Cell) -> Record:
    """Run one cell; return its metrics with their provenance, ready for the store."""
    start = time.perf_counter()
    metrics = run_cell(cell, _SHARED)
    return {
        "key": cell.key(),
        "cell": cell.to_plain(),
        "metrics": metrics,
        "seed": cell.seed,
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "device": provenance.device(),
        "seconds": round(time.perf_counter() - start, 3),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
