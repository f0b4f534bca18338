"""A delimited text file read as a table: encoding, delimiter and ragged rows are found out, never guessed silently.

Workbooks and Parquet files become the same table, where the extra that reads them is installed (``sheets``).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.base.collecting import uncollected
from medfm_gui.datasets.sheets import SHEET_SUFFIXES, read_sheet
from medfm_gui.datasets.text import cell, nearest, plain_name, shown
from medfm_gui.domain.errors import TableError
from medfm_gui.domain.units import counted

_LARGEST_BYTES = 1 << 30
_MOST_KNOWN = 1 << 16
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, each as long as ``columns``; ``lines`` are their line numbers in the file, from 1.

    ``delimiter`` is empty where the file is no text; then ``form`` says what it is.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    delimiter: str
    warnings: tuple[str, ...] = ()
    form: str = ""

    @property
    def kind(self) -> str:
        """“parted by comma”, or which sheet was read."""
        return self.form or f"parted by {delimiter_name(self.delimiter)}"

    def column(self, name: str) -> list[str]:
        """All cells of a column."""
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def named(self, name: str, what: str) -> str:
        """The column that a person named, whatever its case and blanks.

        Raises:
            TableError: there is none; the columns and the nearest names are listed.
        """
        if name in self.columns:
            return name
        same = [column for column in self.columns if plain_name(column) == plain_name(name)]
        if len(same) == 1:
            return same[0]
        meant = nearest(name, self.columns)
        raise TableError(
            f"“{shown(self.path.name)}” has no column “{name}” for the {what}.",
            (f"Did you mean {' or '.join(f'“{column}”' for column in meant)}? " if meant else "")
            + f"Its columns are: {', '.join(self.columns)}.",
        )

    def recognised(self, names: Iterable[str]) -> list[str]:
        """The columns called like one of these, in the order of ``names``."""
        by_name = {plain_name(column): column for column in reversed(self.columns)}
        return list(dict.fromkeys(by_name[plain_name(name)] for name in names if plain_name(name) in by_name))


def read_table(path: Path) -> Table:
    """Read a table with a header row; blank rows are left out, short rows filled up.

    Raises:
        TableError: it cannot be read, is no text, has no rows, or is broken at a line that is named.
    """
    if path.suffix.lower() in SHEET_SUFFIXES and path.is_file():
        rows, form, said = read_sheet(path)
        return _table(path, rows, "", said, form)
    text, warnings = _text_of(path)
    delimiter = _delimiter(text)
    with uncollected():
        try:
            numbered = _rows(text, delimiter)
        except csv.Error as error:
            raise TableError(f"“{shown(path.name)}” is broken: {error}.", "Save it again as CSV (UTF-8).") from error
        return _table(path, numbered, delimiter, warnings)


def _table(
    path: Path, numbered: list[tuple[int, list[str]]], delimiter: str, warnings: tuple[str, ...], form: str = ""
) -> Table:
    if len(numbered) < 2:
        raise TableError(
            f"“{shown(path.name)}” has {'a header and no rows' if numbered else 'no rows'}.", "Check the file."
        )
    columns = _header(numbered[0][1])
    width = len(columns)
    ragged = sum(len(row) > width and any(row[width:]) for _, row in numbered[1:])
    if ragged:
        warnings = (*warnings, f"{counted(ragged, 'row')} with more cells than the header: the rest was left out.")
    rows = tuple(
        tuple(row) if len(row) == width else (*row, *[""] * (width - len(row)))[:width] for _, row in numbered[1:]
    )
    lines = tuple(line for line, _ in numbered[1:])
    return Table(path, columns, rows, lines, delimiter, warnings, form)


def _text_of(path: Path) -> tuple[str, tuple[str, ...]]:
    name = shown(path.name)
    try:
        if not path.is_file():
            raise TableError(f"“{name}” is not a file.", "Name the table.")
        if path.stat().st_size > _LARGEST_BYTES:
            raise TableError(f"“{name}” is larger than 1 GB, too large for a table of labels.", "Check the file.")
        raw = path.read_bytes()
    except OSError as error:
        raise TableError(f"“{name}” cannot be read ({error.strerror}).", "Check that you may read it.") from error
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding, said = "utf-16", ()
    elif b"\0" in raw:
        raise TableError(f"“{name}” holds NUL bytes, so it is no text.", "Save the table as CSV (UTF-8).")
    else:
        encoding, said = "utf-8-sig", ()
    try:
        return raw.decode(encoding), said
    except UnicodeDecodeError:
        warning = f"“{name}” is not UTF-8; it was read as Windows-1252. Check names with accents."
        return raw.decode("cp1252", "replace"), (warning,)


def _delimiter(text: str) -> str:
    """The mark that parts the header and the first rows into the same number of cells, most cells first."""
    head = "".join(text.splitlines(keepends=True)[:50])

    def fit(mark: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(head, newline=""), delimiter=mark) if row]
        except csv.Error:
            return 0.0, 0
        common, times = Counter(widths).most_common(1)[0] if widths else (0, 0)
        # A header that is not parted at all outweighs rows that happen to be, as in findings joined by a bar.
        return (times / len(widths), common) if common > 1 and widths[0] > 1 else (0.0, 0)

    scored = {mark: fit(mark) for mark in _DELIMITERS}
    steady = [mark for mark, (share, _) in scored.items() if share >= 0.9]
    return max(steady or _DELIMITERS, key=lambda mark: (scored[mark][1], scored[mark][0]) if steady else scored[mark])


class _Cells(dict[str, str]):
    """Cells by what stands in the file: one that comes again, as most do, is made once and kept once."""

    def __missing__(self, raw: str) -> str:
        made = cell(raw)
        if len(self) < _MOST_KNOWN:
            self[raw] = made
        return made


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    known = _Cells()
    found = []
    try:
        for row in reader:
            cells = [known[value] for value in row]
            if any(cells):
                found.append((reader.line_num, cells))
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from error
    return found


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    """Unique names; a trailing column without a name is dropped, another one is called by its number."""
    names = list(cells)
    while names and not names[-1]:
        names.pop()
    found: list[str] = []
    for number, name in enumerate(names, 1):
        wanted = name or f"column {number}"
        unique, twin = wanted, 2
        while unique in found:
            unique, twin = f"{wanted} ({twin})", twin + 1
        found.append(unique)
    return tuple(found)


def delimiter_name(mark: str) -> str:
    """“comma”, “semicolon”, “tab” or “bar”."""
    return _DELIMITERS[mark]
