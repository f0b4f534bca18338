"""A new report as it is composed: the pages follow what a person changes, or say why there are none."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.reports import ReportPreview
from medfm_gui.domain.errors import InputError, MedfmError, SealError, UsageError
from medfm_gui.domain.report import Part
from medfm_gui.ui.context import Context
from medfm_gui.ui.memory import Memory
from medfm_gui.ui.pages.reports.composer import Composer
from medfm_gui.ui.pages.reports.live import Live
from medfm_gui.ui.pages.reports.model import RunsModel
from medfm_gui.ui.pages.reports.sheets import Sheets

_WITHOUT: Final = "reports.without"
_PARTS: Final = "reports.parts"
"""What an earlier version kept: the sections that were on. It knew these:"""
_KNOWN_THEN: Final = frozenset(
    {Part.DATA, Part.SPLIT, Part.MODELS, Part.RESULTS, Part.COMPARISON, Part.CURVES, Part.EXAMPLES, Part.PROVENANCE}
)
_PREVIEW: Final = "preview"
_FILES: Final = "files"


class Drafting(QObject):
    """Composer, preview and pages of a new report; quiet until it is started.

    Signals:
        sealed(): the test of a chosen run has to be opened first.
    """

    sealed = Signal()

    def __init__(self, context: Context, runs: RunsModel, composer: Composer, sheets: Sheets, parent: QObject) -> None:
        super().__init__(parent)
        self.live = Live(context.desk, self)
        self.title = ""
        """The title of the last preview."""
        self._memory = context.memory
        self._runs = runs
        self._composer = composer
        self._sheets = sheets
        self._is_on = False
        left_out = _left_out(self._memory)
        composer.leave_out([part for part in Part if part.value in left_out], files=_FILES in left_out)
        composer.changed.connect(self.preview)
        sheets.preview_stopped.connect(self._stop_preview)
        self.live.told.connect(sheets.tell_setting)
        self.live.shown.connect(self._show)
        self.live.failed.connect(self._fail)

    def start(self) -> None:
        """The composer is in front: show pages, now and after each change."""
        self._is_on = True
        self.preview(now=True)

    def stop(self) -> None:
        """Something else is in front."""
        self._is_on = False
        self.live.cancel()
        self._sheets.end_setting()

    def preview(self, *, now: bool = False) -> None:
        """The report became another one."""
        outline, runs = self._composer.outline, self._runs.chosen
        left_out = [part.value for part in Part if part not in outline.parts]
        self._memory.put(_WITHOUT, [*left_out, *([_FILES] if outline.attachments is False else [])])
        if not self._is_on:
            return
        if not runs:
            self.live.cancel()
            self._sheets.end_setting()
            text = "Tick one run or several; the pages appear here as they will be printed."
            self._sheets.states.show_empty("Choose the runs", text, icon="reports")
            return
        if not self._sheets.has(_PREVIEW):
            self._sheets.states.show_busy("Setting the report", on_cancel=self._stop_preview)
        self.live.again(runs, outline, now=now)

    def _show(self, preview: ReportPreview) -> None:
        self.title = preview.title
        if not self._composer.outline.title:
            self._composer.suggest_title(preview.title)
        self._composer.tell_data(preview.withheld, preview.covariates, holds_files=preview.holds_files)
        self._sheets.show_pdf(_PREVIEW, preview.title, preview.payload)
        if preview.is_whole:
            self._sheets.end_setting()

    def _fail(self, error: MedfmError) -> None:
        self._sheets.end_setting()
        states = self._sheets.states
        if self.live.is_drawing:  # the pages are there, the heat maps are not
            deeds = (("Leave the heat maps out", self._leave_maps_out), ("Try again", self._retry))
            self._sheets.notice.tell(error.message, error.hint, role="bad", deeds=deeds)
        elif isinstance(error, SealError):
            states.show_error(error, "Open the test in Runs", self.sealed.emit)
        elif isinstance(error, UsageError | InputError) and len(self._runs.chosen) > 1:
            states.show_error(error, "Keep the reference alone", lambda: self._runs.choose(self._runs.chosen[:1]))
        else:
            states.show_error(error, "Try again", self._retry)

    def _retry(self) -> None:
        self._sheets.notice.hide()
        self.preview(now=True)

    def _leave_maps_out(self) -> None:
        self._sheets.notice.hide()
        self._composer.parts[Part.EXAMPLES].setChecked(False)

    def _stop_preview(self) -> None:
        """Cancel: without heat maps where they are what takes long, else no preview until it is wanted."""
        was_drawing = self.live.is_drawing
        self.live.cancel()
        self._sheets.end_setting()
        if was_drawing:
            self._leave_maps_out()
            hint = "Switch their section on to have them drawn after all."
            self._sheets.notice.tell("The heat maps are left out.", hint)
        else:
            text = "The report can be exported without it."
            self._sheets.states.show_empty("No preview", text, "Show the preview", self._retry, "reports")


def _left_out(memory: Memory) -> list[str]:
    """What was off last time; a section that is new since then is on."""
    kept, earlier = memory.get(_WITHOUT), memory.get(_PARTS)
    if isinstance(kept, list):
        return [str(name) for name in kept]
    if isinstance(earlier, list):
        names = [part.value for part in Part if part in _KNOWN_THEN and part.value not in earlier]
        return [*names, *([] if _FILES in earlier else [_FILES])]
    return []
