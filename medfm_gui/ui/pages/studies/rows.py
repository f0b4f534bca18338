"""How rows of the tree are drawn: a picture or an icon, two lines, and a mark where there is a warning."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from medfm_gui.ui import icons
from medfm_gui.ui import theme as themes
from medfm_gui.ui.pages.studies.model import CAPTION, StudyTree
from medfm_gui.ui.pages.studies.nodes import Node
from medfm_gui.ui.pages.studies.thumbs import Thumbs, Want
from medfm_gui.ui.theme import CAPTION_PX, ICON_PX, RADIUS, SPACE

ROW_PX: Final = SPACE[5] + SPACE[3]
PICTURE_PX: Final = SPACE[5] + SPACE[1]
_ICONS = {"patient": "patient", "study": "studies", "pictures": "image"}
_MARK_PX: Final = SPACE[3]


class TreeRow(QStyledItemDelegate):
    """Draws the rows of a ``StudyTree``; all are of one height."""

    def __init__(self, tree: StudyTree, thumbs: Thumbs) -> None:
        super().__init__(tree)
        self._tree = tree
        self._thumbs = thumbs

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """One height for every row."""
        return QSize(SPACE[5] * 4, ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Ground, picture, words, mark."""
        node = self._tree.node(index)
        if node is None:
            return
        shown: Any = option  # its stub names none of the fields
        painter.save()
        style = shown.widget.style() if shown.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, shown, painter, shown.widget)
        whole: QRect = shown.rect.adjusted(SPACE[0], 0, -SPACE[1], 0)
        self._paint_sign(painter, whole, node, shown)
        right = whole.right()
        if node.warnings:
            right -= _MARK_PX + SPACE[0]
            mark = icons.pixmap("warning", "warn", _MARK_PX, painter.device().devicePixelRatioF())
            painter.drawPixmap(right + SPACE[0], whole.center().y() - _MARK_PX // 2 + 1, mark)
        left = whole.left() + _sign_px(node) + SPACE[1]
        area = QRect(QPoint(left, whole.top()), QPoint(right, whole.bottom()))
        paint_lines(painter, area, shown.font, str(index.data()), str(index.data(CAPTION)))
        painter.restore()

    def _paint_sign(self, painter: QPainter, whole: QRect, node: Node, shown: Any) -> None:
        ratio = painter.device().devicePixelRatioF()
        want = want_of(node)
        if want is None:
            pixmap = icons.pixmap(_ICONS.get(node.kind, "studies"), "muted", ICON_PX, ratio)
            painter.drawPixmap(whole.left(), whole.center().y() - ICON_PX // 2 + 1, pixmap)
            return
        theme = themes.current()
        box = QRect(whole.left(), whole.center().y() - PICTURE_PX // 2 + 1, PICTURE_PX, PICTURE_PX)
        picture = self._thumbs.picture(want)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(Qt.PenStyle.NoPen)
        waits = picture is None or picture.isNull()
        painter.setBrush(QColor(themes.mix(theme.panel, theme.text, 0.08) if waits else theme.image))
        painter.drawRoundedRect(box, RADIUS - 3, RADIUS - 3)
        if picture is not None and not picture.isNull():
            size = picture.size().scaled(PICTURE_PX, PICTURE_PX, Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(QPoint(0, 0), size)
            place.moveCenter(box.center())
            painter.drawImage(place, picture)
        elif picture is not None:
            missing = icons.pixmap("image", "muted", _MARK_PX, ratio)
            painter.drawPixmap(box.center() - QPoint(_MARK_PX // 2 - 1, _MARK_PX // 2 - 1), missing)


def paint_lines(painter: QPainter, area: QRect, font: QFont, title: str, caption: str) -> None:
    """A title, and a caption below it, in the middle of an area; shortened to its width."""
    theme = themes.current()
    font = themes.figures_font(font)
    for text, px, colour, is_title in (
        (title, themes.BODY_PX, theme.text, True),
        (caption, CAPTION_PX, theme.muted, False),
    ):
        font.setPixelSize(px)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        metrics = QFontMetrics(font)
        words = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        middle = area.center().y() + 1
        top = middle - metrics.height() if is_title else middle + 1
        place = QRect(area.left(), top, area.width(), metrics.height())
        painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine.value, words)


def want_of(node: Node) -> Want | None:
    """The picture of a row, if it has one."""
    if node.kind == "series":
        return node.key.study, str(node.place)
    return ("", node.key.path) if node.kind == "picture" else None


def _sign_px(node: Node) -> int:
    return PICTURE_PX if node.kind in ("series", "picture") else ICON_PX
