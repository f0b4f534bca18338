"""What runs said of a study, image by image: bars, decisions in words, and what speaks against trusting them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QStringListModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.studies import ImageSaid, PredictionView, RunSaid
from medfm_gui.domain.units import MAX
from medfm_gui.ui.charts.probability import ClassProbability, ProbabilityBars, RunProbabilities
from medfm_gui.ui.pages.studies import wording
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.sign import Sign
from medfm_gui.ui.widgets.table import ROW_PX
from medfm_gui.ui.widgets.text import Label
from medfm_gui.ui.widgets.tree import DataList

_UNLIKE, _LIKE, _UNKNOWN = ("warning", "warn"), ("check", "muted"), ("info", "muted")
_MOST_ROWS = 5
_FEW = 4


class Answers(QWidget):
    """One prediction.

    Signals:
        image_chosen(ImageSaid): another image's answers are shown.
    """

    image_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._view: PredictionView | None = None
        self.panel = Panel("Answers")
        self.warnings = Notice()
        self._names = QStringListModel(self)
        self.images = DataList("Images that were scored")
        self.images.setModel(self._names)
        self.images.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.images.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.calibration = Label(wording.NOT_CALIBRATED, "caption")
        self.skipped = Label("", "warning")
        self._said = QVBoxLayout()
        self._said.setSpacing(SPACE[3])
        self._runs: list[RunAnswer] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self.panel)
        for widget in (self.images, self.warnings):
            self.panel.add(widget)
        self.panel.body.addLayout(self._said)
        for label in (self.skipped, self.calibration):
            self.panel.add(label)
        self.images.selectionModel().currentChanged.connect(self._choose)
        self.hide()

    @property
    def view(self) -> PredictionView | None:
        """The prediction that is shown."""
        return self._view

    @property
    def image(self) -> ImageSaid | None:
        """The image whose answers are shown."""
        if self._view is None or not self._view.images:
            return None
        return self._view.images[min(max(self.images.currentIndex().row(), 0), len(self._view.images) - 1)]

    def show_prediction(self, view: PredictionView | None, title: str = "Answers") -> None:
        """Show another prediction, from its first image; or none."""
        self._view = view
        self.setVisible(view is not None)
        if view is None:
            self._names.setStringList([])
            return
        self.panel.set_title(title)
        self._names.setStringList(image_names(view.images))
        several = len(view.images) > 1
        self.images.setVisible(several)
        self.images.setFixedHeight(min(len(view.images), _MOST_ROWS) * ROW_PX + 4)
        skipped = [f"{PurePath(item.path).name}: {item.message}" for item in view.skipped[:_FEW]]
        more = len(view.skipped) - len(skipped)
        self.skipped.setText("Not scored: " + "; ".join((*skipped, *([f"and {more:,} more"] if more > 0 else []))))
        self.skipped.setVisible(bool(skipped))
        first = self._names.index(0)
        if first.isValid():
            self.images.selectionModel().setCurrentIndex(first, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def choose(self, place: int) -> None:
        """Show the answers of another image."""
        index = self._names.index(place)
        if index.isValid():
            self.images.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _choose(self, current: QModelIndex) -> None:
        image = self.image
        if image is None or not current.isValid():
            return
        while len(self._runs) < len(image.said):
            self._runs.append(RunAnswer())
            self._said.addWidget(self._runs[-1])
        self.calibration.setVisible(not any(said.is_calibrated for said in image.said))
        for place, shown in enumerate(self._runs):
            shown.setVisible(place < len(image.said))
            if place < len(image.said):
                shown.tell(image.said[place], place, is_alone=not self.calibration.isHidden())
        if image.warnings:
            reasons = "\n".join(wording.line(warning, 300) for warning in image.warnings[:8])
            self.warnings.tell("Read these answers with care", reasons)
        else:
            self.warnings.hide()
        self.image_chosen.emit(image)


class RunAnswer(QWidget):
    """One run's bars and its decision."""

    def __init__(self) -> None:
        super().__init__()
        self.bars = ProbabilityBars()
        self.decision = Label("", selectable=True)
        self.remark = Label("", "caption")
        self.set = Label("", selectable=True)
        self.promise = Label("", "caption")
        self.outlier = OutlierLine()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        for widget in (self.bars, self.decision, self.outlier, self.set, self.promise, self.remark):
            column.addWidget(widget)

    def tell(self, said: RunSaid, slot: int, *, is_alone: bool = False) -> None:
        """Show what this run said; ``is_alone``: that it is not calibrated is said once for all runs."""
        self.bars.set_runs((bars_of(said, slot),))
        self.decision.setText(wording.decision(said))
        self.outlier.tell(said)
        self.set.setText(wording.class_set(said))
        self.promise.setText(wording.line(said.class_set_note, 400))
        for label in (self.set, self.promise):
            label.setVisible(bool(label.text()))
        how = "Highest" if said.pooled == MAX else "Mean"
        parts = [f"{how} of {said.slices:,} slices."] if said.slices > 1 else []
        parts += [
            "" if is_alone else wording.calibration(said),
            wording.seeds(said),
            wording.threshold_remark(said.threshold_note),
        ]
        self.remark.setText(" ".join(dict.fromkeys(part for part in parts if part)))
        self.remark.setVisible(bool(self.remark.text()))


class OutlierLine(QWidget):
    """Whether the image looks unlike the training images, in words and with a sign; never a word on the patient."""

    def __init__(self) -> None:
        super().__init__()
        self.words = Label("", "caption", selectable=True)
        self._sign = Sign(*_LIKE, SPACE[3])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[1])
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)

    def tell(self, said: RunSaid) -> None:
        """Show the verdict of a run, or why there is none; an earlier prediction without one shows nothing."""
        self.words.setText(wording.line(said.outlier_note, 400))
        self.words.set_role("warning" if said.outlier else "caption")
        self._sign.set_icon(*(_UNLIKE if said.outlier else _UNKNOWN if said.outlier is None else _LIKE))
        self.setVisible(bool(said.outlier_note))


def bars_of(said: RunSaid, slot: int) -> RunProbabilities:
    """Bars of a run: the class that the threshold is of first, of many classes the highest first."""
    names = list(said.classes)
    if said.positive in said.classes:
        names.sort(key=lambda name: name != said.positive)
    elif len(names) > 2:
        names.sort(key=lambda name: -(said.classes[name] or 0.0))
    rows = []
    for name in names:
        own = said.threshold is not None and name == said.positive
        origin = wording.threshold_origin(said.threshold_note) if own else ""
        threshold = said.threshold if own else None
        low, high = said.spread.get(name, (None, None))
        rows.append(ClassProbability(name, said.classes[name], low, high, said.seeds, threshold, origin))
    return RunProbabilities(said.title, tuple(rows), said.family, slot)


def image_names(images: Sequence[ImageSaid]) -> list[str]:
    """How images are called in the list: by file or folder, with the one above where names are alike."""
    paths = [PurePath(image.source) for image in images]
    often = Counter(path.name for path in paths)
    return [
        wording.line(f"{path.parent.name}/{path.name}" if often[path.name] > 1 else path.name, 120) for path in paths
    ]
