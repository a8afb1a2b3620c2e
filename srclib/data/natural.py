"""Natural images: CIFAR-10, Tiny ImageNet at 32 x 32 pixels, embeddings of CUB-200-2011. Kept in a cache directory.

Their licences do not let the project hold them. They are downloaded from their publishers, converted once, and kept in
the directory that `SRCLIB_DATA` names, by default `srclib` in the user's cache.

Prepared form: a data set is one file, `<name>.npz`, written by `numpy.savez` without pickled objects. It holds

    x_train, x_test    images uint8 (n, height, width, 3), or embeddings of images, float16 or float32 (n, inputs)
    y_train, y_test    labels from 0, uint8 (n,)

and may hold more, which is not read. Its zip format keeps a CRC-32 of every array, checked on reading. A prepared file
that is put into the directory is used as it is. So is a publisher's file that is put into its folder `downloads`.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image
from platformdirs import user_cache_dir
from rich.console import Console
from rich.progress import track

from . import resnet

Arrays = dict[str, NDArray[Any]]  # x_train, y_train, x_test, y_test
SPLITS = ("train", "test")
RETRIES = 3  # of a download that fails
TIMEOUT = 30  # seconds that a server may be silent


@dataclass(frozen=True)
class Origin:
    """A file of a publisher."""

    url: str
    checksum: str  # algorithm:hex

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Source:
    """What a prepared file holds and what it is made of."""

    shape: tuple[int, ...]  # of one image or embedding
    train: int  # images
    test: int
    classes: int
    origins: tuple[Origin, ...] = ()  # none: it cannot be downloaded
    convert: Callable[..., Arrays] | None = None  # from the paths of the downloaded files


def cache_directory() -> Path:
    """Return the directory of the prepared files: $SRCLIB_DATA, else `srclib` in the user's cache."""
    return Path(os.environ.get("SRCLIB_DATA") or user_cache_dir("srclib"))


def arrays(name: str, directory: Path | None = None) -> Arrays:
    """Return the arrays of a data set, one of SOURCES, in the prepared form; what is missing is made first.

    The images of a split come in the order of their SHA-256, which is as good as random: every copy of a data set gives
    the same arrays, and the first images of a task are of all its classes.

    Raises ValueError for a damaged file and FileNotFoundError for one that is missing and cannot be downloaded. Both
    name the file and say what to do.
    """
    path = path_of(name, directory)
    found = read(made_once(path, lambda: _convert(name, path)), SOURCES[name])
    for split in SPLITS:
        x, y = found[f"x_{split}"], found[f"y_{split}"]
        digests = [
            hashlib.sha256(image.tobytes() + label.tobytes()).digest() for image, label in zip(x, y, strict=True)
        ]
        rows = sorted(range(len(x)), key=digests.__getitem__)
        found[f"x_{split}"], found[f"y_{split}"] = x[rows], y[rows]
    return found


def path_of(name: str, directory: Path | None = None) -> Path:
    """Return the path of a data set's prepared file, whether it is there or not."""
    return (directory or cache_directory()) / f"{name}.npz"


def _convert(name: str, path: Path) -> Arrays:
    source = SOURCES[name]
    if source.convert is None:
        raise FileNotFoundError(f"{path} is missing: {name} cannot be downloaded, put its prepared file there")
    try:
        files = [fetch(origin, path.parent) for origin in source.origins]
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}, or put the prepared file {path.name} into {path.parent}") from error
    return source.convert(*files)


def made_once(path: Path, make: Callable[[], Arrays]) -> Path:
    """Write a file of arrays unless it is there: under a lock, and never half of it. Return its path."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                write(path, make())
    return path


def write(path: Path, content: Arrays) -> None:
    """Write arrays in the prepared form: all of them or nothing."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **content)  # type: ignore[arg-type]  # the stubs take the arrays for its option
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read(path: Path, source: Source) -> Arrays:
    """Read a file in the prepared form; ValueError, which names it, if it is damaged or not what the source says."""
    names = [f"{kind}_{split}" for split in SPLITS for kind in "xy"]
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in names}
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # damage to a zip file shows in many ways
        raise ValueError(f"{path} is damaged ({error}): delete it or put a whole one there") from error
    for split, count in (("train", source.train), ("test", source.test)):
        x, y = found[f"x_{split}"], found[f"y_{split}"]
        types = ("uint8",) if len(source.shape) == 3 else ("float16", "float32")
        shapes = ((count, *source.shape), (count,))
        if (x.shape, y.shape) != shapes or x.dtype not in types or y.dtype != np.uint8:
            raise ValueError(
                f"{path}: x_{split} is {x.dtype} {x.shape} with labels {y.dtype} {y.shape}: allowed is "
                f"{' or '.join(types)} {shapes[0]} with uint8 {shapes[1]}"
            )
        if y.max() >= source.classes:
            raise ValueError(f"{path}: a label of y_{split} is {y.max()}: allowed is 0 to {source.classes - 1}")
    return found


def fetch(origin: Origin, directory: Path) -> Path:
    """Return the path of a publisher's file in `downloads`, downloaded if it is missing, its checksum checked.

    Raises ValueError for a file with another checksum, FileNotFoundError for one that cannot be downloaded.
    """
    import pooch  # its import warns in a notebook without widgets, and few need it

    path = directory / "downloads" / origin.file
    algorithm, expected = origin.checksum.split(":")
    if path.exists():
        found = pooch.file_hash(str(path), alg=algorithm)
        if found != expected:
            raise ValueError(
                f"{path} is damaged or incomplete: its {algorithm} is {found}, expected {expected}; delete it"
            )
        return path
    keeper = pooch.create(
        path.parent, "", registry={path.name: origin.checksum}, urls={path.name: origin.url}, retry_if_failed=RETRIES
    )
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=1 << 16, timeout=TIMEOUT)
    try:
        keeper.fetch(path.name, downloader=downloader)
    except ValueError as error:
        raise ValueError(f"{origin.url} is not the file it was: {error}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileNotFoundError(
            f"{path} is missing and {origin.url} cannot be downloaded ({reason}): put that file there"
        ) from error
    return path


def cifar10(archive: Path) -> Arrays:
    """Convert the binary version of CIFAR-10: records of a label and 3 x 32 x 32 bytes, one colour after another."""
    batches = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
    files = {Path(name).name: content for name, content in _contents(archive)}
    converted: Arrays = {}
    for split, names in batches.items():
        records = np.frombuffer(b"".join(files[name] for name in names), np.uint8).reshape(-1, 3073)
        converted[f"x_{split}"] = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        converted[f"y_{split}"] = records[:, 0]
    return converted


def tiny_imagenet32(archive: Path) -> Arrays:
    """Convert Tiny ImageNet: 2 x 2 pixels become one, their mean; class k is the k-th of the sorted WordNet ids.

    The test images are those of its validation split: the labels of its own test images are not public.
    """
    root = "tiny-imagenet-200"
    converted: Arrays = {}
    with zipfile.ZipFile(archive) as files:
        annotations = files.read(f"{root}/val/val_annotations.txt").decode().splitlines()
        names = [name for name in files.namelist() if name.startswith(f"{root}/train/") and name.endswith(".JPEG")]
        words = {"train": {name: name.split("/")[2] for name in names}}  # of every image, by the name of its file
        words["test"] = {f"{root}/val/images/{name}": word for name, word, *_ in (a.split("\t") for a in annotations)}
        code = {word: k for k, word in enumerate(sorted(set(words["train"].values())))}
        for split, images in words.items():
            converted[f"x_{split}"] = np.stack([np.asarray(_rgb(files.read(name)).reduce(2)) for name in images])
            converted[f"y_{split}"] = np.array([code[word] for word in images.values()], np.uint8)
    return converted


def cub200(archive: Path, weights: Path) -> Arrays:
    """Embed CUB-200-2011: its official split, every image as the 2048 numbers a ResNet-50 has before its last layer.

    weights: see `resnet.load`. It takes half an hour on two cores, less on a GPU. To use weights of your own, `write`
    what this returns to the path of the prepared file.
    """
    root, network = "CUB_200_2011", resnet.load(weights)
    tables = {f"{root}/{table}.txt": dict[str, str]() for table in ("images", "image_class_labels", "train_test_split")}
    names: list[str] = []
    for name, content in _contents(archive):
        if name in tables:
            tables[name] = dict(line.split() for line in content.decode().splitlines())
        elif name.startswith(f"{root}/images/"):
            names.append(name)
    files, labels, training = tables.values()
    number = {f"{root}/images/{file}": n for n, file in files.items()}
    names = [name for name in names if name in number]
    images = (_rgb(content) for name, content in _contents(archive) if name in number)
    bar = track(images, "CUB-200", len(number), console=Console(stderr=True), disable=not sys.stderr.isatty())
    x = resnet.embed(network, bar).astype(np.float16)
    y = np.array([int(labels[number[name]]) - 1 for name in names], np.uint8)
    train = np.array([training[number[name]] == "1" for name in names])
    return {"x_train": x[train], "y_train": y[train], "x_test": x[~train], "y_test": y[~train]}


def _contents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a tar archive, in its order: it is slow to jump about in."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if (file := tar.extractfile(member)) is not None:
                yield member.name, file.read()


def _rgb(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


RESNET50 = Origin(  # of torchvision, trained on ImageNet
    "https://download.pytorch.org/models/resnet50-0676ba61.pth",
    "sha256:0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
)
SOURCES = {
    "cifar10": Source(  # Krizhevsky, "Learning multiple layers of features from tiny images", 2009
        (32, 32, 3),
        train=50_000,
        test=10_000,
        classes=10,
        origins=(
            Origin(
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        convert=cifar10,
    ),
    "tiny_imagenet32": Source(  # Stanford course CS231n, 200 classes of ImageNet
        (32, 32, 3),
        train=100_000,
        test=10_000,
        classes=200,
        origins=(Origin("http://cs231n.stanford.edu/tiny-imagenet-200.zip", "md5:90528d7ca1a48142e341f4ef8d21d0de"),),
        convert=tiny_imagenet32,
    ),
    "cub200": Source(  # Wah et al., "The Caltech-UCSD Birds-200-2011 dataset", CNS-TR-2011-001
        (2048,),
        train=5_994,
        test=5_794,
        classes=200,
        origins=(
            Origin(
                "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
                "md5:97eceeb196236b17998738112f37df78",
            ),
            RESNET50,
        ),
        convert=cub200,
    ),
    # The first 50 classes of CUB-200-2011, embedded by an EfficientNet-Lite2 trained on ImageNet.
    "cub50": Source((1280,), train=1_500, test=1_389, classes=50),
}
