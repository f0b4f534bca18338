"""Boxes around findings, from a dataset's own columns or from a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from medfm_gui.datasets.boxes import own_boxes, read_boxes
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import TableError
from medfm_gui.domain.explain import Box


def _dataset(*columns: Mapping[str, str], rows: int = 100, wide: int = 200) -> Dataset:
    samples = tuple(
        Sample(f"s{number:06d}", f"{'ab'[number % 2]}/{number // 2}.png", (number % 2,), rows=rows, columns=wide,
               covariates=covariates)
        for number, covariates in enumerate(columns or ({}, {}, {}))
    )  # fmt: skip
    return Dataset("d", "d", "csv", Task.BINARY, ("no", "yes"), "/x", samples, "f", positive="yes")


def _table(tmp_path: Path, *lines: str, header: str = "sample,x0,y0,x1,y1") -> Path:
    path = tmp_path / "boxes.csv"
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def test_centres_and_sizes_in_shares_are_recognised() -> None:
    column = {"box_xc": "0.5", "box_yc": "0.25", "box_w": "0.2", "box_h": "0.1", "age": "60"}
    assert own_boxes(_dataset({}, column)) == (Box("s000001", 0.4, 0.2, 0.6, 0.3),)


def test_corners_in_pixels_are_recognised_and_cut_to_the_image() -> None:
    (box,) = own_boxes(_dataset({"xmin": "-10", "ymin": "50", "xmax": "100", "ymax": "150"}))
    assert box == Box("s000000", 0.0, 0.5, 0.5, 1.0)


@pytest.mark.parametrize(
    "column",
    [
        {}, {"box_xc": "0.5"},
        {"x0": "a", "y0": "1", "x1": "2", "y1": "3"}, {"x0": "9", "y0": "9", "x1": "3", "y1": "3"},
        {"x0": "nan", "y0": "1", "x1": "2", "y1": "3"}, {"x0": "inf", "y0": "1", "x1": "2", "y1": "3"},
    ],
)  # fmt: skip
def test_what_is_no_box_is_none(column: Mapping[str, str]) -> None:
    assert own_boxes(_dataset(column)) == ()


def test_a_table_names_samples_by_id_path_or_file_name(tmp_path: Path) -> None:
    dataset = _dataset()
    path = _table(tmp_path, "s000000,0,0,20,10", "b/0.png,20,10,40,20", "1.png,100,0,200,100")
    boxes = read_boxes(path, dataset)
    assert [(box.sample, box.x1, box.y1) for box in boxes] == [
        ("s000000", 0.1, 0.1), ("s000001", 0.2, 0.2), ("s000002", 1.0, 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "why"),
    [("nobody,0,0,20,10", "line 2"), ("0.png,0,0,20,10", "line 2"), ("s000000,20,0,20,10", "line 2"),
     ("s000000,0,,20,10", "line 2"), ("s000000,300,0,400,10", "line 2")],
)  # fmt: skip
def test_a_row_that_says_nothing_is_named(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(TableError, match=why):  # 0.png lies in two folders
        read_boxes(_table(tmp_path, line), _dataset())


def test_a_table_of_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no table of boxes"):
        read_boxes(_table(tmp_path, "a,1", header="sample,label"), _dataset())


def test_pixels_need_the_size_of_the_image(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="line 2"):
        read_boxes(_table(tmp_path, "s000000,0,0,20,10"), _dataset(rows=0, wide=0))
