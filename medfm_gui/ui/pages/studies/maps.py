"""Heat maps on their way from the desk onto the series that is open, and from there into the archive."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from medfm_gui.desk.asks.studies import CaptureWritten, ExportCapture, HeatMapAnswer, RunSaid, ShowHeatMap
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies.overlay import heat_map
from medfm_gui.ui.pages.studies.reading import Reader

_KEPT = 8


class Maps(QObject):
    """One map at a time; the last few are kept.

    Signals:
        failed(MedfmError): a map cannot be had, or its copy not be written.
    """

    failed = Signal(object)

    def __init__(self, context: Context, reader: Reader) -> None:
        super().__init__(reader)
        self._context = context
        self._reader = reader
        self._kept: OrderedDict[tuple[str, int], HeatMapAnswer] = OrderedDict()
        self._said: RunSaid | None = None
        self._was_shown = False
        reader.shown.connect(lambda _: self._lay_over())
        reader.viewer.overlay_changed.connect(self._switched)

    def show(self, said: RunSaid | None) -> None:
        """Lay another map over the picture as soon as it is there."""
        self._said = said
        self._reader.viewer.set_heat_map(None)
        if said is None:
            return
        if (said.prediction, said.number) in self._kept:
            self._lay_over()
            return
        self._context.desk.ask(
            ShowHeatMap(said.prediction, said.number),
            owner=self,
            then=lambda answer: self._take(said, answer),
            failed=self.failed.emit,
        )

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
        return self._kept.get((self._said.prediction, self._said.number)) if self._said is not None else None

    def _take(self, said: RunSaid, answer: HeatMapAnswer) -> None:
        self._kept[said.prediction, said.number] = answer
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        if said is self._said:
            self._lay_over()

    def _lay_over(self) -> None:
        answer, opened, said = self._answer(), self._reader.opener.series, self._said
        if answer is None or opened is None or said is None or not answer.rows:
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
