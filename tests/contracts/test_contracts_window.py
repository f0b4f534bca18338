"""The window's promises: one place for threads, no file read on its thread, no text that becomes markup, no torch."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WINDOW = sorted((ROOT / "medfm_gui" / "ui").rglob("*.py"))
HEAVY = (
    "torch", "torchvision", "timm", "transformers", "SimpleITK", "pydicom", "nibabel", "matplotlib", "scipy", "sklearn",
    "pandas", "sqlite_utils", "typst", "typer",
)  # fmt: skip

THREADS = {"threading", "queue", "concurrent", "multiprocessing", "subprocess", "asyncio"}
QT_THREADS = {"QThread", "QThreadPool", "QRunnable", "QtConcurrent", "QProcess"}
READS = {
    "open",
    "read_text",
    "read_bytes",
    "load",
    "memmap",
    "fromfile",
    "iterdir",
    "glob",
    "rglob",
    "scandir",
    "sleep",
}
READERS = {
    "crash.py": "before the first paint and when something broke",
    "memory.py": "once, before the first paint; it is written by the chores' thread",
    "theme.py": "the program's own tokens, before the first paint",
    "icons.py": "the program's own drawings, each once",
    "bridge.py": "on its threads",
    "screens.py": "a program of its own that draws pictures of the window",
    "pages/studies/mapping.py": "maps what the desk has just written; nothing is read before a frame is painted",
    "pages/studies/sample.py": "the page alone, without a desk",
}
MARKUP = {"setHtml", "insertHtml", "setMarkdown", "toHtml", "setTextFormat", "appendHtml"}
PLAIN_PLACES = {"widgets/text.py"}


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").partition(".")[0], *(alias.name for alias in node.names)}
    return found


def _place(path: Path) -> str:
    return path.relative_to(ROOT / "medfm_gui" / "ui").as_posix()


def test_only_the_bridge_knows_threads() -> None:
    allowed = {"bridge.py", "crash.py"}  # the hook for exceptions of threads is set in crash.py, no thread is made
    found = {_place(path): names for path in WINDOW if (names := _imported(path) & (THREADS | QT_THREADS))}
    assert set(found) <= allowed
    assert found["crash.py"] == {"threading"}


def test_nothing_on_the_windows_thread_reads_a_file() -> None:
    found = {
        f"{_place(path)}:{node.lineno} {name}"
        for path in WINDOW
        if _place(path) not in READERS
        for name, node in _calls(path)
        if name in READS and not _is_ours(name, node)
    }
    assert not found


def _is_ours(name: str, node: ast.Call) -> bool:
    """``theme.load``, ``entry.load`` (a page's module), ``_volume.load`` (bytes), ``dialog.open`` read no file."""
    target = node.func.value if isinstance(node.func, ast.Attribute) else None
    owner = ast.unparse(target) if target is not None else ""
    if name == "load":
        return owner.rpartition(".")[2] in ("theme", "themes", "entry", "_volume", "_document")
    return name == "open" and bool(owner) and owner not in ("Path", "os", "io", "gzip")


def test_a_label_is_plain_and_nothing_else_is_a_label() -> None:
    found = [
        f"{_place(path)}:{node.lineno} {name}"
        for path in WINDOW
        if _place(path) not in PLAIN_PLACES
        for name, node in _calls(path)
        if name in MARKUP or name in ("QLabel", "QMessageBox", "QTextBrowser") or _is_raw_tip(name, node)
    ]
    assert not found


def _is_raw_tip(name: str, node: ast.Call) -> bool:
    """An item's tooltip may be set where its text went through ``tip_text``."""
    return name == "setToolTip" and not ast.unparse(node.args[0]).startswith("tip_text(")


@pytest.mark.parametrize("module", ["medfm_gui.ui.app", "medfm_gui.ui.life", "every page"])
def test_opening_the_window_loads_no_heavy_library(module: str) -> None:
    load = (
        "from medfm_gui.ui.pages import PAGES; [page.load() for page in PAGES]"
        if module == "every page"
        else f"import {module}"
    )
    code = f"import sys, json; {load}; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout) == []


def test_the_desk_starts_without_heavy_libraries() -> None:
    code = (
        "import sys, json, medfm_gui.desk.service, medfm_gui.desk.client;"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout) == []
