"""The draft of corrections of the chosen dataset, as the tabs share it: what is in force, and every change of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.curation import CorrectLabel, ExcludeSamples, SaveVersion, ShowDraft, StepDraft
from medfm_gui.desk.protocol import Ask, Progress
from medfm_gui.domain.correction import Correction, CorrectionDraft, CorrectionKind
from medfm_gui.domain.dataset import Sample, Task
from medfm_gui.domain.errors import MedfmError
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.bridge import Asks
from medfm_gui.workspace.corrections import Saved


class Draft(QObject):
    """Asks the desk for every change; what comes back is what counts.

    Signals:
        changed(): another draft.
        saved(Saved): it became a new version.
        failed(MedfmError): a change was refused.
        not_saved(MedfmError): the new version cannot be made.
    """

    changed = Signal()
    saved = Signal(object)
    failed = Signal(object)
    not_saved = Signal(object)

    def __init__(self, desk: Asks, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._dataset: DatasetRow | None = None
        self._draft = CorrectionDraft("", "")
        self._in_force: dict[str, Correction] = {}

    @property
    def in_force(self) -> dict[str, Correction]:
        """The corrections that count, by sample."""
        return self._in_force

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._draft.done)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return bool(self._draft.undone)

    def show_dataset(self, dataset: DatasetRow) -> None:
        """The draft of another dataset; the same one is asked for again."""
        if self._dataset is None or self._dataset.id != dataset.id:
            self._take_draft(CorrectionDraft(dataset.id, dataset.fingerprint), dataset)
        self._dataset = dataset
        self._ask(ShowDraft(dataset.id))

    def correct(self, sample: str, target: tuple[int, ...], reason: str) -> None:
        """Another label for a sample."""
        if self._dataset is not None:
            self._ask(CorrectLabel(self._dataset.id, sample, target, reason))

    def exclude(self, samples: Sequence[str], reason: str) -> None:
        """Leave samples out."""
        if self._dataset is not None:
            self._ask(ExcludeSamples(self._dataset.id, tuple(samples), reason))

    def undo(self) -> None:
        """Take the last change back."""
        self._step("undo", self.can_undo)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._step("redo", self.can_redo)

    def discard(self) -> None:
        """Forget all of it."""
        self._step("discard", self.can_undo or self.can_redo)

    def save(self, splits: Sequence[str], told: Callable[[Progress], None]) -> None:
        """Make it a new version."""
        if self._dataset is None:
            return
        dataset = self._dataset

        def done(saved: Saved) -> None:
            self._take_draft(CorrectionDraft(dataset.id, dataset.fingerprint), dataset)
            self.saved.emit(saved)

        self._desk.ask(
            SaveVersion(dataset.id, tuple(splits)), owner=self, then=done, failed=self.not_saved.emit, progress=told
        )

    def target_of(self, sample: Sample) -> tuple[int, ...]:
        """The label of a sample as the draft has it."""
        change = self._in_force.get(sample.id)
        return change.after if change is not None and change.kind is CorrectionKind.LABEL else sample.target

    def said_of(self, sample: str) -> str:
        """What the draft does to a sample, in a sentence; empty for nothing."""
        change = self._in_force.get(sample)
        if change is None or self._dataset is None:
            return ""
        if change.kind is CorrectionKind.EXCLUDE:
            return f"Drafted: left out – {change.reason}."
        return f"Drafted: {words(self._dataset, change.after)} – {change.reason}."

    def _step(self, step: str, is_possible: bool) -> None:
        if self._dataset is not None and is_possible:
            self._ask(StepDraft(self._dataset.id, step))

    def _ask(self, ask: Ask[CorrectionDraft]) -> None:
        dataset = self._dataset

        def came(draft: CorrectionDraft) -> None:
            if dataset is not None and self._dataset is not None and dataset.id == self._dataset.id:
                self._take_draft(draft, self._dataset)

        def refused(error: MedfmError) -> None:
            self.failed.emit(error)

        self._desk.ask(ask, owner=self, then=came, failed=refused)

    def _take_draft(self, draft: CorrectionDraft, dataset: DatasetRow) -> None:
        if draft != self._draft:
            self._draft, self._in_force = draft, draft.in_force
            self.changed.emit()


def words(dataset: DatasetRow, target: Sequence[int]) -> str:
    """A label in words."""
    if dataset.task is not Task.MULTILABEL:
        number = target[0] if target else -1
        return dataset.classes[number] if 0 <= number < len(dataset.classes) else ""
    found = [name for name, value in zip(dataset.classes, target, strict=False) if value == 1]
    unsure = [name for name, value in zip(dataset.classes, target, strict=False) if value < 0]
    return (", ".join(found) or "no finding") + (f"; not assessed: {', '.join(unsure)}" if unsure else "")


def change_words(dataset: DatasetRow, before: Sequence[int], after: Sequence[int]) -> str:
    """What a correction changes: one label for another, or each finding that is judged otherwise."""
    if dataset.task is not Task.MULTILABEL:
        return f"{words(dataset, before)} → {words(dataset, after)}"
    judged = zip(dataset.classes, before, after, strict=False)
    return "; ".join(f"{name}: {_judged(old)} → {_judged(new)}" for name, old, new in judged if old != new)


def _judged(value: int) -> str:
    return "not assessed" if value < 0 else "present" if value else "absent"
