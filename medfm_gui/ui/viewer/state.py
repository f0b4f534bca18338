"""What a viewer shows: the series, which slice, which window, where it lies. Changes are announced; nothing is painted.

Linked viewers are joined by these signals and methods, without knowing each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from medfm_gui.imaging.window import Window
from medfm_gui.ui.viewer.grey import bounded, first_window, grey_table
from medfm_gui.ui.viewer.image import SeriesImage
from medfm_gui.ui.viewer.orientation import hung
from medfm_gui.ui.viewer.placement import View
from medfm_gui.ui.viewer.presets import Preset


class ViewerState(QObject):
    """One series as one reader looks at it."""

    changed = Signal()
    """Anything that must be painted again."""
    slice_changed = Signal(int)
    window_changed = Signal(float, float)
    """Centre and width, in units of the series."""
    series_changed = Signal()
    presets_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.series: SeriesImage | None = None
        self.index = 0
        self.loaded = 0
        self.notes: tuple[str, ...] = ()
        self.window: Window | None = None
        """None where there is none to speak of: no series, colour, or the VOI LUT of the series."""
        self.is_inverted = False
        """Turned over by the reader, on top of the series' own polarity."""
        self.view = View()
        self.presets: tuple[Preset, ...] = ()
        self.edition = 0
        """Counts up whenever pixels become other greys."""
        self._table: tuple[int, npt.NDArray[np.uint8]] | None = None

    def set_series(self, series: SeriesImage | None) -> None:
        """Show another series from its first frame on, as it should be seen first; or none."""
        self.series = series
        self.index, self.loaded = 0, series.loaded if series is not None else 0
        self.notes = series.frame_notes if series is not None else ()
        self.edition += 1
        self.series_changed.emit()
        self.reset()
        if series is not None:
            self.slice_changed.emit(0)

    def set_loaded(self, count: int, notes: Sequence[str] | None = None) -> None:
        """So many frames are there now; ``notes``, if given, say why some cannot be shown (as ``frame_notes``)."""
        self.loaded = min(max(count, 0), self.count)
        if notes is not None:
            self.notes = tuple(notes)
        self.changed.emit()

    @property
    def count(self) -> int:
        """Frames of the series, there or not."""
        return self.series.count if self.series is not None else 0

    @property
    def note(self) -> str:
        """Why the current frame cannot be shown; empty where it can."""
        return self.notes[self.index] if self.index < len(self.notes) else ""

    @property
    def is_shown(self) -> bool:
        """Whether the current frame is there."""
        return self.series is not None and self.index < self.loaded and not self.note

    def go_to(self, index: int) -> None:
        """Another slice, the nearest there is."""
        index = min(max(index, 0), max(self.count - 1, 0))
        if index != self.index:
            self.index = index
            self.slice_changed.emit(index)
            self.changed.emit()

    def set_window(self, centre: float, width: float) -> None:
        """Another window, of the function of the series; the nearest possible one."""
        if self.series is None or self.series.is_colour or not (np.isfinite(centre) and np.isfinite(width)):
            return
        window = bounded(Window(centre, width, first_window(self.series).function), self.series)
        if window != self.window:
            self.window = window
            self._recoloured()
            self.window_changed.emit(window.centre, window.width)

    def show_preset(self, digit: int) -> None:
        """The preset of that digit, where values are Hounsfield units; 0 is the window as opened."""
        if digit == 0:
            self._open_window()
        elif self.has_presets and digit <= len(self.presets):
            preset = self.presets[digit - 1]
            self.set_window(preset.centre, preset.width)

    @property
    def has_presets(self) -> bool:
        """Presets are in Hounsfield units: they mean nothing to other values."""
        return self.series is not None and self.series.unit == "HU"

    @property
    def preset_name(self) -> str:
        """The preset that is shown, if it is one."""
        if self.window is None or not self.has_presets:
            return ""
        shown = (self.window.centre, self.window.width)
        return next((one.name for one in self.presets if (one.centre, one.width) == shown), "")

    def set_presets(self, presets: Sequence[Preset]) -> None:
        """Other windows on the digit keys."""
        self.presets = tuple(presets)
        self.presets_changed.emit()
        self.changed.emit()

    def invert(self) -> None:
        """Black for white."""
        if self.series is not None and not self.series.is_colour:
            self.is_inverted = not self.is_inverted
            self._recoloured()

    def set_view(self, view: View) -> None:
        """Another place, size or turn."""
        if view != self.view:
            self.view = view
            self.changed.emit()

    def reset(self) -> None:
        """As opened: window, polarity, place and turn. The slice stays."""
        self.is_inverted = False
        self.view = View(hung(self.series)) if self.series is not None else View()
        self._open_window()

    def table(self) -> npt.NDArray[np.uint8] | None:
        """The greys of stored values; none for colour."""
        if self.series is None or self.series.is_colour:
            return None
        if self._table is None or self._table[0] != self.edition:
            inverted = self.series.inverted != self.is_inverted
            self._table = (self.edition, grey_table(self.series, self.window, inverted=inverted))
        return self._table[1]

    def window_to_change(self) -> Window | None:
        """The window that a drag starts from: under a VOI LUT, the one that spans it."""
        if self.series is None or self.series.is_colour:
            return None
        return self.window or first_window(self.series)

    def _open_window(self) -> None:
        series = self.series
        own = series is not None and not series.is_colour and series.voi_table is None
        self.window = first_window(series) if series is not None and own else None
        self._recoloured()
        if self.window is not None:
            self.window_changed.emit(self.window.centre, self.window.width)

    def _recoloured(self) -> None:
        self.edition += 1
        self.changed.emit()
