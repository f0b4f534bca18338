"""One image, larger, with what is known of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize, Qt
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
from medfm_gui.ui.pages.datasets.wording import brief
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.text import Label

_MOST_COVARIATES = 60


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
    """The chosen sample: its image, labels, patient, place and covariates."""

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
        for widget in (self._title, self._facts, self._more, self._others, self._covariates):
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
        self._more.hide()
        self._others.hide()

    def show_sample(self, dataset: DatasetRow, sample: Sample, small: QImage | None) -> None:
        """Show a sample: at once the small picture, then the stored image."""
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
    """The class, or the findings of a multi-label sample."""
    if dataset.task is not Task.MULTILABEL:
        number = sample.target[0] if sample.target else -1
        return dataset.classes[number] if 0 <= number < len(dataset.classes) else ""
    found = [name for name, value in zip(dataset.classes, sample.target, strict=False) if value == 1]
    return ", ".join(found) or "No finding"


def facts_of(dataset: DatasetRow, sample: Sample) -> list[tuple[str, str]]:
    """What is known of a sample beside its label."""
    facts = [("Sample", sample.id), ("Size", f"{sample.columns} × {sample.rows} px")]
    if dataset.task is Task.MULTILABEL:
        unsure = [name for name, value in zip(dataset.classes, sample.target, strict=False) if value == UNKNOWN]
        facts += [("Not assessed", ", ".join(unsure))] if unsure else []
    facts += [("Patient", sample.patient)] if sample.patient else []
    facts += [("Group", sample.group)] if sample.group else []
    facts += [("Official fold", sample.fold)] if sample.fold else []
    facts.append(("File", sample.path if sample.frame is None else f"{sample.path}, image {sample.frame + 1}"))
    return [(name, brief(value)) for name, value in facts]
