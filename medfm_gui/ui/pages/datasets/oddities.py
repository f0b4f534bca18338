"""The list of pictures worth a second look: by kind, with thumbnails, and the way to leave them out."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.curation import ScreenDataset
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.dataset import Sample
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SampleFilter
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.combo import fill
from medfm_gui.ui.pages.datasets.correction_dialog import ExcludeDialog
from medfm_gui.ui.pages.datasets.draft import Draft
from medfm_gui.ui.pages.datasets.grid import ThumbnailGrid
from medfm_gui.ui.pages.datasets.samples import SampleSource
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action, choice, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.screening import MEANINGS, Finding, Oddity, Screening

_GRID_PX = SPACE[-1] * 10
_LINE_PX = SPACE[-1] * 5 + SPACE[2]
_KINDS_PX = SPACE[-1] * 6
_AT_ONCE = 5000
_MOST_EXCLUDED = 2000
_WHAT = (
    "Every picture of the pixel cache is looked at once: blank, saturated, tiny, oddly shaped, inverted, of another "
    "kind, identical. A finding is a reason to look, no verdict. Not checked: damage with which a JPEG still decodes; "
    "each file's hash is kept, so that a later change shows."
)


class Oddities(Panel):
    """What screening found.

    Signals:
        shown(str): this sample is to be shown among the images.
    """

    shown = Signal(str)

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Pictures worth a second look", parent=parent)
        self._context = context
        self._draft = draft
        self._newest = Newest(context.desk, self)
        self._dataset: DatasetRow | None = None
        self._found: Screening | None = None
        self._by_sample: dict[str, list[Finding]] = {}
        self.kinds = choice([("All findings", "")])
        self.kinds.setAccessibleName("Kind of finding")
        self.kinds.currentIndexChanged.connect(self._list)
        self._meaning = Label("", "caption")
        self.source = SampleSource(context.desk, self)
        self.grid = ThumbnailGrid(self.source, self._said)
        self.grid.setAccessibleName("Flagged images")
        self.grid.setFixedHeight(_GRID_PX)
        self.grid.chosen.connect(lambda _: self._settle())
        self.source.counted.connect(lambda _: self._settle())
        self.show_button = action("Show among the images", "grid", "quiet")
        self.show_button.clicked.connect(self._show_chosen)
        self.exclude_one = action("Leave this one out …")
        self.exclude_one.clicked.connect(self._exclude_one)
        self.exclude_all = action("Leave all of these out …")
        self.exclude_all.clicked.connect(self._exclude_all)
        draft.changed.connect(self.grid.viewport().update)
        self._lay_out()

    def _lay_out(self) -> None:
        self._bar = QWidget()
        bar = FlowLayout(self._bar)
        self.kinds.setMinimumWidth(_KINDS_PX)
        bar.addWidget(self.kinds)
        for button in (self.show_button, self.exclude_one, self.exclude_all):
            bar.addWidget(button)
        self.add(self._bar)
        self.add(self._meaning)
        self.pane = StatePane(self.grid)
        self.pane.setFixedHeight(_GRID_PX)
        self.add(self.pane)
        self._bar.hide()
        self._meaning.hide()

    def show_dataset(self, dataset: DatasetRow) -> None:
        """Show what is known of a dataset; a small one is looked at at once."""
        same = self._dataset is not None and self._dataset.fingerprint == dataset.fingerprint
        if same and self._dataset is not None and self._dataset.id == dataset.id and self._found is not None:
            return
        self._dataset, self._found = dataset, None
        self._ask(measure=dataset.n_samples <= _AT_ONCE and not self._context.is_read_only)

    def _ask(self, *, measure: bool) -> None:
        if self._dataset is not None:
            self._told(Progress("Looking at the images"))
            self._newest.ask(ScreenDataset(self._dataset.id, measure), self._take, self._refused, self._told)

    def _told(self, news: Progress) -> None:
        self.pane.show_busy(news.text, news.total, news.done, news.seconds_left, self._stop)

    def _stop(self) -> None:
        self._newest.cancel()
        self._offer()

    def _offer(self) -> None:
        text = "" if self._context.is_read_only else "Look at the images"
        self.pane.show_empty("Not looked at yet", _WHAT, text, lambda: self._ask(measure=True), "eye")
        self._bar.hide()
        self._meaning.hide()

    def _refused(self, error: MedfmError) -> None:
        if isinstance(error, Interrupted):
            self._offer()
        else:
            self.pane.show_error(error, "Try again", lambda: self._ask(measure=True))

    def _take(self, found: Screening) -> None:
        self._found = found
        if not found.n_images:
            self._found = None
            self._offer()
            return
        self._by_sample = {}
        for finding in found.findings:
            self._by_sample.setdefault(finding.sample, []).append(finding)
        listed = [(f"{kind.value.capitalize()}  ({found.counts[kind]:,})", kind.value) for kind in Oddity
                  if found.counts.get(kind)]  # fmt: skip
        fill(self.kinds, [(f"All findings  ({len(self._by_sample):,})", ""), *listed], "")
        self.set_title(
            "Pictures worth a second look",
            f"{counted(len(self._by_sample), 'image')} of {found.n_images:,} with a finding. {_WHAT}",
        )
        self._list()

    def _list(self) -> None:
        if self._found is None or self._dataset is None:
            return
        if not self._by_sample:
            self.pane.show_empty(
                "Nothing is odd", "No picture differs from the others in what is looked at.", icon="check"
            )
            self._bar.hide()
            self._meaning.hide()
            return
        kind = str(self.kinds.currentData() or "")
        self._fit(len(self.listed()))
        self._meaning.setText(MEANINGS[Oddity(kind)] if kind else "")
        self._meaning.setVisible(bool(kind))
        self._bar.show()
        self.pane.show_content()
        self.source.start(self._dataset.id, SampleFilter(ids=self.listed()))
        self._settle()

    def _fit(self, number: int) -> None:
        """One line of pictures takes the height of one."""
        height = _LINE_PX if number <= self.grid.columns else _GRID_PX
        self.grid.setFixedHeight(height)
        self.pane.setFixedHeight(height)

    def listed(self) -> tuple[str, ...]:
        """The samples of the chosen kind."""
        kind = str(self.kinds.currentData() or "")
        return tuple(
            name for name, found in self._by_sample.items() if not kind or any(one.oddity == kind for one in found)
        )

    def _said(self, sample: Sample) -> str:
        kind = str(self.kinds.currentData() or "")
        found = self._by_sample.get(sample.id, [])
        said = [one.measured or one.oddity.value if kind else one.oddity.value for one in found
                if not kind or one.oddity == kind]  # fmt: skip
        return ("left out · " if sample.id in self._draft.in_force else "") + ", ".join(said)

    def _chosen(self) -> Sample | None:
        return self.source.sample(self.grid.current) if self.grid.current >= 0 else None

    def _settle(self) -> None:
        locked = READ_ONLY if self._context.is_read_only else ""
        none = "Choose a picture first." if self._chosen() is None else ""
        many = f"These are more than {_MOST_EXCLUDED:,}: choose a kind." if self.source.total > _MOST_EXCLUDED else ""
        disable(self.show_button, none)
        disable(self.exclude_one, locked or none)
        disable(self.exclude_all, locked or many or ("" if self.source.total else "Nothing is listed."))

    def _show_chosen(self) -> None:
        sample = self._chosen()
        if sample is not None:
            self.shown.emit(sample.id)

    def _exclude_one(self) -> None:
        sample = self._chosen()
        if sample is not None:
            self._exclude((sample.id,))

    def _exclude_all(self) -> None:
        self._exclude(self.listed())

    def _exclude(self, samples: tuple[str, ...]) -> None:
        kinds = dict.fromkeys(one.oddity.value for name in samples for one in self._by_sample.get(name, []))
        self.dialog = ExcludeDialog(self, len(samples), ", ".join(kinds))
        self.dialog.accepted.connect(lambda: self._draft.exclude(samples, self.dialog.why))
        self.dialog.finished.connect(self.dialog.deleteLater)
        self.dialog.open()
