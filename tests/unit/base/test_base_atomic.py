"""A file is the old one or the new one, and a full disk leaves the old one."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from medfm_gui.base.atomic import atomic_file, atomic_write, sha256_file
from medfm_gui.domain.errors import DiskFull, InputError


def test_it_writes_and_says_the_hash(tmp_path: Path) -> None:
    digest = atomic_write(tmp_path / "new" / "a.txt", "hello")
    assert (tmp_path / "new" / "a.txt").read_text() == "hello"
    assert digest == sha256_file(tmp_path / "new" / "a.txt")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    atomic_write(path, "old")
    with pytest.raises(RuntimeError), atomic_file(path) as handle:
        handle.write(b"half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    atomic_write(path, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="full"):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_too_large_for_the_disk_is_said_before_writing(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="MB are needed"), atomic_file(tmp_path / "a", expected_bytes=10**18):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> tuple[int, str]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "mkstemp", refused)
    with pytest.raises(InputError, match="cannot be written"):
        atomic_write(tmp_path / "a", "x")


def test_a_folder_in_the_place_of_a_file_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="out” is a folder") as caught:
        atomic_write(tmp_path / "out", "text")
    assert caught.value.hint == "Name a file."
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
