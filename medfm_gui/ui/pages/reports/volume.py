"""A PDF in memory that draws its pages one after another, on a thread of Qt's own."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, QSizeF, Signal
from PySide6.QtGui import QImage
from PySide6.QtPdf import QPdfDocument, QPdfPageRenderer


class Volume(QObject):
    """The document, the bytes it reads from, and its renderer.

    ``QPdfPageRenderer`` in multi-threaded mode draws on a thread that Qt owns and ends. Everything else about the
    document waits for a page that is being drawn, so sizes are read once and only one page is drawn at a time:
    who replaces a volume does so when it ``is_idle``.

    Signals:
        drawn(int, QImage): a page that was asked for.
    """

    drawn = Signal(int, QImage)

    def __init__(self, data: bytes, parent: QObject) -> None:
        super().__init__(parent)
        self._data = QByteArray(data)  # the buffer reads from it for as long as the document lives
        self._buffer = QBuffer(self._data, self)
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._document = QPdfDocument(self)
        self._document.load(self._buffer)
        ready = self._document.status() == QPdfDocument.Status.Ready
        self.sizes = tuple(
            self._document.pagePointSize(page) for page in range(self._document.pageCount() if ready else 0)
        )
        self._renderer = QPdfPageRenderer(self)
        self._renderer.setRenderMode(QPdfPageRenderer.RenderMode.MultiThreaded)
        self._renderer.setDocument(self._document)
        self._renderer.pageRendered.connect(self._take)
        self._waits_for = 0

    @property
    def is_idle(self) -> bool:
        """No page is being drawn."""
        return self._waits_for == 0

    def size(self, page: int) -> QSizeF:
        """Width and height of a page in points."""
        return self.sizes[page]

    def draw(self, page: int, size: QSize) -> None:
        """Draw a page in that many pixels; only when idle."""
        self._waits_for = self._renderer.requestPage(page, size)

    def _take(self, page: int, size: QSize, image: QImage, options: object, number: int) -> None:
        if number == self._waits_for:
            self._waits_for = 0
            self.drawn.emit(page, image)
