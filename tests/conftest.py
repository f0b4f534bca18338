"""What all tests share: cyclic garbage is looked for among what a test makes, not among a million lasting objects."""

from __future__ import annotations

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave the imported libraries out of every later collection; they live as long as the process."""
    _set_aside()


def pytest_runtest_setup() -> None:
    """Do so again after a window: its end gives everything back to the collector."""
    if not gc.get_freeze_count():
        _set_aside()


def _set_aside() -> None:
    gc.collect()
    gc.freeze()
