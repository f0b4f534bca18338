"""A dataset described: its characteristics by partition (a paper's “table 1”), what is odd about it, planned splits."""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import LeakError
from medfm_gui.domain.split import Leak, Partition, Split
from medfm_gui.workspace import data
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.sources import SkippedGroup, skipped_groups

if TYPE_CHECKING:
    from medfm_gui.datasets.split import SplitRequest

NOT_RECORDED = "not recorded"
_FEW = 12
_SHOWN = 8
_MOST_SECTIONS = 40
_LISTED = 500
_FIRST = ("sex", "gender", "patient_sex", "age", "patient_age", "age_approx", "view", "view_position", "modality")
_AGES = ((0, 18, "0–17 years"), (18, 40, "18–39 years"), (40, 60, "40–59 years"), (60, 80, "60–79 years"))
_OLDEST = "80 years and older"
_AGE = re.compile(r"^0*(\d{1,3}(?:\.\d+)?)\s*([YMWD]?)(?:ears?)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SplitWish:
    """How a person wants a dataset divided; ``file`` by absolute path. See ``datasets.split.SplitRequest``."""

    ratios: str = ""
    by: str = "patient"
    seed: int = 0
    folds: int = 0
    official: bool = False
    file: str = ""
    accept: str = ""
    drop: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a characteristic: images that have it, in each column of the table."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A characteristic and its values."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Characteristics:
    """Images and patients in all and in each partition, and how classes and covariates stand there.

    ``columns`` begins with “all”; ``patients`` has None where none are known. A line's counts follow ``columns``.
    """

    dataset: str
    split: str
    columns: tuple[str, ...]
    images: tuple[int, ...]
    patients: tuple[int | None, ...]
    sections: tuple[Section, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Twins:
    """Images with the very same pixels; ``is_torn`` where their labels differ."""

    samples: tuple[str, ...]
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    is_torn: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """What is to be known of a dataset before it is used, and by what it can be divided.

    ``units`` are the words for ``SplitWish.by``: patient, image, group, covariates that repeat.
    """

    dataset: str
    warnings: tuple[str, ...]
    skipped: tuple[SkippedGroup, ...]
    n_skipped: int
    twins: tuple[Twins, ...]
    n_twins: int
    units: tuple[str, ...]
    has_patients: bool
    folds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeakLine:
    """A leak with the places of both images."""

    leak: Leak
    path_a: str
    path_b: str


@dataclass(frozen=True, slots=True)
class PlannedFold:
    """One division as it would be: its rule, images a partition, and images of each class a partition."""

    rule: str
    sizes: Mapping[str, int]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """What a split would be, nothing frozen yet. With leaks (and neither dropped nor accepted) there are no folds.

    ``n_drop`` is how many images dropping would take out.
    """

    columns: tuple[str, ...] = ()
    folds: tuple[PlannedFold, ...] = ()
    warnings: tuple[str, ...] = ()
    leaks: tuple[LeakLine, ...] = ()
    n_leaks: int = 0
    n_drop: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """What a frozen split has beside its row: leaks that were accepted, images that were dropped, classes by side."""

    split: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    leaks: tuple[LeakLine, ...] = ()
    dropped: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


def characteristics(workspace: Workspace, dataset_id: str, split_id: str = "") -> Characteristics:
    """Classes and covariates of a dataset, in all and by the partitions of a split.

    Raises:
        NotFound: the dataset or the split is not there.
    """
    dataset = data.read(workspace, dataset_id)
    side_of = _sides(data.splits_of(workspace, split_id)[0]) if split_id else {}
    columns = _columns(side_of)
    table = _Table(dataset.samples, columns, side_of)
    sections = [Section("Class", _class_lines(dataset, table))]
    chosen, left_out = _covariates(dataset.samples)
    sections += [Section(_title(name), table.lines(*_grouping(name, dataset.samples))) for name in chosen]
    return Characteristics(
        dataset_id, split_id, columns, table.images(), table.patients(), tuple(sections), tuple(left_out)
    )


def quality(workspace: Workspace, dataset_id: str) -> Quality:
    """Skipped files, warnings, identical images, and by what the dataset can be divided.

    Raises:
        NotFound: the dataset is not there.
    """
    dataset = data.read(workspace, dataset_id)
    twins = _twins(dataset)
    has_patients = dataset.n_patients is not None
    units = ["patient"] if has_patients else []
    units += ["image"]
    units += ["group"] if any(sample.group for sample in dataset.samples) else []
    units += _repeating(dataset.samples)
    return Quality(
        dataset=dataset_id,
        warnings=dataset.warnings,
        skipped=skipped_groups(dataset.skipped),
        n_skipped=len(dataset.skipped),
        twins=tuple(twins[:_LISTED]),
        n_twins=len(twins),
        units=tuple(units),
        has_patients=has_patients,
        folds=tuple(sorted({sample.fold for sample in dataset.samples if sample.fold})),
    )


def request_of(wish: SplitWish) -> SplitRequest:
    """The wish as the splitter takes it.

    Raises:
        UsageError: it contradicts itself.
    """
    from pathlib import Path

    from medfm_gui.datasets.split import SplitRequest

    file = Path(wish.file).expanduser().absolute() if wish.file else None
    return SplitRequest(
        wish.ratios, wish.by, wish.seed, wish.folds, wish.official, file, accept=wish.accept, drop=wish.drop
    )


def plan_split(workspace: Workspace, dataset_id: str, wish: SplitWish) -> SplitPlan:
    """Divide as ``data.make_split`` would and freeze nothing; leaks are told, not raised.

    Raises:
        SplitError, UsageError, TableError: the dataset cannot be divided like that.
    """
    from medfm_gui.datasets import split as dividing

    dataset = data.read(workspace, dataset_id)
    try:
        splits = dividing.make_split(dataset, request_of(wish))
    except LeakError as error:
        lines = _leak_lines(dataset, error.leaks)
        drop = len({leak.a for leak in error.leaks})
        return SplitPlan(leaks=lines, n_leaks=len(error.leaks), n_drop=drop, message=error.message)
    columns = tuple(side.value for side in Partition if any(split.sizes[side.value] for split in splits))
    folds = []
    for split in splits:
        table = _Table(dataset.samples, columns, _sides(split))
        folds.append(PlannedFold(split.rule, split.sizes, _class_lines(dataset, table)))
    warnings = dict.fromkeys(warning for split in splits for warning in split.warnings)
    return SplitPlan(columns, tuple(folds), tuple(warnings))


def split_facts(workspace: Workspace, dataset_id: str, split_id: str) -> SplitFacts:
    """A frozen split in full: accepted leaks with their places, dropped images, classes by side.

    Raises:
        NotFound: the dataset or the split is not there.
    """
    dataset = data.read(workspace, dataset_id)
    split = data.splits_of(workspace, split_id)[0]
    side_of = _sides(split)
    columns = _columns(side_of)[1:]
    lines = _class_lines(dataset, _Table(dataset.samples, columns, side_of))
    listed = split.dropped[:_LISTED]
    places = _places(dataset, set(listed))
    dropped = tuple(places.get(name, name) for name in listed)
    return SplitFacts(split_id, columns, lines, _leak_lines(dataset, split.leaks), dropped, split.settings)


# -- counting


class _Table:
    """Counts samples by column: “all”, then partitions."""

    def __init__(self, samples: Sequence[Sample], columns: Sequence[str], side_of: Mapping[str, str]) -> None:
        self._samples = samples
        self._columns = columns
        self._side_of = side_of

    def images(self) -> tuple[int, ...]:
        return self._row(Counter(self._side_of.get(sample.id, "") for sample in self._samples))

    def patients(self) -> tuple[int | None, ...]:
        everybody: set[str] = set()
        found: defaultdict[str, set[str]] = defaultdict(set)
        for sample in self._samples:
            if sample.patient is not None:
                everybody.add(sample.patient)
                found[self._side_of.get(sample.id, "")].add(sample.patient)
        return tuple((len(everybody if name == "all" else found[name]) or None) for name in self._columns)

    def lines(self, value_of: Callable[[Sample], str | Sequence[str]], order: Sequence[str] = ()) -> tuple[Line, ...]:
        """One line a value: those of ``order`` first, the others by frequency, what is not recorded last."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for sample in self._samples:
            values = value_of(sample)
            for value in (values,) if isinstance(values, str) else values:
                found[value][self._side_of.get(sample.id, "")] += 1
        place = {name: number for number, name in enumerate(order)}
        names = sorted(found, key=lambda name: (place.get(name, len(place)), *_rank(name, found[name].total())))
        return tuple(Line(name, self._row(found[name])) for name in names)

    def _row(self, counts: Counter[str]) -> tuple[int, ...]:
        return tuple(counts.total() if name == "all" else counts[name] for name in self._columns)


def _rank(name: str, count: int) -> tuple[int, int, str]:
    """Frequent values first, then “other”, then what is not recorded."""
    return (2 if name == NOT_RECORDED else 1 if name.startswith("other (") else 0, -count, name)


def _sides(split: Split) -> dict[str, str]:
    return {item.sample: item.partition.value for item in split.assignments}


def _columns(side_of: Mapping[str, str]) -> tuple[str, ...]:
    has = set(side_of.values())
    return ("all", *(side.value for side in Partition if side.value in has))


def _class_lines(dataset: Dataset, table: _Table) -> tuple[Line, ...]:
    names = dataset.classes
    if dataset.task is Task.MULTILABEL:
        return table.lines(
            lambda sample: [names[number] for number, value in enumerate(sample.target) if value == 1], order=names
        )
    return table.lines(lambda sample: names[sample.target[0]], order=names)


# -- covariates


def _covariates(samples: Sequence[Sample]) -> tuple[list[str], list[str]]:
    """Covariates worth a section, the usual ones first; and those left out because hardly a value repeats."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    filled: Counter[str] = Counter()
    for sample in samples:
        for name, value in sample.covariates.items():
            values[name].add(value)
            filled[name] += 1
    names = sorted(values, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    kept = [name for name in names if _is_age(name) or len(values[name]) <= max(_FEW, filled[name] // 2)]
    return kept[:_MOST_SECTIONS], [_title(name) for name in names if name not in kept[:_MOST_SECTIONS]]


def _repeating(samples: Sequence[Sample]) -> list[str]:
    """Covariates by which a dataset can be divided: every value stands for a site, a scanner, an era."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    filled: Counter[str] = Counter()
    for sample in samples:
        for name, value in sample.covariates.items():
            values[name].add(value)
            filled[name] += 1
    return sorted(name for name in values if 3 <= len(values[name]) <= filled[name] // 2)


def _is_age(name: str) -> bool:
    return re.sub(r"[\W_]+", "", name.casefold()) in {"age", "patientage", "ageapprox", "ageatstudy", "ageyears"}


def _title(name: str) -> str:
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


def _grouping(name: str, samples: Sequence[Sample]) -> tuple[Callable[[Sample], str], Sequence[str]]:
    """What a covariate's value counts as (its age group, its range, or itself where frequent), and the lines' order."""
    if _is_age(name):
        ages = [title for _, _, title in _AGES]
        return lambda sample: _age_group(sample.covariates.get(name, "")), [*ages, _OLDEST]
    counted = Counter(sample.covariates[name] for sample in samples if sample.covariates.get(name))
    if len(counted) <= _FEW:
        return lambda sample: sample.covariates.get(name) or NOT_RECORDED, ()
    bounds = _quartiles(counted)
    if bounds:
        return lambda sample: _range_of(sample.covariates.get(name, ""), bounds), _ranges(bounds)
    frequent = {value for value, _ in counted.most_common(_SHOWN)}
    rest = f"other ({len(counted) - _SHOWN} values)"
    return lambda sample: _itself(sample.covariates.get(name, ""), frequent, rest), ()


def _itself(value: str, frequent: set[str], rest: str) -> str:
    if not value:
        return NOT_RECORDED
    return value if value in frequent else rest


def _age_group(value: str) -> str:
    found = _AGE.match(value.strip())
    if not found:
        return NOT_RECORDED
    years = float(found[1]) / {"M": 12, "W": 52, "D": 365}.get(found[2].upper(), 1)
    return next((title for low, high, title in _AGES if low <= years < high), _OLDEST)


def _quartiles(counted: Counter[str]) -> tuple[float, ...]:
    """The bounds of four ranges of numbers with about as many images each; nothing where values are no numbers."""
    try:
        numbers = sorted(float(value) for value in counted.elements())
    except ValueError:
        return ()
    if not all(map(math.isfinite, numbers)):
        return ()
    places = [round(share * (len(numbers) - 1)) for share in (0, 0.25, 0.5, 0.75, 1)]
    return tuple(dict.fromkeys(numbers[place] for place in places))


def _ranges(bounds: Sequence[float]) -> list[str]:
    """Names of the ranges between bounds, the last one with its end."""
    last = len(bounds) - 2
    pairs = enumerate(itertools.pairwise(bounds))
    names = [f"{low:g} to {'' if number == last else 'below '}{high:g}" for number, (low, high) in pairs]
    return names or [f"{bounds[0]:g}"]


def _range_of(value: str, bounds: Sequence[float]) -> str:
    if not value:
        return NOT_RECORDED
    place = bisect.bisect_right(bounds, float(value)) - 1
    names = _ranges(bounds)
    return names[min(place, len(names) - 1)]


# -- identical images and leaks


def _twins(dataset: Dataset) -> list[Twins]:
    """Sets of images with the same pixels, those with different labels first."""
    by_pixels: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in dataset.samples:
        if sample.pixels_sha256:
            by_pixels[sample.pixels_sha256].append(sample)
    found = [_twins_of(dataset, sharing) for sharing in by_pixels.values() if len(sharing) > 1]
    return sorted(found, key=lambda twins: not twins.is_torn)


def _twins_of(dataset: Dataset, sharing: Sequence[Sample]) -> Twins:
    listed = sharing[:_SHOWN]
    return Twins(
        tuple(sample.id for sample in listed),
        tuple(map(_place, listed)),
        tuple(_label(dataset, sample) for sample in listed),
        len({sample.target for sample in sharing}) > 1,
    )


def _label(dataset: Dataset, sample: Sample) -> str:
    if dataset.task is not Task.MULTILABEL:
        return dataset.classes[sample.target[0]]
    found = [dataset.classes[number] for number, value in enumerate(sample.target) if value == 1]
    return ", ".join(found) or "no finding"


def _leak_lines(dataset: Dataset, leaks: Sequence[Leak]) -> tuple[LeakLine, ...]:
    listed = leaks[:_LISTED]
    wanted = {name for leak in listed for name in (leak.a, leak.b)}
    places = _places(dataset, wanted)
    return tuple(LeakLine(leak, places.get(leak.a, leak.a), places.get(leak.b, leak.b)) for leak in listed)


def _places(dataset: Dataset, wanted: Collection[str]) -> dict[str, str]:
    return {sample.id: _place(sample) for sample in dataset.samples if sample.id in wanted}


def _place(sample: Sample) -> str:
    return sample.path if sample.frame is None else f"{sample.path} {sample.frame}"
