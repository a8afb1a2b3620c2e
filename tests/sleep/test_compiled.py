"""Compiled code is kept on disk where it can be, and sleeps without where it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numba import njit
from numpy.typing import NDArray

from srclib.sleep.compiled import compiled, on_threads

PACKAGE = Path(__file__).resolve().parents[2] / "srclib"
SLEEP = """
import torch
from srclib.sleep import SleepConfig, sleep

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(16, 4, bias=False))
before = net[0].weight.detach().clone()
sleep(net, torch.full((16,), 0.5), SleepConfig(alpha=1, beta=0.2, inc=0.01, dec=0.001, rate=100, steps=200), seed=0)
print((net[0].weight != before).sum().item())
"""
DRAW = "import numpy as np; from srclib.sleep import draw_input; draw_input(np.ones(4), 10, 0.5)"


def run_in(folder: Path, code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run code with a copy of the package in a folder where no `__pycache__` and no home can be made.

    A file stands in the way of both; permissions would not keep out root.
    """
    (folder / "srclib").mkdir()
    shutil.copy(PACKAGE / "__init__.py", folder / "srclib")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE / "sleep", folder / "srclib" / "sleep", ignore=ignored)
    wall = folder / "srclib" / "sleep" / "__pycache__"
    wall.touch()
    here = {"PYTHONPATH": str(folder), "HOME": str(wall), "XDG_CACHE_HOME": str(wall), "LOCALAPPDATA": str(wall)}
    kept = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    command = [sys.executable, "-W", "always::RuntimeWarning", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=kept | here | env)


def test_read_only_installation_sleeps_with_one_warning(tmp_path: Path) -> None:
    done = run_in(tmp_path, SLEEP)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0  # weights changed
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1


def test_code_is_kept_where_the_variable_says(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = run_in(tmp_path, DRAW, NUMBA_CACHE_DIR=str(kept))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    names = {path.name.partition("-")[0] for path in kept.rglob("*.nbi")}
    assert names == {"stimulus_kernels.count_draws", "stimulus_kernels.draw_steps"}


def test_other_errors_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("another reason")

    monkeypatch.setattr("srclib.sleep.compiled.njit", refuse)
    with pytest.raises(RuntimeError, match="another reason"):
        compiled("int64(int64)")(abs)(1)


def test_compiles_at_the_first_call_and_never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def count(signature: str, **options: object) -> Any:
        made.append(signature)
        return njit(signature, nogil=True)

    monkeypatch.setattr("srclib.sleep.compiled.njit", count)

    @compiled("float64(float64[::1])")
    def total(numbers: NDArray[np.float64]) -> float:
        return numbers.sum()  # type: ignore[no-any-return]

    assert made == []
    assert [total(np.arange(n, dtype=float)) for n in (3, 4)] == [3, 6]
    with pytest.raises(TypeError, match="No matching definition"):
        total(np.arange(3))
    assert made == ["float64(float64[::1])"]


@pytest.mark.parametrize("threads", [1, 3])
def test_items_on_threads_keep_their_order(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    names = set()

    def square(n: int) -> int:
        names.add(threading.current_thread().name)
        return n * n

    assert list(on_threads(square, range(20))) == [n * n for n in range(20)]
    assert (names == {"MainThread"}) == (threads == 1)
