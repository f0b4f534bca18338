from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.store import cells

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates, NUL and bidirectional marks included


@given(ANY_TEXT)
def test_any_text_comes_back(text: str) -> None:
    stored = cells.text_cell(text)
    assert cells.text_of(stored) == text
    assert isinstance(stored, bytes) == any("\ud800" <= letter <= "\udfff" for letter in text)


@given(st.binary(min_size=1, max_size=60).filter(lambda name: b"\0" not in name))
def test_any_file_name_comes_back(name: bytes) -> None:
    text = name.decode("utf-8", "surrogateescape")
    assert cells.text_of(cells.text_cell(text)).encode("utf-8", "surrogateescape") == name


@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=4))
def test_any_mapping_of_texts_comes_back_from_ascii(mapping: dict[str, str]) -> None:
    stored = cells.json_of(mapping)
    assert stored.isascii()
    assert cells.text_mapping_of(stored) == mapping


@given(st.dictionaries(st.sampled_from(["auc", "loss"]), st.floats()))
def test_numbers_in_json_are_valid_tokens_and_come_back(numbers: dict[str, float]) -> None:
    stored = cells.json_of(numbers)
    json.loads(stored, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    found = cells.number_mapping_of(stored)
    assert found.keys() == numbers.keys()
    assert all(found[name] == value or math.isnan(value) for name, value in numbers.items())


def test_a_float_that_is_not_finite_is_null_with_its_name_in_the_status() -> None:
    assert [cells.cell(value) for value in (math.nan, math.inf, -math.inf, 0.5)] == [None, None, None, 0.5]
    assert cells.status(value=math.nan, low=0.1, high=-math.inf, p=None) == "value: nan, high: -inf"
    assert cells.status(value=0.5) == ""


def test_numpys_scalars_are_plain_values() -> None:
    row = cells.row(n=np.int64(3), value=np.float32(0.5), bad=np.float64("nan"), flag=np.bool_(True))
    assert row == {"n": 3, "value": 0.5, "bad": None, "flag": True}
    assert cells.json_of({"auc": np.float32(0.5), "loss": np.float64("inf")}) == '{"auc":0.5,"loss":"inf"}'


def test_a_chart_with_bytes_in_its_title_is_shown_escaped() -> None:
    stored = cells.dataclass_json(ChartSpec("roc", "lines", "caf\udce9 \u202e", rows=("\udcff",)))
    chart = wire.decode(ChartSpec, stored)
    assert chart.title == "caf\\udce9 \u202e"
    assert chart.rows == ("\\udcff",)


def test_places_below_the_workspace_are_relative(tmp_path: Path) -> None:
    assert cells.place_cell(tmp_path, tmp_path / "runs" / "r1") == "runs/r1"
    assert cells.place_of(tmp_path / "moved", "runs/r1") == str(tmp_path / "moved" / "runs" / "r1")
    assert cells.place_cell(tmp_path / "w", str(tmp_path / "elsewhere")) == str(tmp_path / "elsewhere")
    assert cells.place_of(tmp_path, str(tmp_path / "elsewhere")) == str(tmp_path / "elsewhere")
    assert cells.place_of(tmp_path, cells.place_cell(tmp_path, tmp_path / "caf\udce9")) == str(tmp_path / "caf\udce9")
