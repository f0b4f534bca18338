"""The page alone, with sample data: ``python -m medfm_gui.ui.pages.train [--light]``."""

from __future__ import annotations

import sys

from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.pages.train.sample import ANSWERS
from medfm_gui.ui.sample import show_alone

if __name__ == "__main__":
    sys.exit(show_alone(TrainPage, ANSWERS, sys.argv[1:]))
