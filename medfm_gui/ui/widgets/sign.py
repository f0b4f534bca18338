"""An icon beside words: painted from the theme of the moment, so it follows a change of theme and of screen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.theme import ICON_PX


class Sign(QWidget):
    """Shows an icon and does nothing; without a name of its own, screen readers pass it by."""

    def __init__(self, icon: str = "", role: str = "text", size_px: int = ICON_PX) -> None:
        super().__init__()
        self._icon, self._role = icon, role
        self._size_px = size_px
        self.setFixedSize(size_px, size_px)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        if not icon:
            self.hide()

    def set_icon(self, icon: str, role: str = "text") -> None:
        """Show another icon; an empty name hides the sign."""
        self._icon, self._role = icon, role
        self.setVisible(bool(icon))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon in its role's colour."""
        if self._icon:
            painter = QPainter(self)
            painter.drawPixmap(0, 0, icons.pixmap(self._icon, self._role, self._size_px, self.devicePixelRatioF()))
