"""What all tests share: cyclic garbage is looked for among what a test makes, not among a million lasting objects."""

from __future__ import annotations

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave the imported libraries out of later collections, until a window's end gives them back."""
    gc.collect()
    gc.freeze()
