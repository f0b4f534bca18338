"""Excel workbooks and Parquet files as tables of text, where the extra ``medfm-studio[tables]`` is installed.

Nothing is computed: a workbook's cells are the values that it holds, formulas their last results. A file that
unpacks to more than a table of labels can be is refused before it is read.
"""

from __future__ import annotations

import datetime
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from medfm_gui.datasets.text import cell, examples, shown
from medfm_gui.domain.errors import TableError
from medfm_gui.domain.units import counted

SHEET_SUFFIXES = frozenset({".xlsx", ".xlsm", ".parquet", ".pq"})
_LARGEST_BYTES = 1 << 30
_MOST_CELLS = 50_000_000
_FAULTS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!")

Rows = list[tuple[int, list[str]]]
"""Number of a row in its file, from 1, and its cells as text; the first is the header."""


def read_sheet(path: Path) -> tuple[Rows, str, tuple[str, ...]]:
    """The rows of a workbook or a Parquet file, what was read (“the sheet “Labels””), and warnings.

    Raises:
        TableError: the library is not installed, or the file is damaged, too large or no such file.
    """
    return _parquet(path) if path.suffix.lower() in {".parquet", ".pq"} else _workbook(path)


def _workbook(path: Path) -> tuple[Rows, str, tuple[str, ...]]:
    _check_packing(path)
    try:
        import openpyxl
    except ImportError as error:
        raise _not_installed(path, "openpyxl") from error
    try:
        with warnings.catch_warnings(action="ignore"):  # of colours and filters that it does not know
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            return _first_filled(path, {sheet.title: sheet.iter_rows(values_only=True) for sheet in book.worksheets})
        finally:
            book.close()
    except TableError:
        raise
    except Exception as error:
        raise _damaged(path, type(error).__name__) from error


def _first_filled(path: Path, sheets: dict[str, Iterator[Sequence[Any]]]) -> tuple[Rows, str, tuple[str, ...]]:
    """The first sheet that has a header and a row; the others are named in a warning."""
    remarks: list[str] = []
    for number, (title, cells) in enumerate(sheets.items()):
        rows = _rows(path, cells)
        if len(rows) < 2 and number + 1 < len(sheets):
            continue
        others = [name for name in sheets if name != title]
        if others:
            which = examples(f"“{shown(name)}”" for name in others)
            remarks.append(f"The sheet “{shown(title)}” was read; {counted(len(others), 'sheet')} not: {which}.")
        return _without_faults(rows, remarks), f"the sheet “{shown(title)}”", tuple(remarks)
    raise _damaged(path, "it has no sheet")


def _without_faults(rows: Rows, remarks: list[str]) -> Rows:
    """Cells whose formula failed are empty, and that is said."""
    faults = sum(value in _FAULTS for _, cells in rows for value in cells)
    if not faults:
        return rows
    remarks.append(f"{counted(faults, 'cell')} with an error of a formula (as #N/A): taken as empty.")
    return [(line, ["" if value in _FAULTS else value for value in cells]) for line, cells in rows]


def _parquet(path: Path) -> tuple[Rows, str, tuple[str, ...]]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise _not_installed(path, "pyarrow") from error
    try:
        file = pyarrow.parquet.ParquetFile(path)
        shape = file.metadata
        if shape.num_rows * shape.num_columns > _MOST_CELLS:
            raise _too_large(path)
        kept = [field.name for field in file.schema_arrow if "binary" not in str(field.type)]
        left_out = [field.name for field in file.schema_arrow if field.name not in kept]
        columns = file.read(columns=kept)
        cells = zip(*(column.to_pylist() for column in columns.itercolumns()), strict=True)
        rows = _rows(path, [kept, *cells])
    except TableError:
        raise
    except Exception as error:
        raise _damaged(path, type(error).__name__) from error
    said = (f"Columns of bytes were not read: {examples(map(shown, left_out))}.",) if left_out else ()
    return rows, "Parquet", said


def _rows(path: Path, cells: Iterable[Sequence[Any]]) -> Rows:
    """Rows that hold something, as text.

    Raises:
        TableError: there are too many cells.
    """
    found: Rows = []
    seen = 0
    for line, values in enumerate(cells, 1):
        seen += len(values)
        if seen > _MOST_CELLS:
            raise _too_large(path)
        said = [text_of(value) for value in values]
        if any(said):
            found.append((line, said))
    return found


def text_of(value: Any) -> str:
    """A typed cell as CSV would have it: whole numbers without fraction, dates as 2020-01-31, lists joined by a bar."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "|".join(filter(None, map(text_of, value)))
    return cell(str(value))


def _check_packing(path: Path) -> None:
    """A workbook is a ZIP: refuse one that unpacks to what no table of labels is, before a parser meets it."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise _damaged(path, "it is no workbook") from error
    if size > _LARGEST_BYTES:
        raise _too_large(path)


def _not_installed(path: Path, library: str) -> TableError:
    return TableError(
        f"“{shown(path.name)}” needs the package “{library}”, which is not installed.",
        "Save the table as CSV (UTF-8), or install “medfm-studio[tables]”.",
    )


def _damaged(path: Path, why: str) -> TableError:
    return TableError(f"“{shown(path.name)}” cannot be read as a table ({why}).", "Save it again, or as CSV (UTF-8).")


def _too_large(path: Path) -> TableError:
    return TableError(f"“{shown(path.name)}” is too large for a table of labels.", "Keep the columns that are needed.")
