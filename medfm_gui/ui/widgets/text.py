"""Text on the screen: always plain, whatever a patient, a folder or a file calls itself.

Qt guesses markup from the text in labels and in tooltips, and a guessed ``<img src=…>`` reads a file. So labels are
``Label`` and tooltips are set by ``tip``; control characters show as marks, and an unbroken run of letters may wrap.
"""

from __future__ import annotations

import html
import re
from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

LONGEST: Final = 2000
"""Characters of one label; what is longer ends in “…”."""
_LONGEST_TIP: Final = 600
_TIP: Final = "medfm_tip"
_LONGEST_RUN: Final = 24
_LONGEST_CAPTION: Final = 60
_BREAK: Final = "\u200b"
_MARKS: Final = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {
    0x7F: 0x2421,
    **dict.fromkeys(
        (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C), 0xFFFD
    ),
}
_RUN: Final = re.compile(rf"(\S{{{_LONGEST_RUN}}})(?=\S)")


class Label(QLabel):
    """Plain text that wraps, or with ``elide`` stays on one line and is shortened with “…” and a tooltip.

    ``text()`` gives back what was set. ``role`` is a role of the stylesheet, e.g. ``caption``, ``muted``, ``heading2``.
    """

    def __init__(
        self,
        text: str = "",
        role: str = "",
        parent: QWidget | None = None,
        *,
        elide: Qt.TextElideMode | None = None,
        wrap: bool = True,
        selectable: bool = False,
    ) -> None:
        super().__init__(parent)
        self._whole = ""
        self._elide = elide
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap and elide is None)
        if role:
            self.setProperty("role", role)
        if elide is not None:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if selectable:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.setText(text)

    @property
    def is_elided(self) -> bool:
        """Whether it stays on one line and is shortened."""
        return self._elide is not None

    def text(self) -> str:
        """The text as it was set."""
        return self._whole

    def setText(self, text: str, /) -> None:
        """Show another text, plain."""
        self._whole = text
        super().setText(one_line(text) if self._elide is not None else breakable(shown(text)))
        self._tell_what_is_cut()

    def set_role(self, role: str) -> None:
        """Show the text in another role of the stylesheet."""
        set_role(self, role)

    def minimumSizeHint(self) -> QSize:
        """As narrow as “…” when the label elides."""
        hint = super().minimumSizeHint()
        return QSize(self.fontMetrics().horizontalAdvance("…"), hint.height()) if self._elide is not None else hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say in a tooltip what the new width cuts off."""
        super().resizeEvent(event)
        self._tell_what_is_cut()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the shortened text where the label elides."""
        if self._elide is None:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(super().text(), self._elide, self.contentsRect().width())
        self.style().drawItemText(
            painter,
            self.contentsRect(),
            int(self.alignment()) | Qt.TextFlag.TextSingleLine.value,
            self.palette(),
            self.isEnabled(),
            text,
            self.foregroundRole(),
        )

    def changeEvent(self, event: QEvent) -> None:
        """Measure again with another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._tell_what_is_cut()

    def _tell_what_is_cut(self) -> None:
        if self._elide is None:
            return
        cut = self.fontMetrics().horizontalAdvance(super().text()) > self.contentsRect().width()
        self.setToolTip(tip_text(self._whole) if cut else "")


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget another role of the stylesheet and style it again."""
    if widget.property("role") == role:
        return
    widget.setProperty("role", role)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def tip(widget: QWidget, text: str) -> None:
    """Set a tooltip that shows this text and nothing else; also told to screen readers where nothing else is."""
    widget.setToolTip(tip_text(text))
    if widget.accessibleDescription() in ("", widget.property(_TIP)):  # a description of its own stays
        widget.setAccessibleDescription(shown(text, _LONGEST_TIP))
        widget.setProperty(_TIP, shown(text, _LONGEST_TIP))


def tip_text(text: str) -> str:
    """A text in the form in which a tooltip (a widget's, or ``ToolTipRole`` of a model) shows it as it is."""
    return f"<qt>{escape(breakable(shown(text, _LONGEST_TIP)))}</qt>" if text else ""


def escape(text: str) -> str:
    """A text in which markup means nothing, for the places that cannot be told to be plain."""
    return html.escape(text).replace("\n", "<br/>")


def escape_mnemonic(text: str) -> str:
    """A caption in which “&” is a letter, on one line and of bounded length."""
    return one_line(text, _LONGEST_CAPTION).replace("&", "&&")


def shown(text: str, longest: int = LONGEST) -> str:
    """The text with control and direction-turning characters as marks, shortened to ``longest`` characters."""
    kept = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return kept.translate(_MARKS)


def one_line(text: str, longest: int = LONGEST) -> str:
    """As ``shown``, with line breaks as spaces."""
    kept = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return " ".join(kept.splitlines()).replace("\t", " ").translate(_MARKS)


def breakable(text: str) -> str:
    """The text with an invisible chance to wrap in each long run without spaces."""
    return _RUN.sub(rf"\1{_BREAK}", text)
