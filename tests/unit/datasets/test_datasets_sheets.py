"""Workbooks and Parquet files as tables: what needs no library is always tested, the rest where one is installed."""

from __future__ import annotations

import datetime
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from medfm_gui.datasets import sheets
from medfm_gui.datasets.importers import csv_table
from medfm_gui.datasets.table import read_table
from medfm_gui.domain.errors import TableError


def packed(path: Path, size: int = 10) -> Path:
    """A ZIP that unpacks to so many bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * size)
    return path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "1"),
        (3, "3"),
        (55.0, "55"),
        (0.5, "0.5"),
        (float("nan"), ""),
        (datetime.datetime(2020, 1, 31), "2020-01-31"),
        (datetime.datetime(2020, 1, 31, 8, 5), "2020-01-31T08:05:00"),
        (datetime.date(2020, 1, 31), "2020-01-31"),
        (["Mass", None, "Nodule"], "Mass|Nodule"),
        (" N/A ", ""),
        ("a\nb", "a\\x0ab"),
    ],
)
def test_cells_as_csv_would_have_them(value: object, text: str) -> None:
    assert sheets.text_of(value) == text


@pytest.mark.parametrize(("name", "library"), [("t.xlsx", "openpyxl"), ("t.parquet", "pyarrow")])
def test_without_the_library_an_error_names_it(
    name: str, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(TableError, match=f"needs the package “{library}”") as caught:
        read_table(path)
    assert "CSV" in caught.value.hint and "medfm-studio[tables]" in caught.value.hint


def test_a_workbook_that_is_none_or_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"no zip")
    with pytest.raises(TableError, match="it is no workbook"):
        read_table(tmp_path / "t.xlsx")
    monkeypatch.setattr(sheets, "_LARGEST_BYTES", 1000)
    with pytest.raises(TableError, match="too large for a table"):
        read_table(packed(tmp_path / "bomb.xlsx", 2000))


def test_the_table_layout_takes_them_by_name(tmp_path: Path) -> None:
    for name in ("t.xlsx", "t.parquet"):
        (tmp_path / name).touch()
        assert csv_table.recognises(tmp_path / name) == "it is a table"
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert csv_table.recognises(tmp_path) is None, "a workbook beside class folders is not their label table"


@dataclass
class Sheet:
    """A sheet of a stand-in for the library."""

    title: str
    cells: list[list[object]]

    def iter_rows(self, *, values_only: bool) -> Iterator[list[object]]:
        assert values_only
        return iter(self.cells)


def stand_in(monkeypatch: pytest.MonkeyPatch, *found: Sheet) -> None:
    """A library that gives these sheets."""
    book = SimpleNamespace(worksheets=list(found), close=lambda: None)

    def load_workbook(path: Path, *, read_only: bool, data_only: bool, keep_links: bool) -> object:
        assert (read_only, data_only, keep_links) == (True, True, False)
        return book

    monkeypatch.setitem(sys.modules, "openpyxl", SimpleNamespace(load_workbook=load_workbook))


def test_the_first_sheet_with_rows_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = Sheet("Labels", [["image", "patient", "label"], [None, None, None], ["a.png", 7, "#N/A"]])
    stand_in(monkeypatch, Sheet("Read me", [["A title"]]), labels, Sheet("More", []))
    table = read_table(packed(tmp_path / "t.xlsx"))
    assert (table.columns, table.rows, table.lines) == (("image", "patient", "label"), (("a.png", "7", ""),), (3,))
    assert table.kind == "the sheet “Labels”"
    assert [text.split(":")[0] for text in table.warnings] == [
        "The sheet “Labels” was read; 2 sheets not",
        "1 cell with an error of a formula (as #N/A)",
    ]


def test_workbooks_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "t.xlsx")
    stand_in(monkeypatch, Sheet("Empty", [["image"]]))
    with pytest.raises(TableError, match="a header and no rows"):
        read_table(path)
    stand_in(monkeypatch)
    with pytest.raises(TableError, match="it has no sheet"):
        read_table(path)
    monkeypatch.setitem(sys.modules, "openpyxl", SimpleNamespace())
    with pytest.raises(TableError, match="cannot be read as a table"):
        read_table(path)
    monkeypatch.setattr(sheets, "_MOST_CELLS", 3)
    stand_in(monkeypatch, Sheet("Large", [["a", "b"], [1, 2]]))
    with pytest.raises(TableError, match="too large"):
        read_table(path)


def test_a_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra “tables” is not installed")
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    labels = book.create_sheet("Labels")
    labels.append(["image", "patient", "label", "date"])
    labels.append(["a.png", 7, "benign", datetime.datetime(2020, 1, 31)])
    labels.append(["b.png", 8.0, "#N/A", None])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert table.columns == ("image", "patient", "label", "date")
    assert table.rows == (("a.png", "7", "benign", "2020-01-31"), ("b.png", "8", "", ""))
    assert table.lines == (2, 3)
    assert table.kind == "the sheet “Labels”"
    assert any("Read me" in text for text in table.warnings) and any("#N/A" in text for text in table.warnings)


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra “tables” is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    made = pyarrow.table({"image": ["a.png", "b.png"], "label": [0, 1], "png": [b"1", b"2"]})
    parquet.write_table(made, tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert (table.columns, table.rows) == (("image", "label"), (("a.png", "0"), ("b.png", "1")))
    assert table.kind == "Parquet" and "png" in table.warnings[0]
