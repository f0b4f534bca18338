from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, weights and logs of a test are its own."""
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MEDFM_WEIGHTS", str(tmp_path / "weights"))
