"""The sleep lab: its kernel and its noise are those of the package, and its page works in a browser."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import playwright
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from srclib.data.places import committed
from srclib.experiments import lab
from srclib.sleep import InputSpikes, SleepConfig, draw_input, event_kernels, run_layers

from ..sleep.cases import CORNERS, GOLDEN, dyadic_config, dyadic_weights, golden, input_raster

HERE = Path(__file__).parent / "lab"
NODE = Path(playwright.__file__).parent / "driver" / ("node.exe" if os.name == "nt" else "node")
CONFIG = ("alpha", "beta", "inc", "dec", "decay", "gate", "strict", "batch")
STIMULI: dict[str, dict[str, Any]] = {
    "whole image": {"mean": np.linspace(0, 1, 30), "rows": 300, "gain": 0.7, "seeds": (0,), "window": None},
    "window": {"mean": np.linspace(0, 1, 81) ** 2, "rows": 400, "gain": 1.3, "seeds": (3, 4), "window": 4},
    "frame of one place": {"mean": np.full(9, 0.5), "rows": 50, "gain": 0.5, "seeds": (7, 0, 2), "window": 3},
    "large seed": {"mean": np.full(16, 0.25), "rows": 90, "gain": 1.0, "seeds": (2**70 + 5, 2**33), "window": 2},
    "five seeds": {"mean": np.full(16, 0.25), "rows": 90, "gain": 1.0, "seeds": (1, 2, 3, 4, 5), "window": 1},
}


def lists(raster: NDArray[np.bool_]) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in raster]


def write_sleep(
    folder: Path,
    name: str,
    weights: list[torch.Tensor],
    inputs: torch.Tensor,
    config: SleepConfig,
    tolerance: float,
    after: list[torch.Tensor],
    spikes: list[torch.Tensor],
) -> dict[str, Any]:
    """Write a sleep and what comes out of it; return what the list of cases says of it."""
    for suffix, layers in (("before", weights), ("after", after)):
        flat = np.concatenate([w.float().numpy().ravel() for w in layers])
        (folder / f"{name}.{suffix}").write_bytes(flat.astype("<f4").tobytes())
    raster = {"inputs": lists(inputs.numpy()), "fired": [lists(layer.numpy()) for layer in spikes]}
    (folder / f"{name}.json").write_text(json.dumps(raster))
    sizes = [weights[0].shape[1], *(len(w) for w in weights)]
    settings = {key: getattr(config, key) for key in CONFIG}
    return {"name": name, "sizes": sizes, "config": settings, "tolerance": tolerance}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with sleeps and noise, and what the package makes of them."""
    folder = tmp_path_factory.mktemp("lab")
    found = []
    for name in GOLDEN:
        case = golden(name)
        found.append(
            write_sleep(folder, name, case.before, case.input_spikes, case.config, 5e-5, case.after, case.spikes)
        )
    others = {f"corner_{name}": (1, corner.density, dict(corner.changes)) for name, corner in CORNERS.items()}
    others |= {
        "streams": (5, 0.3, {"batch": 5}),
        "streams_with_gate": (4, 0.3, {"batch": 4, "gate": 0.1, "strict": False, "beta": (0.5, 2.0, 1.0)}),
        "layers_of_their_own": (1, 0.2, {"alpha": (2.0, 0.5, 1.0), "beta": (1.0, 0.25, 0.5), "gate": 1e-3}),
    }
    for seed, (name, (batch, density, changes)) in enumerate(others.items()):
        sizes, steps = (17, 33, 9, 3), 60
        weights = dyadic_weights(sizes, seed)
        inputs = input_raster(steps * batch, sizes[0], density, slice(20 * batch, 40 * batch), seed)
        config = dyadic_config(**changes)
        record = run_layers(weights, inputs, config, backend="event", record=True)
        assert record.spikes is not None
        found.append(write_sleep(folder, name, weights, inputs, config, 0, record.weights, record.spikes))
    (folder / "sleeps.json").write_text(json.dumps(found))
    for name, case in STIMULI.items():
        drawn: InputSpikes = draw_input(
            case["mean"], case["rows"], case["gain"], seed=case["seeds"], window=case["window"]
        )
        assert len(drawn.indices)
        (folder / f"{name}.json").write_text(json.dumps(lists(drawn.dense())))
    # JSON numbers end at 2^53 in a browser: larger seeds go as text
    plain = [
        {**case, "name": name, "mean": case["mean"].tolist(), "seeds": [str(seed) for seed in case["seeds"]]}
        for name, case in STIMULI.items()
    ]
    (folder / "stimuli.json").write_text(json.dumps(plain))
    x = np.concatenate([np.linspace(-20, 80, 20_001), np.geomspace(1e-9, 1, 500)]).astype("<f4")
    y = np.array([event_kernels.exp(number) for number in x], "<f4")
    (folder / "exp.x").write_bytes(x.tobytes())
    (folder / "exp.y").write_bytes(y.tobytes())
    return folder


def test_kernel_and_noise_are_those_of_the_package(cases: Path) -> None:
    tests = [str(path) for path in sorted(HERE.glob("*.test.mjs"))]
    environment = {**os.environ, "LAB_CASES": str(cases)}
    ran = subprocess.run([str(NODE), "--test", *tests], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    passed = next(line for line in ran.stdout.splitlines() if "pass " in line)
    assert int(passed.split()[-1]) > len(GOLDEN) + len(CORNERS) + len(STIMULI)


def opened(browser: Browser, address: str, setting: str = "", **options: Any) -> Page:
    """Open the lab in a browser; any error of its scripts fails what is evaluated next."""
    page = browser.new_page(**options)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{address}/notebooks/lab.html{setting}")
    saying(page, "Before the sleep")
    return page


faults: list[str] = []


@pytest.fixture(autouse=True)
def no_faults() -> Any:
    faults.clear()
    yield
    assert faults == []


def saying(page: Page, start: str) -> str:
    """Wait until the lab says something that begins so; return it."""
    page.wait_for_function("start => document.querySelector('.lab .said').textContent.startsWith(start)", arg=start)
    return page.locator(".lab .said").inner_text()


def recognised(name: str, layers: list[torch.Tensor]) -> str:
    """Return what the lab says of weights: percent of its test images by task, and of all."""
    entry, *_ = lab.read(name)
    said = json.loads((committed("lab") / "lab.json").read_text())
    count, inputs = said["tests"][entry["tests"]], entry["layers"][0]
    content = np.frombuffer((committed("lab") / f"{entry['tests']}.bin").read_bytes(), np.uint8)
    x, y = torch.tensor(content[:-count].reshape(count, inputs) / 255), torch.tensor(content[-count:])
    for w in layers[:-1]:
        x = (x @ w.double().T).relu()
    z = x @ layers[-1].double().T
    right = (z.relu() if entry["rectified"] else z).argmax(1) == y
    tasks = entry["tasks"][: entry["task"]]
    parts = [right[torch.isin(y, torch.tensor(classes))].double().mean() for classes in tasks]
    text = ", ".join(
        f"{'/'.join(map(str, classes))} {math.floor(100 * float(part) + 0.5)} %"
        for classes, part in zip(tasks, parts, strict=True)
    )
    return f"{text}; of all classes {math.floor(100 * float(right.double().mean()) + 0.5)} %."


@pytest.mark.parametrize(("name", "protocol"), [("mnist_released_2", "released"), ("mnist_tuned_3", "tuned")])
def test_a_sleep_on_the_page_is_that_of_the_package(name: str, protocol: str, address: str, browser: Browser) -> None:
    entry, mean, weights = lab.read(name)
    layers = [torch.tensor(w.astype(np.float32)) for w in weights]
    config = SleepConfig(**lab.sleeps()["mnist"][protocol][entry["task"] - 1]).scaled(entry["scales"])
    record = run_layers(layers, config.noise(mean, (3, entry["task"] - 1)), config)
    page = opened(browser, address, f"#network={name}&sleep={protocol}&seed=3")
    assert page.locator(".lab .said").inner_text() == f"Before the sleep: {recognised(name, layers)}"
    page.get_by_role("button", name="Start").click()
    assert saying(page, "After the sleep") == f"After the sleep: {recognised(name, record.weights)}"
    spikes = sum(int(count.sum()) for count in record.spike_counts)
    assert f"{config.steps:,} of {config.steps:,}: {spikes:,} spikes" in page.locator("[data-spikes]").inner_text()
    assert page.locator(".confusion").count() == 2
    page.close()


def test_start_pause_step_and_reset(address: str, browser: Browser) -> None:
    page = opened(browser, address, "#network=mnist_released_2&sleep=released&steps=60000")
    page.locator("[name=pace]").select_option("200")
    start = page.locator("[data-start]")
    start.click()
    page.wait_for_function("() => document.querySelector('[data-spikes]').textContent.startsWith('Step')")
    start.click()
    step = int(saying(page, "After step").split(":")[0].split()[-1].replace(",", ""))
    assert start.inner_text() == "Go on"
    page.get_by_role("button", name="Step", exact=True).click()
    saying(page, f"After step {step + 1:,}:")
    start.click()
    assert start.inner_text() == "Pause"
    page.get_by_role("button", name="Reset").click()
    saying(page, "Before the sleep")
    assert start.inner_text() == "Start"
    page.close()


def test_a_setting_stands_in_the_address(address: str, browser: Browser) -> None:
    page = opened(browser, address, "#network=mnist_released_3&sleep=tuned&gate=&steps=1.5")
    assert page.get_by_role("button", name="tuned").get_attribute("aria-pressed") == "true"
    gate, steps, seed = (page.locator(f"#lab-{key}") for key in ("gate", "steps", "seed"))
    assert gate.input_value() == ""
    released = lab.sleeps()["mnist"]["tuned"][2]
    assert released is not None
    assert steps.input_value() == str(released["steps"])  # 1.5 steps are none
    seed.fill("12")
    seed.press("Enter")
    assert page.url.endswith("#network=mnist_released_3&sleep=tuned&seed=12&gate=")
    seed.fill("-1")
    seed.press("Enter")
    assert seed.get_attribute("aria-invalid") == "true"
    assert page.url.endswith("&seed=12&gate=")
    page.get_by_role("slider", name="Rate of the noise").press("ArrowRight")
    assert "&rate=" in page.url
    page.close()


def test_patches_and_the_closed_form(address: str, browser: Browser) -> None:
    page = opened(browser, address, "#network=nothing")
    page.locator("[name=network]").select_option("patches_14")
    before = recognised("patches_14", [torch.tensor(w.astype(np.float32)) for w in lab.read("patches_14")[2]])
    assert before.endswith("50 %.")
    saying(page, f"Before the sleep: {before}")
    assert not page.locator("[data-draw]").is_visible()
    assert page.get_by_role("button", name="tuned").is_disabled()
    page.get_by_role("button", name="Start").click()
    assert not saying(page, "After the sleep").endswith(before)
    page.locator("[name=network]").select_option("mnist_tuned_4")
    saying(page, "Before the sleep: 0/1 0 %")
    page.get_by_role("button", name="closed form").click()
    assert "0/1 0 %" not in saying(page, "After the closed form")
    page.close()


def test_a_digit_is_drawn_without_a_mouse(address: str, browser: Browser) -> None:
    page = opened(browser, address, viewport={"width": 375, "height": 800}, reduced_motion="reduce")
    answer = page.locator(".answer-digit")
    page.locator("[data-draw]").focus()
    page.keyboard.press("Space")
    for _ in range(9):
        page.keyboard.press("ArrowUp")
    page.wait_for_function("() => document.querySelector('.answer-digit').textContent.includes('the network says')")
    page.get_by_role("button", name="Clear").click()
    assert answer.inner_text() == ""
    page.get_by_role("button", name="A test image").click()
    page.wait_for_function("() => document.querySelector('.answer-digit').textContent.includes('the network says')")
    page.close()
