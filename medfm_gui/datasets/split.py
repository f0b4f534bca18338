"""A Dataset becomes Splits: in shares, in folds, as officially published, or as a list says; always past the leak gate.

``make_split`` is the story: choose the unit that stays whole, divide, look for leaks, look at the classes, freeze.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui.base.atomic import sha256_file
from medfm_gui.datasets import fingerprint
from medfm_gui.datasets.divide import (
    DEFAULT_RATIOS,
    VALIDATION_SHARE,
    Division,
    Unit,
    check_classes_fill_folds,
    class_warnings,
    dealt,
    ratios,
    unit_of,
    with_validation,
)
from medfm_gui.datasets.groups import group_names, grouped, patient_of, pixels_of
from medfm_gui.datasets.leaks import contradictions, describe, find_leaks
from medfm_gui.datasets.official import Base, division_of_file, official_divisions
from medfm_gui.datasets.stratify import deal
from medfm_gui.datasets.text import counted
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import LeakError, SplitError, UsageError
from medfm_gui.domain.split import Assignment, Leak, LeakKind, Partition, Split

_MOST_FOLDS = 100


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """How a dataset is to be divided.

    With ``ratios`` empty, no ``folds`` and no ``file``, the dataset's official folds are taken where it has any,
    else 70/15/15. ``by`` is patient, image, group or a covariate's name; ``accept`` is a written reason for keeping
    leaks; ``drop`` takes what leaks out of the less guarded side.
    """

    ratios: str = ""
    by: str = "patient"
    seed: int = 0
    folds: int = 0
    official: bool = False
    file: Path | None = None
    accept: str = ""
    drop: bool = False

    def __post_init__(self) -> None:
        if self.folds and not 2 <= self.folds <= _MOST_FOLDS:
            raise UsageError(f"{self.folds} folds are not possible.", f"Use 2 to {_MOST_FOLDS} folds.")
        if self.accept and self.drop:
            raise UsageError("Leaks can be accepted or dropped, not both.", "Choose one.")
        if (self.accept and not self.accept.strip()) or (self.official and self.file):
            raise UsageError("The request contradicts itself or gives an empty reason.", "Write the reason in words.")


def make_split(dataset: Dataset, request: SplitRequest, *, split_id: str = "", created: str = "") -> tuple[Split, ...]:
    """Divide a dataset; one Split, or one a fold (ids ``<split_id>-f1`` …, all with that ``family``).

    The same samples and the same request give the same split, whatever the order of the samples.

    Raises:
        LeakError: two sides share a patient or identical pixels, and this was neither accepted nor dropped;
            ``.leaks`` holds them all.
        SplitError: a class or a side would be empty.
        UsageError: the request does not fit the dataset.
        TableError: the list cannot be read.
    """
    unit = unit_of(dataset, request.by)
    divisions = _divisions(dataset, request, unit)
    stem = split_id or f"{dataset.id}-s1"
    family = stem if len(divisions) > 1 else None
    settings = _settings(request)
    names = group_names(unit.groups if unit.is_safe else grouped(dataset.samples, (patient_of, pixels_of)))
    return tuple(
        Split(
            id=f"{stem}-f{division.fold}" if family else stem,
            dataset=dataset.id,
            dataset_fingerprint=dataset.fingerprint,
            rule=division.rule,
            seed=request.seed,
            assignments=_assignments(dataset, division, names),
            fingerprint=fingerprint.split_fingerprint(dataset, division.partition_of),
            created=created,
            leaks=division.leaks,
            acceptance=request.accept.strip() or None if division.leaks else None,
            dropped=division.dropped,
            family=family,
            fold=division.fold,
            warnings=division.warnings,
            settings=settings,
        )
        for division in divisions
    )


def sample_set_hash(dataset: Dataset, ids: Iterable[str]) -> str:
    """What the seal of a test set follows: SHA-256 over the pixel hashes of these samples.

    Raises:
        NotFound: an id is not in the dataset.
    """
    return fingerprint.sample_set_hash(dataset, ids)


def _divisions(dataset: Dataset, request: SplitRequest, unit: Unit) -> list[Division]:
    has_folds = any(sample.fold for sample in dataset.samples)
    if request.file:
        base, said = division_of_file(dataset, request.file)
        return _published(dataset, [base], request, unit, said)
    if request.official or (has_folds and not request.ratios and not request.folds):
        bases = official_divisions(dataset, whole_folds=unit.name == "image")
        return _published(dataset, bases, request, unit, ())
    made = _in_folds(dataset, request, unit) if request.folds else [_in_shares(dataset, request, unit)]
    if has_folds:
        ignored = "The dataset brings official folds; this split does not follow them."
        made = [replace(division, warnings=(*division.warnings, ignored)) for division in made]
    return [
        replace(item, warnings=(*unit.warnings, *item.warnings, *class_warnings(dataset, item.partition_of, unit)))
        for item in _past_the_gate(dataset, made, request)
    ]


def _in_shares(dataset: Dataset, request: SplitRequest, unit: Unit) -> Division:
    text = request.ratios or DEFAULT_RATIOS
    sides = dealt(dataset, unit.groups, unit, ratios(text), str(request.seed))
    return Division(sides, f"{text} by {unit.name}, seed {request.seed}")


def _in_folds(dataset: Dataset, request: SplitRequest, unit: Unit) -> list[Division]:
    if len(unit.groups) < request.folds:
        raise SplitError(
            f"There are {counted(len(unit.groups), unit.name)} for {request.folds} folds.", "Use fewer folds."
        )
    check_classes_fill_folds(dataset, request.folds, unit)
    names = [str(number) for number in range(1, request.folds + 1)]
    seed = str(request.seed)
    folds = deal(unit.groups, dict.fromkeys(names, 1.0), seed, multilabel=dataset.task is Task.MULTILABEL)
    fold_of = {sample.id: name for name, found in folds.items() for group in found for sample in group}
    divisions = []
    for number, name in enumerate(names, 1):
        sides = {sample: Partition.TEST if fold == name else Partition.TRAIN for sample, fold in fold_of.items()}
        sides = with_validation(dataset, sides, unit, f"{seed} fold {name}")
        rule = f"fold {number} of {request.folds} by {unit.name}, seed {seed}, {_validation_rule()}"
        divisions.append(Division(sides, rule, fold=number))
    return divisions


def _validation_rule() -> str:
    return f"validation {VALIDATION_SHARE:.0%} of the training side"


def _published(
    dataset: Dataset, bases: list[Base], request: SplitRequest, unit: Unit, said: tuple[str, ...]
) -> list[Division]:
    """Divisions that others made: past the gate first, then validation is drawn where there is none."""
    several = len(bases) > 1
    if dataset.n_patients is None:
        said = (*said, "No patients are known, so whether this division parts them cannot be checked.")
    raw = [Division(sides, rule, number if several else None, said) for number, (rule, sides) in enumerate(bases, 1)]
    done = []
    for division in _past_the_gate(dataset, raw, request):
        sides, rule = division.partition_of, division.rule
        if Partition.VAL not in sides.values():
            sides = with_validation(dataset, sides, unit, f"{request.seed} {rule}")
            rule = f"{rule}, {_validation_rule()} by {unit.name}, seed {request.seed}"
        left_out = len(dataset.samples) - len(sides) - len(division.dropped)
        warnings = [*division.warnings, *class_warnings(dataset, sides, unit, strict=False)]
        if left_out:
            warnings.append(f"{counted(left_out, 'image')} stand on no side, for the division does not name them.")
        leaks = find_leaks(dataset, sides) if division.leaks else ()
        done.append(replace(division, partition_of=sides, rule=rule, warnings=tuple(warnings), leaks=leaks))
    return done


def _past_the_gate(dataset: Dataset, divisions: list[Division], request: SplitRequest) -> list[Division]:
    """The divisions without leaks, or with leaks that somebody accepted in writing.

    Raises:
        LeakError: some leak; all leaks of all divisions are in it, each once.
    """
    found = [(division, find_leaks(dataset, division.partition_of)) for division in divisions]
    leaks = _each_once(leak for _, some in found for leak in some)
    if leaks and not request.accept and not request.drop:
        raise LeakError(
            describe(dataset, leaks),
            "Drop them from training (--drop-leaks), or keep them with a written reason (--accept-leaks REASON).",
            leaks=leaks,
        )
    return [_cleared(dataset, division, some, drop=request.drop) for division, some in found]


def _cleared(dataset: Dataset, division: Division, leaks: tuple[Leak, ...], *, drop: bool) -> Division:
    if not leaks:
        return division
    warnings = (*division.warnings, *contradictions(dataset, leaks))
    if not drop:
        return replace(division, leaks=leaks, warnings=warnings)
    gone = {leak.a for leak in leaks}
    kept = {sample: side for sample, side in division.partition_of.items() if sample not in gone}
    dropped = tuple(sample.id for sample in dataset.samples if sample.id in gone)
    said = f"{counted(len(dropped), 'image')} taken out of the split, for a more guarded side shares them."
    return replace(division, partition_of=kept, dropped=dropped, warnings=(*warnings, said))


def _each_once(leaks: Iterable[Leak]) -> tuple[Leak, ...]:
    first: dict[tuple[LeakKind, frozenset[str]], Leak] = {}
    for leak in leaks:
        first.setdefault((leak.kind, frozenset((leak.a, leak.b))), leak)
    return tuple(first.values())


def _assignments(dataset: Dataset, division: Division, names: Mapping[str, str]) -> tuple[Assignment, ...]:
    """Each sample with its side and its group, in the order of the dataset.

    A group is what must not be parted: patients and identical pixels, whatever the unit was. Where samples stand
    nowhere, groups are made anew, for two that only a missing sample joined share nothing.
    """
    placed = [sample for sample in dataset.samples if sample.id in division.partition_of]
    if len(placed) < len(dataset.samples):
        names = group_names(grouped(placed, (patient_of, pixels_of)))
    return tuple(Assignment(item.id, division.partition_of[item.id], names[item.id]) for item in placed)


def _settings(request: SplitRequest) -> dict[str, str]:
    """The request as it can be repeated; a list by name and contents, for its place may change."""
    settings = {
        "ratios": request.ratios,
        "by": request.by,
        "seed": str(request.seed),
        "folds": str(request.folds or ""),
        "official": "yes" if request.official else "",
        "file": request.file.name if request.file else "",
        "file_sha256": sha256_file(request.file) if request.file else "",
        "drop leaks": "yes" if request.drop else "",
    }
    return {key: value for key, value in settings.items() if value}
