"""The way from a source to a Dataset: choose the layout, list, label, decode, and say what was left out and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from medfm_gui.datasets.fingerprint import dataset_fingerprint
from medfm_gui.datasets.ingest_volumes import read_volumes
from medfm_gui.datasets.labels import Labelling, label
from medfm_gui.datasets.layout import Decoder, Tools
from medfm_gui.datasets.layouts import choose, entered
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing, Picture
from medfm_gui.datasets.named_paths import without_names
from medfm_gui.datasets.pixel_sources import sources_of, write_sources
from medfm_gui.datasets.pixels import Cached, ShardWriter, write_index
from medfm_gui.datasets.pseudonym import pseudonym
from medfm_gui.datasets.published import difference, packed_in
from medfm_gui.datasets.text import examples, shown
from medfm_gui.datasets.walk import has_dicom_mark
from medfm_gui.datasets.watched import Watched
from medfm_gui.domain.dataset import Dataset, Sample, Skipped, Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.units import counted
from medfm_gui.imaging.file_facts import FileFacts

__all__ = ["ImportOptions", "read_source"]

Progress = Callable[[int, int], None]
_ABSENT = ("missing_image", "not_found")
_CONFOUNDERS = ("modality", "body_part", "presentation_intent")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding told of one entry."""

    rows: int
    columns: int
    sha256: str
    header: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    cached: Cached | None = None
    file: FileFacts | None = None


def read_source(
    layout: str,
    source: Path,
    options: ImportOptions,
    *,
    dataset_id: str,
    name: str,
    pixels: Path | None,
    pool: Decoder,
    key: bytes,
    created: str = "",
    on_progress: Progress | None = None,
) -> Dataset:
    """Read a source as a dataset. Nothing of the source is changed.

    Args:
        layout: a layout's name, or ``auto``.
        pixels: an existing empty folder for the pixel cache; None looks at everything and writes nothing.
        pool: decodes foreign files; it writes its pixels into the same folder.
        key: the workspace's secret for patient pseudonyms.
        on_progress: told (done, all) while headers or records are read, then again from 0 while pictures are decoded.

    Raises:
        InputError: the source has no usable image, one class only, or cannot be read as that layout.
        TableError: a table lacks what is needed.
        UsageError: the options do not fit, or the layout has no such policy, value or preset.
    """
    if not source.exists():
        raise InputError(f"“{shown(str(source))}” does not exist.", "Check the path.")
    asked, source = source, entered(source) if layout == "auto" else source
    chosen, reason = choose(layout, source)
    if source != asked:
        reason += f"; in “{shown(source.relative_to(asked).as_posix())}”, all that the folder holds"
    options = replace(options, policies=chosen.chosen(options))
    on_progress = on_progress or _silent
    listing = chosen.read(source, options, Tools(Watched(pool, on_progress), key))
    listing = without_names(_sorted(_with_patients_of_headers(listing, pool, key)), pool, key)
    if listing.task is Task.SEGMENTATION:
        read = _volumes(listing, options, pixels, pool, on_progress)
    else:
        read = _pictures(listing, options, pixels, pool, on_progress)
    listing, labelling, samples, skipped = read.listing, read.labelling, read.samples, read.skipped
    warnings = (*_unlike_published(listing), *_still_packed(listing), *_unused(listing, options))
    warnings = (*warnings, *listing.warnings, *labelling.warnings)
    warnings = (*warnings, *_remarks(samples, read.notes))
    if pixels:
        write_index(pixels, read.cached)
        write_sources(pixels, sources_of(listing, samples, read.files))
    return Dataset(
        id=dataset_id,
        name=name,
        layout=listing.layout,
        task=labelling.task,
        classes=labelling.classes,
        source=shown(str(listing.root.absolute()), longest=4096),
        samples=samples,
        fingerprint=dataset_fingerprint(labelling.task, labelling.classes, samples),
        positive=labelling.positive,
        created=created,
        taken={"layout": f"{listing.layout} ({reason})", **listing.taken, **labelling.taken},
        warnings=warnings,
        skipped=(*listing.skipped, *skipped),
        counts=listing.counts,
        policies=options.policies if listing.policies is None else listing.policies,
        statement=listing.statement,
    )


def _still_packed(listing: Listing) -> list[str]:
    """A warning where images are missing and archives lie about, which are not looked into."""
    missing = sum(item.reason in _ABSENT for item in listing.skipped)
    packed = packed_in(listing.root) if missing else []
    if not packed:
        return []
    return [f"{counted(missing, 'image')} missing, and {examples(packed)} may not be unpacked (or not wholly) yet."]


def _unused(listing: Listing, options: ImportOptions) -> list[str]:
    """A warning where columns were named for a release, which knows its own."""
    named = ("labels", "path", "patient", "group", "fold", "join", "table", "images")
    said = [name for name in named if getattr(options, name)]
    if not listing.counts or not said:
        return []
    return [f"The layout “{listing.layout}” knows its own columns and folders; not used: {', '.join(said)}."]


@dataclass(frozen=True, slots=True)
class _Read:
    """Entries that became samples, with what was noted of each, and the file it was read from."""

    listing: Listing
    labelling: Labelling
    samples: tuple[Sample, ...]
    cached: Mapping[str, Cached]
    skipped: tuple[Skipped, ...]
    notes: tuple[tuple[str, ...], ...]
    files: tuple[FileFacts | None, ...]


def _pictures(
    listing: Listing, options: ImportOptions, pixels: Path | None, pool: Decoder, on_progress: Progress
) -> _Read:
    """Label and decode every picture."""
    labelling = _labelling(listing, options)
    listing, labelling = _without_unlabelled(listing, labelling)
    decoded, skipped = _decode(listing, pixels, pool, on_progress)
    listing, labelling = _of_readable(listing, labelling, options, decoded, skipped)
    samples, cached = _samples(listing.entries, labelling, decoded)
    facts = [decoded[number] for number in sorted(decoded)]
    notes, files = tuple(fact.notes for fact in facts), tuple(fact.file for fact in facts)
    return _Read(listing, labelling, samples, cached, tuple(skipped), notes, files)


def _volumes(
    listing: Listing, options: ImportOptions, pixels: Path | None, pool: Decoder, on_progress: Progress
) -> _Read:
    """Open every image of a segmentation with its masks.

    Raises:
        UsageError: another task or a positive class was asked for.
    """
    if options.task not in ("", Task.SEGMENTATION) or options.positive:
        raise UsageError(
            f"“{listing.layout}” holds masks: its task is segmentation, without a positive class.",
            "Leave out --task and --positive.",
        )
    found = read_volumes(listing, pixels=pixels, pool=pool, on_progress=on_progress)
    files = tuple(None for _ in found.samples)
    return _Read(found.listing, found.labelling, found.samples, found.cached, found.skipped, found.notes, files)


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def _sorted(listing: Listing) -> Listing:
    """Entries in one order on every system, whatever the order of rows or of the folder's listing.

    Raises:
        InputError: there are none.
    """
    if not listing.entries:
        packed = packed_in(listing.root)
        hint = f"Unpack {examples(packed)} first." if packed else "Check the source, or name another layout."
        raise InputError(_nothing("No image was found", listing.skipped), hint)
    order = sorted(listing.entries, key=lambda entry: (entry.path, entry.frame or 0, entry.file))
    return replace(listing, entries=tuple(order))


def _nothing(what: str, skipped: Sequence[Skipped]) -> str:
    reasons = Counter(item.reason for item in skipped)
    why = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common(5))
    return f"{what}: {counted(len(skipped), 'file or row', 'files or rows')} skipped ({why})." if why else f"{what}."


def _with_patients_of_headers(listing: Listing, pool: Decoder, key: bytes) -> Listing:
    """DICOM files say whose image they are: used wherever the layout itself knows no patients."""
    if listing.pictures or any(entry.patient for entry in listing.entries):
        return listing
    dicom = [Path(entry.file) for entry in listing.entries if has_dicom_mark(Path(entry.file))]
    names = {
        str(result.path): pseudonym(key, result.header.patient_id)
        for result in (pool.headers(dicom) if dicom else ())
        if result.ok and result.header and result.header.patient_id.strip()
    }
    if not names:
        return listing
    entries = tuple(replace(entry, patient=names.get(entry.file)) for entry in listing.entries)
    taken = {**listing.taken, "patient": "PatientID of the files, kept as pseudonyms"}
    return replace(listing, entries=entries, taken=taken)


def _labelling(listing: Listing, options: ImportOptions) -> Labelling:
    task = Task(options.task) if options.task else listing.task
    made = label(
        listing.label_names,
        [entry.labels for entry in listing.entries],
        task=task,
        classes=listing.classes,
        positive=options.positive,
    )
    if options.positive and made.positive is None:
        raise UsageError(
            f"A positive class was named, but the task is {made.task.value} with {len(made.classes)} classes.",
            "Leave out --positive, or choose a label with two classes.",
        )
    if len(made.classes) < (1 if made.task is Task.MULTILABEL else 2):
        raise InputError(
            f"The labels hold only one class ({', '.join(made.classes) or 'none'}), so there is nothing to tell apart.",
            "Check the label column or folder, or add images of another class.",
        )
    return made


def _without_unlabelled(listing: Listing, labelling: Labelling) -> tuple[Listing, Labelling]:
    pairs = list(zip(listing.entries, labelling.targets, strict=True))
    skipped = tuple(
        Skipped(entry.path, "no_label", "This image has no label.") for entry, target in pairs if target is None
    )
    kept = [(entry, target) for entry, target in pairs if target is not None]
    return (
        replace(listing, entries=tuple(entry for entry, _ in kept), skipped=(*listing.skipped, *skipped)),
        replace(labelling, targets=tuple(target for _, target in kept)),
    )


# -- decoding


def _decode(
    listing: Listing, pixels: Path | None, pool: Decoder, on_progress: Progress
) -> tuple[dict[int, Decoded], list[Skipped]]:
    """Decode every entry; by its position what was told of it, and what could not be decoded."""
    if listing.pictures:
        return _from_archive(listing.entries, listing.pictures(), pixels, on_progress), []
    from medfm_gui.imaging.pool import PictureJob

    root = str(listing.root)
    jobs = (PictureJob(str(number), entry.file, root, entry.frame) for number, entry in enumerate(listing.entries))
    decoded: dict[int, Decoded] = {}
    failed: dict[int, Skipped] = {}
    for done, result in enumerate(pool.pictures(jobs), 1):
        number = int(result.key)
        if result.ok:
            header, notes = dict(result.header), tuple(result.notes)
            cached = result.cached if pixels else None
            size = result.rows, result.columns
            decoded[number] = Decoded(*size, result.stored_sha256, header, notes, cached, result.file)
        else:
            failed[number] = Skipped(listing.entries[number].path, result.reason, result.message)
        on_progress(done, len(listing.entries))
    return decoded, [failed[number] for number in sorted(failed)]


def _from_archive(
    entries: Sequence[Entry], pictures: Iterator[Picture], pixels: Path | None, on_progress: Progress
) -> dict[int, Decoded]:
    """Stream the pixels of an archive into a shard of our own."""
    number_of = {(entry.path, entry.frame): number for number, entry in enumerate(entries)}
    decoded: dict[int, Decoded] = {}
    writer = ShardWriter(pixels, "archive.pixels") if pixels else None
    try:
        for path, frame, image in pictures:
            number = number_of.get((path, frame))
            if number is None:
                continue
            cached = writer.append(image) if writer else None
            decoded[number] = Decoded(image.shape[0], image.shape[1], _sha256(image), cached=cached)
            on_progress(len(decoded), len(number_of))
    finally:
        if writer:
            writer.close()
    return decoded


def _sha256(image: NDArray[Any]) -> str:
    from medfm_gui.imaging.picture import stored_sha256

    return stored_sha256(image)


def _of_readable(
    listing: Listing,
    labelling: Labelling,
    options: ImportOptions,
    decoded: Mapping[int, Decoded],
    skipped: Sequence[Skipped],
) -> tuple[Listing, Labelling]:
    """Entries that became pixels; labels are made again of them, for a class may have lost its last image.

    Raises:
        InputError: none is readable, or too few for the classes.
    """
    if not decoded:
        raise InputError(_nothing("No image could be read", skipped), "Open one of the files in another program.")
    kept = [number for number in range(len(listing.entries)) if number in decoded]
    listing = replace(listing, entries=tuple(listing.entries[number] for number in kept))
    if skipped:
        labelling = _labelling(listing, options)
    if not listing.counts and len(kept) < len(labelling.classes):  # a release has its findings, however little of it
        raise InputError(
            f"There are {counted(len(kept), 'image')} for {len(labelling.classes)} classes.",
            "Add images, or check the label column.",
        )
    return listing, labelling


# -- samples and what is remarkable about them


def _unlike_published(listing: Listing) -> list[str]:
    """A warning of the numbers that are not the published ones: never an error, for a part may be all one has."""
    apart = [count for count in listing.counts if not count.agrees]
    if not apart:
        return []
    of = f" ({len(apart)} of {counted(len(listing.counts), 'number')})" if len(apart) > 1 else ""
    return [f"Not as published{of}: {examples(map(difference, apart), most=4)}."]


def _samples(
    entries: Sequence[Entry], labelling: Labelling, decoded: Mapping[int, Decoded]
) -> tuple[tuple[Sample, ...], dict[str, Cached]]:
    samples: list[Sample] = []
    cached: dict[str, Cached] = {}
    facts = [decoded[number] for number in sorted(decoded)]
    for number, (entry, target, fact) in enumerate(zip(entries, labelling.targets, facts, strict=True), 1):
        sample_id = f"s{number:06d}"
        samples.append(
            Sample(
                id=sample_id,
                path=entry.path,
                target=target or (),  # rows without a label were left out before decoding
                patient=entry.patient,
                group=entry.group,
                fold=entry.fold,
                frame=entry.frame,
                rows=fact.rows,
                columns=fact.columns,
                pixels_sha256=fact.sha256,
                covariates={**fact.header, **entry.covariates},
            )
        )
        if fact.cached:
            cached[sample_id] = fact.cached
    return tuple(samples), cached


def _remarks(samples: Sequence[Sample], noted: Iterable[Sequence[str]]) -> list[str]:
    """Warnings: what the decoder noted, how often; identical images; more than one kind of image."""
    notes = Counter(note for notes in noted for note in notes)
    remarks = [f"{counted(number, 'image')}: {note}" for note, number in notes.most_common(20)]
    remarks += _identical(samples)
    for name in _CONFOUNDERS:
        kinds = Counter(sample.covariates[name] for sample in samples if name in sample.covariates)
        if len(kinds) > 1:
            said = ", ".join(f"{kind} {number}" for kind, number in kinds.most_common(5))
            remarks.append(f"The images differ in {name.replace('_', ' ')} ({said}): a model may learn that instead.")
    without = sum(sample.patient is None for sample in samples)
    if 0 < without < len(samples):
        remarks.append(f"{counted(without, 'image')} without a patient: each counts as a patient of its own.")
    return remarks


def _identical(samples: Sequence[Sample]) -> list[str]:
    by_pixels: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_pixels[sample.pixels_sha256].append(sample)
    twins = [found for found in by_pixels.values() if len(found) > 1]
    torn = [found for found in twins if len({(sample.target, sample.masks_sha256) for sample in found}) > 1]
    remarks = []
    if twins:
        pairs = examples(" = ".join(map(_place, found[:3])) for found in twins)
        remarks.append(f"{counted(len(twins), 'set')} of images with identical pixels: {pairs}.")
    if torn:
        pairs = examples(" = ".join(map(_place, found[:3])) for found in torn)
        remarks.append(f"{counted(len(torn), 'set')} of identical images with different labels: {pairs}.")
    return remarks


def _place(sample: Sample) -> str:
    """The id, with the place in an archive: a path may tell a label, and the warning outlives the sealing of a test."""
    return sample.id if sample.frame is None else f"{sample.id} (image {sample.frame})"
