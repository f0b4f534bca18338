"""The icons: own drawings in ``resources/icons``, 20 px with 1.5-px strokes, in the colour that the theme gives.

``icon("home")`` is drawn when it is shown, from the theme then on the application, at the size and pixel ratio of the
screen: one icon on a button follows a change of theme and a move to a finer screen by itself. The files are read
once, at the first icon; drawn pixmaps are kept on the QApplication.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication

from medfm_gui.base.resources import resources_folder
from medfm_gui.domain.errors import InternalError
from medfm_gui.ui import theme as themes
from medfm_gui.ui.theme import Theme

_PROPERTY: Final = "medfm_icons"
_MOST_KEPT: Final = 2000
_SMALL_PX: Final = themes.SPACE[3]
_GAP_PX: Final = 3
"""What Qt's 4 px between an icon and its text lack; the icon stands at the left of a box that is so much wider."""


class _Kept:
    """Drawings by name, and pixmaps by name, colour, pixels and ratio."""

    def __init__(self) -> None:
        folder = resources_folder() / "icons"
        self.drawings = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.svg"))}
        self.pixmaps: dict[tuple[str, str, int, int, float], QPixmap] = {}


def icon(name: str, role: str = "text") -> QIcon:
    """The icon of that name in a colour of the theme (``text``, ``muted``, ``accent``, ``bad`` …); it follows it.

    Raises:
        InternalError: there is no such icon.
    """
    _drawing(name)
    return QIcon(_Engine(name, role))


def put(button: QAbstractButton, name: str, role: str = "text", size_px: int = _SMALL_PX) -> None:
    """Give a button its icon; beside a text it keeps its distance."""
    button.setIcon(icon(name, role))
    button.setIconSize(QSize(size_px + (_GAP_PX if button.text() else 0), size_px))


def pixmap(name: str, role: str = "text", size_px: int = themes.ICON_PX, ratio: float = 1.0) -> QPixmap:
    """The icon as a picture of the current theme, for paint events."""
    return _draw(name, getattr(themes.current(), role), QSize(size_px, size_px), ratio)


def names() -> tuple[str, ...]:
    """Every icon there is, sorted."""
    return tuple(_kept().drawings)


def drawing(name: str, role: str, theme: Theme) -> bytes:
    """The SVG of an icon in a colour of the theme."""
    return _tinted(name, getattr(theme, role))


class _Engine(QIconEngine):
    """Draws one icon in the colour its role has at that moment."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        self._name = name
        self._role = role

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._role)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        device = painter.device()
        ratio = device.devicePixelRatio() if device is not None else 1.0
        painter.drawPixmap(rect, self.scaledPixmap(rect.size(), mode, state, ratio))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        theme = themes.current()
        colour = theme.disabled if mode == QIcon.Mode.Disabled else getattr(theme, self._role)
        return _draw(self._name, colour, size, scale)

    def actualSize(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QSize:
        side = min(size.width(), size.height())
        return size if size.width() - side == _GAP_PX else QSize(side, side)

    def isNull(self) -> bool:
        return False


def _draw(name: str, colour: str, size: QSize, ratio: float) -> QPixmap:
    """The drawing in a box of ``size`` logical pixels on a screen of that pixel ratio."""
    kept = _kept()
    key = (name, colour, size.width(), size.height(), ratio)
    known = kept.pixmaps.get(key)
    if known is not None:
        return known
    renderer = QSvgRenderer(QByteArray(_tinted(name, colour)))
    picture = QPixmap(size * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    side = min(size.width(), size.height())
    painter = QPainter(picture)
    left = 0.0 if size.width() - side == _GAP_PX else (size.width() - side) / 2
    renderer.render(painter, QRectF(left, (size.height() - side) / 2, side, side))
    painter.end()
    if len(kept.pixmaps) >= _MOST_KEPT:
        kept.pixmaps.clear()
    kept.pixmaps[key] = picture
    return picture


def _tinted(name: str, colour: str) -> bytes:
    return _drawing(name).replace(b"currentColor", colour.encode("ascii"))


def _drawing(name: str) -> bytes:
    found = _kept().drawings.get(name)
    if found is None:
        raise InternalError(f"There is no icon “{name}”.")
    return found


def _kept() -> _Kept:
    app = QApplication.instance()
    if app is None:
        raise InternalError("Icons are drawn for a running application.")
    kept = app.property(_PROPERTY)
    if not isinstance(kept, _Kept):
        kept = _Kept()
        app.setProperty(_PROPERTY, kept)
    return kept
