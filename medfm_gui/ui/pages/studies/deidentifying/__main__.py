"""The dialog alone, with sample data; ``--light`` for the light theme."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication

from medfm_gui.ui import theme
from medfm_gui.ui.pages.studies.deidentifying.dialog import DeidentifyDialog
from medfm_gui.ui.pages.studies.deidentifying.sample import ANSWERS
from medfm_gui.ui.sample import sample_context

if __name__ == "__main__":
    app = QApplication(sys.argv)
    theme.apply(app, theme.load("light" if "--light" in sys.argv else "dark"))
    shown = DeidentifyDialog(sample_context(ANSWERS, app), ("1.2.4",))
    shown.show()
    sys.exit(app.exec())
