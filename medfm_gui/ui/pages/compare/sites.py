"""Other data: what the runs reached on other datasets, as they are first, recalibrated second, and by site."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.desk.asks.compare_outside import ListExternalTests, SiteTested
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.metrics.names import METRICS, headline
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.chart_tab import ChartTab
from medfm_gui.ui.pages.compare.charts import slots_of
from medfm_gui.ui.pages.compare.site_dialog import SiteDialog
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, choice, disable
from medfm_gui.ui.widgets.text import Label, one_line
from medfm_gui.workspace.elsewhere import FROZEN, RECALIBRATED, ExternalTest
from medfm_gui.workspace.sites import KeptTests

_FIXED = ("Run", "Site", "Probabilities", "n", "Events")
_NUMBER_PX = SPACE[-1] * 2
_WIDTHS = (SPACE[-1] * 6, SPACE[-1] * 3, SPACE[-1] * 3 + SPACE[3], _NUMBER_PX, _NUMBER_PX + SPACE[2])
_METRIC_PX = SPACE[-1] * 7
_SIGNED_PX = SPACE[-1] * 8
_SIGNED = ("calibration_in_the_large",)
"""What may be below zero: its text is longer."""
_SHOWN = ("sensitivity", "specificity", "calibration_in_the_large", "calibration_slope", "brier", "balanced_accuracy")
_WORDS = {FROZEN: "as they are", RECALIBRATED: "recalibrated"}
_MOST_MAPPED = 8
_READ_ONLY = "The workspace is open for reading only."
_FOR = (
    "A model is worth what it does elsewhere. Test the runs on a dataset of another site: threshold and calibration "
    "as they are first, recalibrated second, for all images and for each site."
)


class SitesTab(ChartTab):
    """A dataset to choose, a table, a forest, and what has to be known of the test."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._kept: KeptTests | None = None
        self._headline = ""
        self.dataset = choice(())
        self.dataset.setAccessibleName("Other dataset")
        self.dataset.setMinimumContentsLength(28)
        self.dataset.currentIndexChanged.connect(lambda _: self._fill())
        self.button = action("Test on another dataset …", "external")
        disable(self.button, _READ_ONLY if context.is_read_only else "")
        self.button.clicked.connect(self.ask_where)
        self.model = CellTable(_FIXED, (3, 4), self)
        self.table = case_layout.bar_table("Numbers on another dataset", self.model, _WIDTHS)
        self.note = Label("", "caption")
        head = QHBoxLayout()
        head.setSpacing(SPACE[1])
        name = Label("Dataset", "muted", wrap=False)
        name.setBuddy(self.dataset)
        head.addWidget(name)
        head.addWidget(self.dataset)
        head.addStretch(1)
        head.addWidget(self.button)
        self.pane = case_layout.stack(self, (head, 0), (self.table, 3), (self.view, 4), (self.note, 0), scrolls=True)
        self._look = self.looks(self.pane, "Looking for tests on other data", self._show)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison."""
        super().show_runs(found)
        self._headline = headline(found.task)
        self._look.want(ListExternalTests(self.runs))
        self._look.again()

    def ask_where(self) -> None:
        """Open the dialog that tests these runs elsewhere."""
        dialog = SiteDialog(self.context, self.sides, self)
        dialog.tested.connect(self._tested)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _tested(self, answer: SiteTested) -> None:
        self.context.say(f"{wording.listed(answer.runs)}: tested on another dataset.", "good")
        self._look.again()

    def _show(self, kept: KeptTests) -> None:
        self._kept = kept
        if not kept.files:
            wanted = "" if self.context.is_read_only else "Test on another dataset …"
            self.pane.show_empty(
                "Not tested on other data yet", _FOR, wanted, self.ask_where if wanted else None, icon="external"
            )
            return
        before = self.dataset.currentData()
        names = tuple(dict.fromkeys(file.dataset for file in reversed(kept.files)))
        self.dataset.blockSignals(True)
        self.dataset.clear()
        for name in names:
            self.dataset.addItem(one_line(name, 160), name)
        self.dataset.setCurrentIndex(max(0, self.dataset.findData(before)))
        self.dataset.blockSignals(False)
        self._fill()

    def _fill(self) -> None:
        kept, name = self._kept, self.dataset.currentData()
        if kept is None or name is None:
            return
        newest: dict[tuple[str, str], tuple[ExternalTest, int]] = {}
        for file, count in zip(kept.files, kept.openings, strict=True):
            if file.dataset == name:
                newest[file.run, file.by] = (file, count)
        order = {side.run: place for place, side in enumerate(self.sides)}
        found = sorted(newest.values(), key=lambda item: order.get(item[0].run, len(order)))
        rows = [
            row for file, _ in found for row in file.evaluations if not row.label and "failures" not in row.parameters
        ]
        there = {row.metric for row in rows}
        metrics = [one for one in dict.fromkeys((self._headline, *_SHOWN)) if one in there]
        ends = {metric: case_layout.ends_of(metric, rows) for metric in metrics}
        cells = [line for file, _ in found for line in self._lines(file, metrics, ends)]
        titles = [wording.heading(metric) for metric in metrics]
        self.model.fill(cells, (*_FIXED, *titles))
        for column in range(self.model.columnCount()):
            wide = _SIGNED_PX if column >= len(_FIXED) and metrics[column - len(_FIXED)] in _SIGNED else _METRIC_PX
            self.table.setColumnWidth(column, _WIDTHS[column] if column < len(_FIXED) else wide)
        case_layout.fit_height(self.table, 6, least=True)
        chart = next((one for one in kept.charts if one.id == f"external-{name}"), None)
        self.draw(chart, slots_of(chart, self.sides) if chart else {})
        self.note.setText(_note([file for file, _ in found], max(count for _, count in found)))

    def _lines(self, file: ExternalTest, metrics: list[str], ends: dict[str, tuple[float, float]]) -> list[list[Cell]]:
        """A row for all and for each site, as they are first, recalibrated below."""
        slot = next((place for place, side in enumerate(self.sides) if side.run == file.run), 0)
        family = self.sides[slot].family if self.sides else ""
        by: dict[tuple[str, str], dict[str, Evaluation]] = {}
        for row in file.evaluations:
            if not row.label and "failures" not in row.parameters:
                key = row.parameters.get("site", ""), row.parameters.get("calibration", "")
                by.setdefault(key, {})[row.metric] = row
        sites = dict.fromkeys(site for site, _ in by)
        lines = []
        for site in sites:
            for kind in (FROZEN, RECALIBRATED):
                numbers = by.get((site, kind))
                if not numbers:
                    continue
                first = next(iter(numbers.values()))
                events = "" if first.n_events is None else f"{first.n_events:,}"
                cells = [case_layout.number_cell(numbers.get(name), ends[name], slot, family) for name in metrics]
                if kind == RECALIBRATED:  # what hangs on the order or the threshold is not told twice
                    cells = [
                        cell if metric in numbers else Cell(wording.NONE, _why(metric))
                        for cell, metric in zip(cells, metrics, strict=True)
                    ]
                name = case_layout.run_cell(self.sides, file.run)
                head = [name, Cell(site or "all"), Cell(_WORDS[kind]), Cell(f"{first.n:,}"), Cell(events)]
                lines.append([*head, *cells])
        return lines


def _why(metric: str) -> str:
    if metric in METRICS and metric.startswith(("auc", "average_precision")):
        return "Recalibration leaves the order as it is within each half of the patients."
    return "The threshold lies on the scale of the scores as they are."


def _note(files: list[ExternalTest], openings: int) -> str:
    first = files[-1]
    said = [f"{theirs} = {ours}" for theirs, ours in first.labels.items()]
    more = f" and {len(said) - _MOST_MAPPED} more" if len(said) > _MOST_MAPPED else ""
    parts = [f"Label map: {', '.join(said[:_MOST_MAPPED])}{more}."]
    if first.left_out:
        parts.append(f"{first.left_out:,} images of other classes are left out.")
    parts += [f"Not recalibrated: {why}." for why in dict.fromkeys(file.withheld for file in files if file.withheld)]
    shared = max(file.shared for file in files)
    if shared:
        parts.append(f"{shared:,} of the images are in the runs' own dataset too.")
    times = "once" if openings == 1 else f"{openings:,} times"
    parts.append(f"These images were opened {times} in this workspace. Reason: “{one_line(first.reason, 160)}”.")
    parts.append("Sites of fewer than 20 units are not told apart.")
    return " ".join(parts)
