"""Elements of a data set, read without trust: a value that is not what its element claims reads as absent."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from medfm_gui.imaging.header import clean_text

DAMAGED = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    ArithmeticError,
    EOFError,
    OSError,
    RuntimeError,
    struct.error,
    zlib.error,
    BytesLengthException,
)
"""What pydicom was seen to raise on damaged files, RecursionError (a RuntimeError) and its own errors among them."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom's warnings and its log: both quote values of the header, which may name a patient."""
    log = logging.getLogger("pydicom")
    was_disabled, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = was_disabled


def element(data: Dataset, keyword: str) -> Any:
    """The value of an element, None where it is absent, empty or unreadable."""
    tag = _tag(keyword)
    if tag not in data.keys():  # noqa: SIM118 - the data set's own "in" is ten times slower
        return None
    try:
        value = data[tag].value
    except DAMAGED:
        return None
    return None if value is None or value == "" else value


@functools.cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def first(data: Dataset, keyword: str) -> Any:
    """The first of several values."""
    value = element(data, keyword)
    if isinstance(value, (MultiValue, list, tuple)):
        return value[0] if len(value) else None
    return value


def text(data: Dataset, keyword: str) -> str:
    """An element as clean text; several values are joined by a backslash, as in the file."""
    value = element(data, keyword)
    if value is None:
        return ""
    if isinstance(value, (MultiValue, list, tuple)):
        return clean_text("\\".join(str(part) for part in value))
    return clean_text(str(value))


def integer(data: Dataset, keyword: str) -> int | None:
    """The first value as a whole number."""
    number = real(data, keyword)
    return int(number) if number is not None and number == int(number) else None


def real(data: Dataset, keyword: str) -> float | None:
    """The first value as a finite number."""
    value = first(data, keyword)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def reals(data: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` finite numbers."""
    value = element(data, keyword)
    if not isinstance(value, (MultiValue, list, tuple)) or len(value) != count:
        return None
    try:
        numbers = tuple(float(part) for part in value)
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if all(math.isfinite(number) for number in numbers) else None


def items(data: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty where there is none."""
    value = element(data, keyword)
    try:
        return [item for item in value or () if isinstance(item, Dataset)]
    except TypeError:
        return []


def of_frame(data: Dataset, macro: str, frame: int) -> Dataset:
    """Where the attributes of a functional group macro stand: the frame's, the shared one, or the data set itself."""
    per_frame = items(data, "PerFrameFunctionalGroupsSequence")
    if frame < len(per_frame) and (found := items(per_frame[frame], macro)):
        return found[0]
    for shared in items(data, "SharedFunctionalGroupsSequence"):
        if found := items(shared, macro):
            return found[0]
    return data
