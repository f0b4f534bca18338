"""A Dataset becomes Splits: in shares, folds or time, by site, as published, or as a list says; past the leak gate.

``make_split`` is the story: choose the unit that stays whole, divide, look for leaks, look at the classes, freeze with
a certificate of what was looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from medfm_gui.base.atomic import sha256_file
from medfm_gui.base.collecting import uncollected
from medfm_gui.datasets import fingerprint
from medfm_gui.datasets.certificate import certificate
from medfm_gui.datasets.divide import (
    DEFAULT_RATIOS,
    SAFE,
    Division,
    Unit,
    class_warnings,
    dealt,
    moved,
    ratios,
    unit_of,
    with_validation,
)
from medfm_gui.datasets.folds import in_folds, in_time, left_out, validation_rule, within
from medfm_gui.datasets.groups import group_names, grouped
from medfm_gui.datasets.leaks import contradictions, describe, find_leaks
from medfm_gui.datasets.near_duplicates import NearDuplicates
from medfm_gui.datasets.near_resolved import MOVE, WAYS, near_resolved, with_alike
from medfm_gui.datasets.official import division_of_file, official_divisions
from medfm_gui.datasets.published_rules import AS_PUBLISHED, REASON, rule_of
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import LeakError, UsageError
from medfm_gui.domain.split import Assignment, Leak, LeakKind, Partition, Split
from medfm_gui.domain.units import counted

_MOST_FOLDS = 100
_MOST_NESTED = 20


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """How a dataset is to be divided.

    With ``ratios`` empty, no ``folds`` and no ``file``, the dataset's official folds are taken where it has any,
    else 70/15/15. ``by`` is patient, image, group or a covariate's name; ``accept`` is a written reason for keeping
    leaks; ``drop`` takes what leaks out of the less guarded side, ``move`` takes whole groups to the more guarded one.
    ``nested`` divides each fold's training in as many folds again. ``leave_out`` and ``in_time`` name a covariate:
    each value once the test, or the earliest for training and the latest for the test. ``preset`` is a published rule
    (``study-a``, corrected, or ``study-a-as-published``, with its leaks). ``alike`` is what becomes of near-duplicates
    on two sides: empty, they are flagged and stay; ``drop`` and ``move`` as for leaks.
    """

    ratios: str = ""
    by: str = "patient"
    seed: int = 0
    folds: int = 0
    official: bool = False
    file: Path | None = None
    accept: str = ""
    drop: bool = False
    nested: bool = False
    preset: str = ""
    leave_out: str = ""
    in_time: str = ""
    move: bool = False
    alike: str = ""

    def __post_init__(self) -> None:
        if self.nested and not 2 <= self.folds <= _MOST_NESTED:
            said = f"{self.folds} folds cannot have folds within." if self.folds else "Nested folds need folds."
            raise UsageError(said, f"Give --folds, 2 to {_MOST_NESTED}, with --nested.")
        if self.folds and not 2 <= self.folds <= _MOST_FOLDS:
            raise UsageError(f"{self.folds} folds are not possible.", f"Use 2 to {_MOST_FOLDS} folds.")
        if bool(self.accept) + self.drop + self.move > 1:
            raise UsageError("Leaks can be accepted, dropped or moved, one of the three.", "Choose one.")
        if self.alike not in WAYS or (self.alike and self.preset.endswith(AS_PUBLISHED)):
            raise UsageError(
                "A division as published keeps its near-duplicates."
                if self.alike in WAYS
                else f"“{self.alike}” is nothing that can become of near-duplicates.",
                f"Use the corrected rule, {self.preset.removesuffix(AS_PUBLISHED)}."
                if self.alike in WAYS
                else "Use drop or move, or nothing: then they are flagged.",
            )
        if (self.accept and not self.accept.strip()) or (self.official and self.file):
            raise UsageError("The request contradicts itself or gives an empty reason.", "Write the reason in words.")
        ways = [
            bool(self.folds),
            self.official,
            bool(self.file),
            *map(bool, (self.preset, self.leave_out, self.in_time)),
        ]
        if sum(ways) > 1:
            raise UsageError(
                "The request names several ways to divide.",
                "Use one of --folds, --official, --file, --preset, --leave-out and --by-time.",
            )


@uncollected()
def make_split(
    dataset: Dataset,
    request: SplitRequest,
    *,
    split_id: str = "",
    created: str = "",
    near: NearDuplicates | None = None,
    near_reason: str = "",
) -> tuple[Split, ...]:
    """Divide a dataset; one Split, or one a fold (ids ``<split_id>-f1`` …, all with that ``family``).

    Nested folds follow the folds they lie in: ids ``<split_id>-f1-inner-f1`` …, family ``<split_id>-f1-inner``, each
    with the test of the fold around it. The same samples and the same request give the same split, whatever the order
    of the samples.

    Args:
        near: the near-duplicates of the dataset, for the certificate; they warn and never block. Without them
            ``near_reason`` says why.

    Raises:
        LeakError: two sides share a patient, a group or identical pixels, and this was neither accepted nor resolved;
            ``.leaks`` holds them all.
        SplitError: a class or a side would be empty.
        UsageError: the request does not fit the dataset.
        TableError: the list cannot be read.
    """
    unit = unit_of(dataset, request.by)
    if request.alike == MOVE and near is not None:
        unit = with_alike(dataset, unit, near)
    divisions = _divisions(dataset, request, unit)
    if request.alike:
        divisions = [_parted_from_alike(dataset, item, unit, request, near, near_reason) for item in divisions]
    stem = split_id or f"{dataset.id}-s1"
    family = stem if len(divisions) > 1 else None
    settings = _settings(request)
    names = group_names(unit.groups if unit.is_safe else grouped(dataset.samples, SAFE))

    def frozen(division: Division, name: str, family: str | None) -> Split:
        reason = (request.accept.strip() or division.reason or None) if division.leaks else None
        vouched = certificate(
            dataset, division.partition_of, division.leaks, accepted=reason, near=near, near_reason=near_reason
        )
        warnings = division.warnings
        if vouched.suspects:
            said = f"{counted(len(vouched.suspects), 'pair')} of near-duplicates on two sides; see the certificate."
            warnings = (*warnings, said)
        return Split(
            id=name,
            dataset=dataset.id,
            dataset_fingerprint=dataset.fingerprint,
            rule=division.rule,
            seed=request.seed,
            assignments=_assignments(dataset, division, names),
            fingerprint=vouched.split,
            created=created,
            leaks=division.leaks,
            acceptance=reason,
            dropped=division.dropped,
            family=family,
            fold=division.fold,
            warnings=warnings,
            settings=settings,
            certificate=vouched,
            as_published=request.preset.endswith(AS_PUBLISHED),
        )

    made = [frozen(division, f"{stem}-f{division.fold}" if family else stem, family) for division in divisions]
    for division in divisions:
        inside = f"{stem}-f{division.fold}-inner"
        made += [frozen(inner, f"{inside}-f{inner.fold}", inside) for inner in division.inner]
    return tuple(made)


def _parted_from_alike(
    dataset: Dataset, division: Division, unit: Unit, request: SplitRequest, near: NearDuplicates | None, reason: str
) -> Division:
    if near is None:
        raise UsageError(
            f"Near-duplicates are not known, so none can be resolved. {reason}".strip(), "Have them looked for."
        )
    inner = [near_resolved(dataset, item, unit, near, request.alike) for item in division.inner]
    return replace(near_resolved(dataset, division, unit, near, request.alike), inner=tuple(inner))


def sample_set_hash(dataset: Dataset, ids: Iterable[str]) -> str:
    """What the seal of a test set follows: SHA-256 over the pixel hashes of these samples.

    Raises:
        NotFound: an id is not in the dataset.
    """
    return fingerprint.sample_set_hash(dataset, ids)


def _divisions(dataset: Dataset, request: SplitRequest, unit: Unit) -> list[Division]:
    has_folds = any(sample.fold for sample in dataset.samples)
    if request.preset:
        return _as_published(dataset, request, unit)
    if request.file:
        (rule, sides), said = division_of_file(dataset, request.file)
        return _given(dataset, [Division(sides, rule)], request, unit, said)
    if request.official or (has_folds and not _is_made(request)):
        bases = official_divisions(dataset, whole_folds=unit.name == "image")
        several = len(bases) > 1
        given = [Division(sides, rule, number if several else None) for number, (rule, sides) in enumerate(bases, 1)]
        return _given(dataset, given, request, unit, ())
    made = _made(dataset, request, unit)
    if has_folds:
        ignored = "The dataset brings official folds; this split does not follow them."
        made = [replace(division, warnings=(*division.warnings, ignored)) for division in made]
    strict = not (request.leave_out or request.in_time)
    done = []
    for item in _past_the_gate(dataset, made, request):
        classes = class_warnings(dataset, item.partition_of, unit, strict=strict)
        item = replace(item, warnings=(*unit.warnings, *item.warnings, *classes))
        if request.nested:
            inner = _past_the_gate(dataset, within(dataset, unit, item, request.folds, request.seed), request)
            item = replace(item, inner=tuple(inner))
        done.append(item)
    return done


def _is_made(request: SplitRequest) -> bool:
    return bool(request.ratios or request.folds or request.leave_out or request.in_time)


def _made(dataset: Dataset, request: SplitRequest, unit: Unit) -> list[Division]:
    if request.folds:
        return in_folds(dataset, unit, request.folds, request.seed)
    if request.leave_out:
        return left_out(dataset, unit, request.leave_out, request.seed)
    if request.in_time:
        return [in_time(dataset, unit, request.in_time, request.ratios)]
    text = request.ratios or DEFAULT_RATIOS
    sides = dealt(dataset, unit.groups, unit, ratios(text), str(request.seed))
    return [Division(sides, f"{text} by {unit.name}, seed {request.seed}")]


def _as_published(dataset: Dataset, request: SplitRequest, unit: Unit) -> list[Division]:
    """A study's rule as it was, or its corrected variant: the same shares with what belongs together kept together."""
    rule = rule_of(dataset, request.preset)
    published = rule.divide(dataset)
    if request.preset.endswith(AS_PUBLISHED):
        division = Division(published.partition_of, f"{request.preset}: {published.rule}", reason=REASON)
        return _given(dataset, [division], request, unit, published.said)
    groups = [[item for item in group if item.id in published.partition_of] for group in unit.groups]
    whole = [group for group in groups if group]
    if rule.corrected:
        sides = dealt(dataset, whole, unit, ratios(rule.corrected), str(request.seed))
        words = f"{request.preset}: {rule.corrected} by {unit.name}, seed {request.seed}"
        return _given(dataset, [Division(sides, words, warnings=unit.warnings)], request, unit, ())
    sides, count = moved(published.partition_of, whole)
    said = (*published.said, *((f"{counted(count, 'image')} moved to keep groups whole.",) if count else ()))
    return _given(dataset, [Division(sides, f"{request.preset}: {published.rule}")], request, unit, said)


def _given(
    dataset: Dataset, divisions: list[Division], request: SplitRequest, unit: Unit, said: tuple[str, ...]
) -> list[Division]:
    """Divisions that others made: past the gate first, then validation is drawn where there is none."""
    if dataset.n_patients is None:
        said = (*said, "No patients are known, so whether this division parts them cannot be checked.")
    done = []
    for division in _past_the_gate(dataset, divisions, request):
        sides, rule = division.partition_of, division.rule
        if Partition.VAL not in sides.values():
            sides = with_validation(dataset, sides, unit, f"{request.seed} {rule}")
            rule = f"{rule}, {validation_rule()} by {unit.name}, seed {request.seed}"
        out = len(dataset.samples) - len(sides) - len(division.dropped)
        warnings = [*said, *division.warnings, *class_warnings(dataset, sides, unit, strict=False)]
        if out:
            warnings.append(f"{counted(out, 'image')} stand on no side, for the division does not name them.")
        leaks = find_leaks(dataset, sides) if division.leaks else ()
        done.append(replace(division, partition_of=sides, rule=rule, warnings=tuple(warnings), leaks=leaks))
    return done


def _past_the_gate(dataset: Dataset, divisions: list[Division], request: SplitRequest) -> list[Division]:
    """The divisions without leaks, or with leaks that somebody accepted in writing.

    Raises:
        LeakError: some leak; all leaks of all divisions are in it, each once.
    """
    found = [(division, find_leaks(dataset, division.partition_of)) for division in divisions]
    resolved = request.accept or request.drop or request.move
    leaks = _each_once([some for division, some in found if not division.reason])
    if leaks and not resolved:
        raise LeakError(
            describe(dataset, leaks),
            "Drop them from training (--drop-leaks), move whole groups to the more guarded side (--move-leaks), "
            "or keep them with a written reason (--accept-leaks REASON).",
            leaks=leaks,
        )
    return [_cleared(dataset, division, some, request) for division, some in found]


def _cleared(dataset: Dataset, division: Division, leaks: tuple[Leak, ...], request: SplitRequest) -> Division:
    if not leaks:
        return division
    done = "went to one side" if request.move else "were parted by dropping one" if request.drop else ""
    warnings = (*division.warnings, *contradictions(dataset, leaks, done))
    if request.move:
        sides, count = moved(division.partition_of, grouped(dataset.samples, SAFE))
        said = f"{counted(count, 'image')} moved with the whole group to a more guarded side."
        return replace(division, partition_of=sides, warnings=(*warnings, said))
    if not request.drop:
        return replace(division, leaks=leaks, warnings=warnings)
    gone = {leak.a for leak in leaks}
    kept = {sample: side for sample, side in division.partition_of.items() if sample not in gone}
    dropped = tuple(sample.id for sample in dataset.samples if sample.id in gone)
    said = f"{counted(len(dropped), 'image')} taken out of the split, for a more guarded side shares them."
    return replace(division, partition_of=kept, dropped=dropped, warnings=(*warnings, said))


def _each_once(found: Sequence[tuple[Leak, ...]]) -> tuple[Leak, ...]:
    if len(found) == 1:
        return found[0]
    first: dict[tuple[LeakKind, frozenset[str]], Leak] = {}
    for leak in chain.from_iterable(found):
        first.setdefault((leak.kind, frozenset((leak.a, leak.b))), leak)
    return tuple(first.values())


def _assignments(dataset: Dataset, division: Division, names: Mapping[str, str]) -> tuple[Assignment, ...]:
    """Each sample with its side and its group, in the order of the dataset.

    A group is what must not be parted: patients, groups and identical pixels, whatever the unit was. Where samples
    stand nowhere, groups are made anew, for two that only a missing sample joined share nothing.
    """
    sides = [division.partition_of.get(sample.id) for sample in dataset.samples]
    placed = [(sample, side) for sample, side in zip(dataset.samples, sides, strict=True) if side]
    if len(placed) < len(dataset.samples):
        names = group_names(grouped([sample for sample, _ in placed], SAFE))
    return tuple([Assignment(sample.id, side, names[sample.id]) for sample, side in placed])


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
        "move leaks": "yes" if request.move else "",
        "nested": "yes" if request.nested else "",
        "preset": request.preset,
        "leave out": request.leave_out,
        "in time": request.in_time,
        "near-duplicates": request.alike,
    }
    return {key: value for key, value in settings.items() if value}
