"""What all tests share: how they are dealt out to several processes, and what the collector of garbage looks at."""

from __future__ import annotations

import gc
from typing import Any

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Tests of the window stay in one process, for they need a machine that answers; others go file by file."""
    from xdist.scheduler import LoadScopeScheduling

    class OneWindow(LoadScopeScheduling):  # type: ignore[misc]  # it tells no types
        """Which tests go together."""

        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return "the window" if file.startswith("tests/gui/") else file

    return OneWindow(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Cyclic garbage is looked for among what a test makes, not among a million lasting objects."""
    gc.collect()
    gc.freeze()
