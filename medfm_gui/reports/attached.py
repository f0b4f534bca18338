"""A PDF read back: the files that travel in it, and the text of its pages. A foreign PDF is data, read with limits."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path

import pypdf
from pypdf.errors import PyPdfError

from medfm_gui.domain.errors import InputError

_LARGEST_PDF = 512 << 20
_LARGEST_ATTACHED = 256 << 20
_MOST_ATTACHED = 1000
_DAMAGED = (PyPdfError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
"""What pypdf was seen to raise on damaged files; its own limits stop what unpacks without end."""


def read_pdf(path: Path) -> tuple[dict[str, bytes], str]:
    """The files attached to a PDF, and the text of its pages without any space (see ``solid``) and running lines.

    Raises:
        InputError: it is no PDF that can be read, or too large.
    """
    try:
        if path.stat().st_size > _LARGEST_PDF:
            raise InputError(f"“{path.name}” is too large for a report.", "Choose a report of this program.")
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it would print of a damaged file is said below
        reader = pypdf.PdfReader(io.BytesIO(path.read_bytes()), strict=False)
        files = _attached(reader, path.name)
        text = _joined([page.extract_text() for page in reader.pages])
    except _DAMAGED as error:
        raise InputError(
            f"“{path.name}” cannot be read as a PDF ({type(error).__name__}).", "It is damaged, or no PDF."
        ) from error
    return files, solid(text)


def _attached(reader: pypdf.PdfReader, name: str) -> dict[str, bytes]:
    """The files inside, unpacked one after another until they are too many.

    Raises:
        InputError: two of them bear one name, or together they are too large.
    """
    files: dict[str, bytes] = {}
    size = 0
    for title, contents in reader.attachments.items():
        if len(contents) > 1:
            raise InputError(
                f"“{name}” carries {len(contents)} files of the name “{title[:80]}”.", "A report carries one of each."
            )
        if contents:
            files[title] = contents[0]
            size += len(contents[0])
        if size > _LARGEST_ATTACHED or len(files) > _MOST_ATTACHED:
            raise InputError(f"The files attached to “{name}” are too large.", "Choose a report of this program.")
    return files


def _joined(pages: list[str]) -> str:
    """The text of all pages without their running title and their numbers, so that what goes over a page is whole."""
    first = solid(pages[0]) if pages else ""
    kept = []
    for number, page in enumerate(pages, 1):
        lines = page.rstrip().split("\n")
        if lines[-1].endswith(f"Page {number} of {len(pages)}"):
            lines.pop()
        title = solid(lines[0].split("…")[0]) if lines else ""
        kept.append("\n".join(lines[1:] if number > 1 and title and first.startswith(title) else lines))
    return "\n".join(kept)


def solid(text: str) -> str:
    """Text without what a page's layout puts in: spaces, soft hyphens, marks of width zero."""
    return re.sub(r"[\s\u00ad\u200b\u2060\ufeff]", "", text)
