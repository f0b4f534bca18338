"""``python -m medfm_gui.ui.pages.settings``: the page alone, with sample data."""

from __future__ import annotations

import sys

from medfm_gui.ui.pages.settings.page import SettingsPage
from medfm_gui.ui.pages.settings.sample import ANSWERS
from medfm_gui.ui.sample import show_alone

if __name__ == "__main__":
    sys.exit(show_alone(SettingsPage, ANSWERS, sys.argv[1:]))
