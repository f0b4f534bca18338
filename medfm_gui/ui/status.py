"""The status bar: what is at work, on what, with which network, and what this program is not for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from medfm_gui.desk.asks.frame import FrameState
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.ui import theme
from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.icons import pixmap
from medfm_gui.ui.widgets.text import Label, tip

NOTICE = "Research use only – not for clinical use"
_HEIGHT_PX = 28
_NETWORK = {
    "on": ("network", "Network on", "Weights may be downloaded when you ask for it. Nothing else uses the network."),
    "off": ("network-off", "Offline", "No network is used. Settings can allow downloads."),
    "locked": ("network-off", "Offline (locked)", "The network is switched off from outside, by MEDFM_OFFLINE."),
}


class _Item(QWidget):
    """An icon and a word."""

    def __init__(self, name: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE[0])
        self._icon = Label()
        self._words = Label(role="caption")
        self._words.setWordWrap(False)
        self._name = name
        row.addWidget(self._icon)
        row.addWidget(self._words)

    def tell(self, icon: str, words: str, tooltip: str) -> None:
        self._icon.setPixmap(pixmap(icon, "muted", 14, self.devicePixelRatioF()))
        self._words.setText(words)
        self.setAccessibleName(f"{self._name}: {words}")
        tip(self, tooltip)


class StatusBar(QWidget):
    """Device, queue, network, notice."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "statusbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(_HEIGHT_PX)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.SPACE[2], 0, theme.SPACE[2], 0)
        row.setSpacing(theme.SPACE[4])
        self._device, self._queue, self._network = _Item("Device"), _Item("Queue"), _Item("Network")
        for item in (self._device, self._queue, self._network):
            row.addWidget(item)
        row.addStretch(1)
        self._workspace = Label(role="caption")
        self._workspace.setWordWrap(False)
        row.addWidget(self._workspace)
        notice = Label(NOTICE, role="caption")
        notice.setWordWrap(False)
        notice.setAccessibleName(NOTICE)
        row.addWidget(notice)
        self._at_work: dict[str, RunState] = {}
        self._show_queue()
        self._network.tell(*_NETWORK["off"])
        self._device.tell("cpu", "No training yet", "The device of the last training stands here.")

    def set_workspace(self, name: str, *, is_read_only: bool) -> None:
        """The open workspace."""
        self._workspace.setText(f"{name} (read-only)" if is_read_only else name)
        tip(self._workspace, "The open workspace")

    def set_frame(self, state: FrameState) -> None:
        """Facts from the desk."""
        self._network.tell(*_NETWORK[state.network])
        if state.device:
            self._show_device(state.device)

    def take(self, batch: Batch) -> None:
        """News of a run."""
        before = self._at_work.get(batch.run)
        if batch.state.phase in (Phase.RUNNING, Phase.QUEUED):
            self._at_work[batch.run] = batch.state
        else:
            self._at_work.pop(batch.run, None)
        if before is None or before.phase is not batch.state.phase or batch.run not in self._at_work:
            self._show_queue()
        if batch.state.device and (before is None or before.device != batch.state.device):
            self._show_device(batch.state.device)

    def forget(self, run: str) -> None:
        """Nobody looks after a run any more."""
        if self._at_work.pop(run, None) is not None:
            self._show_queue()

    def _show_device(self, device: str) -> None:
        is_gpu = device.startswith(("cuda", "mps"))
        self._device.tell("gpu" if is_gpu else "cpu", device.upper() if not is_gpu else device, "Trains on this device")

    def _show_queue(self) -> None:
        running = sum(state.phase is Phase.RUNNING for state in self._at_work.values())
        waiting = len(self._at_work) - running
        words = ", ".join(f"{count} {name}" for count, name in ((running, "training"), (waiting, "waiting")) if count)
        self._queue.tell("runs", words or "Nothing is training", "Runs at work now and runs that wait for their turn")
