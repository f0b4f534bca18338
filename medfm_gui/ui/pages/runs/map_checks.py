"""What the heat maps of a run are worth: checked on request, kept with the run, told in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.map_checks import CheckMaps, KeptMapChecks, ListMapChecks
from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.explain import EXPLANATIONS, MapCheck, MapChecks, explanation
from medfm_gui.domain.run import Phase
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.runs import wording
from medfm_gui.ui.pages.runs.deeds import READ_ONLY
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action, choice, disable
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.sign import Sign
from medfm_gui.ui.widgets.text import Label

_ABOUT = (
    "Three questions about the model, not about a case: do its maps follow what it learned, do they stay where the "
    "image is moved by a few pixels, and do they meet marked findings where there are any?"
)
_SUBSETS = {"train": "training", "val": "validation", "cal": "calibration", "test": "test"}
_VERDICTS = {True: ("check", "good", "Passed"), False: ("error", "bad", "Failed"), None: ("minus", "muted", "Open")}
"""Icon, colour and word; open is what the data cannot tell."""
NO_MAPS = "A vote of neighbours has no maps; its nearest training images explain it."


class MapChecksPane(QWidget):
    """The choice of maps, the button, and what was found out about the chosen maps."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._item: RunItem | None = None
        self._checked = ""
        """The run that is being checked; it may be another than the one that is shown."""
        self._ticket: Ticket | None = None
        self._kept: dict[tuple[str, str], MapChecks] = {}
        self.method = choice([(card.title, card.name) for card in EXPLANATIONS])
        self.method.setAccessibleName("Which maps")
        self.subset = choice([])
        self.subset.setAccessibleName("On which images")
        self.button = action("Check the maps", "check", "primary")
        self.work = ProgressRow()
        self.notice = Notice()
        self.said = Label("", "caption")
        self._boxes: list[CheckBox] = []
        self._results = QVBoxLayout()
        self._build()
        self.show_run(None)

    def _build(self) -> None:
        row = QWidget()
        flow = FlowLayout(row, SPACE[1])
        for widget in (self.method, self.subset, self.button):
            flow.addWidget(widget)
        self._results.setSpacing(SPACE[2])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        self.about = Label(_ABOUT, "muted")
        for part in (self.about, row, self.work, self.notice, self.said):
            column.addWidget(part)
        column.addLayout(self._results)
        self.work.hide()
        self.work.on_cancel(self.cancel)
        self.method.currentIndexChanged.connect(lambda _: self._show())
        self.subset.currentIndexChanged.connect(lambda _: self._show())
        self.button.clicked.connect(self.check)

    def show_run(self, item: RunItem | None) -> None:
        """Show what is known of a run's maps."""
        is_new = item is None or self._item is None or item.row.id != self._item.row.id
        was = self._item
        self._item = item
        if is_new:
            self._kept = {}
            self.notice.hide()
        self._offer_subsets()
        self._show()
        has_ended = was is not None and item is not None and was.row.state.phase is not item.row.state.phase
        if item is not None and not self.obstacle_of_run and (is_new or has_ended):
            self._context.desk.ask(
                ListMapChecks(item.row.id), owner=self, then=self._take, failed=lambda error: self._fail(error)
            )

    def check(self) -> None:
        """Have the chosen maps checked."""
        item = self._item
        if item is None or self.obstacle:
            return
        self.notice.hide()
        self._checked = item.row.id
        self._tell(Progress("Waiting for a worker"))
        self._ticket = self._context.desk.ask(
            CheckMaps(item.row.id, str(self.method.currentData()), str(self.subset.currentData())),
            owner=self,
            then=self._came,
            failed=self._failed,
            progress=self._tell,
        )
        self._show()

    def cancel(self) -> None:
        """Give the check up."""
        if self._ticket is not None:
            self._ticket.cancel()

    @property
    def obstacle_of_run(self) -> str:
        """Why this run has no maps to check; empty if it has."""
        if self._item is None:
            return "Choose a run first."
        if self._item.row.adapt == "knn":
            return NO_MAPS
        if self._item.row.state.phase is not Phase.FINISHED:
            return "Its maps can be checked when the run is finished."
        return ""

    @property
    def obstacle(self) -> str:
        """Why nothing can be checked now; empty if it can."""
        if self.obstacle_of_run:
            return self.obstacle_of_run
        if self._context.is_read_only:
            return READ_ONLY
        return f"The maps of {self._checked} are being checked." if self._checked else ""

    def _offer_subsets(self) -> None:
        """The test only once it is open."""
        opened = self._item is not None and self._item.is_opened
        wanted = ["val", "train", *(["test"] if opened else [])]
        if wanted == [self.subset.itemData(at) for at in range(self.subset.count())]:
            return
        self.subset.blockSignals(True)
        self.subset.clear()
        for subset in wanted:
            self.subset.addItem(_SUBSETS[subset].capitalize(), subset)
        self.subset.blockSignals(False)

    def _show(self) -> None:
        obstacle = self.obstacle
        disable(self.button, obstacle)
        self.work.setVisible(bool(self._checked) and self._item is not None and self._checked == self._item.row.id)
        method, subset = str(self.method.currentData()), str(self.subset.currentData())
        found = self._kept.get((method, subset))
        self.said.setText(obstacle if found is None and obstacle else _about(found))
        self._fill(found.checks if found is not None else ())

    def _fill(self, checks: Sequence[MapCheck]) -> None:
        while len(self._boxes) < len(checks):
            self._boxes.append(CheckBox())
            self._results.addWidget(self._boxes[-1])
        for at, box in enumerate(self._boxes):
            box.setVisible(at < len(checks))
            if at < len(checks):
                box.tell(checks[at])

    def _take(self, kept: KeptMapChecks) -> None:
        if self._item is None or any(one.run != self._item.row.id for one in kept.checks):
            return
        is_first = not self._kept
        self._kept = {(one.explanation, one.subset): one for one in kept.checks}
        if is_first and kept.checks:
            self._choose(kept.checks[0])
        self._show()

    def _choose(self, found: MapChecks) -> None:
        for field, value in ((self.method, found.explanation), (self.subset, found.subset)):
            at = field.findData(value)
            if at >= 0:
                field.setCurrentIndex(at)

    def _came(self, found: MapChecks) -> None:
        self._over()
        if self._item is not None and found.run == self._item.row.id:
            self._kept[found.explanation, found.subset] = found
            self._choose(found)
            self._show()
        else:
            self._context.say(f"The maps of {found.run} are checked", "good")

    def _failed(self, error: MedfmError) -> None:
        is_shown = self._item is not None and self._checked == self._item.row.id
        self._over()
        if is_shown and not isinstance(error, Interrupted):
            self._fail(error)

    def _fail(self, error: MedfmError) -> None:
        self.notice.tell(error.message, error.hint, role="bad")

    def _over(self) -> None:
        self._ticket, self._checked = None, ""
        self.work.on_cancel(self.cancel)
        self._show()

    def _tell(self, progress: Progress) -> None:
        self.work.tell(progress.text, progress.total, progress.done, progress.seconds_left)


class CheckBox(QFrame):
    """One check: its verdict, its number, and what that means."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.sign = Sign(size_px=SPACE[3])
        self.title = Label("", "heading3", elide=Qt.TextElideMode.ElideRight)
        self.verdict = Label("", wrap=False)
        self.number = Label("", "caption", selectable=True)
        self.sentence = Label("", selectable=True)
        head = QHBoxLayout()
        head.setSpacing(SPACE[1])
        head.addWidget(self.title, 1)
        head.addWidget(self.sign)
        head.addWidget(self.verdict)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        column.setSpacing(SPACE[0])
        column.addLayout(head)
        column.addWidget(self.sentence)
        column.addWidget(self.number)

    def tell(self, check: MapCheck) -> None:
        """Show a check."""
        icon, colour, word = _VERDICTS[check.passed]
        self.sign.set_icon(icon, colour)
        self.title.setText(check.title)
        self.verdict.setText(word)
        self.verdict.set_role(colour)
        self.sentence.setText(check.sentence)
        self.number.setText(compared(check))
        self.number.setVisible(bool(self.number.text()))
        self.setAccessibleName(f"{check.title}: {word}. {check.sentence}")


def compared(check: MapCheck) -> str:
    """What it is held against, and the numbers on the way; the sentence has its own number already."""
    parts = []
    if check.reference is not None:
        parts.append(f"For comparison, {check.reference_name}: {check.reference:.2f}.")
    steps = [f"{name} {value:.2f}" for name, value in check.steps if value is not None]
    if steps:
        parts.append(f"Step by step: {', '.join(steps)}.")
    return " ".join(parts)


def _about(found: MapChecks | None) -> str:
    if found is None:
        return "These maps were not checked yet."
    card = explanation(found.explanation)
    where = _SUBSETS.get(found.subset, found.subset)
    blank = f" {found.blank:,} of them without positive evidence." if found.blank else ""
    when = f", {wording.when(found.created)}" if found.created else ""
    title = card.title if card is not None else found.explanation
    return f"{title} on {found.n_images:,} {where} images{when}.{blank}"
