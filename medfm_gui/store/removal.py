"""Rows of datasets and splits that were moved out of the workspace. Openings of their tests stay: they happened."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlite_utils import Database

from medfm_gui.store.cells import text_cell
from medfm_gui.store.writer import NoWriter, Writer


class Removals:
    """Takes rows out of one database."""

    def __init__(self, writer: Writer | NoWriter) -> None:
        self._writer = writer

    def forget(self, splits: Sequence[str], dataset: str | None = None) -> None:
        """Take out splits with their assignments, and a dataset with its samples, in one transaction.

        Raises:
            DatabaseBusy, DiskFull, StoreError: nothing was taken out.
        """
        self._writer.write(partial(_forget, splits=tuple(splits), dataset=dataset))


def _forget(db: Database, splits: Sequence[str], dataset: str | None) -> None:
    for split in splits:
        db.conn.execute("DELETE FROM assignments WHERE split = ?", [text_cell(split)])
        db.conn.execute("DELETE FROM splits WHERE id = ?", [text_cell(split)])
    if dataset is not None:
        db.conn.execute("DELETE FROM samples WHERE dataset = ?", [text_cell(dataset)])
        db.conn.execute("DELETE FROM datasets WHERE id = ?", [text_cell(dataset)])
