from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from pypdf import PdfReader

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.report import Attachment, Charts, Picture, Pictures, Report, Section, Table
from medfm_gui.reports.flow import flow_boxes
from medfm_gui.reports.pdf import typeset
from medfm_gui.reports.plain import BREAK
from medfm_gui.reports.sheet import attachment_name, chart_size, created_at, created_words, lay_out


def laid(*blocks: Any, attachments: tuple[Attachment, ...] = ()) -> dict[str, Any]:
    files = lay_out(Report("t", "", "", "", (Section("s", blocks),), attachments))
    data: dict[str, Any] = json.loads(files.pop("data.json"))
    return {"blocks": data["sections"][0]["blocks"], "attachments": data["attachments"], "files": files}


@pytest.mark.parametrize(
    ("created", "shown"),
    [
        ("2026-03-01T10:20:30Z", "2026-03-01 10:20 UTC"),
        ("2026-03-01T10:20:30+02:00", "2026-03-01 08:20 UTC"),
        ("2026-03-01", "2026-03-01 00:00 UTC"),
        ("0001-01-01T00:00:00+23:00", "0001-01-01T00:00:00+23:00"),
        ("last week", "last week"),
        ("", ""),
    ],
)
def test_time_of_the_report(created: str, shown: str) -> None:
    assert created_words(created) == shown
    assert (created_at(created) is None) == (shown == created)


def test_short_rows_are_filled_and_strange_columns_dropped() -> None:
    block = laid(Table("c", ("a", "b"), (("1",), ("1", "2", "3")), numeric=(1, 9, -1)))["blocks"][0]
    assert block["columns"] == 3
    assert block["header"] == ["a", "b", ""]
    assert block["rows"] == [["1", "", ""], ["1", "2", "3"]]
    assert block["numeric"] == [1]


def test_wide_tables_are_set_smaller_and_break_sooner() -> None:
    word = "x" * 20
    narrow, wide = laid(Table("", (word,) * 2, ()), Table("", (word,) * 16, ()))["blocks"]
    assert narrow["size"] > wide["size"]
    assert BREAK not in narrow["header"][0]
    assert BREAK in wide["header"][0]


def test_two_narrow_charts_share_a_row_of_one_height(confusion: Callable[[int], ChartSpec], roc: ChartSpec) -> None:
    many = confusion(9)
    rows = laid(Charts((roc, many, confusion(2), roc), ("an arc",)))["blocks"][0]["rows"]
    assert [[chart["title"] for chart in row] for row in rows] == [
        [roc.title, confusion(2).title],
        [many.title],
        [roc.title],
    ]
    assert rows[0][0]["alternative"] == "an arc"
    assert rows[1][0]["alternative"] == many.title
    assert rows[0][0]["width_mm"] + rows[0][1]["width_mm"] < rows[1][0]["width_mm"] <= 166


def test_sizes_stay_on_the_page(
    roc: ChartSpec, losses: ChartSpec, intervals: ChartSpec, confusion: Callable[[int], ChartSpec]
) -> None:
    for chart in (roc, losses, intervals, confusion(2), confusion(40)):
        for alone in (True, False):
            width, height = chart_size(chart, alone=alone)
            assert 60 <= width <= 166
            assert 20 <= height <= 200


def test_pictures_keep_their_shape_up_to_a_limit(tmp_path: Path, png: Callable[..., bytes]) -> None:
    for name, size in (("wide", (60, 30)), ("tall", (10, 200))):
        (tmp_path / f"{name}.png").write_bytes(png(*size))
    (tmp_path / "broken.png").write_bytes(png(9, 9)[:-4])
    paths = [str(tmp_path / f"{name}.png") for name in ("wide", "tall", "broken", "absent")]
    pictures = laid(Pictures(tuple(Picture(path, "c", "") for path in paths), columns=2))["blocks"][0]["pictures"]
    assert [bool(picture["file"]) for picture in pictures] == [True, True, False, False]
    wide, tall = pictures[:2]
    assert wide["height_mm"] == pytest.approx(40)
    assert tall["height_mm"] == pytest.approx(112)
    assert all(picture["alternative"] == "c" for picture in pictures)


def test_attachments_are_whole_and_named_apart() -> None:
    text = '\ufeff{"a": "é"}\r\n\0'
    both = (Attachment("../x/data.json", text, "d"), Attachment("DATA.json", text, "", "no mime"))
    result = laid(attachments=both)
    first, second = result["attachments"]
    assert (first["name"], second["name"]) == ("data.json", "DATA-2.json")
    assert result["files"][first["file"]] == text.encode()
    assert first["sha256"].replace(BREAK, "") == hashlib.sha256(text.encode()).hexdigest()
    assert (second["mime"], second["description"]) == ("text/plain", "DATA-2.json")


@pytest.mark.parametrize(
    ("name", "safe"),
    [("a b.csv", "a-b.csv"), ("C:\\x\\y.json", "y.json"), ("..", "attachment"), ("", "attachment"), ("é.txt", "txt")],
)
def test_names_of_attachments_are_safe(name: str, safe: str) -> None:
    assert attachment_name(name) == safe


FLOW = Table(
    "Flow",
    ("Step", "Images", "Patients"),
    (
        ("Files found", "12", ""),
        ("– <b>no label</b>", "−2", ""),
        ("Images", "10", "7"),
        ("Training", "9", "6"),
        ("Internal test", "1", "1"),
    ),
    (1, 2),
    flow=("step", "lost", "step", "side", "side"),
)


def test_the_flow_is_a_trunk_with_what_was_left_out_and_partitions() -> None:
    found = flow_boxes(FLOW)
    assert found is not None
    assert found["steps"] == [
        {"name": "Files found", "count": "n = 12", "lost": ["<b>no label</b>: n = 2"]},
        {"name": "Images", "count": "n = 10, 7 patients", "lost": []},
    ]
    assert [one["count"] for one in cast("Any", found["sides"])] == ["n = 9, 6 patients", "n = 1, 1 patient"]
    assert "left out, <b>no label</b>: n = 2" in str(found["alternative"])
    assert flow_boxes(replace(FLOW, flow=())) is None and flow_boxes(replace(FLOW, flow=("step",))) is None


def test_the_flow_is_drawn_above_its_table() -> None:
    pdf, _ = typeset(Report("T", "", "2026-01-01", "", (Section("Data", (FLOW,)),)))
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    assert text.index("Left out") < text.index("Flow of images.") < text.index("Table 1")
    assert "<b>no label</b>: n = 2" in text and "n = 10, 7 patients" in text
