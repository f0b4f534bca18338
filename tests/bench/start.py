"""``start``: ``medfm-gui`` from its process's start to the first painted, usable window, against a bare window.

The peer is a process that imports PySide6 and pyqtgraph and shows an empty ``QMainWindow``. Usable means: painted,
and the rail takes a click; the workspace opens in the desk meanwhile (``opened`` tells when its first page stood).
No library of the tensor, DICOM or statistics families may be in the window's process by then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.measure import alternately, rounded

FORBIDDEN = ("torch", "timm", "transformers", "SimpleITK", "pydicom", "matplotlib", "scipy", "sklearn", "pandas")
_BARE = """
import time
import PySide6.QtWidgets as qt, pyqtgraph
from PySide6.QtCore import QTimer
app = qt.QApplication([])
window = qt.QMainWindow()
window.resize(1280, 800)
window.show()
QTimer.singleShot(0, lambda: (print(time.time(), flush=True), app.quit()))
app.exec()
"""
_OURS = """
import json, sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from medfm_gui.ui import life
said = {}
def painted(window):
    said["painted"] = time.time()
def drive(window):
    QTimer.singleShot(0, lambda: painted(window))
    def opened():
        said["opened"] = time.time()
        said["loaded"] = [name for name in %r if name in sys.modules]
        QTimer.singleShot(0, window.close)
    window.workspace_opened.connect(opened)
life.live(Path(sys.argv[1]), on_window=drive)
print(json.dumps(said), flush=True)
"""


def main(tiny: bool) -> dict[str, Any]:
    """Both, in turns, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="medfm-bench-") as made:
        place = Path(made)
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MEDFM_CONFIG": str(place / "config")}
        opened: list[float] = []
        loaded: set[str] = set()

        def run(code: str, *arguments: str) -> tuple[float, str]:
            begun = time.time()
            command = [sys.executable, "-P", "-c", code, *arguments]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
            return begun, done.stdout

        def ours() -> float:
            begun, text = run(_OURS % (FORBIDDEN,), str(place / "workspace"))
            said = json.loads(text.splitlines()[-1])
            opened.append(said["opened"] - begun)
            loaded.update(said["loaded"])
            return float(said["painted"] - begun)

        def bare() -> float:
            begun, text = run(_BARE)
            return float(text.split()[-1]) - begun

        turns = alternately(ours, bare, 1 if tiny else 7)
    line = turns.line(at_most=1.5, opened_s=rounded(sorted(opened)[len(opened) // 2]), loaded=sorted(loaded))
    return {**line, "pass": line["pass"] and not loaded}
