"""Heat maps on their way from the desk onto the series that is open, and from there into the archive."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from medfm_gui.desk.asks.studies import CaptureWritten, ExplainAgain, ExportCapture, HeatMapAnswer, RunSaid, ShowHeatMap
from medfm_gui.desk.protocol import Ask, Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies.overlay import heat_map
from medfm_gui.ui.pages.studies.reading import Reader

_KEPT = 8
_Key = tuple[str, int, str]
"""A prediction, the number of an answer in it, and the way it is explained."""


class Maps(QObject):
    """One map at a time; the last few are kept.

    Signals:
        told(RunSaid, HeatMapAnswer): the map that is shown now.
        working(Progress): how far a map is that is being made; None when none is.
        failed(MedfmError): a map cannot be had, or its copy not be written.
    """

    told = Signal(object, object)
    working = Signal(object)
    failed = Signal(object)

    def __init__(self, context: Context, reader: Reader) -> None:
        super().__init__(reader)
        self._context = context
        self._reader = reader
        self._kept: OrderedDict[_Key, HeatMapAnswer] = OrderedDict()
        self._said: RunSaid | None = None
        self._method = ""
        self._ticket: Ticket | None = None
        self._was_shown = False
        reader.shown.connect(lambda _: self._lay_over())
        reader.viewer.overlay_changed.connect(self._switched)

    def show(self, said: RunSaid | None, method: str = "") -> None:
        """Lay another map over the picture as soon as it is there; one of another ``method`` is made for it."""
        self.cancel()
        self._said = said
        self._method = method or (said.method if said is not None else "")
        self._reader.viewer.set_heat_map(None)
        if said is None:
            return
        if self._key in self._kept:
            self._lay_over()
            return
        if self._method in ("", said.method):
            ask: Ask[HeatMapAnswer] = ShowHeatMap(said.prediction, said.number)
        else:
            ask = ExplainAgain(said.prediction, said.number, self._method)
            self.working.emit(Progress("Waiting for the worker"))
        key = self._key
        self._ticket = self._context.desk.ask(
            ask,
            owner=self,
            then=lambda answer: self._take(key, answer),
            failed=lambda error: self._fail(key, error),
            progress=lambda told: self.working.emit(told) if key == self._key else None,
        )

    def cancel(self) -> None:
        """Make no map any more."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
            self.working.emit(None)

    def go_to_image(self) -> None:
        """To the slice that was explained."""
        answer = self._answer()
        if answer is not None:
            self._reader.show_frame_of(answer.source)

    def export(self, *, identity: bool) -> None:
        """Ask where to, and write it."""
        said = self._said
        if said is None:
            return
        title = "Export as Secondary Capture" + ("" if identity else ", without patient and study")
        name = f"heat-map-{said.prediction}-{said.number + 1}.dcm"
        path, _ = QFileDialog.getSaveFileName(self._reader, title, name, "DICOM (*.dcm)")
        if path:
            self._context.desk.ask(
                ExportCapture(said.prediction, said.number, path, identity),
                owner=self,
                then=self._written,
                failed=self.failed.emit,
            )

    def _written(self, answer: CaptureWritten) -> None:
        self._context.say(f"Secondary Capture written: {answer.path}", "good")

    def _answer(self) -> HeatMapAnswer | None:
        return self._kept.get(self._key)

    @property
    def _key(self) -> _Key:
        said = self._said
        return (said.prediction, said.number, self._method) if said is not None else ("", 0, "")

    def _take(self, key: _Key, answer: HeatMapAnswer) -> None:
        self._kept[key] = answer
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        if key == self._key:
            self._ticket = None
            self.working.emit(None)
            self._lay_over()

    def _fail(self, key: _Key, error: MedfmError) -> None:
        """The map that the prediction has is shown again."""
        if key != self._key:
            return
        self._ticket = None
        self.working.emit(None)
        said = self._said
        if said is not None and self._method != said.method:
            self.show(said)
        if not isinstance(error, Interrupted):
            self.failed.emit(error)

    def _lay_over(self) -> None:
        answer, opened, said = self._answer(), self._reader.opener.series, self._said
        if answer is None or said is None:
            return
        self.told.emit(said, answer)
        if opened is None or not answer.rows:
            return
        frame = opened.frame_of(answer.source)
        if frame is None:
            return
        try:
            self._reader.viewer.set_heat_map(heat_map(answer, said, frame))
        except MedfmError as error:
            self.failed.emit(error)
            return
        if self._reader.viewer.overlay.shown:
            self._reader.viewer.state.go_to(frame)

    def _switched(self) -> None:
        """Whoever asks for the map is shown the image that has one."""
        viewer = self._reader.viewer
        shown, heat = viewer.overlay.shown, viewer.heat_map
        if shown and not self._was_shown and heat is not None and not heat.covers(viewer.state.index):
            viewer.state.go_to(heat.frame)
        self._was_shown = shown
