"""The command line, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks import gpu, kernel
from srclib.__main__ import app
from srclib.data import cifar10, prepared, sources
from srclib.data.embedded import FASHION_MNIST, FILES, MNIST
from srclib.experiments import compute, grid
from srclib.learning import backbone
from srclib.verdicts import published

from .pictures import embeddings, expect

TINY = ["--profile", "smoke", "--scheduler", "inline", "-s", "overlap_min", "14", "--set", "overlap_max=14"]


def call(*args: object, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def error(*args: object) -> str:
    """Return the one line that a refused command prints."""
    output = call(*args, code=2).output
    assert output.startswith("error: ")
    assert output.count("\n") == 1
    return output


def made_up(directory: Path, final: float, seeds: int = 5) -> Path:
    """Write results of sequential training on MNIST, all with one final accuracy."""
    directory.mkdir()
    with (directory / "table1_accuracy.jsonl").open("w") as file:
        for cell in grid.grid("table1_accuracy", datasets=["mnist"], runs=["sequential"], seeds=seeds):
            phase = {"kind": "training", "task": 0, "overall": final, "accuracy": [final] * 5}
            record = {"key": cell.key(), "cell": cell.canonical(), "seed": cell.seed}
            file.write(json.dumps(record | {"metrics": {"phases": [phase], "final": final}}) + "\n")
    return directory


@pytest.fixture
def expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "expected_verdicts.csv"
    path.write_text("id,protocol,verdict,note\ntable1/mnist/sequential,released,agrees,\n")
    monkeypatch.setattr(published, "EXPECTED", path)
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["run"],
        ["verdicts"],
        ["bench"],
        ["minibatches"],
        ["gpu"],
        ["backbone"],
        ["data", "list"],
        ["data", "verify"],
        ["data", "prepare"],
    ],
)
def test_help_suffices(command: list[str]) -> None:
    output = call(*command, "--help").output
    assert f"Example: python -m srclib {' '.join(command)}" in " ".join(output.split())


@pytest.mark.parametrize("command", [[], ["data"]])
def test_without_a_command_there_is_help(command: list[str]) -> None:
    assert "Usage" in CliRunner().invoke(app, command).output


def test_run_computes_what_the_store_lacks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    output = call("run", "fig1_patches", *TINY, "-s", "runs", "src", "--store", tmp_path).output
    assert "fig1_patches: 1 results in" in output
    (line,) = (tmp_path / "fig1_patches.jsonl").read_text().splitlines()
    assert json.loads(line)["cell"]["overlap"] == 14
    call("run", "fig1_patches", *TINY, "-s", "runs", "src", "--store", tmp_path)
    assert caplog.messages == [f"fig1_patches: 1 cells, {n} to compute" for n in (1, 0)]
    assert (tmp_path / "fig1_patches.jsonl").read_text() == line + "\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nope"], "experiment 'nope' is unknown: allowed is one of fig1_patches"),
        (["fig1_patches", "--profile", "fast"], "profile 'fast' is unknown: allowed is one of smoke, ci, full"),
        (["fig1_patches", "--protocol", "mine"], "protocol 'mine' is unknown: allowed is one of described, released"),
        (["fig1_patches", "-s", "sedes", "2"], "'sedes' is unknown: allowed is one of datasets, runs"),
        (["table1_accuracy", "-s", "overlap_max", "2"], "setting of table1_accuracy 'overlap_max' is unknown"),
        (["fig1_patches", "-s", "seeds", "two"], "seeds of fig1_patches = 'two': allowed is a whole number"),
        (["fig1_weights", "-s", "keep_weights", "1"], "keep_weights of fig1_weights = '1': allowed is true or false"),
        (["fig1_patches", "-s", "runs", "srk"], "method 'srk' is unknown"),
        (["fig1_patches", "-s", "seeds", "0"], "leave nothing to compute"),
        (["fig1_patches", "-s", "runs", "owm"], "no owm parameters are known"),
    ],
)
def test_run_says_what_is_allowed(tmp_path: Path, args: list[str], says: str) -> None:
    assert says in error("run", *args, "--store", tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_all_experiments_may_include_empty_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(grid, "grid", lambda *_, **__: [])
    assert "table1_cifar10: 0 results" in call("run", "all", "--store", tmp_path).output


def test_settings_have_the_types_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def grid(name: str, profile: str, protocol: str, **changes: Any) -> list[int]:
        seen.update({name: changes})
        return [1]

    monkeypatch.setattr(grid, "grid", grid)
    monkeypatch.setattr(compute, "complete", lambda name, cells, store, scheduler: cells)
    pairs = ["-s", "seeds", "2", "-s", "keep_weights=False", "-s", "runs", "[src, sequential]", "-s", "order", "random"]
    call("run", "fig1_weights", *pairs, "--store", tmp_path)
    wanted = {"seeds": 2, "keep_weights": False, "runs": ["src", "sequential"], "order": "random"}
    assert seen == {"fig1_weights": wanted}
    seen.clear()
    call("run", "all", "--set", "seeds", "1", "--store", tmp_path)
    assert seen == {name: {"seeds": 1} for name in grid.experiments()}


def test_verdicts_as_a_table_and_as_json(tmp_path: Path) -> None:
    store = made_up(tmp_path / "store", 0.195)
    output = call("verdicts", "--store", store).output
    assert "table1/mnist/sequential" in output
    assert "✓ agrees" in output
    (row,) = json.loads(call("verdicts", "--store", store, "--json").stdout)
    assert (row["id"], row["protocol"], row["n"], row["verdict"]) == (
        "table1/mnist/sequential",
        "released",
        5,
        "agrees",
    )
    assert row["reproduced"] == pytest.approx(19.5)
    assert json.loads(call("verdicts", "--store", store, "--json", "--protocol", "described").stdout) == []


def test_a_verdict_that_changed_fails_the_check(tmp_path: Path, expected: Path) -> None:
    good, bad = made_up(tmp_path / "good", 0.195), made_up(tmp_path / "bad", 0.3)
    assert "all 1 verdicts are as expected" in call("verdicts", "--store", good, "--check").output
    output = call("verdicts", "--store", bad, "--check", code=1).output
    assert "changed: table1/mnist/sequential (released): expected agrees, now differs" in output
    json.loads(call("verdicts", "--store", bad, "--check", "--json", code=1).stdout)
    expected.write_text(expected.read_text() + "table1/mnist/src,released,agrees,\n")
    assert "missing: table1/mnist/src" in call("verdicts", "--store", good, "--check", code=1).output
    assert "leave out --protocol" in error("verdicts", "--store", good, "--check", "--protocol", "released")


def test_results_that_drift_fail(tmp_path: Path) -> None:
    store = made_up(tmp_path / "store", 0.195)
    near, far = made_up(tmp_path / "near", 0.22, seeds=1), made_up(tmp_path / "far", 0.23, seeds=1)
    output = call("verdicts", "--store", store, "--against", near).output
    assert "ok    table1_accuracy, released, mnist sequential: fresh 22.00 % within 19.50 ± 3.00 %" in output
    output = call("verdicts", "--store", store, "--against", far, code=1).output
    assert "DRIFT table1_accuracy, released, mnist sequential: fresh 23.00 % outside 19.50 ± 3.00 %" in output


def test_directories_of_results_must_exist(tmp_path: Path) -> None:
    assert "is not a directory of results" in error("verdicts", "--store", tmp_path / "nowhere")
    output = call("verdicts", "--store", tmp_path, "--against", tmp_path / "nowhere", code=2).output
    assert "nowhere is not a directory of results" in output


def test_bench_writes_its_report_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def measure(case: str, **options: Any) -> dict[str, Any]:
        given.update(options, case=case)
        return {"ratios": {1: {"reference": 2.0}}}

    monkeypatch.setattr(kernel, "standard_case", lambda: "the standard case")
    monkeypatch.setattr(kernel, "measure", measure)
    monkeypatch.setattr(
        kernel, "show", lambda report, console: console.print(f"ratio {report['ratios'][1]['reference']}")
    )
    file = tmp_path / "bench.json"
    assert "ratio 2.0" in call("bench", "--repeats", 3, "--threads", "1,4", "--no-runs", "--json", file).output
    assert given == {"case": "the standard case", "repeats": 3, "threads": [1, 4], "runs": {}}
    assert json.loads(file.read_text()) == {"ratios": {"1": {"reference": 2.0}}}
    call("bench")
    assert (given["repeats"], given["threads"]) == (5, [1, 2])
    assert given["runs"] == {name: grid.cell("mnist", name) for name in ("sequential", "src")}


def test_minibatches_writes_its_report_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(case: str, **options: Any) -> dict[str, Any]:
        entry = {"streams": 16, "backend": "event", "steps": 938, "spikes": [7, 5], "median": 0.25}
        return {"case": case, "options": options, "sleeps": [entry]}

    monkeypatch.setattr(kernel, "standard_case", lambda: "the standard case")
    monkeypatch.setattr(kernel, "minibatches", measure)
    file = tmp_path / "minibatches.json"
    printed = call("minibatches", "--repeats", 2, "--json", file).output
    assert "16" in printed and "938" in printed and "0.250" in printed
    written = json.loads(file.read_text())
    assert written["case"] == "the standard case"
    assert written["options"] == {"repeats": 2, "device": "cpu"}


def test_gpu_writes_its_report_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {
        "device": {"gpu": "a GPU", "cpu": "a CPU"}, "agreement": {"differ": [0]},
        "seconds_per_sleep": {"cuda, 64": 0.02}, "ratios": {"cuda, 64": 1000.0},
    }  # fmt: skip
    monkeypatch.setattr(kernel, "standard_case", lambda: "the standard case")
    monkeypatch.setattr(gpu, "measure", lambda case, networks, repeats: {**report, "networks": networks})
    file = tmp_path / "gpu.json"
    output = call("gpu", "--networks", "1,64", "--json", file).output
    assert "a GPU, a CPU" in output and "20.000" in output and "1000" in output
    assert json.loads(file.read_text())["networks"] == [1, 64]
    assert "--networks '1,x': allowed are whole numbers >= 1" in error("gpu", "--networks", "1,x")


@pytest.mark.parametrize("threads", ["0", "1,", "two", "-1"])
def test_bench_refuses_other_thread_counts(threads: str) -> None:
    assert "allowed are whole numbers >= 1" in error("bench", f"--threads={threads}")


def test_bench_times_nothing_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: object, **__: object) -> None:
        raise ArithmeticError("textbook and reference differ in 3 spikes of 600 steps: not timed")

    monkeypatch.setattr(kernel, "standard_case", lambda: None)
    monkeypatch.setattr(kernel, "measure", measure)
    assert "differ in 3 spikes" in error("bench")


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Return a copy of the data in which one file is cut short and one is missing."""
    for source in (MNIST, FASHION_MNIST):
        (tmp_path / source.name).mkdir()
        for file in FILES.values():
            (tmp_path / source.name / file).symlink_to(source.where() / file)
    cut, missing = tmp_path / "mnist" / FILES["x_test"], tmp_path / "fashion_mnist" / FILES["y_test"]
    whole = cut.read_bytes()
    cut.unlink()
    cut.write_bytes(whole[:-100])
    missing.unlink()
    return tmp_path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache directory that holds a miniature of cub50 and nothing else."""
    directory = tmp_path / "cache"
    directory.mkdir()
    expect(monkeypatch, "cub50", shape=(3072,))
    prepared.write(directory / "cub50.npz", embeddings())
    monkeypatch.setenv("SRCLIB_DATA", str(directory))
    return directory


def test_data_list_names_images_and_classes(cache: Path) -> None:
    lines = {name: line for line in call("data", "list").output.splitlines() for name in line.split()[1:2]}
    for source in (MNIST, FASHION_MNIST):
        for part in ("60,000", "10,000", " 10 ", "MB", str(source.where())):
            assert part in lines[source.name]
    for name, parts in {"cub50": ("12", "6", "3", "MB"), "cub200": ("5,994", "5,794", "200", "-")}.items():
        assert [part for part in parts if part not in lines[name].split()] == []
    assert list(lines)[-6:] == list(sources())


def test_data_verify_names_every_damaged_file(damaged: Path, cache: Path) -> None:
    output = call("data", "verify").output
    assert output == "mnist, fashion_mnist, cub50: all 9 files are whole\n"
    (cache / "cub50.npz").write_bytes((cache / "cub50.npz").read_bytes()[:-1])
    assert "cub50.npz is damaged" in call("data", "verify", code=1).output
    (cache / "cub50.npz").unlink()
    assert "all 8 files are whole" in call("data", "verify").output
    lines = call("data", "verify", "--directory", damaged, code=1).output.splitlines()
    assert len(lines) == 2
    assert "mnist/t10k-images-idx3-ubyte.gz is not a whole gzip file" in lines[0]
    assert "fashion_mnist/t10k-labels-idx1-ubyte.gz is missing" in lines[1]


def test_data_prepare_checks_what_is_embedded(damaged: Path) -> None:
    assert "mnist is ready: 60,000 training and 10,000 test images" in call("data", "prepare", "mnist").output
    assert "data set 'cifar' is unknown: allowed is one of mnist, fashion_mnist, cifar10" in error(
        "data", "prepare", "cifar"
    )
    assert "t10k-images-idx3-ubyte.gz" in error("data", "prepare", "mnist", "--directory", damaged)


def test_data_prepare_makes_what_is_not_embedded(cache: Path) -> None:
    assert "cub50 is ready: 12 training and 6 test images" in call("data", "prepare", "cub50").output
    assert "cub50.npz is missing: cub50 cannot be downloaded" in error(
        "data", "prepare", "cub50", "--directory", cache / "other"
    )


def test_backbone_trains_with_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(cifar10, "backbone", lambda: tmp_path / "vgg.safetensors")
    (tmp_path / "vgg.yaml").write_text("accuracy: 0.3\n")
    monkeypatch.setattr(backbone, "run", lambda schedule, threads: given.append((schedule, threads)))
    assert "accuracy: 0.3" in call("backbone", "--epochs", 2, "--peak", 0.01, "--seed", 4, "--threads", 1).output
    call("backbone")
    assert given == [(backbone.Schedule(epochs=2, peak=0.01, seed=4), 1), (backbone.Schedule(), None)]
    assert "allowed are peak and clip > 0" in error("backbone", "--peak", 0)
