"""Windows on the digit keys, as data: ``resources/viewer/presets.toml``, or what the reader made of them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from medfm_gui.domain.errors import InternalError

MOST = 9
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Preset:
    """A named window in Hounsfield units; its digit is its place in the list, from 1. 0 is the window as opened."""

    name: str
    centre: float
    width: float

    def __post_init__(self) -> None:
        sized = math.isfinite(self.centre) and math.isfinite(self.width) and self.width >= 1
        if not self.name.strip() or len(self.name) > LONGEST_NAME or not sized:
            raise InternalError("A window preset needs a name of up to 40 characters and a width of at least 1.")


def parse(text: str) -> tuple[Preset, ...]:
    """The presets of a TOML text, at most nine.

    Raises:
        InternalError: it holds none, or wrong ones.
    """
    try:
        listed: list[dict[str, Any]] = tomllib.loads(text)["preset"]
        return tuple(Preset(str(one["name"]), float(one["centre"]), float(one["width"])) for one in listed[:MOST])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InternalError(f"The window presets cannot be read: {error}") from error


def to_toml(presets: Sequence[Preset]) -> str:
    """The text that ``parse`` reads back as the same presets."""
    return "\n".join(
        f"[[preset]]\nname = {_quoted(one.name)}\ncentre = {one.centre!r}\nwidth = {one.width!r}\n" for one in presets
    )


def _quoted(name: str) -> str:
    """A TOML basic string: backslash, quote and control characters escaped."""
    return '"' + "".join(c if c >= " " and c not in '"\\\x7f' else f"\\u{ord(c):04x}" for c in name) + '"'
