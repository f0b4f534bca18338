"""The pages of the window, a folder each: ``page.py`` lays out, ``model.py`` holds data, ``sample.py`` runs it alone.

May import: the desk's questions, the frame (``context``, ``page``, ``actions``), widgets, charts, the viewer.
Front door: ``PAGES``, the one list of pages in the order of the rail; a page's module is loaded when it is first built.
To add one: a folder with the pair, an icon of the same name, a line below.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medfm_gui.ui.page import Page


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page: its key (also its folder and icon), its title in the rail, its class."""

    key: str
    title: str
    class_name: str

    def load(self) -> type[Page]:
        """Its class; the module is imported now."""
        module = importlib.import_module(f"medfm_gui.ui.pages.{self.key}.page")
        found: type[Page] = getattr(module, self.class_name)
        return found


PAGES: tuple[PageEntry, ...] = (
    PageEntry("home", "Home", "HomePage"),
    PageEntry("datasets", "Datasets", "DatasetsPage"),
    PageEntry("train", "Train", "TrainPage"),
    PageEntry("runs", "Runs", "RunsPage"),
    PageEntry("studies", "Studies", "StudiesPage"),
    PageEntry("compare", "Compare", "ComparePage"),
    PageEntry("reports", "Reports", "ReportsPage"),
    PageEntry("settings", "Settings", "SettingsPage"),
)
"""All pages; the n-th is reached by Ctrl+n."""
