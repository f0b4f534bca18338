"""What a MATLAB file says beside its pixels, the way it travels from the child that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """What a MATLAB file says beside its pixels.

    ``label`` is the release's number of the class, 0 where there is none; ``patient`` the release's own id; ``box``
    holds x0, y0, x1, y1 of the outlined lesion as shares of the image, or nothing. ``folds`` is filled by the list of
    folds alone: one number an image, in the order of the images' numbers.
    """

    label: int = 0
    patient: str = ""
    rows: int = 0
    columns: int = 0
    box: tuple[float, ...] = ()
    folds: tuple[int, ...] = ()


def record_to_plain(record: Record) -> dict[str, Any]:
    """As JSON can carry it."""
    return asdict(record)


def record_from_plain(plain: Mapping[str, Any]) -> Record:
    """The other way."""
    return Record(
        int(plain["label"]),
        str(plain["patient"]),
        int(plain["rows"]),
        int(plain["columns"]),
        tuple(float(number) for number in plain["box"]),
        tuple(int(number) for number in plain["folds"]),
    )
