"""Columns of attached predictions that tell the lesion, eye, breast or study of each image, without its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medfm_gui.domain.units import UNITS, unit_word
from medfm_gui.workspace.report_names import unit_numbers

_COLUMN = "unit:{unit}"


def unit_columns(groups: Mapping[str, Sequence[str]], counted: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Of the units that are counted and are neither images nor patients: column → number of each sample's unit.

    Args:
        groups: the name of each sample's unit, empty where it is unknown; so is the number then.
    """
    wanted = {unit_word(unit) for unit in counted}
    return {_COLUMN.format(unit=unit): _numbered(names) for unit, names in groups.items() if unit in wanted}


def units_of_columns(head: Sequence[str]) -> tuple[str, ...] | None:
    """The units of the last columns of a table; None where there are others."""
    known = {_COLUMN.format(unit=unit): unit for unit in UNITS}
    return tuple(known[text] for text in head) if all(text in known for text in head) else None


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    numbers = unit_numbers(names)
    return tuple(numbers.get(name, "") for name in names)
