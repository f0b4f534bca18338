"""What the tests of plugins share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors of a few numbers gain nothing by a second thread, and lose much where other programs run too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def official_vmamba() -> Path:
    """The folder of names and numbers that the official VMamba produced."""
    folder = Path(os.environ.get("MEDFM_SHARED") or Path(__file__).resolve().parents[4] / "shared") / "vmamba"
    if not folder.is_dir():
        pytest.skip("the official model's names and numbers are not on this computer (MEDFM_SHARED)")
    return folder
