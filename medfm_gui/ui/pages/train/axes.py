"""Seeds and shots as they are typed: “0, 1, 2” or “0-4”, “1, 2, 4, all”."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

HIGHEST_SEED: Final = 2**32 - 1
MOST_RUNS: Final = 1000
"""More runs than that in one plan are a slip of the hand."""
USUAL_SHOTS: Final[tuple[int | None, ...]] = (None, 1, 2, 4, 8, 16)
"""Training patients a class that are offered; None is every training image."""
USUAL_DRAWS: Final = 5
"""Few-shot results depend on who is drawn, so that fewer draws say little."""
ALL: Final = "all"
_MOST_SHOTS: Final = 1_000_000


def seeds_of(text: str) -> tuple[int, ...] | None:
    """The seeds of “0, 1, 2” or “0-4”; None if that is not what it says."""
    seeds: list[int] = []
    for part in filter(None, re.split(r"[,;\s]+", text.strip())):
        found = re.fullmatch(r"(\d{1,10})(?:[-–](\d{1,10}))?", part)
        if found is None:
            return None
        first = int(found[1])
        last = int(found[2] or first)
        if not first <= last <= HIGHEST_SEED or last - first >= MOST_RUNS:
            return None
        seeds += range(first, last + 1)
    return tuple(dict.fromkeys(seeds)) or None


def shots_of(text: str) -> tuple[int | None, ...] | None:
    """The shots of “1, 2, 4, all”, few first and all (None) last; None if that is not what it says."""
    few: set[int] = set()
    has_all = False
    for part in filter(None, re.split(r"[,;\s]+", text.strip().casefold())):
        if part == ALL:
            has_all = True
        elif re.fullmatch(r"\d{1,7}", part) and 1 <= int(part) <= _MOST_SHOTS:
            few.add(int(part))
        else:
            return None
    return (*sorted(few), *((None,) if has_all else ())) or None


def shots_text(shots: Iterable[int | None]) -> str:
    """The text that ``shots_of`` reads."""
    wanted = set(shots)
    few = sorted(one for one in wanted if one is not None)
    return ", ".join([*map(str, few), *([ALL] if None in wanted else [])])


def shot_name(shots: int | None) -> str:
    """“all”, “16”."""
    return ALL if shots is None else str(shots)
