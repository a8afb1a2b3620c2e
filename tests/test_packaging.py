"""Facts that stand in two files agree: versions, requirements, checksums."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from srclib.data.embedded import FASHION_MNIST, FILES, MNIST

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OLDEST_PYTHON = PROJECT["requires-python"].removeprefix(">=")
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [Requirement(line) for lines in (PROJECT["dependencies"], *EXTRAS.values()) for line in lines]
LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = [Requirement(line) for line in LOCK.splitlines() if line and not line.startswith("#")]


def locked() -> dict[str, str]:
    """Return {name: version} of requirements.lock."""
    pins = [(each.name, list(each.specifier)) for each in LOCKED]
    assert all(len(bounds) == 1 and bounds[0].operator == "==" for _, bounds in pins)
    return {name: bounds[0].version for name, bounds in pins}


@pytest.mark.parametrize("requirement", [r for r in REQUIREMENTS if r.name != "srclib"], ids=str)
def test_lock_has_a_version_that_is_declared(requirement: Requirement) -> None:
    assert requirement.specifier.contains(locked()[canonicalize_name(requirement.name)])


def test_lock_is_complete() -> None:
    """All that a locked package needs is locked, in a version that it takes; told by the packages installed here."""
    pins = locked()
    installed = [each for each in distributions() if pins.get(canonicalize_name(each.name)) == each.version]
    needs = [Requirement(line) for each in installed for line in each.requires or ()]
    needed = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    listed = [need for need in needed if not need.name.startswith(("cuda-", "nvidia-"))]  # torch fixes those itself
    assert [str(need) for need in listed if not need.specifier.contains(pins[canonicalize_name(need.name)])] == []


def test_lock_names_no_place() -> None:
    assert not re.search(r"://|/|--", LOCK.replace("`nox -s lock -- ", ""))


def test_conda_follows_the_lock() -> None:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert entries == [f"python={OLDEST_PYTHON}", "pip", {"pip": ["nox", "-r requirements.lock"]}]
    assert f"on Python {OLDEST_PYTHON}." in LOCK


def test_workflows_run_the_python_versions_that_are_declared() -> None:
    declared = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if "Python ::" in name]
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == declared
    assert declared[0] == OLDEST_PYTHON


def test_version_is_the_same_everywhere() -> None:
    version = PROJECT["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"\n## [{version}]" in changelog or f"becomes version {version}." in changelog


def test_checksums_of_the_data_readme() -> None:
    printed = dict(
        re.findall(r"^\| `([\w/.-]+\.gz)` \| `([0-9a-f]{64})` \|", (ROOT / "data/README.md").read_text(), re.M)
    )
    assert printed == {
        f"{source.name}/{FILES[key]}": digest
        for source in (MNIST, FASHION_MNIST)
        for key, digest in source.sha256.items()
    }
