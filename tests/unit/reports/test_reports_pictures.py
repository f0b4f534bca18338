from __future__ import annotations

import base64
import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib import image

from medfm_gui.reports.pictures import read_picture


def rubbish(png: bytes) -> bytes:
    """The PNG with pixels that cannot be unpacked, every checksum right."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return png[:33] + chunk(b"IDAT", b"rubbish") + chunk(b"IEND", b"")


def test_a_whole_picture_is_wrapped(tmp_path: Path, png: Callable[..., bytes]) -> None:
    path = tmp_path / "whole.png"
    path.write_bytes(png(40, 20))
    drawable = read_picture(str(path))
    assert drawable is not None
    assert drawable.height == pytest.approx(0.5)
    assert drawable.svg.startswith(b"<svg")


def test_what_cannot_be_drawn_is_none(tmp_path: Path, png: Callable[..., bytes]) -> None:
    whole = png(40, 20)
    parts = {"cut": whole[:-3], "no end": whole[:-12], "checksum": whole.replace(b"IDAT", b"IDAQ")}
    broken = {
        **parts,
        "empty": b"",
        "gif": b"GIF89a" * 9,
        "header": whole[:30],
        "rubbish": rubbish(whole),
        "no size": png(0, 0),
    }
    for name, data in broken.items():
        path = tmp_path / name
        path.write_bytes(data)
        assert read_picture(str(path)) is None, name
    for path_text in (str(tmp_path / "absent.png"), str(tmp_path), "nul\0.png", ""):
        assert read_picture(path_text) is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(8, 400), value=st.integers(0, 255))
def test_a_flipped_byte_never_raises(place: int, value: int, tmp_path: Path, png: Callable[..., bytes]) -> None:
    data = bytearray(png(12, 12))
    data[place % len(data)] = value
    path = tmp_path / "flipped.png"
    path.write_bytes(data)
    drawable = read_picture(str(path))
    assert drawable is None or drawable.svg


def test_noise_takes_less_room_than_in_a_png(tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    image.imsave(path, np.random.default_rng(0).normal(0.5, 0.05, (200, 200)), vmin=0, vmax=1, cmap="gray")
    drawable = read_picture(str(path))
    assert drawable is not None
    assert len(drawable.svg) < 0.7 * path.stat().st_size
    coded = re.search(rb"data:image/jpeg;base64,([^\"]+)", drawable.svg)
    assert coded
    shown = image.imread(io.BytesIO(base64.b64decode(coded[1])), format="jpeg") / 255
    assert np.abs(shown - image.imread(path)[..., :3]).mean() < 0.02
