"""A series on its way to the viewer: asked for, mapped, followed until its last frame, removed with the next one."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.studies import CloseSeries, OpenSeries, SeriesKey, SeriesOpened
from medfm_gui.desk.protocol import Nothing
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.bridge import Asks, Ticket
from medfm_gui.ui.pages.studies.mapping import frames
from medfm_gui.ui.viewer.image import SeriesImage, Unit, VoiTable
from medfm_gui.workspace.opening import OpenedSeries

_UNITS: dict[str, Unit] = {"HU": "HU", "raw": "raw"}
_ON_ITS_WAY = "This image is being read …"


class SeriesOpener(QObject):
    """One series at a time.

    Signals:
        opened(OpenedSeries, SeriesImage): the first frame is there (again, if the series had to be begun anew).
        counted(tuple[str, ...]): one note a frame: what is not there yet; called for as frames come.
        finished(OpenedSeries): every frame that can be shown is there.
        failed(MedfmError): it cannot be opened.
    """

    opened = Signal(object, object)
    counted = Signal(object)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, desk: Asks, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._ticket: Ticket | None = None
        self._now: OpenedSeries | None = None
        self._round = 0
        self.key: SeriesKey | None = None

    @property
    def series(self) -> OpenedSeries | None:
        """What is open now."""
        return self._now

    def open(self, key: SeriesKey) -> None:
        """Open another series; the one before is given up."""
        self.close()
        self.key = key
        mine = self._round
        self._ticket = self._desk.ask(
            OpenSeries(key),
            owner=self,
            part=lambda answer: self._take(answer, mine),
            then=lambda answer: self._last(answer, mine),
            failed=lambda error: self._fail(error, mine),
        )

    def close(self) -> None:
        """No series any more; its frames are removed."""
        self._round += 1
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
        if self._now is not None:
            self._remove(self._now.array)
        self._now = None
        self.key = None

    def _remove(self, array: str) -> None:
        self._desk.ask(CloseSeries(array), owner=self, then=_done, failed=_done)

    def _take(self, answer: SeriesOpened, mine: int) -> None:
        if mine != self._round:
            return
        if answer.opened is not None:
            self._show(answer.opened, answer.offset)
        if self._now is not None:
            self.counted.emit(notes_of(self._now, answer.loaded))

    def _last(self, answer: SeriesOpened, mine: int) -> None:
        if answer.opened is None:
            return
        if mine != self._round:
            self._remove(answer.opened.array)
            return
        self._ticket = None
        if self._now is None or self._now.array != answer.opened.array:
            self._show(answer.opened, answer.offset)
        if self._now is None:  # it could not be shown after all
            return
        self._now = answer.opened
        self.counted.emit(answer.opened.frame_notes)
        self.finished.emit(answer.opened)

    def _show(self, opened: OpenedSeries, offset: int) -> None:
        try:
            image = image_of(opened, offset)
        except MedfmError as error:
            self._remove(opened.array)
            self._fail(error, self._round)
            return
        self._now = opened
        self.opened.emit(opened, image)

    def _fail(self, error: MedfmError, mine: int) -> None:
        if mine == self._round:
            self._ticket = None
            self._now = None
            self.failed.emit(error)


def image_of(opened: OpenedSeries, offset: int) -> SeriesImage:
    """What the viewer shows.

    All frames count as there, and ``notes_of`` says which are not yet: so the middle one, which comes first, is
    seen before the others.

    Raises:
        MedfmError: the frames are gone, or the desk's words do not fit together.
    """
    voi = VoiTable(opened.voi_first, np.asarray(opened.voi_greys, np.uint8)) if opened.voi_greys else None
    return SeriesImage(
        frames=frames(opened, offset),
        loaded=opened.count,
        unit=_UNITS.get(opened.unit, ""),
        slope=opened.slope,
        intercept=opened.intercept,
        window=opened.window,
        window_function=opened.window_function,
        voi_table=voi,
        inverted=opened.inverted,
        spacing_mm=opened.spacing_mm,
        spacing_note=opened.spacing_note,
        aspect=opened.aspect,
        orientation=opened.orientation,
        positions_mm=opened.positions_mm,
        patient_orientation=opened.patient_orientation,
        laterality=opened.laterality,
        frame_time_ms=opened.frame_time_ms,
        marks=opened.marks,
        frame_notes=notes_of(opened, opened.loaded),
        identity=opened.identity,
        study=opened.study,
    )


def notes_of(opened: OpenedSeries, loaded: int) -> tuple[str, ...]:
    """One note a frame: empty for those that are there."""
    if loaded >= opened.count:
        return opened.frame_notes
    return tuple("" if place < loaded or place == opened.first else _ON_ITS_WAY for place in range(opened.count))


def _done(_: Nothing | MedfmError) -> None:
    """Frames that could not be removed go with the desk's folder."""
