"""Where the images went: from what was found to the partitions of a split, every loss with its reason and number.

A flow as CONSORT and STARD draw it: a trunk of boxes from top to bottom, beside each step a box of what was left out,
and at the end one box a partition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.report import FlowPlace, Table
from medfm_gui.domain.split import Partition, Split
from medfm_gui.workspace import data
from medfm_gui.workspace.place import Workspace

UNLABELLED = frozenset({"no_label", "conflicting_labels", "missing_mask", "mask_labels"})
POLICY = frozenset({"policy"})
"""What a choice of a person left out, and no fault of a file."""
NOTE = "The skipped files are those that the import looked at; a file may hold several images."
_MOST_REASONS = 8
_OUT, _LESS = "– ", "−"
"""In front of what was left out, and of its number."""
_SIDES = {
    Partition.TRAIN: "Training",
    Partition.VAL: "Validation",
    Partition.CAL: "Calibration",
    Partition.TEST: "Internal test",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """Why something was left out, and how many."""

    reason: str
    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """A box of the trunk: its name, how many there are (and patients, where known), and what is lost after it."""

    name: str
    number: int
    patients: int | None = None
    lost: tuple[Loss, ...] = ()

    @property
    def n_lost(self) -> int:
        """How many are lost after this step."""
        return sum(loss.number for loss in self.lost)


@dataclass(frozen=True, slots=True)
class Flow:
    """The trunk from top to bottom, then the partitions side by side (none without a split)."""

    dataset: str
    split: str
    title: str
    steps: tuple[Step, ...]
    partitions: tuple[Step, ...] = ()
    note: str = ""


def flow(workspace: Workspace, dataset_id: str, split_id: str = "") -> Flow:
    """The flow of a dataset, and of one split of it.

    Raises:
        NotFound: the dataset or the split is not there.
    """
    dataset = data.read(workspace, dataset_id)
    split = data.splits_of(workspace, split_id)[0] if split_id else None
    return flow_of(dataset, split, ancestors_of(workspace, dataset))


def ancestors_of(workspace: Workspace, dataset: Dataset) -> list[Dataset]:
    """The versions before a dataset that are still there, the first import first."""
    found: list[Dataset] = []
    parent = dataset.parent
    while parent and (workspace.root / "datasets" / parent / "manifest.json").exists():
        found.insert(0, data.read(workspace, parent))
        parent = found[0].parent
    return found


def flow_of(dataset: Dataset, split: Split | None = None, ancestors: Sequence[Dataset] = ()) -> Flow:
    """The flow of a dataset; ``ancestors`` are the versions before it, the first import first."""
    first = ancestors[0] if ancestors else dataset
    steps = _of_import(first)
    for version in (*ancestors[1:], dataset) if ancestors else ():
        gone = steps[-1].number - len(version.samples)
        before = steps.pop()
        steps.append(Step(before.name, before.number, before.patients, _losses({"left out by a correction": gone})))
        steps.append(Step(f"Images of {version.id}", len(version.samples), version.n_patients))
    note = NOTE if first.skipped else ""
    whole = Flow(dataset.id, "", title_of(dataset.name), tuple(steps), (), note)
    return divided(whole, dataset, split) if split is not None else whole


def title_of(name: str) -> str:
    """What stands above the flow of a dataset."""
    return f"Flow of images: {name}"


def divided(whole: Flow, dataset: Dataset, split: Split) -> Flow:
    """A flow that ends with the images of a dataset, with the partitions of a split of them."""
    steps, partitions = _with_split(list(whole.steps), dataset, split)
    return replace(whole, split=split.id, steps=tuple(steps), partitions=partitions)


def _of_import(dataset: Dataset) -> list[Step]:
    reasons = Counter(item.reason for item in dataset.skipped)
    unlabelled = {name: number for name, number in reasons.items() if name in UNLABELLED}
    policy = {name: number for name, number in reasons.items() if name in POLICY}
    faults = {name: number for name, number in reasons.items() if name not in UNLABELLED | POLICY}
    n = len(dataset.samples)
    usable = n + sum(unlabelled.values()) + sum(policy.values())
    steps = [Step("Files and rows found", usable + sum(faults.values()), None, _losses(faults))]
    if unlabelled or policy:
        steps.append(Step("Readable images", usable, None, _losses(unlabelled)))
    if policy:
        steps.append(Step("Images with a label", n + sum(policy.values()), None, _losses(policy)))
    return [*steps, Step(f"Images of {dataset.id}" if dataset.id else "Images", n, dataset.n_patients)]


def _with_split(steps: list[Step], dataset: Dataset, split: Split) -> tuple[list[Step], tuple[Step, ...]]:
    placed = len(split.assignments)
    dropped = len(split.dropped)
    elsewhere = len(dataset.samples) - placed - dropped
    last = steps.pop()
    lost = _losses({"dropped by the leak gate": dropped, "in no partition of the split": elsewhere})
    steps.append(Step(last.name, last.number, last.patients, lost))
    patients = {sample.id: sample.patient for sample in dataset.samples}
    steps.append(Step(f"Divided: {split.rule}", placed, _patients(patients, [one.sample for one in split.assignments])))
    partitions = tuple(
        Step(_SIDES[side], split.sizes[side.value], _patients(patients, split.samples_in(side)))
        for side in Partition
        if split.sizes[side.value]
    )
    return steps, partitions


def _patients(patients: dict[str, str | None], ids: Sequence[str]) -> int | None:
    return len({patients.get(one) for one in ids} - {None}) or None


def _losses(reasons: dict[str, int]) -> tuple[Loss, ...]:
    """Frequent reasons first; from the ninth on together."""
    order = sorted(((name, number) for name, number in reasons.items() if number), key=lambda one: (-one[1], one[0]))
    kept = [Loss(name.replace("_", " "), number) for name, number in order[:_MOST_REASONS]]
    rest = sum(number for _, number in order[_MOST_REASONS:])
    return (*kept, Loss(f"{len(order) - _MOST_REASONS} other reasons", rest)) if rest else tuple(kept)


def as_table(found: Flow) -> Table:
    """The flow as a table for a report: a row a box, below it what was left out there; a diagram stands above it."""
    rows: list[tuple[str, str, str]] = []
    places: list[FlowPlace] = []
    for number, step in enumerate((*found.steps, *found.partitions)):
        rows.append((step.name, f"{step.number:,}", f"{step.patients:,}" if step.patients else ""))
        rows += [(f"{_OUT}{loss.reason}", f"{_LESS}{loss.number:,}", "") for loss in step.lost]
        places.append("step" if number < len(found.steps) else "side")
        places.extend("lost" for _ in step.lost)
    header = ("Step", "Images", "Patients")
    return Table("Flow of images, with every exclusion.", header, tuple(rows), (1, 2), flow=tuple(places))


def as_csv(found: Flow) -> str:
    """The flow as CSV: step, what is lost there, number, patients."""
    import csv
    import io

    from medfm_gui.workspace.spreadsheet import guarded

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("step", "left out", "number", "patients"))
    for step in (*found.steps, *found.partitions):
        writer.writerow((guarded(step.name), "", step.number, step.patients or ""))
        for loss in step.lost:
            writer.writerow((guarded(step.name), guarded(loss.reason), loss.number, ""))
    return out.getvalue()
