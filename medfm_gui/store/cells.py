"""What a value becomes in a cell, and back: any text, any float, JSON that never holds an invalid token.

SQLite takes only UTF-8 as text, but a file name may be any bytes, which Python shows as lone surrogates.
Such a text is stored as its bytes (a BLOB in a text column); it comes back as the same text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medfm_gui.base import wire

Cell = str | bytes | int | float | None
Plain = str | bytes | bool | float | np.generic | None
"""What a column may be given; NumPy's scalars too, which SQLite would refuse."""

_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))
"""Made once: ``json.dumps`` with options makes one each time."""


def cell(value: Plain) -> Cell:
    """A plain value as SQLite takes it; a float that is not finite becomes None."""
    if isinstance(value, str):
        return text_cell(value)
    if isinstance(value, np.generic):
        return cell(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def row(**values: Plain) -> dict[str, Cell]:
    """A row by column name."""
    return {column: cell(value) for column, value in values.items()}


def text_cell(text: str) -> str | bytes:
    """Text, or its bytes where it is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_of(stored: str | bytes) -> str:
    """The text that ``text_cell`` stored."""
    return stored.decode("utf-8", "surrogatepass") if isinstance(stored, bytes) else stored


def optional_text_of(stored: str | bytes | None) -> str | None:
    """As ``text_of``, of a column that may be empty."""
    return None if stored is None else text_of(stored)


def status(**numbers: float | None) -> str:
    """Names the numbers that are NULL because they are not finite, e.g. ``low: nan, high: inf``."""
    wrong = [f"{name}: {value}" for name, value in numbers.items() if value is not None and not math.isfinite(value)]
    return ", ".join(wrong)


def json_of(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Plain values as ASCII JSON with sorted keys; a float that is not finite becomes its name, e.g. ``"nan"``."""
    return _ENCODER.encode(_finite(value))


def texts_of(stored: str) -> tuple[str, ...]:
    """A list of texts from JSON."""
    return tuple(str(item) for item in json.loads(stored))


def text_mapping_of(stored: str) -> dict[str, str]:
    """A mapping of text to text from JSON."""
    return {str(key): str(value) for key, value in json.loads(stored).items()}


def number_mapping_of(stored: str) -> dict[str, float]:
    """A mapping of text to number from JSON; ``"nan"`` and ``"inf"`` become the floats again."""
    return {str(key): float(value) for key, value in json.loads(stored).items() if value is not None}


def whole_numbers_of(stored: str) -> tuple[int, ...]:
    """A list of whole numbers from JSON."""
    return tuple(int(item) for item in json.loads(stored))


def dataclass_json(value: object) -> str:
    """One of our dataclasses as JSON that ``wire.decode`` reads; bytes that are no text become visible escapes."""
    return json_of(_shown(wire.plain(value)))


def _finite(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value  # first, since most are
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_shown(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value


def place_cell(root: Path, place: Path | str) -> str | bytes:
    """A file or folder; relative to ``root`` (with ``/``) where it lies below, so that a workspace can be moved."""
    path = Path(place)
    return text_cell(path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path))


def place_of(root: Path, stored: str | bytes) -> str:
    """The absolute path that ``place_cell`` stored."""
    return str(root / text_of(stored))
