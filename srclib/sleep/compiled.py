"""Compiled functions: Numba's machine code, kept on disk where a folder for it can be written."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(signature: str | None = None, **options: Any) -> Callable[[Function], Function]:
    """Compile the decorated function without the interpreter's lock; later processes load its machine code.

    signature, options: as `numba.njit` takes them. The code is kept beside the source or in the user's cache. Where
    neither can be written (a read-only installation without a home), every process compiles anew, and one
    RuntimeWarning names NUMBA_CACHE_DIR, which puts the code elsewhere.
    """

    def decorate(function: Function) -> Function:
        try:
            return cast(Function, njit(signature, cache=True, nogil=True, **options)(function))
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
        _warn()
        return cast(Function, njit(signature, nogil=True, **options)(function))

    return decorate


@cache
def _warn() -> None:
    warnings.warn(
        "srclib.sleep: no folder for compiled code can be written, so every process compiles it anew, which takes "
        "seconds; the environment variable NUMBA_CACHE_DIR names another folder",
        RuntimeWarning,
        stacklevel=2,
    )
