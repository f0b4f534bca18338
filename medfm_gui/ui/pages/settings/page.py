"""Settings: a list of sections at the left, the chosen one at the right; each is built when it is first shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from medfm_gui.desk.entry import Topic
from medfm_gui.ui import icons
from medfm_gui.ui.actions import Action
from medfm_gui.ui.context import Context
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.settings.about import AboutSection
from medfm_gui.ui.pages.settings.appearance import AppearanceSection
from medfm_gui.ui.pages.settings.devices import DevicesSection
from medfm_gui.ui.pages.settings.diagnostics import DiagnosticsSection
from medfm_gui.ui.pages.settings.network import NetworkSection
from medfm_gui.ui.pages.settings.plugins import PluginsSection
from medfm_gui.ui.pages.settings.predictions import PredictionsSection
from medfm_gui.ui.pages.settings.privacy import PrivacySection
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.pages.settings.shortcuts import ShortcutsSection
from medfm_gui.ui.pages.settings.weights import WeightsSection
from medfm_gui.ui.pages.settings.workspace import WorkspaceSection
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.table import ROW_PX
from medfm_gui.ui.widgets.text import Label

_LIST_PX = SPACE[-1] * 6
_KEY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class SectionEntry:
    """A section: its key for ``visit(tab=…)``, its title in the list, its icon, and what makes it."""

    key: str
    title: str
    icon: str
    make: Callable[[Context], Section]


SECTIONS: tuple[SectionEntry, ...] = (
    SectionEntry("devices", "Devices", "gpu", DevicesSection),
    SectionEntry("weights", "Weights", "download", WeightsSection),
    SectionEntry("network", "Network", "network", NetworkSection),
    SectionEntry("workspace", "Workspace", "folder", WorkspaceSection),
    SectionEntry("predictions", "Predictions", "chart", PredictionsSection),
    SectionEntry("privacy", "Privacy", "shield", PrivacySection),
    SectionEntry("appearance", "Appearance", "contrast", AppearanceSection),
    SectionEntry("shortcuts", "Shortcuts", "keyboard", ShortcutsSection),
    SectionEntry("plugins", "Plugins", "layers", PluginsSection),
    SectionEntry("diagnostics", "Diagnostics", "clone", DiagnosticsSection),
    SectionEntry("about", "About", "info", AboutSection),
)
"""All sections, in the order of the list."""


class SettingsPage(Page):
    """Settings."""

    key = "settings"
    title = "Settings"
    icon = "settings"
    topics = (Topic.MODELS, Topic.SETTINGS)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._built: dict[str, Section] = {}
        self.list = QListWidget()
        self.list.setAccessibleName("Sections of the settings")
        self.list.setFixedWidth(_LIST_PX)
        for entry in SECTIONS:
            item = QListWidgetItem(icons.icon(entry.icon, "muted"), entry.title)
            item.setData(_KEY, entry.key)
            item.setSizeHint(QSize(0, ROW_PX))
            self.list.addItem(item)
        self.list.setFixedHeight(ROW_PX * len(SECTIONS) + SPACE[1])
        self.stack = QStackedWidget()
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(SPACE[4], SPACE[4], 0, SPACE[4])
        column.setSpacing(SPACE[3])
        column.addWidget(Label(self.title, "heading1"))
        column.addWidget(self.list)
        column.addStretch(1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side)
        whole.addWidget(self.stack, 1)
        kept = str(context.memory.get("settings.section", "devices"))
        self._show(kept if kept in {entry.key for entry in SECTIONS} else "devices", ask=False)
        self.list.currentItemChanged.connect(lambda item, _: self._show(item.data(_KEY)) if item else None)
        context.actions.add(
            self,
            *(
                Action(f"settings.{entry.key}", f"Settings: {entry.title}", self._opener(entry.key), group=self.title)
                for entry in SECTIONS
            ),
        )

    @property
    def section(self) -> Section:
        """The section that is shown."""
        return self._built[self._current]

    def refresh(self) -> None:
        """The section that is shown asks anew; the others when they come up."""
        self.section.refresh()

    def visit(self, **wish: Any) -> None:
        """``tab=`` names a section; the rest of the wish is the section's."""
        tab = str(wish.pop("tab", self._current))
        if tab in {entry.key for entry in SECTIONS}:
            self._show(tab)
        self.section.visit(**wish)

    def _opener(self, key: str) -> Callable[[], None]:
        return lambda: self._show(key)

    def _show(self, key: str, *, ask: bool = True) -> None:
        at = next(k for k, entry in enumerate(SECTIONS) if entry.key == key)
        self._current = key
        if key not in self._built:
            section = SECTIONS[at].make(self.context)
            self._built[key] = section
            self.stack.addWidget(section)
        self.stack.setCurrentWidget(self._built[key])
        self.list.blockSignals(True)
        self.list.setCurrentRow(at)
        self.list.blockSignals(False)
        self.context.memory.put("settings.section", key)
        if ask:
            self._built[key].refresh()
