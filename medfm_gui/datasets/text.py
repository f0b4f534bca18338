"""Words from files made safe to show, compare and sort."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_EMPTY = frozenset({"", "nan", "na", "n/a", "null", "<na>", "?"})
_LONGEST_EMPTY = max(map(len, _EMPTY))
_LONGEST = 300


def shown(text: str, *, longest: int = _LONGEST) -> str:
    """Text from outside as one printable line: control, bidirectional and undecodable characters are spelt out."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def cell(text: str) -> str:
    """A table's cell without blanks around it, composed (NFC) and printable; ``nan``, ``NA`` and the like are empty."""
    bare = text.strip()
    if len(bare) <= _LONGEST_EMPTY and bare.casefold() in _EMPTY:
        return ""
    return shown(bare if bare.isascii() else unicodedata.normalize("NFC", bare))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which “grade 2” stands before “grade 10”."""
    parts = re.split(r"([0-9]+)", text.casefold())
    return (*((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part), (2, 0, text))


def words(text: str) -> tuple[str, ...]:
    """A list of words that stands in the program as one readable line."""
    return tuple(text.split())


def plain_name(text: str) -> str:
    """A column's name for comparison: “Patient ID”, “patient_id” and “PatientID” are one."""
    return re.sub(r"[\W_]+", "", text.casefold())


def nearest(word: str, known: Sequence[str]) -> list[str]:
    """Up to three of the known words that a person may have meant."""
    by_fold = {name.casefold(): name for name in known}
    return [by_fold[name] for name in get_close_matches(word.casefold(), list(by_fold), n=3, cutoff=0.55)]


def examples(items: Iterable[str], *, most: int = 3) -> str:
    """The first few of a list, for a sentence: ``a, b, c and 4 more``."""
    found = list(items)
    rest = len(found) - most
    return ", ".join(found[:most]) + (f" and {rest} more" if rest > 0 else "")
