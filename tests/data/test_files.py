"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from srclib.data import files


def test_a_file_is_what_it_was_until_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "some.txt"
    with files.whole(path) as part:
        part.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    with files.whole(path) as part:
        part.write_text("two")
        assert path.read_text() == "one"
    assert path.read_text() == "two"


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text("one")

    def fail() -> None:
        with files.whole(path) as part:
            part.write_text("tw")
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        fail()
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]
