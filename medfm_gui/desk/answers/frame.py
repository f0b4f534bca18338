"""What the status bar shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medfm_gui.base.settings import is_offline_locked, load_settings, network_allowed
from medfm_gui.desk.answers.runs import list_runs
from medfm_gui.desk.asks.frame import FrameFacts, FrameState
from medfm_gui.desk.asks.runs import ListRuns
from medfm_gui.desk.entry import Entry
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told


def frame_facts(room: Room, ask: FrameFacts, told: Told) -> FrameState:
    """Settings and the runs that were cut off."""
    network = "locked" if is_offline_locked() else "on" if network_allowed(load_settings()) else "off"
    runs = list_runs(room, ListRuns(), told).runs
    cut_off = tuple(item.row.id for item in runs if item.row.state.error_kind == "interrupted")
    devices = sorted({item.row.state.device for item in runs if item.row.state.device})
    return FrameState(network, ", ".join(devices), cut_off)


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    FrameFacts: Entry(frame_facts),
}
"""The topics' own lists are joined in ``table``."""
