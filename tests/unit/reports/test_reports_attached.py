"""A PDF read back: its files and its text; what is no PDF, or unpacks without end, gets a sentence."""

from __future__ import annotations

import zlib
from pathlib import Path

import pypdf
import pytest
from pypdf.generic import NameObject, StreamObject

from medfm_gui.domain.errors import InputError
from medfm_gui.domain.report import Attachment, Paragraph, Report, Section
from medfm_gui.reports.attached import read_pdf, solid
from medfm_gui.reports.pdf import write_pdf


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    blocks = (Paragraph("ROC-AUC 0.873 (0.841–0.899)"),)
    made = Report("T", "", "2026-01-01T00:00:00Z", "", (Section("S", blocks),), (Attachment("a.json", "[1]", "one"),))
    write_pdf(made, tmp_path / "r.pdf")
    files, text = read_pdf(tmp_path / "r.pdf")
    assert files == {"a.json": b"[1]"}
    assert solid("ROC-AUC 0.873 (0.841–0.899)") in text


@pytest.mark.parametrize("raw", [b"", b"hello", b"%PDF-1.7\n%%EOF", b"%PDF-1.7\ntrailer << /Root 1 0 R >>\n%%EOF"])
def test_what_is_no_pdf_is_named(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.pdf").write_bytes(raw)
    with pytest.raises(InputError, match=r"x\.pdf"):
        read_pdf(tmp_path / "x.pdf")
    with pytest.raises(InputError, match="nowhere"):
        read_pdf(tmp_path / "nowhere.pdf")


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("results.json", b"0")
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    for held in writer._objects:
        if isinstance(held, StreamObject) and held.get("/Type") == "/EmbeddedFile":
            held._data = packed
            held[NameObject("/Filter")] = NameObject("/FlateDecode")
    writer.write(tmp_path / "bomb.pdf")
    with pytest.raises(InputError, match="LimitReachedError"):
        read_pdf(tmp_path / "bomb.pdf")
