"""What a page is given: the desk, news of runs, what the window remembers, and ways to speak and to go elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, SignalInstance

if TYPE_CHECKING:
    from medfm_gui.ui.actions import Actions
    from medfm_gui.ui.bridge import Asks
    from medfm_gui.ui.memory import Memory


class RunNews(Protocol):
    """Where news of runs come from: ``bridge.RunWatch``, or a sample."""

    @property
    def batch(self) -> SignalInstance:
        """Emits ``bridge.Batch``."""
        ...

    @property
    def left(self) -> SignalInstance:
        """Emits the id of a run that nobody supervises any more."""
        ...


class Says(Protocol):
    """A toast: for what finished elsewhere."""

    def __call__(
        self, text: str, tone: str = "info", action: str = "", on_action: Callable[[], None] | None = None
    ) -> None:
        """Show a line; ``tone`` is info, good, warning or bad."""
        ...


class Goes(Protocol):
    """Navigation: ``go("compare", runs=("r0001", "r0002"))``."""

    def __call__(self, page: str, **wish: Any) -> None:
        """Show a page and hand it the wish (see the page's ``visit``)."""
        ...


@dataclass(frozen=True)
class Context:
    """Everything a page may use.

    ``start_runs`` has runs supervised that exist (new ones, or ones to resume); ``open_workspace`` asks about
    running work, then opens another workspace; ``actions`` lists what can be done by key or palette.
    """

    root: Path
    desk: Asks
    runs: RunNews
    memory: Memory
    actions: Actions
    say: Says
    go: Goes
    start_runs: Callable[[Sequence[str]], None]
    open_workspace: Callable[[Path], None]
    set_appearance: Callable[[str], None]
    is_read_only: bool = False
    parent: QObject | None = None
