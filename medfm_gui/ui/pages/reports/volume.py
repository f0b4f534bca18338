"""A PDF in memory whose pages are drawn one after another, on a thread of Qt's own."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, QSizeF, Signal
from PySide6.QtGui import QImage
from PySide6.QtPdf import QPdfDocument, QPdfPageRenderer


class Volume(QObject):
    """A document, the bytes it reads from, and its renderer; another PDF can be put in its place.

    ``QPdfPageRenderer`` in multi-threaded mode draws on a thread that Qt owns and ends; there is one for the life of
    a volume, since ending it takes a while. Everything else about the document waits for a page that is being
    drawn, so sizes are read once and only one page is drawn at a time: put another one only when it ``is_idle``.

    Signals:
        drawn(int, QImage): a page that was asked for.
    """

    drawn = Signal(int, QImage)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.sizes: tuple[QSizeF, ...] = ()
        """Width and height of each page in points."""
        self._data = QByteArray()
        self._buffer = QBuffer(self)
        self._document = QPdfDocument(self)
        self._renderer = QPdfPageRenderer(self)
        self._renderer.setRenderMode(QPdfPageRenderer.RenderMode.MultiThreaded)
        self._renderer.setDocument(self._document)
        self._renderer.pageRendered.connect(self._take)
        self._waits_for = 0

    @property
    def is_idle(self) -> bool:
        """No page is being drawn."""
        return self._waits_for == 0

    def put(self, data: bytes) -> None:
        """Put another PDF in the place of the one before; no pages where it is none."""
        self._document.close()
        self._buffer.close()
        self._data = QByteArray(data)  # the document reads from it for as long as it is open
        self._buffer.setData(self._data)
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._document.load(self._buffer)
        pages = self._document.pageCount() if self._document.status() == QPdfDocument.Status.Ready else 0
        self.sizes = tuple(self._document.pagePointSize(page) for page in range(pages))

    def draw(self, page: int, size: QSize) -> None:
        """Draw a page in that many pixels; only when idle."""
        self._waits_for = self._renderer.requestPage(page, size)

    def _take(self, page: int, size: QSize, image: QImage, options: object, number: int) -> None:
        if number == self._waits_for:
            self._waits_for = 0
            self.drawn.emit(page, image)
