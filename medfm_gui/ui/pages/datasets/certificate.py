"""One frozen split: the gate's decision, what it looked at, classes by side, what was dropped, accepted, suspected."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import ExportSplit, SplitTable
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.split import Certificate as Vouched
from medfm_gui.domain.split import LeakKind
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import SplitRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.datasets.counts import CountRow, CountsTable
from medfm_gui.ui.pages.datasets.gate import Banner, clean_words
from medfm_gui.ui.pages.datasets.notes import Notes
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.pages.datasets.split_pairs import NearPairs
from medfm_gui.ui.pages.datasets.split_rows import LeaksTable
from medfm_gui.ui.pages.datasets.wording import PARTITIONS, brief, day, split_title, unit
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.cohort import SplitFacts, hidden_words

_LINES = 14
_NAMED = 20


class Certificate(QWidget):
    """A split that is frozen, as it will be printed in reports."""

    def __init__(self, context: Context, on_train: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.split_id = ""
        self._trained = ""
        self._title = Label("", "heading3", elide=Qt.TextElideMode.ElideRight)
        self.train = action("Train on this split", "train", "primary")
        self.train.clicked.connect(lambda: on_train(self._trained))
        self._context = context
        self.export = action("Save as table", "export")
        self.export.clicked.connect(self._ask_place)
        self.delete = action("Delete …", "trash", "quiet")
        self.delete.setAccessibleName("Delete this split")
        disable(self.delete, READ_ONLY if context.is_read_only else "")
        self.banner = Banner()
        self.facts = Facts()
        self.table = CountsTable("Images of each class by partition of the split")
        self.leaks = LeaksTable()
        self.near = NearPairs(context)
        self.looks = Facts()
        self.looks_title = Label("What the leak gate compared", "heading3")
        self.unseen_title = Label("What it cannot see", "heading3")
        self.unseen = Notes("eye-off", "muted")
        self.notes = Notes()
        head = QHBoxLayout()
        head.setSpacing(SPACE[3])
        head.addWidget(self._title, 1)
        head.addWidget(self.delete)
        head.addWidget(self.export)
        head.addWidget(self.train)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE[1], SPACE[1], SPACE[2])
        column.setSpacing(SPACE[3])
        column.addLayout(head)
        above = (self.banner, self.facts, self.notes, self.table, self.leaks, self.near)
        for widget in (*above, self.looks_title, self.looks, self.unseen_title, self.unseen):
            column.addWidget(widget)
        column.addStretch(1)

    def show_split(self, row: SplitRow, facts: SplitFacts, has_patients: bool) -> None:
        """Show another split."""
        self.split_id = row.id
        self._trained = row.family or row.id
        self.train.setText("Train on all folds" if row.family else "Train on this split")
        self._title.setText(split_title(row))
        self._tell(row, facts, has_patients)
        self.facts.set_facts(facts_of(row, facts, has_patients))
        whole = tuple(row.sizes.get(name, 0) for name in facts.columns)
        together = (sum(whole),) * len(whole)
        rows = [CountRow("Images", whole, together)]
        rows += [CountRow(line.name, line.counts, facts.wholes or whole, nothing="hidden") for line in facts.lines]
        self.table.fill("Class", [PARTITIONS[name] for name in facts.columns], rows)
        self.table.setFixedHeight(self.table.natural_height(_LINES))
        self.notes.set_notes((*row.warnings, *hidden_words(sum(whole) - sum(facts.wholes or whole))))
        self.leaks.fill(facts.leaks)
        found = facts.certificate
        self.near.show_pairs(row.dataset, facts.suspects, len(found.suspects) if found else 0)
        self.looks.set_facts(looks_of(found))
        self.unseen.set_notes(found.unseen if found else ())
        for widget in (self.looks_title, self.looks, self.unseen_title):
            widget.setVisible(found is not None)

    def _ask_place(self) -> None:
        name = f"{self.split_id}.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save the split as a table", name, "Tables (*.csv)")
        if path:
            self.write(path)

    def write(self, path: str) -> None:
        """Have the desk write the split as a table that can be read back."""
        ask = ExportSplit(self.split_id, path)
        self._context.desk.ask(ask, owner=self, then=self._written, failed=self._not_written)

    def _written(self, table: SplitTable) -> None:
        self._context.say(f"“{table.path}” was written.", "good")

    def _not_written(self, error: MedfmError) -> None:
        self._context.say(error.message, "bad")

    def _tell(self, row: SplitRow, facts: SplitFacts, has_patients: bool) -> None:
        if row.n_leaks:
            title = f"Leak gate: {counted(row.n_leaks, 'leak')} accepted"
            title += ", as published" if facts.as_published else ""
            self.banner.tell("warning", "warning", title, f"Reason: {row.acceptance or ''}")
            return
        words = clean_words(has_patients) + near_words(facts.certificate)
        if row.n_dropped:
            words += f" {counted(row.n_dropped, 'image')} taken out for it."
        doubtful = len(facts.certificate.suspects) if facts.certificate else 0
        if doubtful:
            title = f"Leak gate: no leak, {counted(doubtful, 'near-duplicate pair')}"
            self.banner.tell("warning", "warning", title, words)
            return
        self.banner.tell("good", "seal", "Leak gate: no leak", words)


def near_words(found: Vouched | None) -> str:
    """What a frozen split says of near-duplicates, where none stand on two sides; empty for one that tells nothing."""
    look = next((look for look in found.checks if look.kind is LeakKind.NEAR), None) if found else None
    if look is None or (found and found.suspects):
        return ""
    return " No near-duplicates on two sides." if look.compared else " Near-duplicates were not compared."


def facts_of(row: SplitRow, facts: SplitFacts, has_patients: bool) -> list[tuple[str, str]]:
    """What identifies a split and how it was made."""
    found = [("Fingerprint", row.fingerprint)]
    if facts.certificate:
        found.append(("Certificate", facts.certificate.sha256))
    found += [("Made", day(row.created)), ("Id", row.id)]
    if by := facts.settings.get("by"):
        by_image = by == "patient" and not has_patients
        found.append(("Kept together", "Image, as no patients are known" if by_image else unit(by)))
    found.append(("Seed", str(row.seed)))
    if file := facts.settings.get("file"):
        found.append(("Table", file))
    if facts.dropped:
        more = f" and {row.n_dropped - _NAMED:,} more" if row.n_dropped > _NAMED else ""
        found.append(("Dropped", ", ".join(facts.dropped[:_NAMED]) + more))
    return [(name, brief(value)) for name, value in found]


def looks_of(found: Vouched | None) -> list[tuple[str, str]]:
    """Each look of the gate: what it compared, by what, and how much it found."""
    if found is None:
        return []
    lines = []
    for look in found.checks:
        said = f"not compared: {look.reason}"
        if look.compared:
            said = f"{look.found:,} found among {counted(look.compared, 'image')}, by {look.method}"
        lines.append((look.kind.value.capitalize(), brief(said)))
    return lines
