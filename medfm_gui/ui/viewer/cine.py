"""A series played as a film, at the frame time of its header."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from medfm_gui.ui.viewer.state import ViewerState

_USUAL_MS = 1000 / 15
_FASTEST_MS, _SLOWEST_MS = 10.0, 5000.0


class Cine(QObject):
    """Steps through the frames that are there, round and round."""

    toggled = Signal(bool)

    def __init__(self, state: ViewerState) -> None:
        super().__init__(state)
        self._state = state
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._step)
        state.series_changed.connect(self.stop)

    @property
    def is_playing(self) -> bool:
        """Whether it runs."""
        return self._timer.isActive()

    @property
    def frame_ms(self) -> float:
        """Between two frames: the header's frame time within reason, else a fifteenth of a second."""
        series = self._state.series
        told = series.frame_time_ms if series is not None else None
        return min(max(told, _FASTEST_MS), _SLOWEST_MS) if told and told > 0 else _USUAL_MS

    def toggle(self) -> None:
        """Play, or stop where it is."""
        if self.is_playing:
            self.stop()
        elif self._state.loaded > 1:
            self._timer.start(round(self.frame_ms))
            self.toggled.emit(True)

    def stop(self) -> None:
        """Stop where it is."""
        if self.is_playing:
            self._timer.stop()
            self.toggled.emit(False)

    def _step(self) -> None:
        there = self._state.loaded
        self._state.go_to((self._state.index + 1) % there if there else 0)
