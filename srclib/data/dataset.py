"""A data set as tensors in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SPLITS = ("train", "test")
Arrays = dict[str, NDArray[Any]]  # x_train, y_train, x_test, y_test


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification data set: inputs float32 (n, inputs), labels int64 (n,).

    Inputs are pixels in [0, 1], or the outputs of a fixed network: in [0, 1] for cifar10, at least 0 for cub200, cub50.
    """

    name: str
    classes: tuple[str, ...]
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    @classmethod
    def of(cls, name: str, classes: tuple[str, ...], arrays: Arrays) -> Dataset:
        """Return arrays as a data set: bytes divided by 255, images flattened."""
        tensors = {}
        for key, a in arrays.items():
            if key.startswith("x"):
                x = a.reshape(len(a), -1).astype(np.float32)
                tensors[key] = torch.from_numpy(x / np.float32(255) if a.dtype == np.uint8 else x)
            else:
                tensors[key] = torch.from_numpy(a.astype(np.int64))
        return cls(name, classes, **tensors)
