"""The page alone, with sample data."""

from __future__ import annotations

import sys

from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.sample import ANSWERS
from medfm_gui.ui.sample import show_alone

if __name__ == "__main__":
    sys.exit(show_alone(ComparePage, ANSWERS, sys.argv[1:]))
