"""What all tests share: how they are dealt out to several processes, and what the collector of garbage looks at."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

_WINDOW = Path(__file__).parent / "gui"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of the window stay in one process, as they need a machine that answers; others go file by file."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        group = "window" if item.path.is_relative_to(_WINDOW) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Cyclic garbage is looked for among what a test makes, not among a million lasting objects."""
    gc.collect()
    gc.freeze()
