"""The middle column: the viewer with its bar, a slice slider, and the header's facts when they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QScrollBar, QVBoxLayout, QWidget

from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.domain.errors import InternalError, Interrupted, MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.studies.opening import SeriesOpener
from medfm_gui.ui.pages.studies.tags import TAGS_PX, TagView
from medfm_gui.ui.pages.studies.toolbar import ReadingBar
from medfm_gui.ui.viewer.hand import DragDirection
from medfm_gui.ui.viewer.image import SeriesImage
from medfm_gui.ui.viewer.presets import Preset, parse, to_toml
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.workspace.opening import OpenedSeries

_BUSY_MS = 120
_WIDE_PX = TAGS_PX * 5 // 2
_TAGS = "studies.tags"
_PRESETS = "viewer.presets"
_DRAG = "viewer.drag"


class Reader(QWidget):
    """One series on screen.

    Signals:
        shown(OpenedSeries): a series is on screen, at least its first frame.
        enlarge_wanted(): this pane alone, and back.
    """

    shown = Signal(object)
    enlarge_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.viewer = Viewer()
        self.opener = SeriesOpener(context.desk, self)
        self.bar = ReadingBar(self.viewer)
        self.slider = QScrollBar(Qt.Orientation.Vertical)
        self.tags = TagView(context)
        self._opens: Callable[[], object] | None = None
        self._busy = Later(self._say_busy, _BUSY_MS, self)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.slider.setAccessibleName("Slice")
        self.slider.hide()
        pane = QHBoxLayout()
        pane.setSpacing(0)
        pane.addWidget(self.viewer, 1)
        pane.addWidget(self.slider)
        self._beside = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._beside.setSpacing(0)
        self._beside.addLayout(pane, 1)
        self._beside.addWidget(self.tags)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addLayout(self._beside, 1)
        self.state = StatePane(content)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.state)
        self.tags.setVisible(False)
        self.bar.tags.setChecked(self._context.memory.get(_TAGS) is True)

    def _connect(self) -> None:
        self.opener.opened.connect(self._opened)
        self.opener.counted.connect(self._counted)
        self.opener.finished.connect(self._finished)
        self.opener.failed.connect(self._failed)
        self.viewer.enlarge_wanted.connect(self.enlarge_wanted)
        self.viewer.slice_changed.connect(self.slider.setValue)
        self.slider.valueChanged.connect(self.viewer.state.go_to)
        self.bar.tags.toggled.connect(self._want_tags)
        memory = self._context.memory
        self.bar.menu.presets_changed.connect(lambda presets: memory.put(_PRESETS, to_toml(presets)))
        self.bar.menu.drag_changed.connect(lambda direction: memory.put(_DRAG, asdict(direction)))
        self._take_drag()

    @property
    def key(self) -> SeriesKey | None:
        """What is shown, or on its way."""
        return self.opener.key

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The header's facts stand beside the picture where there is room, else below it."""
        super().resizeEvent(event)
        wide = self.width() >= _WIDE_PX
        self._beside.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self.tags.stand(beside=wide)

    def open(self, key: SeriesKey) -> None:
        """Show another series."""
        if key == self.opener.key and self.state.state == "content":
            self.viewer.setFocus()
            return
        self.opener.open(key)
        self._busy.again()

    def close_series(self) -> None:
        """Show nothing."""
        self._busy.stop()
        self.opener.close()
        self.viewer.set_series(None)

    def show_identity(self, shown: bool) -> None:
        """Whether banner and header facts say who it is."""
        self.viewer.set_identity_shown(shown)
        self.tags.show_identity(shown)

    def set_presets(self, standard: str) -> None:
        """Window presets: those that the reader made, else the program's own."""
        self.bar.menu.standard = _parsed(standard)
        kept = self._context.memory.get(_PRESETS)
        self.viewer.state.set_presets(_parsed(kept if isinstance(kept, str) else "") or self.bar.menu.standard)

    def _take_drag(self) -> None:
        """The direction of the left drag, as it was chosen the last time."""
        kept = self._context.memory.get(_DRAG)
        if isinstance(kept, dict):
            names = [field.name for field in fields(DragDirection)]
            self.viewer.drag_direction = DragDirection(**{name: kept.get(name, True) is True for name in names})

    def show_empty(self, act: Callable[[], object] | None = None) -> None:
        """Nothing is open: what to do; the button of the first time stays."""
        act = self._opens = act or self._opens
        self.state.show_empty(
            "Choose a series to read",
            "Open a DICOM study or plain pictures, read them here, and ask finished runs what they say.",
            "Open a folder …" if act is not None else "",
            act,
            icon="studies",
        )

    def show_frame_of(self, source: str) -> int | None:
        """Go to the image that comes from a file; None where the series has none of it."""
        opened = self.opener.series
        frame = opened.frame_of(source) if opened is not None else None
        if frame is not None:
            self.viewer.cine.stop()
            self.viewer.state.go_to(frame)
        return frame

    def _opened(self, opened: OpenedSeries, image: SeriesImage) -> None:
        self._busy.stop()
        self.viewer.set_series(image)
        self.slider.setRange(0, opened.count - 1)
        self.slider.setPageStep(max(1, opened.count // 10))
        self.slider.setVisible(opened.count > 1)
        self.viewer.state.go_to(opened.first)
        self.state.show_content()
        self.tags.set_series(self.opener.key)
        self._want_tags(self.bar.tags.isChecked())
        self.viewer.setFocus()
        self.shown.emit(opened)

    def _counted(self, notes: tuple[str, ...]) -> None:
        self.viewer.set_loaded(self.viewer.state.count, notes)
        missing = sum(bool(note) for note in notes)
        there = self.viewer.state.count - missing
        self.bar.words.setText(f"{there:,} of {self.viewer.state.count:,} images read" if missing else "")

    def _finished(self, opened: OpenedSeries) -> None:
        bad = sum(bool(note) for note in opened.frame_notes)
        self.bar.words.setText(f"{bad:,} of {opened.count:,} images cannot be shown" if bad else "")

    def _failed(self, error: MedfmError) -> None:
        self._busy.stop()
        self.viewer.set_series(None)
        if isinstance(error, Interrupted):
            self.show_empty()
            return
        key = self.opener.key
        again = (lambda: self.open(key)) if key is not None else None
        self.state.show_error(error, "Try again", again)

    def _say_busy(self) -> None:
        self.viewer.set_series(None)
        self.state.show_busy("Opening the series", on_cancel=self._cancel)

    def _cancel(self) -> None:
        self.close_series()
        self.show_empty()

    def _want_tags(self, wanted: bool) -> None:
        self._context.memory.put(_TAGS, wanted)
        self.tags.setVisible(wanted)
        if wanted:
            self.tags.read()


def _parsed(text: str) -> tuple[Preset, ...]:
    """Presets of a text that may have been edited by hand; none where it holds none."""
    try:
        return parse(text)
    except InternalError:
        return ()
