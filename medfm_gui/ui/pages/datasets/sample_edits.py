"""What can be done to the chosen image: correct its label, leave it out; each asks for a reason and drafts it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from medfm_gui.domain.dataset import Sample
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.pages.datasets.correction_dialog import ExcludeDialog, LabelDialog, ReasonDialog
from medfm_gui.ui.pages.datasets.draft import Draft


class SampleEdits(QObject):
    """Opens the dialogs of a correction. ``chosen`` gives the dataset and the image, or None where none is chosen."""

    def __init__(self, draft: Draft, chosen: Callable[[], tuple[DatasetRow, Sample] | None], window: QWidget) -> None:
        super().__init__(window)
        self._draft = draft
        self._chosen = chosen
        self._window = window
        self.dialog: ReasonDialog | None = None

    def relabel(self) -> None:
        """Ask for another label."""
        found = self._chosen()
        if found is not None:
            dataset, sample = found
            dialog = LabelDialog(self._window, dataset, sample, self._draft.target_of(sample))
            dialog.accepted.connect(lambda: self._draft.correct(sample.id, dialog.target, dialog.why))
            self._open(dialog)

    def exclude(self) -> None:
        """Ask why the image is left out."""
        found = self._chosen()
        if found is not None:
            sample = found[1]
            dialog = ExcludeDialog(self._window, 1)
            dialog.accepted.connect(lambda: self._draft.exclude((sample.id,), dialog.why))
            self._open(dialog)

    def _open(self, dialog: ReasonDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
