"""The page alone, with sample reports: ``python -m medfm_gui.ui.pages.reports [--light]``."""

from __future__ import annotations

import sys

from medfm_gui.ui.pages.reports.page import ReportsPage
from medfm_gui.ui.pages.reports.sample import ANSWERS
from medfm_gui.ui.sample import show_alone

if __name__ == "__main__":
    sys.exit(show_alone(ReportsPage, ANSWERS, sys.argv[1:]))
