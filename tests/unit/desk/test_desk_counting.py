"""The seconds left of work that counts twice: the first count says nothing of how long the second takes."""

from __future__ import annotations

from typing import Any

import pytest

from medfm_gui.desk import room


def test_a_count_that_begins_anew_is_judged_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("medfm_gui.desk.room.time.monotonic", lambda: now)
    told: list[Any] = []
    tell = room.Told(lambda kind, fact: told.append(fact)).counting("Importing images")
    now = 200.0
    tell(10, 10)  # a hundred seconds for the headers
    now = 201.0
    tell(1, 100)
    assert told[-1].seconds_left is None, "one second tells too little"
    now = 204.0
    tell(4, 100)
    last: Any = told[-1]
    assert (last.done, last.total) == (4, 100) and last.seconds_left == pytest.approx(3 / 4 * 96)
