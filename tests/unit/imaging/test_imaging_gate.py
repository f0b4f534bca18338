from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging import gate
from medfm_gui.imaging.gate import VOLUMES, FileKind, admit, inspect
from medfm_gui.imaging.reasons import Reason

MakeDicom = Callable[..., Path]


def _reason(path: Path, root: Path | None = None) -> str:
    with pytest.raises(UnreadableFile) as caught:
        inspect(path, root=root)
    assert caught.value.message and caught.value.hint
    assert str(path) not in caught.value.message
    return caught.value.reason


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "bmp", "webp"])
def test_content_decides_and_the_name_does_not(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.svg"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path, format=kind)
    assert inspect(path) is FileKind(kind)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (bytes(344) + b"n+1\0" + bytes(8), "nifti"),
        (gzip.compress(bytes(344) + b"n+1\0" + bytes(8)), "nifti"),
        (b"\x1c\x02\0\0n+2\0" + bytes(540), "nifti"),
        (b"NRRD0004\ntype: uchar\n", "nrrd"),
        (b"ObjectType = Image\nNDims = 3\n", "meta"),
        (b"\x93NUMPY\x01\0", "array"),
    ],
)
def test_volumes_are_known_by_their_first_bytes(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "volume.png"
    path.write_bytes(content)
    assert inspect(path) is FileKind(kind) in VOLUMES


def test_a_dicom_file_is_known_by_its_magic_whatever_its_preamble(make_dicom: MakeDicom) -> None:
    for preamble in (bytes(128), b"MZ".ljust(128, b"\0"), b"II*\0".ljust(128, b"\0")):
        assert inspect(make_dicom(preamble=preamble)) is FileKind.DICOM


@pytest.mark.parametrize(
    ("content", "word", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>", "SVG", "not_an_image"),
        (b"<?xml version='1.0'?><!-- x --><svg/>", "SVG", "not_an_image"),
        ("<svg/>".encode("utf-16"), "SVG", "not_an_image"),
        (b"<!DOCTYPE html><html></html>", "HTML", "not_an_image"),
        (b"<?xml version='1.0'?><a/>", "XML", "not_an_image"),
        (b"%PDF-1.7 ...", "PDF", "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "EPS", "not_an_image"),
        (b"\xc5\xd0\xd3\xc6" + bytes(30), "EPS", "not_an_image"),
        (b"PK\x03\x04" + bytes(40), "ZIP", "not_an_image"),
        (b"\x1f\x8b\x08" + bytes(40), "gzip", "not_an_image"),
        (b"MZ" + bytes(200), "program", "not_an_image"),
        (b"a,b\n1,2\n", "text", "not_an_image"),
        (b"BM is how this note begins", "text", "not_an_image"),
        (b"\x01\x02\x03\x04" * 50, "no known kind", "not_an_image"),
        (b"GIF89a" + bytes(40), "GIF", "unsupported_format"),
        (bytes(4) + b"ftypheic" + bytes(40), "HEIC", "unsupported_format"),
        (bytes(344) + b"ni1\0" + bytes(8), "another file", "unsupported_format"),
    ],
)
def test_what_is_no_image_is_refused_by_name(tmp_path: Path, content: bytes, word: str, reason: str) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=word) as caught:
        inspect(path)
    assert caught.value.reason == reason


def test_an_empty_or_missing_file_and_a_folder(tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    assert _reason(empty) == Reason.EMPTY
    assert _reason(tmp_path / "none.png") == Reason.UNREADABLE
    assert _reason(tmp_path / ("x" * 300)) == Reason.UNREADABLE
    with pytest.raises(UnreadableFile):
        inspect(Path("a\0b"))
    assert _reason(tmp_path) == Reason.NOT_REGULAR


@pytest.mark.timeout(10)
def test_pipes_sockets_and_devices_never_block(tmp_path: Path) -> None:
    pipe = tmp_path / "scan.dcm"
    os.mkfifo(pipe)
    assert _reason(pipe) == Reason.NOT_REGULAR
    link = tmp_path / "link-to-pipe.dcm"
    link.symlink_to(pipe)
    assert _reason(link) == Reason.NOT_REGULAR
    endless = tmp_path / "endless.dcm"
    endless.symlink_to("/dev/zero")
    assert _reason(endless) == Reason.NOT_REGULAR
    with socket.socket(socket.AF_UNIX) as listener:
        place = os.path.relpath(tmp_path / "s")
        listener.bind(place if len(place) < 100 else str(tmp_path / "s"))
        assert _reason(tmp_path / "s") == Reason.NOT_REGULAR


def test_links_may_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    (outside / "deep").mkdir(parents=True)
    root.mkdir()
    secret = outside / "deep" / "secret.png"
    Image.new("L", (4, 4)).save(secret)
    inside = root / "inside.png"
    Image.new("L", (4, 4)).save(inside)
    (root / "out.png").symlink_to(secret)
    (root / "folder").symlink_to(outside / "deep")
    (root / "in.png").symlink_to(inside)
    (root / "loop").symlink_to(root / "loop")
    assert _reason(root / "out.png", root) == Reason.OUTSIDE
    assert _reason(root / "folder" / "secret.png", root) == Reason.OUTSIDE
    assert _reason(root / ".." / "outside" / "deep" / "secret.png", root) == Reason.OUTSIDE
    assert _reason(root / "loop", root) == Reason.UNREADABLE
    assert inspect(root / "in.png", root=root) is FileKind.PNG
    assert inspect(root / "out.png") is FileKind.PNG, "without a folder, a named link is followed"


def test_the_size_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.png"
    Image.new("L", (64, 64)).save(path)
    monkeypatch.setattr(gate, "MAX_FILE_BYTES", 10)
    assert _reason(path) == Reason.TOO_LARGE


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "locked.png"
    Image.new("L", (4, 4)).save(path)
    path.chmod(0)
    assert _reason(path) == Reason.UNREADABLE


def test_the_handle_is_at_the_beginning_and_closed_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("L", (4, 4)).save(path)
    with admit(path) as admitted:
        assert admitted.handle.read(4) == b"\x89PNG"
        assert admitted.size == path.stat().st_size
    assert admitted.handle.closed
