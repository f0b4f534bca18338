"""Decades, the place of zero, round values, and points that would hide one another."""

from __future__ import annotations

import math

import pytest

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.log_axis import LogAxis, arranged, tick_text, value_text


def chart(*xs: float, links: tuple[Series, ...] = (), ticks: tuple[tuple[float, str], ...] = ()) -> ChartSpec:
    series = tuple(Series(f"r{place}", (x,), (0.8,)) for place, x in enumerate(xs))
    return ChartSpec("c", "lines", "T", series=series, x_log=True, x_ticks=ticks, links=links)


def test_values_stand_at_their_logarithms_and_come_back() -> None:
    axis = LogAxis.of(chart(10.0, 1000.0))
    assert axis.ends == (1.0, 3.0) and axis.zero is None and axis.break_at is None
    assert axis.places((10.0, 100.0)) == (1.0, 2.0) and axis.value(2.0) == 100.0
    assert math.isnan(axis.place(0.0)) and math.isnan(axis.place(-1.0)) and math.isnan(axis.place(math.inf))
    assert axis.value(400.0) == math.inf


def test_zero_stands_left_of_a_break() -> None:
    axis = LogAxis.of(chart(0.0, 1538.0, 86e6))
    assert axis.zero is not None and axis.break_at is not None
    assert axis.place(0.0) == axis.zero < axis.break_at < axis.place(1538.0)
    assert axis.value(axis.zero) == 0.0 and axis.ends[0] == axis.zero
    ticks = axis.ticks(axis.ends[0] - 0.1, axis.ends[1] + 0.1, 12)
    assert ticks[0] == (axis.zero, "0") and all(place > axis.break_at for place, _ in ticks[1:])
    alone = LogAxis.of(chart(0.0))
    assert alone.ends == (-0.5, 0.5) and alone.break_at is None and alone.value(0.2) == 0.0
    assert alone.ticks(-0.5, 0.5, 9) == ((0.0, "0"),)


@pytest.mark.parametrize(("xs", "most"), [((1.0, 1e9), 6), ((10.0, 20.0), 8), ((3.0,), 5), ((0.01, 40.0), 30), ((), 4)])
def test_marked_values_are_round_and_no_more_than_there_is_room_for(xs: tuple[float, ...], most: int) -> None:
    axis = LogAxis.of(chart(*xs))
    ticks = axis.ticks(*axis.ends, most)
    assert 1 <= len(ticks) <= most + 1
    assert [place for place, _ in ticks] == sorted(place for place, _ in ticks)


def test_own_marks_replace_round_values_and_leave_out_what_would_overlap() -> None:
    axis = LogAxis.of(chart(2.0, 1000.0, ticks=((2.0, "2 (1)"), (2.1, "2 (x)"), (1000.0, "1,000 (all)"))))
    assert [text for _, text in axis.ticks(0.0, 3.1, 8)] == ["2 (1)", "1,000 (all)"]


def test_equal_places_are_moved_apart_and_links_go_along() -> None:
    link = Series("model", (0.0, 100.0), (0.8, 0.8))
    spec = chart(0.0, 100.0, 100.0, 100.0, links=(link,))
    axis = LogAxis.of(spec)
    drawn = arranged(spec, axis)
    places = [one[0] for one in drawn.series]
    assert places[0] == axis.zero and places[1] < places[2] < places[3]
    assert places[2] == pytest.approx(2.0) and places[3] - places[1] < 0.13 * (axis.ends[1] - axis.ends[0])
    assert drawn.links == ((places[0], places[3]),), "of equal points the last"


def test_words_of_values() -> None:
    assert [tick_text(value) for value in (0.01, 1000.0, 2e7)] == ["0.01", "1,000", "20 M"]
    assert [value_text(value) for value in (0.0, 1538.0, 0.4321, 12345.6, math.nan)] == [
        "0", "1,538", "0.432", "12,346", "–",
    ]  # fmt: skip


def test_the_axis_survives_the_wire() -> None:
    spec = chart(0.0, 5.0, links=(Series("m", (0.0, 5.0), (0.1, 0.2)),), ticks=((5.0, "5 (2)"),))
    assert wire.decode(ChartSpec, wire.encode(spec).decode(), what="A chart") == spec
    old = '{"id": "roc", "kind": "lines", "title": "ROC", "series": [{"name": "a", "x": [0.1], "y": [0.2]}]}'
    assert wire.decode(ChartSpec, old, what="A chart").links == ()
