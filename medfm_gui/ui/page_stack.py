"""The pages of one open workspace: built when first shown, the rest part by part while nothing else is to be done."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget

from medfm_gui.ui.context import Context
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages import PAGES
from medfm_gui.ui.widgets.deferred import make_next

_BETWEEN_MS = 30


class PageStack(QStackedWidget):
    """Pages by key.

    Signals:
        complete(): all pages of the open workspace are built, with all their parts.
    """

    complete = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._context: Context | None = None
        self._pages: dict[str, Page] = {}
        self._is_ahead = False
        self._builder = QTimer(self)
        self._builder.setInterval(_BETWEEN_MS)
        self._builder.timeout.connect(self._build_next)

    def open(self, context: Context) -> None:
        """Show pages of this workspace from now on."""
        self.close_pages()
        self._context = context
        if self._is_ahead:
            self._builder.start()

    def build_ahead(self) -> None:
        """From now on build what nobody asked for yet."""
        self._is_ahead = True
        if self._context is not None:
            self._builder.start()

    def close_pages(self) -> None:
        """Forget the pages of the workspace that was open."""
        self._builder.stop()
        self._context = None
        for page in self._pages.values():
            self.removeWidget(page)
            page.hide()
            page.deleteLater()
        self._pages.clear()

    def show_page(self, key: str, **wish: Any) -> None:
        """Bring a page to the front and hand it the wish."""
        page = self.page(key)
        self.setCurrentWidget(page)
        if wish:
            page.visit(**wish)

    def page(self, key: str) -> Page:
        """A page of the open workspace, built if it was not yet."""
        if key not in self._pages:
            if self._context is None:
                raise KeyError(key)
            entry = next(page for page in PAGES if page.key == key)
            page = self._pages[key] = entry.load()(self._context)
            self.addWidget(page)
        return self._pages[key]

    def mark_stale(self, topic: str) -> None:
        """Something changed: pages that show it ask again."""
        for page in self._pages.values():
            page.mark_stale(topic)

    def refresh(self) -> None:
        """Ask again for what the open page shows."""
        current = self.currentWidget()
        if isinstance(current, Page):
            current.refresh()

    def _build_next(self) -> None:
        """One page or one part a turn: input comes between them."""
        missing = [page.key for page in PAGES if page.key not in self._pages]
        if missing and self._context is not None:
            self.page(missing[0])
        elif not any(make_next(page) for page in self._pages.values()):
            self._builder.stop()
            self.complete.emit()
