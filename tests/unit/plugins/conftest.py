"""What the tests of plugins share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fixtures.one_thread import one_thread as one_thread


@pytest.fixture
def official_vmamba() -> Path:
    """The folder of names and numbers that the official VMamba produced."""
    folder = Path(os.environ.get("MEDFM_SHARED") or Path(__file__).resolve().parents[4] / "shared") / "vmamba"
    if not folder.is_dir():
        pytest.skip("the official model's names and numbers are not on this computer (MEDFM_SHARED)")
    return folder
