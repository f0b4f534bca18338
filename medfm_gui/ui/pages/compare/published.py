"""Reference results: what the two studies published of the same dataset, beside one's own, never tested."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.desk.asks.compare_cases import ReadReferences
from medfm_gui.metrics.names import metric_title
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.chart_tab import ChartTab
from medfm_gui.ui.pages.compare.charts import slots_of
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.references import (
    NOT_COMPARABLE,
    OWN_TITLES,
    UNPUBLISHED,
    OwnResult,
    PublishedResult,
    References,
)

_TITLES = ("Study", "Model", "Setting", "Metric", "Value", "Source", "Note")
_WIDTHS = (
    case_layout.COUNT_PX, SPACE[-1] * 7, SPACE[-1] * 6, SPACE[-1] * 7, SPACE[-1] * 4, case_layout.COUNT_PX + SPACE[3],
    case_layout.NAME_PX,
)  # fmt: skip


class PublishedTab(ChartTab):
    """A chart with hollow marks, and every published number with its source."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.about = Label("")
        self.model = CellTable(_TITLES, (), self)
        self.table = case_layout.bar_table("Published results", self.model, _WIDTHS, runs_in=1)
        self.sources = Label("", "caption")
        parts = ((self.about, 0), (self.view, 5), (self.table, 4), (self.sources, 0))
        self.pane = case_layout.stack(self, *parts, scrolls=True)
        self._look = self.looks(self.pane, "Reading the published results", self._show)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison."""
        super().show_runs(found)
        self._look.want(ReadReferences(self.runs))

    def _show(self, found: References) -> None:
        if not found.results:
            where = (
                f"Nothing is published here of {found.dataset}." if found.dataset else "This is no dataset of theirs."
            )
            self.pane.show_empty(
                "No published results",
                f"The two studies that this program reproduces used other datasets. {where}",
                icon="info",
            )
            return
        self.about.setText(f"{found.dataset}: {NOT_COMPARABLE}. Published results are shown, never tested.")
        chart = found.charts[0] if found.charts else None
        outside = {one.name: len(self.sides) for one in chart.series if one.hollow} if chart else {}
        self.draw(chart, {**outside, **slots_of(chart, self.sides)} if chart else {})
        words = dict(found.sources)
        own = [self._own_row(one) for one in found.own]
        self.model.fill([*own, *(_row(one, words) for one in found.results)])
        case_layout.fit_height(self.table, 6, least=True)
        used = dict.fromkeys(one.source for one in found.results)
        said = [f"{name}: {words[name]}" for name in used if name in words]
        studies = [f"Study {name}: {title}" for name, title in found.studies]
        self.sources.setText(". ".join((*studies, *said)) + ".")

    def _own_row(self, one: OwnResult) -> list[Cell]:
        """A run in a study's own definition of what it published."""
        told = OWN_TITLES.get(one.name, one.name)
        value = wording.NONE if one.value is None else f"{one.value:.3f}"
        note = one.note or "by image; the definition has no interval"
        return [
            Cell(one.study),
            case_layout.run_cell(self.sides, one.run),
            Cell("this workspace"),
            Cell(f"{metric_title(one.metric)}, as study {one.study} defines it", told),
            Cell(value, one.note),
            Cell("computed", told),
            Cell(note, note),
        ]


def _row(one: PublishedResult, sources: dict[str, str]) -> list[Cell]:
    return [
        Cell(one.study),
        Cell(one.model),
        Cell(one.setting or UNPUBLISHED),
        Cell(metric_title(one.metric)),
        Cell(UNPUBLISHED if one.value is None else f"{one.value:.3f}"),
        Cell(one.source, sources.get(one.source, "")),
        Cell(one.note, one.note),
    ]
