"""The divisions of two published studies, repeated from their public code; each rule is one function, listed in RULES.

As published they keep their leaks, so that a result can be set beside the printed one. The corrected variants have the
same shares with patients and lesions kept together. What the code leaves open is said in the rule's words.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.datasets.published import find_file
from medfm_gui.datasets.table import read_table
from medfm_gui.datasets.text import natural, plain_name
from medfm_gui.datasets.walk import without_image_suffix
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import SplitError, TableError, UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import counted

_SEED = 42
AS_PUBLISHED = "-as-published"
STUDIES = ("study-a", "study-b")
REASON = "Repeats the published rule with its leaks, to be set beside the published numbers."
"""Why a split as published may leak: written by the preset itself."""


@dataclass(frozen=True, slots=True)
class Published:
    """A rule applied: what it is called, sample id → side, and what is to be said of it."""

    rule: str
    partition_of: Mapping[str, Partition]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A study's rule for one layout.

    ``corrected`` holds the shares by which the corrected variant is dealt out; without them the corrected variant is
    the published division with whole groups moved to the more guarded side.
    """

    study: str
    layout: str
    title: str
    divide: Callable[[Dataset], Published]
    corrected: str = ""


def presets_of(dataset: Dataset) -> tuple[tuple[str, str], ...]:
    """Names of the presets that this dataset's layout has, each with a title."""
    found = []
    for rule in RULES:
        if rule.layout == dataset.layout and not (rule.layout == "msd" and _msd_sizes(dataset) is None):
            found.append((rule.study, f"{_title(rule.study)}, corrected"))
            found.append((rule.study + AS_PUBLISHED, f"{_title(rule.study)} as published: {rule.title}"))
    return tuple(found)


def rule_of(dataset: Dataset, preset: str) -> Rule:
    """The rule that a preset means for a dataset.

    Raises:
        UsageError: there is no such preset for this layout.
    """
    study = preset.removesuffix(AS_PUBLISHED)
    for rule in RULES:
        if rule.study == study and rule.layout == dataset.layout:
            return rule
    there = ", ".join(name for name, _ in presets_of(dataset)) or "none"
    raise UsageError(
        f"“{preset}” has no rule for a dataset of the layout “{dataset.layout}”.",
        f"Presets for it are: {there}. Without --preset, --ratios and --by make a split.",
    )


def _title(study: str) -> str:
    return study.replace("-", " ").capitalize().replace(" a", " A").replace(" b", " B")


# -- what the rules share


def _every(items: Sequence[str], step: int) -> list[str]:
    return list(items[::step])


def _evenly(items: Sequence[str], number: int) -> list[str]:
    """``number`` of the items, evenly spaced as ``round(i * n / number)``."""
    return [items[min(len(items) - 1, round(place * len(items) / number))] for place in range(number)]


def _sides_of_units(
    dataset: Dataset, unit_of: Callable[[Sample], str], test: Sequence[str], val: Sequence[str]
) -> dict[str, Partition]:
    guarded = {**dict.fromkeys(val, Partition.VAL), **dict.fromkeys(test, Partition.TEST)}
    return {sample.id: guarded.get(unit_of(sample), Partition.TRAIN) for sample in dataset.samples}


def _without(items: Sequence[str], gone: Sequence[str]) -> list[str]:
    away = set(gone)
    return [item for item in items if item not in away]


def _place(sample: Sample) -> str:
    return sample.path if sample.frame is None else f"{sample.path}#{sample.frame:06d}"


def _in_training(dataset: Dataset) -> list[Sample]:
    """Samples that the release calls training, or all where it has no sides."""
    named = [sample for sample in dataset.samples if sample.fold == "train"]
    return named or list(dataset.samples)


def _in_order_of(
    dataset: Dataset, samples: Sequence[Sample], tables: Sequence[str], column: str
) -> tuple[list[Sample], tuple[str, ...]]:
    """The samples in the order of the release's table; in the order of their names where it is not there any more."""
    try:
        path = find_file(Path(dataset.source), *tables)
        table = read_table(path) if path else None
    except (OSError, TableError):
        table = None
    names = {plain_name(name): name for name in table.columns} if table else {}
    if table is None or plain_name(column) not in names:
        said = f"{' or '.join(tables)} is not at the source any more, so images are taken in the order of their names."
        return sorted(samples, key=_place), (said,)
    by_name = {without_image_suffix(sample.path.rpartition("/")[2]): sample for sample in samples}
    by_name |= {without_image_suffix(sample.path): sample for sample in samples}
    found: dict[str, Sample] = {}
    for cell in table.column(names[plain_name(column)]):
        place = without_image_suffix(cell.replace("\\", "/"))
        known = by_name.get(place) or by_name.get(place.partition("/")[2]) or by_name.get(place.rpartition("/")[2])
        if known is not None:
            found.setdefault(known.id, known)
    rest = [sample for sample in samples if sample.id not in found]
    said = f"{counted(len(rest), 'image')} the table does not name stand behind the others."
    return [*found.values(), *sorted(rest, key=_place)], (said,) if rest else ()


def _folds(dataset: Dataset) -> dict[str, Partition]:
    known = {side.value: side for side in Partition}
    return {sample.id: known[sample.fold] for sample in dataset.samples if sample.fold in known}


def _official(name: str) -> Callable[[Dataset], Published]:
    """The lists or sides that the release itself brings."""

    def divide(dataset: Dataset) -> Published:
        sides = _folds(dataset)
        lacking = {Partition.TRAIN, Partition.TEST} - set(sides.values())
        if lacking:
            raise SplitError(
                f"The dataset lacks {' and '.join(sorted(side.value for side in lacking))} of {name}.",
                "Import the release with its lists, or make a split with --ratios.",
            )
        return Published(name, sides)

    return divide


def _shuffled(tables: Sequence[str], column: str, share: float) -> Callable[[Dataset], Published]:
    """Study A's division by image: places shuffled with seed 42; the first ``share`` is validation, then test."""

    def divide(dataset: Dataset) -> Published:
        samples, said = _in_order_of(dataset, _in_training(dataset), tables, column)
        places = list(range(len(samples)))
        random.Random(_SEED).shuffle(places)  # noqa: S311 - the published rule; nothing secret
        held = int(share * len(samples))
        half = held // 2
        sides = {
            samples[place].id: Partition.VAL if rank < half else Partition.TEST if rank < held else Partition.TRAIN
            for rank, place in enumerate(places)
        }
        return Published(f"random.Random({_SEED}).shuffle by image, {share:.0%} for validation and test", sides, said)

    return divide


# -- Study A


def _chexpert_slices(dataset: Dataset) -> Published:
    """train.csv sorted by path and cut by row labels, which are those before sorting.

    The cut at a label is inclusive, so the study counts two rows twice; here such a row stands on the more guarded
    side alone.
    """
    samples, said = _in_order_of(dataset, _in_training(dataset), ("train.csv",), "Path")
    order = sorted(range(len(samples)), key=lambda label: _place(samples[label]))
    last = int(0.2 * len(samples)) + 15
    if last >= len(samples):
        raise SplitError("The dataset is too small for this rule (20 % and 15 rows).", "Use --ratios.")
    place_of = {label: place for place, label in enumerate(order)}
    middle, end = place_of[last // 2], place_of[last]
    if not middle < end < len(order) - 1:
        raise SplitError("The order of train.csv leaves a side without images.", "Use the released table.")
    sides = {
        samples[label].id: Partition.VAL if place < middle else Partition.TEST if place <= end else Partition.TRAIN
        for place, label in enumerate(order)
    }
    twice = (
        "Two rows that the published code counts twice (validation and test, test and training) stand in test alone."
    )
    return Published(
        "train.csv sorted by path, first 20 % and 15 rows for validation, then test", sides, (*said, twice)
    )


# -- Study B


def _sars(dataset: Dataset) -> Published:
    patients = sorted(
        {sample.patient or sample.id for sample in dataset.samples}, key=lambda who: _first_path(dataset, who)
    )
    test = _every(patients, 3)
    rest = _without(patients, test)
    val = _evenly(rest, max(1, round(len(rest) * 50 / 140)))
    sides = _sides_of_units(dataset, lambda sample: sample.patient or sample.id, test, val)
    return Published("every 3rd patient is test, evenly spaced patients of the rest validation (folders sorted)", sides)


def _first_path(dataset: Dataset, patient: str) -> tuple[tuple[int, int, str], ...]:
    return natural(next(_place(one) for one in dataset.samples if (one.patient or one.id) == patient))


def _brain_tumor(dataset: Dataset) -> Published:
    order = sorted(dataset.samples, key=lambda sample: natural(_place(sample)))
    patients = list(dict.fromkeys(sample.patient or sample.id for sample in order))
    test = _evenly(patients, max(1, round(len(patients) * 70 / 233)))
    rest = _without(patients, test)
    val = _evenly(rest, max(1, round(len(patients) * 50 / 233)))
    sides = _sides_of_units(dataset, lambda sample: sample.patient or sample.id, test, val)
    return Published("patients in order of first appearance, evenly spaced for test, then for validation", sides)


def _every_nth(test_step: int, val_step: int) -> Callable[[Dataset], Published]:
    """Every nth image is test, every mth of the rest validation."""

    def divide(dataset: Dataset) -> Published:
        names = [sample.id for sample in sorted(dataset.samples, key=_place)]
        test = _every(names, test_step)
        val = _every(_without(names, test), val_step)
        rule = f"every {_nth(test_step)} image is test, every {_nth(val_step)} of the rest validation (names sorted)"
        return Published(rule, _sides_of_units(dataset, lambda sample: sample.id, test, val))

    return divide


def _nth(number: int) -> str:
    return f"{number}{ {2: 'nd', 3: 'rd'}.get(number, 'th') }"


_MSD: Mapping[str, tuple[int, int, int]] = {"hippocampus": (120, 60, 80), "spleen": (16, 10, 15)}
"""Volumes of Study B's sides; those of Heart were not published."""


def _msd_sizes(dataset: Dataset) -> tuple[int, int, int] | None:
    said = f"{dataset.name} {dataset.source} {dataset.samples[0].path}".casefold()
    return next((sizes for name, sizes in _MSD.items() if name in said), None)


def _msd(dataset: Dataset) -> Published:
    sizes = _msd_sizes(dataset)
    if sizes is None:
        raise UsageError(
            "How Study B divided this task is not published (only Hippocampus and Spleen are).", "Use --ratios."
        )
    return _even_volumes(dataset, [sample.id for sample in sorted(dataset.samples, key=_place)], sizes)


def _amos(dataset: Dataset) -> Published:
    scans = [sample for sample in dataset.samples if sample.covariates.get("modality", "CT").upper() == "CT"]
    names = [sample.id for sample in sorted(scans, key=_place)]
    chosen = sorted(set(_evenly(names, 150)), key=names.index) if len(names) > 150 else names
    return _even_volumes(dataset, chosen, (80, 20, 50))


def _even_volumes(dataset: Dataset, names: Sequence[str], sizes: tuple[int, int, int]) -> Published:
    whole = sum(sizes)
    test = _evenly(names, max(1, round(len(names) * sizes[2] / whole)))
    rest = _without(names, test)
    val = _evenly(rest, max(1, round(len(names) * sizes[1] / whole)))
    taken = set(names)
    sides = _sides_of_units(dataset, lambda sample: sample.id, test, val)
    sides = {one: side for one, side in sides.items() if one in taken}
    return Published("volumes evenly spaced for test, then for validation (names sorted)", sides)


def _btcv(dataset: Dataset) -> Published:
    names = [sample.id for sample in sorted(dataset.samples, key=_place)]
    tested = [sample.id for sample in dataset.samples if sample.fold == "test"]
    if not tested:
        raise SplitError(
            "Study B tests on the 20 volumes of BTCV whose labels were not released.",
            "Make a split of the labelled volumes with --ratios.",
        )
    rest = _without(names, tested)
    sides = _sides_of_units(dataset, lambda sample: sample.id, tested, _every(rest[1:], 2))
    return Published("alternate volumes train and validate, the released test is test", sides)


RULES: tuple[Rule, ...] = (
    Rule("study-a", "ddsm", "its three lists", _official("lists of DDSM (train, val, test)")),
    Rule(
        "study-a",
        "isic2019",
        "80/10/10 by image",
        _shuffled(("ISIC_2019_Training_GroundTruth.csv",), "image", 0.2),
        "80/10/10",
    ),
    Rule(
        "study-a", "aptos2019", "70/15/15 by image", _shuffled(("train_1.csv", "train.csv"), "id_code", 0.3), "70/15/15"
    ),
    Rule("study-a", "chexpert", "80/10/10, slices of train.csv", _chexpert_slices, "80/10/10"),
    Rule("study-b", "nih-cxr14", "official lists", _official("official lists of NIH ChestX-ray14")),
    Rule("study-b", "chexpert", "official validation and test", _official("official sides of CheXpert")),
    Rule("study-b", "sars-cov2-ct", "every 3rd patient", _sars),
    Rule("study-b", "brain-tumor", "patients evenly spaced", _brain_tumor),
    Rule("study-b", "montgomery", "every 3rd image", _every_nth(3, 4)),
    Rule("study-b", "shenzhen", "every 5th image", _every_nth(5, 5)),
    Rule("study-b", "msd", "volumes evenly spaced", _msd),
    Rule("study-b", "amos22", "volumes evenly spaced", _amos),
    Rule("study-b", "btcv", "alternate volumes", _btcv),
)
"""All published rules."""
