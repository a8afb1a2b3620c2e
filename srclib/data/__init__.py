"""Data sets by name, and the streams of tasks that networks learn."""

from __future__ import annotations

from .dataset import Dataset
from .registry import STREAMS, at_hand, load, source, sources, stream
from .streams import Task, class_incremental, cross_modal, hold_out, patches, task_order

__all__ = [
    "STREAMS",
    "Dataset",
    "Task",
    "at_hand",
    "class_incremental",
    "cross_modal",
    "hold_out",
    "load",
    "patches",
    "source",
    "sources",
    "stream",
    "task_order",
]
