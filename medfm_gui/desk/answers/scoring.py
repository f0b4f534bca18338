"""How far the scoring of images is, from the worker's events to the window."""

from __future__ import annotations

from collections.abc import Callable

from medfm_gui.desk.room import Told
from medfm_gui.domain import events as ev


def scoring(told: Told, doing: str) -> Callable[[ev.Event], None]:
    """Tells the window how far the worker is; ``stop`` ends the worker, an exception would not."""

    def tell(event: ev.Event) -> None:
        if isinstance(event, ev.Progressed) and not told.stopped.is_set():
            told.progress(doing, event.done, event.total, event.seconds_left)

    return tell
