"""Charts and numbers as files: asks where to, then has the desk write them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from medfm_gui.desk.asks.compare import ExportDrawing, ExportNumbers, FileWritten
from medfm_gui.desk.asks.compare_cases import WriteChart
from medfm_gui.ui.charts.view import FORMATS, ChartView
from medfm_gui.ui.context import Context


class Exports(QObject):
    """Writes what is shown to files.

    Signals:
        failed(MedfmError): a file could not be written.
    """

    failed = Signal(object)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window

    def chart(self, runs: Sequence[str], key: str, view: ChartView, kind: str, name: str) -> None:
        """Ask where to, then write a chart; a picture is what ``view`` shows."""
        path = ask_path(self._window, "Export this chart", name, FORMATS[kind], kind)
        if path:
            picture = view.as_png_bytes() if kind == "png" else b""
            self._write(ExportDrawing(tuple(runs), key, kind, path, picture))

    def drawn(self, view: ChartView, kind: str, name: str) -> None:
        """Ask where to, then write the chart of a view as it is; a picture is what the view shows."""
        if view.chart is None:
            return
        path = ask_path(self._window, "Export this chart", name, FORMATS[kind], kind)
        if path:
            picture = view.as_png_bytes() if kind == "png" else b""
            self._write(WriteChart(view.chart, kind, path, picture))

    def numbers(self, runs: Sequence[str]) -> None:
        """Ask where to, then write all numbers of these runs."""
        path = ask_path(self._window, "Export the numbers", f"{'-'.join(runs[:4])}.csv", "CSV, numbers", "csv")
        if path:
            self._write(ExportNumbers(tuple(runs), path))

    def _write(self, ask: ExportDrawing | ExportNumbers | WriteChart) -> None:
        self._context.desk.ask(ask, owner=self, then=self._written, failed=self.failed.emit)

    def _written(self, answer: FileWritten) -> None:
        self._context.say(f"“{answer.path}” was written.", "good")


def ask_path(window: QWidget, title: str, name: str, kind: str, suffix: str) -> str:
    """Where to write a file; empty when nothing was chosen."""
    dialog = QFileDialog(window, title, name, f"{kind} (*.{suffix})")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    dialog.selectFile(name)
    try:
        chosen = dialog.selectedFiles() if dialog.exec() else []
    finally:
        dialog.deleteLater()
    return chosen[0] if chosen else ""
