"""A dataset described: its characteristics by partition (a paper's “table 1”), what is odd about it, planned splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import LeakError
from medfm_gui.domain.split import Certificate, Leak, LeakKind, Partition, Split
from medfm_gui.workspace import covariates, data, near, sealing
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.sources import SkippedGroup, skipped_groups

if TYPE_CHECKING:
    from medfm_gui.datasets.split import SplitRequest

PATIENTS_BY_CLASS = "Patients with a class"
_SHOWN = 8
_LISTED = 500


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
    nested: bool = False
    preset: str = ""
    leave_out: str = ""
    in_time: str = ""
    move: bool = False
    alike: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a characteristic: images that have it, in each column of the table; None where that is hidden."""

    name: str
    counts: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A characteristic and its values. ``wholes`` are what its counts are of: images, or patients, in each column."""

    title: str
    lines: tuple[Line, ...]
    wholes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Characteristics:
    """Images and patients in all and in each partition, and how classes and covariates stand there.

    ``columns`` begins with “all”; ``patients`` has None where none are known. A line's counts follow ``columns``.
    ``n_hidden`` images stand in a sealed test: counts of classes, and of covariates that may tell them, are without.
    """

    dataset: str
    split: str
    columns: tuple[str, ...]
    images: tuple[int, ...]
    patients: tuple[int | None, ...]
    sections: tuple[Section, ...]
    left_out: tuple[str, ...] = ()
    n_hidden: int = 0


@dataclass(frozen=True, slots=True)
class Twins:
    """Images with the very same pixels; ``is_torn`` where labels that are shown differ.

    ``has_hidden``: one of them is in a sealed test, so whether its label is the same is not told.
    """

    samples: tuple[str, ...]
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    is_torn: bool
    has_hidden: bool = False


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
    presets: tuple[tuple[str, str], ...] = ()
    """Published rules for this layout: name and title."""
    sites: tuple[str, ...] = ()
    """Covariates whose values can be left out one by one."""
    times: tuple[str, ...] = ()
    """Covariates that hold dates or numbers."""


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
    wholes: tuple[int, ...] = ()
    """What the counts of the lines are of in each column: images whose labels are not hidden."""


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
    suspects: tuple[LeakLine, ...] = ()
    n_suspects: int = 0
    near: str = ""
    """Why near-duplicates were not compared yet; empty where they were."""
    near_unseen: str = ""
    """Why there was no image to compare for near-duplicates; empty where there were some."""


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """What a frozen split has beside its row: leaks that were accepted, images that were dropped, classes by side."""

    split: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    leaks: tuple[LeakLine, ...] = ()
    dropped: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    certificate: Certificate | None = None
    suspects: tuple[LeakLine, ...] = ()
    as_published: bool = False
    wholes: tuple[int, ...] = ()
    """What the counts of the lines are of in each column: images whose labels are not hidden."""


def characteristics(workspace: Workspace, dataset_id: str, split_id: str = "") -> Characteristics:
    """Classes and covariates of a dataset, in all and by the partitions of a split.

    Raises:
        NotFound: the dataset or the split is not there.
    """
    dataset = data.read(workspace, dataset_id)
    side_of = _sides(data.splits_of(workspace, split_id)[0]) if split_id else {}
    columns = _columns(side_of)
    table = _Table(dataset.samples, columns, side_of)
    hidden = sealing.sealed_samples(workspace, dataset_id)
    seen = table.without(hidden)
    sections = [Section("Class", _class_lines(dataset, seen), seen.images())]
    if dataset.n_patients is not None and dataset.task is not Task.SEGMENTATION:
        patients = tuple(number or 0 for number in seen.patients())
        sections.append(Section(PATIENTS_BY_CLASS, seen.patients_of(dataset), patients))
    chosen, left_out = covariates.listed(dataset.samples)
    for name in chosen:
        counted = table if sealing.is_neutral(name) else seen
        lines = counted.lines(*covariates.grouping(name, dataset.samples))
        sections.append(Section(covariates.title(name), lines, counted.images()))
    return Characteristics(
        dataset_id, split_id, columns, table.images(), table.patients(), tuple(sections), tuple(left_out), len(hidden)
    )


def quality(workspace: Workspace, dataset_id: str) -> Quality:
    """Skipped files, warnings, identical images, and by what the dataset can be divided.

    Raises:
        NotFound: the dataset is not there.
    """
    from medfm_gui.datasets.published_rules import presets_of

    dataset = data.read(workspace, dataset_id)
    twins = _twins(dataset, sealing.sealed_samples(workspace, dataset_id))
    has_patients = dataset.n_patients is not None
    units = ["patient"] if has_patients else []
    units += ["image"]
    units += ["group"] if any(sample.group for sample in dataset.samples) else []
    units += covariates.repeating(dataset.samples)
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
        presets=presets_of(dataset),
        sites=tuple(covariates.sites(dataset.samples)),
        times=tuple(covariates.times(dataset.samples)),
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
        wish.ratios,
        wish.by,
        wish.seed,
        wish.folds,
        wish.official,
        file,
        accept=wish.accept,
        drop=wish.drop,
        nested=wish.nested,
        preset=wish.preset,
        leave_out=wish.leave_out,
        in_time=wish.in_time,
        move=wish.move,
        alike=wish.alike,
    )


def plan_split(workspace: Workspace, dataset_id: str, wish: SplitWish) -> SplitPlan:
    """Divide as ``data.make_split`` would and freeze nothing; leaks are told, not raised.

    Raises:
        SplitError, UsageError, TableError: the dataset cannot be divided like that.
    """
    from medfm_gui.datasets import split as dividing

    dataset = data.read(workspace, dataset_id)
    hidden = sealing.sealed_samples(workspace, dataset_id)
    looked = near.known(workspace, dataset)
    wish = wish if looked.found else replace(wish, alike="")  # they are looked for when the split is made
    try:
        splits = dividing.make_split(dataset, request_of(wish), near=looked.found, near_reason=looked.reason)
    except LeakError as error:
        lines = _leak_lines(dataset, error.leaks, hidden)
        drop = len({leak.a for leak in error.leaks})
        return SplitPlan(leaks=lines, n_leaks=len(error.leaks), n_drop=drop, message=error.message)
    splits = tuple(split for split in splits if split.family == splits[0].family)
    columns = tuple(side.value for side in Partition if any(split.sizes[side.value] for split in splits))
    folds = []
    for split in splits:
        table = _Table(dataset.samples, columns, _sides(split)).without(hidden)
        folds.append(PlannedFold(split.rule, split.sizes, _class_lines(dataset, table), table.images()))
    warnings = dict.fromkeys(warning for split in splits for warning in split.warnings)
    warnings |= dict.fromkeys(hidden_words(len(hidden)))
    doubtful = dict.fromkeys(leak for split in splits if split.certificate for leak in split.certificate.suspects)
    return SplitPlan(
        columns,
        tuple(folds),
        tuple(warnings),
        suspects=_leak_lines(dataset, tuple(doubtful), hidden),
        n_suspects=len(doubtful),
        near=looked.reason,
        near_unseen=_near_unseen(splits[0]),
    )


def hidden_words(number: int) -> tuple[str, ...]:
    """Why classes do not add up to the images, where labels of a sealed test are hidden; nothing where none are."""
    if number <= 0:
        return ()
    said, them = ("1 image is", "it") if number == 1 else (f"{number:,} images are", "them")
    return (f"{said} in a test that is still sealed: classes are counted without {them}.",)


def _near_unseen(split: Split) -> str:
    looks = split.certificate.checks if split.certificate else ()
    return next((look.reason for look in looks if look.kind is LeakKind.NEAR and not look.compared), "")


def split_facts(workspace: Workspace, dataset_id: str, split_id: str) -> SplitFacts:
    """A frozen split in full: accepted leaks with their places, dropped images, classes by side.

    Raises:
        NotFound: the dataset or the split is not there.
    """
    dataset = data.read(workspace, dataset_id)
    split = data.splits_of(workspace, split_id)[0]
    side_of = _sides(split)
    columns = _columns(side_of)[1:]
    hidden = sealing.sealed_samples(workspace, dataset_id)
    table = _Table(dataset.samples, columns, side_of).without(hidden)
    lines = _class_lines(dataset, table)
    listed = split.dropped[:_LISTED]
    places = _places(dataset, set(listed) - hidden)
    dropped = tuple(places.get(name, name) for name in listed)
    return SplitFacts(
        split_id,
        columns,
        lines,
        _leak_lines(dataset, split.leaks, hidden),
        dropped,
        split.settings,
        certificate=split.certificate,
        suspects=_leak_lines(dataset, split.certificate.suspects, hidden) if split.certificate else (),
        as_published=split.as_published,
        wholes=table.images(),
    )


# -- counting


class _Table:
    """Counts samples by column: “all”, then partitions."""

    def __init__(self, samples: Sequence[Sample], columns: Sequence[str], side_of: Mapping[str, str]) -> None:
        self._samples = samples
        self._columns = columns
        self._side_of = side_of
        self._covered: frozenset[str] = frozenset()

    def without(self, hidden: frozenset[str]) -> _Table:
        """The same table without some samples; a partition that has nothing else counts as hidden."""
        if not hidden:
            return self
        seen = [sample for sample in self._samples if sample.id not in hidden]
        table = _Table(seen, self._columns, self._side_of)
        there = {self._side_of.get(sample.id, "") for sample in seen}
        table._covered = frozenset(name for name in self._columns if name != "all" and name not in there)
        return table

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
        return tuple(Line(name, self._masked(self._row(found[name]))) for name in names)

    def patients_of(self, dataset: Dataset) -> tuple[Line, ...]:
        """Patients with at least one image of each class; a patient may stand in several lines."""
        found: list[defaultdict[str, set[str]]] = [defaultdict(set) for _ in dataset.classes]
        for sample in self._samples:
            if sample.patient is None or not sample.target:
                continue
            multi = dataset.task is Task.MULTILABEL
            shown = [place for place, value in enumerate(sample.target) if value == 1] if multi else sample.target
            for place in shown:
                found[place][self._side_of.get(sample.id, "")].add(sample.patient)
                found[place]["all"].add(sample.patient)
        return tuple(
            Line(name, self._masked(tuple(len(one[column]) for column in self._columns)))
            for name, one in zip(dataset.classes, found, strict=True)
        )

    def _masked(self, counts: tuple[int, ...]) -> tuple[int | None, ...]:
        return tuple(
            None if name in self._covered else number for name, number in zip(self._columns, counts, strict=True)
        )

    def _row(self, counts: Counter[str]) -> tuple[int, ...]:
        return tuple(counts.total() if name == "all" else counts[name] for name in self._columns)


def _rank(name: str, count: int) -> tuple[int, int, str]:
    """Frequent values first, then “other”, then what is not recorded."""
    return (2 if name == covariates.NOT_RECORDED else 1 if name.startswith("other (") else 0, -count, name)


def _sides(split: Split) -> dict[str, str]:
    return {item.sample: item.partition.value for item in split.assignments}


def _columns(side_of: Mapping[str, str]) -> tuple[str, ...]:
    has = set(side_of.values())
    return ("all", *(side.value for side in Partition if side.value in has))


def _class_lines(dataset: Dataset, table: _Table) -> tuple[Line, ...]:
    names = dataset.classes
    if dataset.task is Task.SEGMENTATION:
        return table.lines(lambda sample: "with masks" if sample.masks else "without masks")
    if dataset.task is Task.MULTILABEL:
        return table.lines(
            lambda sample: [names[number] for number, value in enumerate(sample.target) if value == 1], order=names
        )
    return table.lines(lambda sample: names[sample.target[0]], order=names)


# -- identical images and leaks


def _twins(dataset: Dataset, hidden: frozenset[str]) -> list[Twins]:
    """Sets of images with the same pixels, those with different labels first; of hidden ones no label is told."""
    by_pixels: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in dataset.samples:
        if sample.pixels_sha256:
            by_pixels[sample.pixels_sha256].append(sample)
    found = [_twins_of(dataset, sharing, hidden) for sharing in by_pixels.values() if len(sharing) > 1]
    return sorted(found, key=lambda twins: not twins.is_torn)


def _twins_of(dataset: Dataset, sharing: Sequence[Sample], hidden: frozenset[str]) -> Twins:
    listed = sharing[:_SHOWN]
    shown = {sample.target for sample in sharing if sample.id not in hidden}
    return Twins(
        tuple(sample.id for sample in listed),
        tuple(sample.id if sample.id in hidden else _place(sample) for sample in listed),
        tuple("hidden" if sample.id in hidden else _label(dataset, sample) for sample in listed),
        len(shown) > 1,
        any(sample.id in hidden for sample in sharing),
    )


def _label(dataset: Dataset, sample: Sample) -> str:
    if dataset.task is Task.SEGMENTATION:
        return "masks" if sample.masks else "no mask"
    if dataset.task is not Task.MULTILABEL:
        return dataset.classes[sample.target[0]]
    found = [dataset.classes[number] for number, value in enumerate(sample.target) if value == 1]
    return ", ".join(found) or "no finding"


def _leak_lines(dataset: Dataset, leaks: Sequence[Leak], hidden: frozenset[str]) -> tuple[LeakLine, ...]:
    """The first of them with their places; of a sealed test only ids, for the name of a file may tell a label."""
    listed = leaks[:_LISTED]
    wanted = {name for leak in listed for name in (leak.a, leak.b)}
    places = _places(dataset, wanted - hidden)
    return tuple(LeakLine(leak, places.get(leak.a, leak.a), places.get(leak.b, leak.b)) for leak in listed)


def _places(dataset: Dataset, wanted: Collection[str]) -> dict[str, str]:
    return {sample.id: _place(sample) for sample in dataset.samples if sample.id in wanted}


def _place(sample: Sample) -> str:
    return sample.path if sample.frame is None else f"{sample.path} {sample.frame}"
