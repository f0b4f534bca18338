"""One image, larger, with what is known of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import ShowSample, TileSheet
from medfm_gui.domain.dataset import UNKNOWN, Sample, Task
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui import theme as themes
from medfm_gui.ui.bridge import Asks
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.samples import picture_of
from medfm_gui.ui.pages.datasets.wording import HIDDEN, brief
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.text import Label

_MOST_COVARIATES = 60
SEALED = (
    "This image is in a test that is still sealed, so its label, its file and what may tell the label are hidden and "
    "cannot be edited. They are shown once the test was opened."
)


class Picture(QWidget):
    """An image fitted into its place, on black."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._words = ""
        self.setMinimumHeight(SPACE[-1] * 5)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def heightForWidth(self, width: int) -> int:
        """Square."""
        return width

    def sizeHint(self) -> QSize:
        """As wide as a side panel."""
        return QSize(SPACE[-1] * 9, SPACE[-1] * 9)

    def show_image(self, image: QImage, words: str = "") -> None:
        """Show an image; a null one leaves the words on black."""
        self._image, self._words = image, words
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fit it without changing its proportions."""
        painter = QPainter(self)
        theme = themes.current()
        painter.fillRect(self.rect(), QColor(theme.image))
        if self._image.isNull():
            painter.setPen(QColor(theme.muted if theme.dark else theme.disabled))  # legible on black in both
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._words)
            return
        ratio = self.devicePixelRatioF()
        size = self._image.size().scaled(self.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(QPoint(0, 0), size / ratio)
        place.moveCenter(self.rect().center())
        painter.setRenderHint(
            QPainter.RenderHint.SmoothPixmapTransform, size.width() < 8 * self._image.width()
        )  # a few large pixels are shown as they are
        painter.drawImage(place, self._image)


class Inspector(QWidget):
    """The chosen sample: its image, labels, patient, place and covariates.

    Signals:
        relabel_wanted(): its label is to be corrected.
        exclude_wanted(): it is to be left out.
    """

    relabel_wanted = Signal()
    exclude_wanted = Signal()

    def __init__(self, desk: Asks, on_patient: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._newest = Newest(desk, self)
        self._on_patient = on_patient
        self._patient = ""
        self._picture = Picture()
        self._picture.setAccessibleName("The chosen image")
        self._title = Label("", "heading3")
        self._facts = Facts()
        self._more = action("Show this patient's images", "patient", "quiet")
        self._more.clicked.connect(lambda: self._on_patient(self._patient))
        self._why = Label("", "caption")
        self._drafted = Label("", "warning")
        self.relabel = action("Correct the label …")
        self.relabel.clicked.connect(self.relabel_wanted)
        self.exclude = action("Leave out …")
        self.exclude.clicked.connect(self.exclude_wanted)
        self._edits = QWidget()
        edits = QVBoxLayout(self._edits)
        edits.setContentsMargins(0, 0, 0, 0)
        edits.setSpacing(SPACE[1])
        edits.addWidget(self.relabel)
        edits.addWidget(self.exclude)
        self._others = Label("Covariates", "caption")
        self._covariates = Facts()
        inside = QWidget()
        inside.setProperty("role", "page")
        scroll = QScrollArea()
        scroll.setWidget(inside)  # before it is filled: it is measured and styled at once
        scroll.setWidgetResizable(True)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE[1], 0)
        column.setSpacing(SPACE[2])
        for widget in (
            self._title,
            self._why,
            self._drafted,
            self._edits,
            self._facts,
            self._more,
            self._others,
            self._covariates,
        ):
            column.addWidget(widget)
        column.setAlignment(self._more, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("Facts of the chosen image")
        down = QVBoxLayout(self)
        down.setContentsMargins(SPACE[3], 0, 0, 0)
        down.setSpacing(SPACE[3])
        down.addWidget(self._picture)
        down.addWidget(scroll, 1)
        self.clear()

    def clear(self) -> None:
        """No image is chosen."""
        self._newest.cancel()
        self._picture.show_image(QImage(), "Choose an image")
        self._title.setText("")
        self._facts.set_facts(())
        self._covariates.set_facts(())
        for widget in (self._more, self._others, self._edits, self._why, self._drafted):
            widget.hide()

    def show_sample(
        self, dataset: DatasetRow, sample: Sample, small: QImage | None, *, locked: str = "", drafted: str = ""
    ) -> None:
        """Show a sample: at once the small picture, then the stored image.

        ``locked`` says why nothing of the dataset can be changed; ``drafted`` what a draft already changes here.
        """
        is_hidden = not sample.target and dataset.task is not Task.SEGMENTATION
        masks = "The labels of a segmentation are masks; change them with an annotation program."
        disable(self.relabel, locked or (SEALED if is_hidden else masks if dataset.task is Task.SEGMENTATION else ""))
        disable(self.exclude, locked)
        self._edits.show()
        self._why.setText(SEALED if is_hidden else "")
        self._why.setVisible(is_hidden)
        self._drafted.setText(drafted)
        self._drafted.setVisible(bool(drafted))
        self._picture.show_image(small if small is not None else QImage(), "…")
        self._title.setText(brief(label_text(dataset, sample)))
        self._facts.set_facts(facts_of(dataset, sample))
        self._patient = sample.patient or ""
        self._more.setVisible(bool(self._patient))
        listed = list(sample.covariates.items())[:_MOST_COVARIATES]
        self._covariates.set_facts((brief(name.replace("_", " ")), brief(value)) for name, value in listed)
        self._others.setVisible(bool(listed))
        self._newest.ask(ShowSample(dataset.id, sample.id), self._take, self._refused)

    def _take(self, sheet: TileSheet) -> None:
        if sheet.tiles:
            tile = sheet.tiles[0]
            self._picture.show_image(picture_of(sheet, tile), tile.message or "No pixels")

    def _refused(self, error: MedfmError) -> None:
        if not isinstance(error, Interrupted):
            self._picture.show_image(QImage(), "The image cannot be shown")


def label_text(dataset: DatasetRow, sample: Sample) -> str:
    """The class, or the findings of a multi-label sample; of a sealed test that it is hidden.

    The volumes of a segmentation have no class: they are told apart by the names of their files.
    """
    if dataset.task is Task.SEGMENTATION:
        name = sample.path.rpartition("/")[2].removesuffix(".gz")
        return name.rpartition(".")[0] or name or sample.id
    if not sample.target:
        return HIDDEN
    if dataset.task is not Task.MULTILABEL:
        number = sample.target[0] if sample.target else -1
        return dataset.classes[number] if 0 <= number < len(dataset.classes) else ""
    found = [name for name, value in zip(dataset.classes, sample.target, strict=False) if value == 1]
    return ", ".join(found) or "No finding"


def facts_of(dataset: DatasetRow, sample: Sample) -> list[tuple[str, str]]:
    """What is known of a sample beside its label."""
    size = f"{sample.columns} × {sample.rows} px" + (f", {sample.slices} slices" if sample.slices else "")
    facts = [("Sample", sample.id), ("Size", size)]
    if dataset.task is Task.MULTILABEL:
        unsure = [name for name, value in zip(dataset.classes, sample.target, strict=False) if value == UNKNOWN]
        facts += [("Not assessed", ", ".join(unsure))] if unsure else []
    facts += [("Patient", sample.patient)] if sample.patient else []
    facts += [("Group", sample.group)] if sample.group else []
    facts += [("Official fold", sample.fold)] if sample.fold else []
    if sample.path:
        facts.append(("File", sample.path if sample.frame is None else f"{sample.path}, image {sample.frame + 1}"))
    return [(name, brief(value)) for name, value in facts]
