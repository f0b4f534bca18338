"""The page alone, with sample data: ``python -m medfm_gui.ui.pages.studies``."""

from __future__ import annotations

import sys

from medfm_gui.ui.pages.studies.page import StudiesPage
from medfm_gui.ui.pages.studies.sample import ANSWERS
from medfm_gui.ui.sample import show_alone

if __name__ == "__main__":
    sys.exit(show_alone(StudiesPage, ANSWERS, sys.argv[1:]))
