"""Where de-identification is offered: the shield above the tree, the tree's context menu, an action of the page."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QSize, Qt
from PySide6.QtWidgets import QMenu, QToolButton

from medfm_gui.ui import icons
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies.browser import Browser
from medfm_gui.ui.pages.studies.deidentifying.dialog import DeidentifyDialog
from medfm_gui.ui.pages.studies.nodes import Node
from medfm_gui.ui.theme import ICON_PX
from medfm_gui.ui.widgets.text import tip

_WORDS = "De-identify what is chosen: copies without names and IDs"
_READ_ONLY = "This workspace is open read-only: nothing can be written."
_NOTHING = "Choose a patient, a study or a series in the list first."


class Offering(QObject):
    """Opens the dialog for what is chosen in the tree."""

    def __init__(self, context: Context, browser: Browser) -> None:
        super().__init__(browser)
        self._context = context
        self._browser = browser
        self.dialog: DeidentifyDialog | None = None
        dress(browser.shield, enabled=not context.is_read_only)
        browser.shield.clicked.connect(self.open)
        browser.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        browser.view.customContextMenuRequested.connect(self._offer)

    @property
    def can_open(self) -> bool:
        """Whether something is chosen that has DICOM studies."""
        return not self._context.is_read_only and bool(self._chosen()[0])

    def open(self) -> None:
        """Show the dialog for what is chosen."""
        studies, series = self._chosen()
        if not studies:
            self._browser.notice.tell("Nothing is chosen.", _NOTHING)
            return
        self.dialog = DeidentifyDialog(self._context, studies, series, self._browser)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.open()

    def _chosen(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        node = self._browser.tree.node(self._browser.view.currentIndex())
        return chosen(node) if node is not None else ((), ())

    def _offer(self, place: QPoint) -> None:
        if not self._browser.view.indexAt(place).isValid() or not self.can_open:
            return
        menu = QMenu(self._browser)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("De-identify …", self.open)
        menu.popup(self._browser.view.viewport().mapToGlobal(place))


def chosen(node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """UIDs of the studies, and of the series if not all are meant; pictures have neither."""
    if node.kind == "patient":
        return tuple(study.uid for study in node.studies), ()
    if node.kind == "study" and node.study is not None:
        return (node.study.uid,), ()
    if node.kind == "series" and node.study is not None:
        return (node.study.uid,), (node.key.series,)
    return (), ()


def dress(button: QToolButton, *, enabled: bool) -> None:
    """The shield above the tree."""
    button.setIcon(icons.icon("shield"))
    button.setIconSize(QSize(ICON_PX, ICON_PX))
    button.setProperty("role", "quiet")
    button.setAccessibleName("De-identify")
    button.setEnabled(enabled)
    tip(button, _WORDS if enabled else _READ_ONLY)
