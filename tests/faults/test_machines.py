"""What a machine lacks is one clear line and exit code 2; what is stopped says how much is stored, and is gone."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from book import serve
from srclib.experiments import workers
from srclib.experiments.store import Store

from .. import terminal

ROOT = Path(__file__).resolve().parents[2]
refused = terminal.srclib.refused
RUN = ["run", "fig1_patches", "--profile", "smoke", "-s", "runs", "src"]
INLINE = ["--scheduler", "inline"]


# What is not there


def one_line(said: str) -> str:
    """Return what a command said beside its log, which is one line."""
    (line,) = [each for each in said.splitlines() if each.startswith("error: ")]
    assert "Traceback" not in said
    return line


def test_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CONNECT", 1)
    said = one_line(refused(*RUN, "--store", tmp_path, "--scheduler", "tcp://127.0.0.1:1"))
    assert "scheduler = tcp://127.0.0.1:1: no scheduler answers there" in said
    said = one_line(refused(*RUN, "--store", tmp_path, "--scheduler", "nonsense"))
    assert "scheduler = nonsense: no scheduler answers there" in said


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file or directory: '/dev/shm'"), OSError(38, "x")])
def test_no_shared_memory(error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import distributed

    def fails(**options: Any) -> None:
        raise error

    monkeypatch.setattr(distributed, "LocalCluster", fails)
    monkeypatch.delenv("SRCLIB_SCHEDULER", raising=False)
    said = one_line(refused(*RUN, "--store", tmp_path))
    assert "workers cannot be started here" in said and "--scheduler inline" in said


@pytest.mark.parametrize("place", ["/proc/results", "/dev/null/results"])
def test_a_folder_that_cannot_be_written(place: str) -> None:
    assert place in one_line(refused(*RUN, "--store", place, "--scheduler", "inline"))


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        said = one_line(refused(*RUN, "--store", tmp_path, "--scheduler", "inline"))
    assert "No space left on device" in said
    assert terminal.srclib.call(*RUN, "--store", tmp_path, "--scheduler", "inline").exit_code == 0


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"port = {port}: allowed is a free one from 0 to 65535 .*in use"):
            serve.server(port, tmp_path)
    for wrong in (-1, 70_000):
        with pytest.raises(ValueError, match=f"port = {wrong}: allowed is a free one"):
            serve.server(wrong, tmp_path)
    with pytest.raises(ValueError, match=r"none is missing: `nox -s book` builds it"):
        serve.server(0, tmp_path / "none")


# What is stopped


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    own = {"PYTHONPATH": str(ROOT), "SRCLIB_RESULTS": str(tmp_path / "results"), "PYTHONUNBUFFERED": "1"}
    return {key: value for key, value in os.environ.items() if key != "SRCLIB_SCHEDULER"} | own


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Any]:
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT, env=environment, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def stop(process: subprocess.Popen[str], said: str, number: int, *, later: float = 1.0) -> str:
    """Wait until a command has said something, stop it as a terminal or a scheduler would, return all that it said."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if said in line:
            break
    else:
        pytest.fail("".join(lines))
    time.sleep(later)
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, number) if number == signal.SIGINT else os.kill(process.pid, number)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number, "".join(lines) + rest
    assert not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    text = "".join(lines) + rest
    assert "Traceback" not in text
    return text


STOPS = [signal.SIGINT, signal.SIGTERM]
LONG = ["-m", "srclib", "run", "fig3_mnist", "--profile", "smoke"]


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("scheduler", [[], ["--scheduler", "inline"]], ids=["cluster", "inline"])
def test_a_run_that_is_stopped(number: int, scheduler: list[str], start: Any, tmp_path: Path) -> None:
    process = start(*LONG, *scheduler)
    said = stop(process, "2 to compute", number, later=1.0 if scheduler else 4.0)
    assert said.splitlines()[-1] == "stopped; 0 of 2 results are stored"
    assert Store(tmp_path / "results").records() == []


def test_results_before_a_stop_are_told(start: Any, tmp_path: Path) -> None:
    assert start("-m", "srclib", *RUN, *INLINE).wait(120) == 0
    process = start("-m", "srclib", "run", "fig1_patches", "--profile", "smoke", "-s", "seeds", "400", *INLINE)
    said = stop(process, "to compute", signal.SIGINT)
    found = re.fullmatch(r"stopped; (\d+) of ([\d,]+) results are stored", said.splitlines()[-1])
    assert found and 1 <= int(found[1]) == len(Store(tmp_path / "results").records())


SEARCH = """
import sys
from srclib.data.command import Command
from pathlib import Path
from srclib.search import conduct, whole_runs
from srclib.search.studies import studies
from dataclasses import replace
import time, typer

def final(cell):
    print("a trial", flush=True)
    time.sleep(0 if int(sys.argv[2]) else 60)
    sys.argv[2] = str(int(sys.argv[2]) - 1)
    return 0.5

whole_runs.final = final
study = replace(studies()["released_mnist_ewc"], trials=9, networks=(0,))
app = typer.Typer()

@app.command(cls=Command)
def search(folder: Path, trials: int) -> None:
    conduct.conduct("some", study, scheduler="inline", folder=folder, journals=folder)

app()
"""


@pytest.mark.parametrize("number", STOPS)
def test_a_search_that_is_stopped(number: int, start: Any, tmp_path: Path) -> None:
    (tmp_path / "search.py").write_text(SEARCH)
    process = start(str(tmp_path / "search.py"), str(tmp_path), "2")
    for _ in range(2):
        while "a trial" not in process.stdout.readline():
            assert process.poll() is None
    said = stop(process, "a trial", number)
    assert said.splitlines()[-1] == "stopped; 2 of 9 trials are stored"
    assert not (tmp_path / "some.yaml").exists()


BOOK = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from book import build
build.ROOT = Path({folder!r})
build.BUILD = build.ROOT / "build"
source = Path({root!r}, "book", "build.py").read_text()
exec(compile(source[source.index('if __name__'):], "build.py", "exec"), vars(build) | {{"__name__": "__main__"}})
"""
PAGE = """\
# %% tags=["parameters"]
profile = "full"

# %%
import time
from srclib import pages

page = pages.open("slow", profile=profile)

# %%
print("it runs", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", STOPS)
def test_a_page_that_is_stopped(number: int, start: Any, tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "slow.py").write_text(PAGE)
    (tmp_path / "build.py").write_text(BOOK.format(root=str(ROOT), folder=str(tmp_path)))
    said = stop(start(str(tmp_path / "build.py"), "notebook", "slow"), "it runs", number)
    assert said.splitlines()[-1] == "stopped; 0 of 1 pages are stored"
    assert list((tmp_path / "build").iterdir()) == []


# Processes that are forked

FORK = """
import os, sys, time
import numpy as np, torch
from torch import nn
from srclib.sleep import SleepConfig, sleep

def one():
    net = nn.Sequential(nn.Linear(784, 400, bias=False), nn.ReLU(), nn.Linear(400, 400, bias=False))
    config = SleepConfig(alpha=1, beta=1, inc=0.001, dec=0.0001, steps=50)
    sleep(net, np.full(784, 0.3), config, scale_inputs=torch.rand(2000, 784), progress=False)

torch.set_num_threads(2)
one()
child = os.fork()
if not child:
    one()
    os._exit(7)
for _ in range(600):
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        sys.exit(os.waitstatus_to_exitcode(status))
    time.sleep(0.1)
os.kill(child, 9)
sys.exit("the child waits for ever")
"""


def test_a_forked_process_sleeps(start: Any, environment: dict[str, str]) -> None:
    environment["OMP_NUM_THREADS"] = "2"
    process = start("-W", "ignore", "-c", FORK)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 7, said
