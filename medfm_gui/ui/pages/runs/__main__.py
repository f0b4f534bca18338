"""The page alone, with sample runs: ``python -m medfm_gui.ui.pages.runs [--light]``."""

from __future__ import annotations

import sys

from medfm_gui.ui.pages.runs.page import RunsPage
from medfm_gui.ui.pages.runs.sample import ANSWERS
from medfm_gui.ui.sample import show_alone

if __name__ == "__main__":
    sys.exit(show_alone(RunsPage, ANSWERS, sys.argv[1:]))
