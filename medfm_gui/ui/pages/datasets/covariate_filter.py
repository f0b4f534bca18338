"""Two choices that narrow images by a covariate: which one, and which of its values."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from medfm_gui.desk.asks.curation import CovariateValues, ListCovariates
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.bridge import Asks
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.combo import fill, narrowing
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import tip

_ANY = ("Covariate", "")
_ALL = ("Value", "")


class CovariateFilter(QWidget):
    """A covariate and a value of it.

    Signals:
        changed(): another value, or none.
    """

    changed = Signal()

    def __init__(self, desk: Asks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._newest = Newest(desk, self)
        self._wanted = ""
        self._values: dict[str, tuple[tuple[str, int], ...]] = {}
        self.names = narrowing("Covariate", *_ANY)
        self.values = narrowing("Value of the covariate", *_ALL)
        self.names.currentIndexChanged.connect(self._name_chosen)
        self.values.currentIndexChanged.connect(self.changed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[1])
        row.addWidget(self.names)
        row.addWidget(self.values)
        self._take(CovariateValues(()))

    def show_dataset(self, dataset: str) -> None:
        """Another dataset; its covariates are asked for by ``offer``."""
        self._newest.cancel()
        self._wanted = dataset
        self._take(CovariateValues(()))

    def offer(self) -> None:
        """Ask for the covariates, once a dataset: counting those of 250,000 samples must not delay the images."""
        if self._wanted:
            self._newest.ask(ListCovariates(self._wanted), self._take, self._refused)
            self._wanted = ""

    def chosen(self) -> tuple[str, str] | None:
        """The covariate and its value; None where nothing narrows."""
        name, value = self.names.currentData(), self.values.currentIndex()
        return (str(name), str(self.values.currentData())) if name and value > 0 else None

    def clear(self) -> None:
        """Choose none, without telling anybody."""
        self.names.blockSignals(True)
        self.names.setCurrentIndex(0)
        self.names.blockSignals(False)
        self._fill_values()

    def _take(self, answer: CovariateValues) -> None:
        self._values = dict(answer.covariates)
        fill(self.names, [_ANY, *((name.replace("_", " "), name) for name in self._values)], "")
        self.names.setEnabled(bool(self._values))
        tip(self.names, "" if self._values else "No covariate of this dataset has values that repeat.")
        self._fill_values()

    def _refused(self, error: MedfmError) -> None:
        self._take(CovariateValues(()))

    def _name_chosen(self) -> None:
        had = self.values.currentIndex() > 0
        self._fill_values()
        if had:
            self.changed.emit()

    def _fill_values(self) -> None:
        listed = self._values.get(str(self.names.currentData() or ""), ())
        fill(self.values, [_ALL, *((f"{value or 'empty'}  ({number:,})", value) for value, number in listed)], "")
        self.values.setEnabled(bool(listed))
        tip(self.values, "" if listed else "Choose a covariate first.")
