"""The names that samples and units bear in one report: they cannot be had back, nor joined with those of another."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from medfm_gui.domain.units import unit_word
from medfm_gui.workspace.opened_runs import OpenedRun


@dataclass(frozen=True, slots=True)
class ReportNames:
    """New names of samples: a keyed hash whose key nobody keeps, the same on the pages and in the attached files."""

    sample: Callable[[str], str] = field(default_factory=lambda: _aliases(secrets.token_bytes(32)))

    def of_units(self, run: OpenedRun) -> Mapping[str, str]:
        """The name of every unit of a run: a sample's new name, or the unit's number in the attached files."""
        if run.units is run.images:
            return {name: self.sample(name) for name in run.units.samples}
        word = unit_word(run.units.unit)
        if word == "patient":
            numbers = patient_numbers(run.images.patients or ())
        else:
            numbers = unit_numbers(run.images.groups.get(word, ()))
        return {name: numbers.get(name) or self.sample(name) for name in run.units.samples}


def patient_numbers(patients: tuple[str, ...] | list[str]) -> dict[str, str]:
    """``P1``, ``P2`` … in the order in which the patients come."""
    return {name: f"P{number}" for number, name in enumerate(dict.fromkeys(patients), 1)}


def unit_numbers(units: Sequence[str]) -> dict[str, str]:
    """``U1``, ``U2`` … in the order in which other units than patients come; none of an unknown one."""
    return {name: f"U{number}" for number, name in enumerate(dict.fromkeys(filter(None, units)), 1)}


def _aliases(key: bytes) -> Callable[[str], str]:
    @cache
    def alias(name: str) -> str:
        return "x" + hashlib.blake2b(name.encode(), key=key, digest_size=8).hexdigest()

    return alias
