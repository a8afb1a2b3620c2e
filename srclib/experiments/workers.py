"""Workers: where calls run at once, with Dask."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

POLL = 0.5  # seconds between looks at what other processes do


def address_of(scheduler: str | None) -> str | None:
    """Return the scheduler that was asked for, else what $SRCLIB_SCHEDULER says, if anything."""
    return scheduler or os.environ.get("SRCLIB_SCHEDULER")


@contextmanager
def pool(scheduler: str | None, most: int) -> Iterator[tuple[Executor, int]]:
    """Yield an executor, and how many calls run at once: on workers of its own not more than `most`."""
    if scheduler == "inline":
        with ThreadPoolExecutor(1) as executor:
            yield executor, 1
        return
    if scheduler is None:
        with cluster(min(most, os.cpu_count() or 1)) as address, pool(address, most) as found:
            yield found
        return
    from distributed import Client  # a second to import, needed only when something is missing

    logging.getLogger("distributed").setLevel(logging.ERROR)
    with Client(scheduler) as client:
        yield client.get_executor(pure=False), max(1, sum(client.ncores().values()))


@contextmanager
def cluster(workers: int | None = None) -> Iterator[str]:
    """Start single-threaded workers on this machine, one per core unless given; yield their scheduler's address."""
    from distributed import LocalCluster

    logging.getLogger("distributed").setLevel(logging.ERROR)
    with LocalCluster(
        n_workers=workers or os.cpu_count() or 1,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.ERROR,
    ) as found:
        yield found.scheduler_address
