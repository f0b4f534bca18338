"""Tables as hospitals write them: BOM, semicolons, tabs, Windows text, broken quotes."""

from __future__ import annotations

from pathlib import Path

import pytest

from medfm_gui.datasets import table as tables
from medfm_gui.datasets.table import read_table
from medfm_gui.domain.errors import TableError


def write(folder: Path, contents: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    return path


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("path,label\na.png,x\nb.png,y\n", ","),
        ("path;label\na.png;0,5\nb.png;1,5\n", ";"),
        ("path\tlabel\na.png\tx y\nb.png\tz\n", "\t"),
        ("path|label\na.png|x\nb.png|y\n", "|"),
        ("file,findings\na.png,Mass|Nodule\nb.png,Edema|Mass\n", ","),
        ('path,label\n"a, b.png",x\n', ","),
    ],
)
def test_the_delimiter_is_found(tmp_path: Path, text: str, mark: str) -> None:
    table = read_table(write(tmp_path, text))
    assert table.delimiter == mark
    assert len(table.columns) == 2


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, b"\xef\xbb\xbfpath,label\r\na,x\r\n")).columns == ("path", "label")
    assert read_table(write(tmp_path, "path,label\na,ü\n".encode("utf-16"))).column("label") == ["ü"]


def test_windows_text_is_read_and_said(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "path,label\na,Müller\n".encode("cp1252")))
    assert table.column("label") == ["Müller"]
    assert any("Windows-1252" in warning for warning in table.warnings)


def test_ragged_and_blank_rows(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a,b,c,\n1,2\n\n , \n3,4,5,,6\n7,8,9,\n"))
    assert table.columns == ("a", "b", "c")
    assert table.rows == (("1", "2", ""), ("3", "4", "5"), ("7", "8", "9"))
    assert table.lines == (2, 5, 6)
    assert any("1 row with more cells" in warning for warning in table.warnings)


def test_brackets_with_commas_keep_headers_apart(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "Image Index,Size[Width,Height]\na.png,1,2\nb.png,3,4\n"))
    assert table.columns == ("Image Index", "Size[Width", "Height]")


def test_doubled_and_unnamed_columns_get_names(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, ",a,a\n0,1,2\n")).columns == ("column 1", "a", "a (2)")


def test_empty_words_and_control_characters_in_cells(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a,b\n NaN ,x\x07y\nN/A,<na>\nz,w\n"))
    assert table.column("a") == ["", "z"]
    assert table.column("b") == ["x\\x07y", "w"]


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"a,b\n1,\0\n", "NUL"),
        (b"", "no rows"),
        (b"a,b\n", "no rows"),
        (b'a,b\n1,"2\n3,4\n', "broken: line"),
        (b"a,b\n1," + b"x" * 140_000 + b"\n", "broken: line 2"),
    ],
)
def test_broken_tables_are_refused_by_name(tmp_path: Path, contents: bytes, said: str) -> None:
    with pytest.raises(TableError, match=said):
        read_table(write(tmp_path, contents))


def test_a_table_that_is_no_file_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TableError, match="not a file"):
        read_table(tmp_path / "absent.csv")
    monkeypatch.setattr(tables, "_LARGEST_BYTES", 3)
    with pytest.raises(TableError, match="larger"):
        read_table(write(tmp_path, "a,b\n1,2\n"))


def test_an_unreadable_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a,b\n1,2\n")

    def denied(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(TableError, match="Permission denied"):
        read_table(path)


def test_columns_are_found_by_a_persons_spelling(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "Patient ID,finding_labels\n1,x\n"))
    assert table.named("patient_id", "patient") == "Patient ID"
    with pytest.raises(TableError, match="no column “findings”") as caught:
        table.named("findings", "label")
    assert "Did you mean “finding_labels”?" in caught.value.hint
    assert "Patient ID" in caught.value.hint
