"""A workspace is made where there is room for one, and never over somebody's files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.domain.errors import InputError, NewerWorkspace, NotFound
from medfm_gui.workspace import journal
from medfm_gui.workspace.place import WorkspaceFile, new_folder, open_workspace, pseudonym_key, slug
from medfm_gui.workspace.spreadsheet import guarded

SETTINGS = Settings()


def test_an_empty_folder_becomes_a_workspace_and_stays_one(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "new" / "ws", settings=SETTINGS) as workspace:
        key = pseudonym_key(workspace)
    with open_workspace(tmp_path / "new" / "ws", settings=SETTINGS) as workspace:
        assert pseudonym_key(workspace) == key and len(key) == 32
    assert (tmp_path / "new" / "ws" / "keys" / "pseudonyms.key").stat().st_mode & 0o077 == 0


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="not an empty folder"), open_workspace(tmp_path, settings=SETTINGS):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_newer_workspace_is_not_touched(tmp_path: Path) -> None:
    wire.write(tmp_path / "workspace.json", WorkspaceFile(format=99))
    with pytest.raises(NewerWorkspace, match="newer"), open_workspace(tmp_path, settings=SETTINGS):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["workspace.json"]


@pytest.mark.parametrize("name", ["none", "../runs", "a/b", "", "."])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    with open_workspace(tmp_path / "ws", settings=SETTINGS) as workspace, pytest.raises(NotFound):
        workspace.run(name or "..")


def test_names_of_folders(tmp_path: Path) -> None:
    assert slug("My Data: Ünïcode / 2020") == "my-data-n-code-2020"
    assert slug("…") == "unnamed"
    assert [new_folder(tmp_path, "a").name for _ in range(3)] == ["a", "a-2", "a-3"]
    assert [new_folder(tmp_path, "r", counted=True).name for _ in range(2)] == ["r0001", "r0002"]


def test_the_journal_is_a_chain_that_outlives_a_torn_line(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=SETTINGS) as workspace:
        for number in range(3):
            journal.note(workspace, "tested", f"s{number}", detail="x")
        lines = (workspace.root / "journal.jsonl").read_bytes().splitlines()
        with (workspace.root / "journal.jsonl").open("ab") as handle:
            handle.write(b'{"at": "20')
        assert len(journal.entries(workspace.root)) == 3
        journal.note(workspace, "tested", "s3")
        entries = journal.entries(workspace.root)
    assert [entry.subject for entry in entries] == ["s0", "s1", "s2", "s3"]
    assert entries[0].previous == ""
    for before, entry in zip(lines, entries[1:], strict=False):
        assert entry.previous == hashlib.sha256(before).hexdigest()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("\tx", "'\tx"),
        ("＝1", "'＝1"),
        ("-5.25", "-5.25"),
        ("-5e-3", "-5e-3"),
        ("benign", "benign"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert guarded(text) == cell
