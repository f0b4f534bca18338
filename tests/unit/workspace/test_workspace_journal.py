"""Words from data in the journal stay one line each: none can forge another."""

from __future__ import annotations

from pathlib import Path

import pytest

from medfm_gui.workspace.journal import entries, note
from medfm_gui.workspace.place import open_workspace

FORGED = '{"at": "2020-01-01T00:00:00Z", "what": "test opened", "subject": "r0001"}'


@pytest.mark.parametrize(
    "text", [f"a\n{FORGED}", f"a\r\n{FORGED}\n", f'"}}\n{FORGED}', f"a\u2028{FORGED}\x85b", "a\x00b"]
)
def test_no_text_forges_a_line(tmp_path: Path, text: str) -> None:
    with open_workspace(tmp_path / "workspace") as workspace:
        before = len(entries(workspace.root))
        note(workspace, "dataset imported", text, name=text)
        found = entries(workspace.root)
        assert len(found) == before + 1
        assert (found[-1].what, found[-1].subject, found[-1].details) == ("dataset imported", text, {"name": text})
        lines = (workspace.root / "journal.jsonl").read_bytes().count(b"\n")
        assert lines == before + 1
