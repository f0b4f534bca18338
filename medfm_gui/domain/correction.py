"""Corrections of a dataset: another label for an image, or an image left out; drafted with undo, then a new version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from medfm_gui.domain.dataset import UNKNOWN, Sample, Task
from medfm_gui.domain.errors import UsageError


class CorrectionKind(StrEnum):
    """What is done to an image."""

    LABEL = "label"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class Correction:
    """One change: of which sample, from which target to which, and why.

    Targets are as in ``Sample``. An exclusion has neither: it must not tell the label of a sealed test image.
    """

    kind: CorrectionKind
    sample: str
    reason: str
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class CorrectionDraft:
    """Corrections of one dataset that are not saved yet: those that count, and those that were taken back.

    Of several corrections of one sample the last one counts.
    """

    dataset: str
    fingerprint: str
    done: tuple[Correction, ...] = ()
    undone: tuple[Correction, ...] = ()

    def added(self, correction: Correction) -> CorrectionDraft:
        """The draft with one more; what was taken back before cannot be done again then."""
        return replace(self, done=(*self.done, correction), undone=())

    def undo(self) -> CorrectionDraft:
        """Take back the last one; the same draft where there is none."""
        return replace(self, done=self.done[:-1], undone=(*self.undone, self.done[-1])) if self.done else self

    def redo(self) -> CorrectionDraft:
        """Do again what was taken back last; the same draft where nothing was."""
        return replace(self, done=(*self.done, self.undone[-1]), undone=self.undone[:-1]) if self.undone else self

    @property
    def in_force(self) -> dict[str, Correction]:
        """The correction that counts, by sample; a label that is again what it was at first counts no more."""
        first: dict[str, tuple[int, ...]] = {}
        last: dict[str, Correction] = {}
        for item in self.done:
            if item.kind is CorrectionKind.LABEL:
                item = replace(item, before=first.setdefault(item.sample, item.before))
            last.pop(item.sample, None)
            last[item.sample] = item
        return {
            name: item
            for name, item in last.items()
            if item.kind is CorrectionKind.EXCLUDE or item.before != item.after
        }


def check_target(task: Task, n_classes: int, target: tuple[int, ...]) -> None:
    """See that a target can be one of this task.

    Raises:
        UsageError: it cannot.
    """
    if task is Task.SEGMENTATION:
        raise UsageError(
            "The labels of a segmentation are masks, which are not edited here.",
            "Change the mask with an annotation program and import the dataset again, or leave the image out.",
        )
    if task is Task.MULTILABEL:
        good = len(target) == n_classes and all(value in (0, 1, UNKNOWN) for value in target)
    else:
        good = len(target) == 1 and 0 <= target[0] < n_classes
    if not good:
        raise UsageError("That is no label of this dataset.", "Choose one of its classes.")


def corrected(samples: tuple[Sample, ...], draft: CorrectionDraft) -> tuple[Sample, ...]:
    """The samples as the draft wants them, in their order, without those that it leaves out."""
    changes = draft.in_force
    made: list[Sample] = []
    for sample in samples:
        change = changes.get(sample.id)
        if change is None:
            made.append(sample)
        elif change.kind is CorrectionKind.LABEL:
            made.append(replace(sample, target=change.after))
    return tuple(made)
