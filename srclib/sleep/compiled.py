"""Compiled functions: Numba's machine code, compiled once, kept on disk where a folder for it can be written."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from threading import Lock
from typing import Any, TypeVar, cast

import torch
from numba import extending, njit

Function = TypeVar("Function", bound=Callable[..., Any])
Item = TypeVar("Item")
Result = TypeVar("Result")

intrinsic = cast(Callable[[Callable[..., Any]], Callable[..., Any]], extending.intrinsic)


def compiled(signature: str) -> Callable[[Function], Function]:
    """Compile the decorated function when it is first called, for this signature alone, without the interpreter's lock.

    signature: as `numba.njit` takes it. Arguments that do not fit it raise TypeError, so that nothing compiles anew in
    the middle of a loop. Later processes load the machine code: it is kept beside the source or in the user's cache.
    Where neither can be written (a read-only installation without a home), every process compiles anew, and one
    RuntimeWarning names NUMBA_CACHE_DIR, which puts the code elsewhere.
    """

    def decorate(function: Function) -> Function:
        code: Callable[..., Any] | None = None
        lock = Lock()

        @wraps(function)
        def call(*arguments: Any) -> Any:
            nonlocal code
            with lock:
                code = code or _compile(signature, function)
            return code(*arguments)

        return cast(Function, call)

    return decorate


def part(function: Function) -> Function:
    """Let a function be called by compiled ones, and compiled with them; a divisor of 0 raises nothing in it."""
    return cast(Function, njit(error_model="numpy")(function))


def _compile(signature: str, function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return njit(signature, cache=True, nogil=True)(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
    _warn()
    return njit(signature, nogil=True)(function)


@cache
def _warn() -> None:
    warnings.warn(
        "srclib.sleep: no folder for compiled code can be written, so every process compiles it anew, which takes "
        "seconds; the environment variable NUMBA_CACHE_DIR names another folder",
        RuntimeWarning,
        stacklevel=2,
    )


def on_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield function(item) of every item, in their order, computed on as many threads as torch uses.

    Compiled functions release the interpreter's lock, so plain threads do, and disturb no other library's.
    """
    if torch.get_num_threads() == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        yield from pool.map(function, items)
