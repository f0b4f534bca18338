"""Every question of the window and who answers it: the topics' lists, joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medfm_gui.desk.answers import (
    compare,
    compare_cases,
    compare_outside,
    curation,
    data,
    deidentify,
    frame,
    home,
    map_checks,
    reports,
    runs,
    settings,
    studies,
    train,
    upkeep,
)
from medfm_gui.desk.entry import Entry
from medfm_gui.desk.protocol import Ask

_TOPICS = (
    frame,
    home,
    data,
    curation,
    train,
    runs,
    map_checks,
    studies,
    deidentify,
    compare,
    compare_cases,
    compare_outside,
    reports,
    settings,
    upkeep,
)


def every_entry() -> Mapping[type[Ask[Any]], Entry]:
    """All questions by their class."""
    found: dict[type[Ask[Any]], Entry] = {}
    for topic in _TOPICS:
        found.update(topic.ENTRIES)
    return found
