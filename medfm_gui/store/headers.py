"""Headers of files that were read for the index of studies, so that an unchanged file is not opened again.

One row holds what was read of one folder at one time: ``[[name, size, changed_ns, said], …]`` as compressed JSON,
about 60 bytes a file. It can always be read again from the files, so a rebuilt database begins without it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlite_utils import Database

from medfm_gui.imaging.header import header_form
from medfm_gui.store.cells import text_cell
from medfm_gui.store.readers import Readers
from medfm_gui.store.writer import NoWriter, Writer

Kept = tuple[int, int, list[Any]]
"""Size, time of the last change (ns), and what was said of the file."""

_MOST_PARTS = 16
TABLE = """CREATE TABLE headers (
    folder TEXT NOT NULL, part INTEGER NOT NULL, form TEXT NOT NULL, files BLOB NOT NULL,
    PRIMARY KEY (folder, part)
) WITHOUT ROWID"""


class HeaderTable:
    """The table of one database; rows of another form than today's are as good as none."""

    def __init__(self, writer: Writer | NoWriter, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers
        self._form = hashlib.sha256(header_form().encode()).hexdigest()[:16]

    def of(self, folder: str) -> dict[str, Kept]:
        """What is known of the files of a folder, by their names."""
        with self._readers.reading() as reader:
            return _of(reader.db, folder, self._form)

    def put(self, folders: Mapping[str, Mapping[str, Kept]]) -> None:
        """Keep what was read of files, by folder and name, with the next batch of the writer."""
        self._writer.later(partial(_put, folders=folders, form=self._form), len(folders))


def _of(db: Database, folder: str, form: str) -> dict[str, Kept]:
    found: dict[str, Kept] = {}
    rows = "SELECT files FROM headers WHERE folder = ? AND form = ? ORDER BY part"
    for (files,) in db.conn.execute(rows, [text_cell(folder), form]):
        for name, size, changed_ns, said in json.loads(zlib.decompress(files)):
            found[name] = (size, changed_ns, said)
    return found


def _put(db: Database, folders: Mapping[str, Mapping[str, Kept]], form: str) -> None:
    """Add a part to each folder; where many have gathered they become one."""
    for folder, files in folders.items():
        key = text_cell(folder)
        last = db.conn.execute("SELECT max(part) FROM headers WHERE folder = ?", [key]).fetchone()[0]
        part = 0 if last is None else last + 1
        if part >= _MOST_PARTS:
            files = {**_of(db, folder, form), **files}
            db.conn.execute("DELETE FROM headers WHERE folder = ?", [key])
            part = 0
        rows = [[name, *kept] for name, kept in files.items()]
        packed = zlib.compress(json.dumps(rows, separators=(",", ":")).encode("ascii"), 3)
        db.conn.execute("INSERT INTO headers VALUES (?, ?, ?, ?)", [key, part, form, packed])
