"""Marks of published results are outlines, on paper and on the screen."""

from __future__ import annotations

from dataclasses import replace

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.reports.figures import draw


def test_a_hollow_mark_is_an_outline_on_paper() -> None:
    full = Series("published", (0.9,), (0.0,), markers=True)
    chart = ChartSpec("references", "intervals", "References", "ROC-AUC", series=(full,), rows=("published",))
    hollow = replace(chart, series=(replace(full, hollow=True),))
    plain, outlined = (draw(one, width_mm=120, height_mm=50).decode() for one in (chart, hollow))
    assert outlined.count("fill: #ffffff") > plain.count("fill: #ffffff")
    assert "published" in outlined and "0.900" in outlined
