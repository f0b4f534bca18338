"""A window that many refusals are tried in: each leaves it as it was, so one serves all of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication

from medfm_gui.ui.main_window import MainWindow
from tests.fixtures.hand import Hand
from tests.fixtures.window import closed, opened_window


def wait(true: Callable[[], bool], *, timeout: int = 120_000) -> None:
    """As ``qtbot.waitUntil``, for what lives longer than one test."""
    deadline = time.monotonic() + timeout / 1000
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        QCoreApplication.processEvents()
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, weights and logs of a test are its own; nothing uses the network."""
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MEDFM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("MEDFM_OFFLINE", "1")


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    """A window of a whole module, hidden between its tests."""
    root = tmp_path_factory.mktemp("lasting")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MEDFM_CONFIG", str(root / "config"))
        environment.setenv("MEDFM_WEIGHTS", str(root / "weights"))
        environment.setenv("MEDFM_OFFLINE", "1")
        assert os.environ["MEDFM_OFFLINE"]
        window = opened_window(root / "workspace", wait)
        for key in ("home", "datasets", "train", "runs", "settings"):
            window.go(key)  # built now: what a page keeps running is no test's
        wait(lambda: window.session is not None and not window.session.desk.open_questions)
        window.hide()
        yield window
        closed(window)


@pytest.fixture
def hand(lasting: MainWindow) -> Iterator[Hand]:
    """A hand at the lasting window."""
    lasting.toasts.clear()
    lasting.show()
    yield Hand(lasting, wait)
    lasting.hide()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes; root mounts it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if sys.platform != "linux" or os.geteuid() != 0 or not mount or not unmount:
        pytest.skip("a small disk can be mounted by root on Linux only")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=24m", "none", str(place)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run([unmount, str(place)], check=True)
