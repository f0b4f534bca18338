"""A workspace of its own for each test, simulated patients for all of them, real images where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from medfm_gui.imaging.phantom.write import write_phantom
from tests.fixtures.command import Medfm, medfm_in


@pytest.fixture
def medfm(tmp_path: Path) -> Medfm:
    return medfm_in(tmp_path)


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-six simulated patients, two with a CT."""
    folder = tmp_path_factory.mktemp("phantom")
    write_phantom(folder, patients=26, seed=0)
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Iterator[Path]:
    """Real images, where they are at hand."""
    named = os.environ.get("MEDFM_SHARED")
    folder = (Path(named) if named else Path(__file__).resolve().parents[3] / "shared") / "data"
    if not folder.is_dir():
        pytest.skip("the real images are not here (MEDFM_SHARED or ../shared)")
    yield folder
