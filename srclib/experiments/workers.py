"""Workers: where calls run at once, with Dask."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from ..data.stopping import deaf

CONNECT = 10  # seconds that a scheduler has to answer
POLL = 0.5  # seconds between looks at what other processes do


def address_of(scheduler: str | None) -> str | None:
    """Return the scheduler that was asked for, else what $SRCLIB_SCHEDULER says, if anything."""
    return scheduler or os.environ.get("SRCLIB_SCHEDULER")


@contextmanager
def pool(scheduler: str | None, most: int) -> Iterator[tuple[Executor, int]]:
    """Yield an executor, and how many calls run at once: on workers of its own not more than `most`."""
    if scheduler == "inline":
        executor = ThreadPoolExecutor(1)
        try:
            yield executor, 1
        finally:
            executor.shutdown(wait=False, cancel_futures=True)  # whoever is stopped does not wait for a run
        return
    if scheduler is None:
        with cluster(min(most, os.cpu_count() or 1)) as address, pool(address, most) as found:
            yield found
        return
    from distributed import Client  # a second to import, needed only when something is missing

    logging.getLogger("distributed").setLevel(logging.ERROR)
    try:
        client = Client(scheduler, timeout=CONNECT)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"scheduler = {scheduler}: no scheduler answers there ({error})") from None
    with client:
        yield client.get_executor(pure=False), max(1, sum(client.ncores().values()))


@contextmanager
def cluster(workers: int | None = None) -> Iterator[str]:
    """Start single-threaded workers on this machine, one per core unless given; yield their scheduler's address."""
    from distributed import LocalCluster

    logging.getLogger("distributed").setLevel(logging.ERROR)
    try:
        with deaf():
            found = LocalCluster(
                n_workers=workers or os.cpu_count() or 1,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.ERROR,
            )
    except (OSError, ImportError, RuntimeError) as error:  # without /dev/shm, or ports
        raise OSError(
            f"workers cannot be started here ({error}): --scheduler inline computes in this process"
        ) from None
    with found:
        yield found.scheduler_address
