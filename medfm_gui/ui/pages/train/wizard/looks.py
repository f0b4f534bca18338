"""What the models will see: three training images through the recipe, and random views of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from medfm_gui.desk.asks.train import Looks, ShowLooks
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui import theme as themes
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.ways import Way
from medfm_gui.ui.theme import CAPTION_PX, SPACE
from medfm_gui.ui.widgets.forms import action, choice
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.training import TrainRequest

_SETTLED_MS: Final = 700
_PAIR_PX: Final = SPACE[-1] * 6
_TITLE: Final = "What the models see"
_CAPTION: Final = "Three training images as the recipe prepares them, before mean and deviation are applied."


class LooksPanel(Panel):
    """Shown when somebody asks for it; then it follows the recipe, each answer replacing the one before."""

    def __init__(self, context: Context, state: PlanState, parent: QWidget | None = None) -> None:
        super().__init__(_TITLE, _CAPTION, parent)
        self._state = state
        self._newest = Newest(context.desk, self)
        self._of: ShowLooks | None = None
        self._is_open = False
        self._seed = 0
        self._pair = choice(())
        self._pair.setAccessibleName("Model and way to show")
        self._pair.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._pair.setMaximumWidth(_PAIR_PX)
        self._pair.activated.connect(self._look)
        self._other = action("Draw other views", "retry", "quiet")
        self._other.clicked.connect(self._redraw)
        for control in (self._pair, self._other):
            self.add_to_corner(control)
            control.hide()
        self._sheet = LooksSheet()
        self._note = Label("", "caption")
        self._pane = StatePane(self._sheet)
        self._pane.setMinimumHeight(SPACE[-1] * 5)
        self.add(self._pane)
        self.add(self._note)
        self._note.hide()
        self._waits = QTimer(self)
        self._waits.setSingleShot(True)
        self._waits.setInterval(_SETTLED_MS)
        self._waits.timeout.connect(self._look)
        self._offer()

    def show_plan(self) -> None:
        """Follow the plan once it is open: when nobody has typed for a moment."""
        self._fill_pairs()
        if self._is_open and self._wanted() != self._of:
            self._waits.start()

    def left(self) -> None:
        """The step is not in front any more: what is being prepared is wanted no more."""
        self._waits.stop()
        if self._newest.is_waiting:
            self._newest.cancel()
            self._of = None

    def hideEvent(self, event: QHideEvent) -> None:
        """See ``left``."""
        self.left()
        super().hideEvent(event)

    def _offer(self) -> None:
        self._pane.show_empty(
            "Look before you train",
            "See what resizing, cropping and augmentation leave of your images.",
            "Show images",
            self._open,
        )

    def _open(self) -> None:
        self._is_open = True
        self._look()

    def _redraw(self) -> None:
        self._seed += 1
        self._look()

    def _wanted(self) -> ShowLooks | None:
        """The question for the pair that is chosen; None where something is missing."""
        found = self._requests()
        at = max(0, self._pair.currentIndex())
        return ShowLooks(found[at], self._seed) if at < len(found) else None

    def _requests(self) -> list[TrainRequest]:
        return [
            replace(request, models=(name,), seeds=(0,))
            for request in self._state.requests()
            for name in request.models
        ]

    def _fill_pairs(self) -> None:
        titles = {model.card.name: model.card.title for model in self._state.models}
        pairs = [
            f"{titles.get(one.models[0], one.models[0])} · {Way(one.adapts[0], one.from_scratch).title}"
            for one in self._requests()
        ]
        if [self._pair.itemText(place) for place in range(self._pair.count())] != pairs:
            at = self._pair.currentText()
            self._pair.clear()
            self._pair.addItems(pairs)
            self._pair.setCurrentIndex(max(0, self._pair.findText(at)))
        self._pair.setVisible(self._is_open and len(pairs) > 1)

    def _look(self) -> None:
        wanted = self._wanted()
        if wanted is None or not self.isVisible():
            return
        self._of = wanted
        self._fill_pairs()
        self._other.setVisible(self._sheet.has_views)
        if not self._sheet.has_images:
            self._pane.show_busy("Preparing the images", on_cancel=self._cancel)
        self._newest.ask(wanted, self._show, self._fail, self._tell)

    def _tell(self, news: Progress) -> None:
        if not self._sheet.has_images:
            self._pane.show_busy(news.text, news.total, news.done, news.seconds_left, self._cancel)

    def _cancel(self) -> None:
        self._newest.cancel()
        self._is_open, self._of = False, None
        self._offer()

    def _show(self, answer: Looks) -> None:
        self._sheet.show_looks(answer)
        self._other.setVisible(self._sheet.has_views)
        self._note.setText(answer.note or f"The model’s input is {answer.size} × {answer.size} pixels.")
        self._note.show()
        self._pane.show_content()

    def _fail(self, error: MedfmError) -> None:
        self._note.hide()
        self._pane.show_error(error, "Try again", self._look)


class LooksSheet(QWidget):
    """Rows of pictures on black, with words above the columns; they keep their size, or get smaller together."""

    def __init__(self) -> None:
        super().__init__()
        self._looks: Looks | None = None
        self._images: list[list[QImage]] = []
        self._words: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    @property
    def has_images(self) -> bool:
        """Whether there is something to see."""
        return bool(self._images)

    @property
    def has_views(self) -> bool:
        """Whether there are random views."""
        return self._looks is not None and len(self._looks.columns) > 1

    def show_looks(self, looks: Looks) -> None:
        """Show other pictures."""
        size = looks.side * looks.side * 3
        width = len(looks.columns)
        parts = [looks.payload[at : at + size] for at in range(0, len(looks.payload), size)]
        images = [
            QImage(part, looks.side, looks.side, looks.side * 3, QImage.Format.Format_RGB888).copy()
            for part in parts
            if len(part) == size
        ]
        self._looks = looks
        # a single column lies down
        self._images = [images[at : at + width] for at in range(0, len(images), width)] if width > 1 else [images]
        self._words = looks.columns if width > 1 else looks.samples
        each = ", ".join(looks.columns).lower()
        self.setAccessibleName(f"{len(looks.samples)} training images, each {each}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """All rows and columns at their own size."""
        width = self.width() if self.isVisible() else self._own_width()
        rows = max(1, len(self._images))
        return QSize(SPACE[-1] * 5, self._head() + rows * (self._cell(width) + SPACE[1]))

    def resizeEvent(self, event: object) -> None:
        """The height follows the width."""
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Words, then pictures."""
        if self._looks is None:
            return
        painter = QPainter(self)
        theme = themes.current()
        font = self.font()
        font.setPixelSize(CAPTION_PX)
        painter.setFont(font)
        painter.setPen(QColor(theme.muted))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        cell = self._cell(self.width())
        for column, words in enumerate(self._words):
            place = QRect(column * (cell + SPACE[1]), 0, cell, self._head())
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        for row, images in enumerate(self._images):
            for column, image in enumerate(images):
                corner = column * (cell + SPACE[1]), self._head() + row * (cell + SPACE[1])
                painter.drawImage(QRect(*corner, cell, cell), image)

    def _head(self) -> int:
        return CAPTION_PX + SPACE[1]

    def _own_width(self) -> int:
        side = self._looks.side if self._looks else SPACE[-1] * 5
        return max(1, len(self._words)) * (side + SPACE[1])

    def _cell(self, width: int) -> int:
        """The side of a picture: its own, or what fits."""
        side = self._looks.side if self._looks else SPACE[-1] * 5
        return max(1, min(side, width // max(1, len(self._words)) - SPACE[1]))
