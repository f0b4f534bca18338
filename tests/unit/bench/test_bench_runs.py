"""Every benchmark runs at tiny size and says what the line of an entry is to say. Goals are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base import children

_ROOT = Path(__file__).parents[3]
_BENCH = _ROOT / "tests" / "bench"
_OWN = {"__init__", "__main__", "measure", "photographs", "plain", "prepared"}
_ENTRIES = sorted(path.stem.replace("_", "-") for path in _BENCH.glob("*.py") if path.stem not in _OWN)

pytestmark = pytest.mark.slow


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments],
        cwd=_ROOT, env=children.clean_environment(), capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def lines() -> dict[str, dict[str, Any]]:
    """What the whole of it prints at tiny size, by id."""
    done = _bench("--tiny")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len({line["id"] for line in told})
    return {line["id"]: line for line in told}


@pytest.mark.parametrize("entry", _ENTRIES)
def test_an_entry_says_what_it_measured(lines: dict[str, dict[str, Any]], entry: str) -> None:
    line = lines[entry]
    assert {"id", "what", "ours", "peer", "ratio", "goal", "pass", "repeats"} <= set(line)
    assert line["what"].endswith((".", "?"))
    assert line["goal"]
    assert type(line["pass"]) is bool
    assert line["ratio"] > 0
    assert line["repeats"] >= 1
    if isinstance(line["peer"], float):
        assert line["ours"] > 0 < line["peer"]


def test_nothing_else_is_printed(lines: dict[str, dict[str, Any]]) -> None:
    assert sorted(lines) == _ENTRIES


def test_an_unknown_entry_is_refused_by_name() -> None:
    done = _bench("warp")
    assert done.returncode == 2
    assert "no entry warp" in done.stderr
    assert done.stdout == ""
