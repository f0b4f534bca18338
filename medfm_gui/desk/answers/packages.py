"""The Python packages that the program stands on, with the licence each names for itself."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import Distribution

from medfm_gui.desk.asks.settings import Package

_LONGEST = 60


def packages() -> tuple[Package, ...]:
    """Every installed package, by name."""
    found: dict[str, Package] = {}
    for one in importlib.metadata.distributions():
        name = one.metadata["Name"]
        if name:  # a folder that is left of a package has no name
            found.setdefault(name.lower(), Package(name, one.version, licence(one)))
    return tuple(found[key] for key in sorted(found))


def licence(one: Distribution) -> str:
    """The licence of a package in a few words; empty where it names none.

    Old packages put the whole text where a name belongs; their classifiers say it shortly.
    """
    said = _said(one, "License-Expression")
    text = _said(one, "License")
    if not said and text and "\n" not in text and len(text) <= _LONGEST and text != "UNKNOWN":
        said = text
    if not said:
        classifiers = one.metadata.get_all("Classifier") or []
        names = [item.rpartition("::")[2].strip() for item in classifiers if item.startswith("License ::")]
        said = ", ".join(name for name in names if name != "DFSG approved")
    return said


def _said(one: Distribution, field: str) -> str:
    return next((str(value).strip() for value in one.metadata.get_all(field) or []), "")
