from __future__ import annotations

import io
import math
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args, get_type_hints

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.reports.figures import PLOTS, draw
from medfm_gui.reports.lettering import fitted, width_mm
from medfm_gui.reports.palette import COLOURS

SVG = "{http://www.w3.org/2000/svg}"


def parse(svg: bytes) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 made by ourselves


def words(svg: bytes) -> list[str]:
    root = parse(svg)
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_every_kind_of_chart_is_drawn() -> None:
    assert set(PLOTS) == set(get_args(get_type_hints(ChartSpec)["kind"]))


def test_size_is_exact_and_words_are_text(roc: ChartSpec) -> None:
    svg = draw(roc, width_mm=80, height_mm=70)
    root = parse(svg)
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(80 / 25.4 * 72, abs=0.01)
    assert float(root.attrib["height"].removesuffix("pt")) == pytest.approx(70 / 25.4 * 72, abs=0.01)
    assert {"Sensitivity", "1 − specificity", "DINOv2-B · LoRA", "EfficientNet-Lite0 · full"} <= set(words(svg))
    assert root.find(f".//{SVG}image") is None


def test_a_chart_is_a_pdf_of_its_own_with_text_and_no_picture(roc: ChartSpec) -> None:
    pdf = draw(roc, width_mm=80, height_mm=70, titled=True, kind="pdf")
    assert pdf == draw(roc, width_mm=80, height_mm=70, titled=True, kind="pdf")
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    assert float(page.mediabox.width) == pytest.approx(80 / 25.4 * 72, abs=0.01)
    assert float(page.mediabox.height) == pytest.approx(70 / 25.4 * 72, abs=0.01)
    text = page.extract_text()
    assert roc.title in text and "1 − specificity" in text and "DINOv2-B · LoRA" in text
    assert not page.images


def test_equal_charts_give_equal_bytes_and_leave_settings_alone(roc: ChartSpec) -> None:
    before = dict(mpl.rcParams)
    assert draw(roc, width_mm=80, height_mm=70) == draw(roc, width_mm=80, height_mm=70)
    assert dict(mpl.rcParams) == before


def test_roc_is_square_with_a_chance_line(roc: ChartSpec) -> None:
    svg = draw(roc, width_mm=80, height_mm=88)
    root = parse(svg)
    ground = root.find(f".//{SVG}g[@id='patch_2']/{SVG}path")
    assert ground is not None
    numbers = [float(part) for part in ground.attrib["d"].replace("M", " ").replace("L", " ").split() if part != "z"]
    across, down = (max(numbers[axis::2]) - min(numbers[axis::2]) for axis in (0, 1))
    assert across == pytest.approx(down, rel=0.01)
    assert b'id="chance"' in svg
    assert b'id="chance"' not in draw(replace(roc, diagonal=False), width_mm=80, height_mm=88)


def test_each_series_has_its_colour(roc: ChartSpec) -> None:
    svg = draw(roc, width_mm=80, height_mm=70).decode().lower()
    assert all(tone.lower() in svg for tone in COLOURS[:6])


def test_confusion_shows_counts_and_share_of_the_row(confusion: Callable[[int], ChartSpec]) -> None:
    said = words(draw(confusion(2), width_mm=80, height_mm=72))
    assert {"300", "13", "96 %", "4 %", "7", "2 %", "98 %", "Predicted", "Reference standard"} <= set(said)


def test_large_confusion_drops_shares_then_numbers(confusion: Callable[[int], ChartSpec]) -> None:
    assert not any("%" in said for said in words(draw(confusion(14), width_mm=166, height_mm=130)))
    assert "300" not in words(draw(confusion(30), width_mm=166, height_mm=130))


def test_confusion_with_gaps() -> None:
    chart = ChartSpec("m", "matrix", "", rows=("a", "b"), columns=("a", "b"), matrix=((0.0, 0.0), (0.5,)))
    said = words(draw(chart, width_mm=80, height_mm=72))
    assert said.count("0") == 2
    assert "0.50" in said
    assert "–" in said


@pytest.mark.parametrize("width", [80, 166])
def test_intervals_print_their_numbers(intervals: ChartSpec, width: float) -> None:
    said = words(draw(intervals, width_mm=width, height_mm=60))
    assert {"DINOv2-B · LoRA", "0.870 (0.840–0.900)"} <= set(said)


def test_intervals_without_limits_or_estimate() -> None:
    nan = math.nan
    rows = (Series("s", (nan,), (0.0,), (nan,), (nan,)), Series("t", (0.5,), (1.0,)))
    chart = ChartSpec("i", "intervals", "", series=rows, rows=("first", "second"), x_range=(0, 1), diagonal=True)
    assert {"first", "not estimable", "second", "0.500"} <= set(words(draw(chart, width_mm=166, height_mm=40)))
    nothing = replace(chart, series=rows[:1], rows=("first",), x_range=None)
    assert "not estimable" in words(draw(nothing, width_mm=166, height_mm=40))


def test_learning_curves_with_bands_bars_steps_and_gaps(losses: ChartSpec) -> None:
    first = losses.series[1]
    shapes = tuple(replace(first, step=step, markers=markers) for step in (True, False) for markers in (True, False))
    gap = replace(losses.series[0], y=(math.inf, math.nan, *losses.series[0].y[2:]))
    chart = replace(losses, series=(*shapes, gap), x_range=(0, 21), y_range=(0, 1))
    svg = draw(chart, width_mm=80, height_mm=70)
    assert words(svg).count("validation") == 4
    assert b"inf" not in svg.replace(b"information", b"")
    assert b"nan" not in svg


@pytest.mark.parametrize("kind", PLOTS)
def test_empty_charts_say_so(kind: Literal["lines", "matrix", "intervals"]) -> None:
    chart = ChartSpec("e", kind, "t")
    assert words(draw(chart, width_mm=80, height_mm=50)) == ["No data"]


def test_title_only_on_request(roc: ChartSpec) -> None:
    assert roc.title not in words(draw(roc, width_mm=80, height_mm=70))
    assert roc.title in words(draw(roc, width_mm=80, height_mm=75, titled=True))


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(codec=None, exclude_categories=()), min_size=1))
def test_no_name_is_markup_or_breaks_the_drawing(name: str) -> None:
    chart = ChartSpec("h", "lines", name, name, name, (Series(name, (0.0, 1.0), (0.0, 1.0), markers=True),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse(draw(chart, width_mm=80, height_mm=60, titled=True))


@pytest.mark.parametrize("name", ["$x^2$", "_hidden", "<img src='/etc/passwd'>", "a & b", "中文", "]]>"])
def test_hostile_names_come_out_as_they_are(name: str) -> None:
    chart = ChartSpec("h", "lines", "", series=(Series(name, (0.0, 1.0), (0.0, 1.0)),))
    assert name in words(draw(chart, width_mm=80, height_mm=60))


def test_combining_marks_are_drawn_as_outlines(roc: ChartSpec) -> None:
    assert words(draw(replace(roc, y_label="e\u0301"), width_mm=80, height_mm=60)) == []


@given(st.text(max_size=80), st.floats(10, 80))
def test_fitted_words_fit(text: str, room: float) -> None:
    assert width_mm(fitted(text, room, 6.4), 6.4) <= room


def test_characters_without_a_glyph_count_a_whole_em() -> None:
    assert width_mm("中", 72) == pytest.approx(25.4)
    assert width_mm("i", 72) < width_mm("W", 72) < 25.4 * 1.1


def test_a_ladder_has_decades_a_place_for_zero_and_no_lines_of_single_points() -> None:
    costs = (0.0, 1538.0, 1538.0, 22_000_000.0)
    series = tuple(
        Series(f"r{at} Tiny", (x,), (0.7,), (0.6,), (0.8,), "MAE", "lora", markers=True) for at, x in enumerate(costs)
    )
    links = (Series("Tiny", (0.0, 1538.0), (0.7, 0.7)),)
    chart = ChartSpec("l", "lines", "L", "trained parameters", "AUC", series, x_log=True, links=links)
    svg = draw(chart, width_mm=166, height_mm=70)
    said = words(svg)
    assert {"0", "10,000", "10 M", "trained parameters", "r3 Tiny"} <= set(said)
    assert any(part.get("id") == "break" for part in parse(svg).iter())
    crowd = replace(chart, series=tuple(replace(series[1], name=f"r{at}") for at in range(60)), links=())
    assert "r3" not in words(draw(crowd, width_mm=166, height_mm=70)), "sixty names help nobody"


def test_own_ticks_and_draws_are_drawn() -> None:
    curve = Series(
        "knn", (2.0, 8.0), (0.6, 0.7), (0.5, 0.6), (0.7, 0.8), "MAE", "knn", True, False, (0.5, 0.7), (0.7, 0.7)
    )
    chart = ChartSpec(
        "e", "lines", "E", "labels", "AUC", (curve,), x_log=True, x_ticks=((2.0, "2 (1)"), (8.0, "8 (4)"))
    )
    plain = replace(chart, series=(replace(curve, spread_low=(), spread_high=()),))
    assert {"2 (1)", "8 (4)"} <= set(words(draw(chart, width_mm=166, height_mm=60)))
    assert len(draw(chart, width_mm=166, height_mm=60)) > len(draw(plain, width_mm=166, height_mm=60))
