"""``python -m medfm_gui.ui.widgets [dark|light] [picture.png]``: the gallery in a window, or as a picture."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication

from medfm_gui.ui import theme
from medfm_gui.ui.widgets.gallery import Gallery

if __name__ == "__main__":
    app = QApplication(sys.argv[:1])
    named = [word for word in sys.argv[1:] if word in theme.NAMES]
    pictures = [word for word in sys.argv[1:] if word.endswith(".png")]
    theme.apply(app, theme.load(named[0] if named else theme.system_prefers()))
    gallery = Gallery()
    gallery.show()
    if pictures:
        app.processEvents()
        gallery.grab().save(pictures[0])
        gallery.close()
    else:
        sys.exit(app.exec())
