"""Studies and predictions of single studies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medfm_gui.desk.entry import Entry
from medfm_gui.desk.protocol import Ask

ENTRIES: Mapping[type[Ask[Any]], Entry] = {}
