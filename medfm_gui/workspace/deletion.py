"""What a deletion gives back, apart from what does it: the window knows the words only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was moved out, and where it lies now; ``dataset`` is empty where only splits went."""

    dataset: str
    splits: tuple[str, ...]
    place: str
