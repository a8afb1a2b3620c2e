"""Processes that are forked after a sleep: threads do not come along, and whoever waits for one waits for ever."""

from __future__ import annotations

import os
from functools import cache

import torch


@cache
def one_thread_in_children() -> None:
    """Let every process that is forked from this one compute in one thread, its own.

    A fork has none of the threads in which torch has computed before; with one it needs none of them. Processes that
    are spawned are not touched.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))
