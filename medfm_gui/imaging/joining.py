"""What is known of a study and what was just read of it become one: reading a part never makes a study smaller.

What was read wins, image by image; images that were not read stay as they were known, whether their files are still
there or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from medfm_gui.domain.study import Instance, Series, Study
from medfm_gui.imaging.series import SAME_SPACING_MM, SAME_WAY, nearly, place_of, slice_spacing


def joined(known: Study, read: Study) -> Study:
    """All images of both; series stand in the order in which they were known, new ones behind.

    Studies of the same UID and different patients are not joined: what was read stands.
    """
    if known.uid != read.uid or known.patient != read.patient:
        return read
    found = {_name(item) for one in read.series for item in one.instances}
    paths = {item.path for one in read.series for item in one.instances}
    series = list(read.series)
    places = [len(known.series)] * len(series)
    for place, one in enumerate(known.series):
        rest = tuple(item for item in one.instances if _name(item) not in found and item.path not in paths)
        at = _partner(one, read.series)
        if at is not None:
            places[at] = min(place, places[at])
            series[at] = _with(one, rest, series[at]) if rest else series[at]
        elif rest:
            places.append(place)
            series.append(replace(one, instances=rest))
    ordered = sorted(zip(places, series, strict=True), key=lambda pair: pair[0])
    return replace(
        read,
        date=read.date or known.date,
        modality="\\".join(sorted({one.modality for one in series} - {""})),
        description=read.description or known.description,
        series=tuple(one for _, one in ordered),
        sex=read.sex or known.sex,
        age=read.age or known.age,
    )


def _name(item: Instance) -> str:
    return item.uid or item.path


def _partner(known: Series, read: Sequence[Series]) -> int | None:
    """Which of the series that were read is the known one: it shares images with it, else UID and geometry."""
    names = {_name(item) for item in known.instances}
    alike = [place for place, one in enumerate(read) if _is_alike(known, one)]
    shared = [place for place in alike if any(_name(item) in names for item in read[place].instances)]
    return next(iter((*shared, *alike)), None)


def _is_alike(known: Series, read: Series) -> bool:
    """Of one UID and one geometry; an index from before orientations were kept knows none."""
    if (known.uid, known.rows, known.columns) != (read.uid, read.rows, read.columns):
        return False
    if not nearly(known.spacing_mm or (), read.spacing_mm or (), SAME_SPACING_MM):
        return False
    is_known = bool(known.orientation and read.orientation)
    turned = is_known and not nearly(known.orientation, read.orientation, 2 * SAME_WAY)  # both are rounded
    return not turned and _is_film(known) == _is_film(read)


def _is_film(series: Series) -> bool:
    return any(item.frames > 1 for item in series.instances)


def _with(known: Series, rest: Iterable[Instance], read: Series) -> Series:
    """The series that was read, with the rest of the known one; spacing and gaps are worked out again."""
    instances = (*rest, *read.instances)
    is_placed = len(instances) > 1 and all(item.position_mm is not None for item in instances)
    whole = replace(read, instances=tuple(sorted(instances, key=lambda item: place_of(item, by_position=is_placed))))
    spacing, gaps = _gaps(whole)
    stale = {*_gaps(known)[1], *_gaps(read)[1]} - set(gaps)
    said = dict.fromkeys((*known.warnings, *read.warnings, *gaps))
    return replace(whole, slice_spacing_mm=spacing, warnings=tuple(warning for warning in said if warning not in stale))


def _gaps(series: Series) -> tuple[float | None, list[str]]:
    positions = [item.position_mm for item in series.instances if item.position_mm is not None]
    if len(positions) < 2 or len(positions) != len(series.instances):
        return None, []
    return slice_spacing(positions)
