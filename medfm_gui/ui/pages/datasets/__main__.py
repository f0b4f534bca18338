"""``python -m medfm_gui.ui.pages.datasets [--light]``: the page alone, with sample data."""

from __future__ import annotations

import sys

from medfm_gui.ui.pages.datasets.page import DatasetsPage
from medfm_gui.ui.pages.datasets.sample import ANSWERS
from medfm_gui.ui.sample import show_alone

sys.exit(show_alone(DatasetsPage, ANSWERS, sys.argv[1:]))
