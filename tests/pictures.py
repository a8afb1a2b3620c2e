"""Miniature data sets in place of the real ones: prepared files, and the publishers' archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from srclib.data import STREAMS
from srclib.data.dataset import SPLITS, Arrays
from srclib.data.prepared import Prepared


def pictures(n: int, side: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """Return n images of noise, (n, side, side, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def miniature(train: int = 12, test: int = 6, classes: int = 3) -> Arrays:
    """Return a data set of noise, its classes in turn."""
    x = pictures(train + test)
    y = (np.arange(train + test) % classes).astype(np.uint8)
    return {"x_train": x[:train], "y_train": y[:train], "x_test": x[train:], "y_test": y[train:]}


def embeddings(train: int = 12, test: int = 6, classes: int = 3, inputs: int = 3072) -> Arrays:
    """Return a data set of numbers from 0 to 1 drawn at random, float32 (n, inputs), its classes in turn."""
    data, rng = miniature(train, test, classes), np.random.default_rng(0)
    return data | {key: rng.random((len(x), inputs), np.float32) for key, x in data.items() if key[0] == "x"}


def small(source: Prepared, classes: int = 3, **changes: Any) -> Prepared:
    """Return a data set as small as a miniature, or one that comes from elsewhere."""
    return replace(source, **{"train": 12, "test": 6, "classes": source.classes[:classes], **changes})


def expect(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> None:
    """Let a data set of the registry be as small as a miniature, or come from elsewhere."""
    source = STREAMS[name]
    assert isinstance(source, Prepared)
    monkeypatch.setitem(STREAMS, name, small(source, **changes))


def jpeg(image: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG")
    return file.getvalue()


def tar(path: Path, contents: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def labelled(data: Arrays, split: str) -> Iterable[tuple[NDArray[np.uint8], np.uint8]]:
    return zip(data[f"x_{split}"], data[f"y_{split}"], strict=True)


def rows(data: Arrays, split: str) -> set[bytes]:
    """Return every image of a split with its label, in no order."""
    return {x.tobytes() + bytes([y]) for x, y in labelled(data, split)}


def cifar10_archive(path: Path, data: Arrays) -> Path:
    """Write images in the layout of cifar-10-binary.tar.gz: five files of training images, one of test images."""
    records = {
        split: [bytes([y]) + x.transpose(2, 0, 1).tobytes() for x, y in labelled(data, split)] for split in SPLITS
    }
    batches = {f"data_batch_{i + 1}": b"".join(records["train"][i::5]) for i in range(5)}
    batches["test_batch"] = b"".join(records["test"])
    contents = {f"cifar-10-batches-bin/{name}.bin": content for name, content in batches.items()}
    return tar(path, {"cifar-10-batches-bin/readme.html": b"<html>", **contents})


def tiny_imagenet_archive(path: Path, train: dict[str, list[bytes]], val: list[tuple[str, bytes]]) -> Path:
    """Write JPEG files, by WordNet id, in the layout of tiny-imagenet-200.zip."""
    root = "tiny-imagenet-200"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{root}/wnids.txt", "\n".join(train))
        archive.writestr(f"{root}/test/images/test_0.JPEG", b"not to be read")
        for word, images in train.items():
            archive.writestr(f"{root}/train/{word}/{word}_boxes.txt", f"{word}_0.JPEG\t0\t0\t62\t62\n")
            for i, image in enumerate(images):
                archive.writestr(f"{root}/train/{word}/images/{word}_{i}.JPEG", image)
        lines = []
        for i, (word, image) in enumerate(val):
            archive.writestr(f"{root}/val/images/val_{i}.JPEG", image)
            lines.append(f"val_{i}.JPEG\t{word}\t0\t32\t44\t62\n")
        archive.writestr(f"{root}/val/val_annotations.txt", "".join(lines))
    return path


def cub_archive(path: Path, images: list[tuple[int, bool, bytes]]) -> Path:
    """Write JPEG files, each with its class from 1 and if it is for training, in the layout of CUB_200_2011.tgz."""
    root = "CUB_200_2011"
    files = [f"{label:03}.Bird/Bird_{n:04}.jpg" for n, (label, _, _) in enumerate(images, 1)]
    tables = {
        "images": files,
        "image_class_labels": [label for label, _, _ in images],
        "train_test_split": [int(train) for _, train, _ in images],
        "classes": ["001.Bird", "002.Bird"],
    }
    texts = {
        f"{root}/{name}.txt": "".join(f"{n} {value}\n" for n, value in enumerate(values, 1)).encode()
        for name, values in tables.items()
    }
    pictures = {f"{root}/images/{file}": image for file, (_, _, image) in zip(files, images, strict=True)}
    backwards = dict(reversed(pictures.items()))  # an archive keeps no order
    return tar(
        path, {"attributes.txt": b"1 has_bill_shape::curved\n", **backwards, **texts, f"{root}/README": b"Birds"}
    )
