"""The import budget: a stranger who sleeps loads torch, numpy, numba and nothing of the project's other rooms."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

IMPORT = """
import json, sys, time
import numba, torch
before, start = set(sys.modules), time.perf_counter()
import srclib.sleep
seconds = time.perf_counter() - start
import srclib.sleep.tune
loaded = [name for name in sys.modules if name not in before]
print(json.dumps({"loaded": loaded, "seconds": seconds}))
"""


def test_sleeping_and_tuning_load_torch_numpy_numba_and_no_more() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    found = json.loads(done.stdout)
    allowed = {"torch", "numpy", "numba", *sys.stdlib_module_names}
    other = {n for n in found["loaded"] if n.split(".")[0] not in allowed and not n.startswith("srclib.sleep")}
    assert other == {"srclib"}, f"importing srclib.sleep took {found['seconds']:.2f} s beyond torch and numba"
