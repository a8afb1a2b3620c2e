"""Stopping a command: Ctrl-C and SIGTERM end it in one line, with the exit code of the signal, and leave no process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any, NoReturn

from .terminal import line

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE = 3.0  # seconds that processes have to end by themselves


class Stopped(BaseException):
    """A signal told this process to stop; `number` is that of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.said = "stopped"


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` for the first Ctrl-C or SIGTERM; what comes after it ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> NoReturn:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        raise Stopped(number)

    before = {each: signal.signal(each, stop) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def telling(done: Callable[[], tuple[int, int]], what: str = "") -> Iterator[None]:
    """Let whoever stops what is within say how much of it is stored; done: how many of how many there are."""
    try:
        yield
    except Stopped as stopped:
        stored, total = done()
        stopped.said = f"stopped; {stored:,} of {total:,} {what}are stored"
        raise


@contextmanager
def deaf() -> Iterator[None]:
    """Let processes that are started within not hear Ctrl-C, which a terminal sends to them, too."""
    resource_tracker.ensure_running()  # which would let the thread hear it again that first needs it
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def end(stopped: Stopped) -> NoReturn:
    """Say that it was stopped, end the processes that this one has started, and this one."""
    import psutil  # a dependency of Dask; few need it

    started = psutil.Process().children(recursive=True)
    for process in started:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(started, GRACE)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    line(stopped.said)
    sys.stdout.flush()
    os._exit(128 + stopped.number)  # threads that still compute end, too
