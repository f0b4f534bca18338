"""``python -m medfm_gui.ui``: the window."""

import sys

from medfm_gui.ui.app import main

if __name__ == "__main__":
    sys.exit(main())
