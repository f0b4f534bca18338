"""All elements of a file's header in words, read by a child of the pool."""

from __future__ import annotations

from pathlib import Path

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.domain.study import Element
from medfm_gui.imaging.pool import DecodePool

MOST = 10_000
"""Elements of one file that are told."""


def read_elements(pool: DecodePool, path: str | Path, *, identity: bool) -> tuple[Element, ...]:
    """The elements before the pixels, in the order of the file, those of sequences below them.

    Args:
        identity: whether values may be told that can say who the patient is.

    Raises:
        UnreadableFile: it is no DICOM image, or damaged.
    """
    words = {"work": "elements", "path": str(Path(path).absolute()), "identity": identity}
    (said,) = pool.run([("", words)], lambda _, said, __: said)
    if not said["ok"]:
        raise UnreadableFile(str(said["message"]), reason=str(said["reason"]))
    return tuple(Element(*row) for row in said["elements"])
