"""What comes from elsewhere is what it should be: files of publishers, weights, actions, packages."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from safetensors.torch import save_file

from book import serve
from srclib.data import STREAMS, cifar10, publishers
from srclib.data.cifar10 import CIFAR10, load_backbone
from srclib.data.prepared import Prepared, write
from srclib.data.publishers import Origin
from srclib.data.vgg import vgg_blocks
from srclib.learning.backbone import Schedule, Training

from ..pictures import miniature, small

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SHA = "sha256:" + "0" * 64
ORIGINS = [origin for known in STREAMS.values() if isinstance(known, Prepared) for origin in known.origins]


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.file)
def test_files_come_securely_and_are_known(origin: Origin) -> None:
    assert re.fullmatch(r"https://[\w.]+/\S+", origin.url)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", origin.checksum)


@pytest.mark.parametrize(
    ("url", "checksum", "message"),
    [
        ("http://a.org/x", SHA, "url = 'http://a.org/x': allowed is one that begins with https://"),
        ("ftp://a.org/x", SHA, "url = "),
        ("file:///etc/passwd", SHA, "url = "),
        ("https://a.org/x", "md5:" + "0" * 32, "checksum of https://a.org/x = 'md5:0+': allowed is sha256:"),
        ("https://a.org/x", "sha256:12", "checksum of https://a.org/x"),
        ("https://a.org/x", "", "checksum of https://a.org/x"),
    ],
)
def test_other_origins_are_refused(url: str, checksum: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Origin(url, checksum)


@pytest.mark.parametrize(
    ("url", "location", "secure"),
    [
        ("https://a.org/x", "", True),
        ("https://a.org/x", "https://b.org/y", True),
        ("https://a.org/x", "/y", True),
        ("https://a.org/x", "http://b.org/y", False),
        ("https://a.org/x", "//b.org/y", True),
        ("http://a.org/x", "", False),
    ],
)
def test_a_download_is_not_led_away(url: str, location: str, secure: bool) -> None:
    response = SimpleNamespace(url=url, headers={"location": location} if location else {})
    if secure:
        publishers._stay_secure(response)
    else:
        with pytest.raises(OSError, match="which does not begin with https://"):
            publishers._stay_secure(response)


# Weights and checkpoints have a card


def weights(path: Path) -> Path:
    save_file(vgg_blocks().state_dict(), path)
    return path


@pytest.mark.parametrize(
    ("card", "kind", "message"),
    [
        (None, FileNotFoundError, r"vgg\.yaml is missing, the card that tells what vgg\.safetensors is"),
        ("weights: {sha256: 00}", ValueError, r"vgg\.safetensors was altered: its SHA-256 is \w+, vgg\.yaml says 0"),
        ("", ValueError, r"vgg\.yaml is no card of weights"),
        ("weights: 3", ValueError, r"vgg\.yaml is no card of weights"),
        ("weights: {", ValueError, r"vgg\.yaml is no card of weights"),
    ],
)
def test_weights_without_their_card_are_refused(
    card: str | None, kind: type[Exception], message: str, tmp_path: Path
) -> None:
    path = weights(tmp_path / "vgg.safetensors")
    write(tmp_path / "cifar10.npz", miniature())
    if card is not None:
        path.with_suffix(".yaml").write_text(card)
    kept = small(CIFAR10).features_path(path, tmp_path)
    for made in (False, True):
        if made:
            kept.touch()  # also where their features are there already
        with pytest.raises(kind, match=message):
            small(CIFAR10).features(path, tmp_path)
    with pytest.raises(kind, match=message):
        load_backbone(path)


def training() -> Training:
    return Training(Schedule(epochs=2, batch=5), miniature(), torch.device("cpu"))


def test_a_checkpoint_goes_on_only_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    training().save(path)
    first = path.read_bytes()
    later = training()
    later.log.append({"epoch": 1})
    later.save(path)
    again = training()
    again.restore(path)
    assert again.log == [{"epoch": 1}]
    path.write_bytes(first)  # a process that was killed after it wrote the checksums left this
    training().restore(path)
    for content, card in ((first[:-1], True), (first + b"x", True), (first, False)):
        path.write_bytes(content)
        if not card:
            (tmp_path / "checkpoint.pt.sha256").unlink()
        with pytest.raises(ValueError, match=r"is no whole checkpoint that checkpoint\.pt\.sha256 knows: delete it"):
            training().restore(path)


def test_the_committed_weights_are_those_of_their_card() -> None:
    assert cifar10.checked(cifar10.backbone()) == hashlib.sha256(cifar10.backbone().read_bytes()).hexdigest()


# What runs elsewhere


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: *(\S+)(.*)", path.read_text())
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_dependabot_renews_the_actions() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    assert "github-actions" in {update["package-ecosystem"] for update in updates}


def test_the_lock_pins_every_package() -> None:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and line[0] != "#"]
    assert len(lines) > 50
    for line in lines:
        assert [bound.operator for bound in Requirement(line).specifier] == ["=="], line


def test_the_book_is_served_to_this_machine_alone(tmp_path: Path) -> None:
    with serve.server(0, tmp_path) as server:
        assert server.server_address[0] == "127.0.0.1"
    session = next(
        node for node in ast.parse((ROOT / "noxfile.py").read_text()).body if getattr(node, "name", "") == "serve"
    )
    assert "book/serve.py" in ast.unparse(session)
