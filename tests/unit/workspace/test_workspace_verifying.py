"""The journal's chain: what was changed, removed or inserted is found and named by its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from medfm_gui.base.settings import Settings
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.verifying import journal_head, verify_journal

Lines = list[bytes]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "w", settings=Settings()) as room:
        for number in range(6):
            note(room, "run created", f"r000{number}", number=str(number))
        yield room


def test_an_untouched_journal_is_whole(workspace: Workspace) -> None:
    found = verify_journal(workspace)
    assert found.ok and found.checked == 6
    assert (6, found.facts["head"]) == journal_head(workspace)


def test_no_journal_is_whole(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "w", settings=Settings()) as room:
        assert verify_journal(room).ok
        assert journal_head(room) == (0, "")


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (lambda lines: [lines[0].replace(b"r0000", b"r0009"), *lines[1:]], [(1, "changed")]),
        (lambda lines: [*lines[:2], lines[2].replace(b"r0002", b"r0009"), *lines[3:]], [(3, "changed")]),
        (lambda lines: [*lines[:5], lines[5].replace(b"r0005", b"r0009")], [(6, "changed")]),
        (lambda lines: [*lines[:2], lines[2].replace(b":", b": ", 1), *lines[3:]], [(3, "changed")]),
        (lambda lines: [*lines[:2], b"???\n", *lines[3:]], [(3, "changed")]),
        (lambda lines: [*lines[:2], b"\xff\xfe\n", *lines[3:]], [(3, "changed")]),
        (lambda lines: lines[1:], [(1, "removed")]),
        (lambda lines: [*lines[:2], *lines[3:]], [(3, "removed")]),
        (lambda lines: lines[:5], [(6, "removed")]),
        (lambda lines: [*lines[:3], lines[1], *lines[3:]], [(4, "inserted")]),
        (lambda lines: [*lines[:3], lines[1].replace(b"r0001", b"r0009"), *lines[3:]], [(4, "inserted")]),
        (lambda lines: [*lines, b'{"at": "2'], [(7, "unreadable")]),
        (
            lambda lines: [
                lines[0].replace(b"r0000", b"r0008"),
                *lines[1:4],
                lines[4].replace(b"r0004", b"r0009"),
                lines[5],
            ],
            [(1, "changed"), (5, "changed")],
        ),
    ],
)
def test_each_kind_of_change_is_named(
    workspace: Workspace, tamper: Callable[[Lines], Lines], expected: list[tuple[int, str]]
) -> None:
    path = workspace.root / "journal.jsonl"
    path.write_bytes(b"".join(tamper(path.read_bytes().splitlines(keepends=True))))
    found = verify_journal(workspace)
    assert [(item.line, item.kind) for item in found.differences] == expected
    assert all(str(item.line) in item.message or item.kind == "unreadable" for item in found.differences[1:])


def test_what_was_removed_is_told_from_the_database(workspace: Workspace) -> None:
    path = workspace.root / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], *lines[4:]]))
    (found,) = verify_journal(workspace).differences
    assert "2 lines were removed" in found.message and "r0002" in found.message and "r0003" in found.message


def test_a_changed_row_of_the_database_is_named(workspace: Workspace) -> None:
    database = Database(str(workspace.root / "medfm.sqlite"))
    database.execute("UPDATE journal SET subject = 'r7' WHERE subject = 'r0002'")
    database.conn.commit()
    database.close()
    (found,) = verify_journal(workspace).differences
    assert found.where == "medfm.sqlite" and found.line == 3 and "r7" in found.message


def test_a_journal_that_goes_on_after_a_change_still_names_it(workspace: Workspace) -> None:
    path = workspace.root / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"r0005", b"r0009"))
    note(workspace, "run created", "r0006")
    (found,) = verify_journal(workspace).differences
    assert (found.line, found.kind) == (6, "changed")
