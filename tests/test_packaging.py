"""Facts that stand in two files agree: versions, requirements, checksums."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

from srclib.data.datasets import IDX_FILES, SHA256

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = {"torch": "pytorch-gpu", "playwright": "playwright-python", "types-PyYAML": "types-pyyaml"}  # names that differ


def requirements() -> list[Requirement]:
    """Return the requirements of the package and of its extras."""
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(line) for lines in (PROJECT["dependencies"], *extras) for line in lines]


def conda_requirements() -> dict[str, str]:
    """Return {name: version bounds} of environment.yml, from conda and from pip."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    lines = [line for entry in entries for line in (entry["pip"] if isinstance(entry, dict) else [entry])]
    parts = [re.match(r"([\w-]+)(.*)", line) for line in lines]
    return {str(part[1]): str(part[2]) for part in parts if part}


def test_environment_has_every_requirement() -> None:
    conda = conda_requirements()
    for requirement in requirements():
        found = conda.pop(CONDA.get(requirement.name, requirement.name))
        if requirement.name == "torch":  # conda's == also fixes the build; =x.y.* is as close as a release
            assert str(requirement.specifier).startswith("==" + found.strip("=*"))
        else:
            assert set(found.split(",")) == set(str(requirement.specifier).split(","))
    assert set(conda) == {"python", "pip", "nox", "distributed"}  # the last is an extra of dask


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
        f"{name}/{IDX_FILES[key]}-ubyte.gz": digest for name, files in SHA256.items() for key, digest in files.items()
    }
