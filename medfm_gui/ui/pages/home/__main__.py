"""``python -m medfm_gui.ui.pages.home``: the page alone, with sample data."""

from __future__ import annotations

import sys

from medfm_gui.ui.pages.home.page import HomePage
from medfm_gui.ui.pages.home.sample import ANSWERS
from medfm_gui.ui.sample import show_alone

if __name__ == "__main__":
    sys.exit(show_alone(HomePage, ANSWERS, sys.argv[1:]))
