"""A decoding child whose decoder misbehaves by file name; it stands in for the real one in the pool's tests."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from medfm_gui.imaging import child
from medfm_gui.imaging.picture import Picture
from medfm_gui.imaging.read import read_picture


class PanicException(BaseException):
    """What a Rust decoder raises: no Exception."""


ANSWERS: list[BinaryIO] = []


def misbehaving(path: Path, **options: Any) -> Picture:
    name = path.name
    if "abort" in name:
        os.abort()
    if "hang" in name:
        time.sleep(600)
    if "panic" in name:
        raise PanicException
    if "greedy" in name:
        return Picture(bytearray(1 << 40), "", {})  # type: ignore[arg-type]
    if "chatty" in name:
        print('{"id": 0, "ok": true}', flush=True)  # noqa: T201
        os.write(1, b"junk\n")
        os.write(2, b"junk\n")
    if "liar" in name:
        os.write(ANSWERS[0].fileno(), b"no answer at all\n")
    return read_picture(path, **options)


def kept(open_output: Callable[[], BinaryIO] = child._private_output) -> BinaryIO:
    ANSWERS.append(open_output())
    return ANSWERS[0]


if "--stillborn" in sys.argv:
    sys.exit(3)
setattr(child, "read_picture", misbehaving)  # noqa: B010 - not exported
setattr(child, "_private_output", kept)  # noqa: B010
child.main()
