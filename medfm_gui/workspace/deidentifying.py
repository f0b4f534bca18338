"""Copies of studies that name nobody (PS3.15 Annex E), in a folder of their own; the originals are only read.

First all headers are looked at: what may have a name in its pixels waits for a person. Then every file is written
anew by the decode children, into a folder that gets its name when all of it is there. The keys that make pseudonyms
and UIDs stay in the workspace.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.domain.deidentification import (
    FLAG_WORDS,
    Deidentification,
    Deidentified,
    Examined,
    FaceSeries,
    Flag,
    FlaggedFile,
    HeldFile,
)
from medfm_gui.domain.errors import InputError, InternalError, Interrupted, NotFound
from medfm_gui.workspace.deidentified_folder import check_room, check_target, new_folder_of, write_reports
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace, pseudonym_key
from medfm_gui.workspace.studies import import_studies, read_study, study_folder

if TYPE_CHECKING:
    from medfm_gui.domain.study import Series, Study
    from medfm_gui.imaging.deidentify.orders import Look
    from medfm_gui.imaging.pool import DecodePool

_LOOKING, _WRITING, _CHECKING = "Looking at headers", "Writing", "Reading again"
_WAITS = "burned_in"
_SAME_BEFORE = {"duplicate", "uid_clash"}
"""What originals that share a UID give copies that do, too."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which studies (UIDs), of them which series (all where none is named), where to, how, and what a person saw.

    ``looked_at`` are flagged files in which a person saw no name; ``all_looked_at`` says it of all of them.
    ``faces_known``: a person knows that faces can be rebuilt from some series.
    """

    studies: tuple[str, ...]
    out: Path
    options: Deidentification = field(default_factory=Deidentification)
    series: tuple[str, ...] = ()
    looked_at: frozenset[str] = frozenset()
    all_looked_at: bool = False
    faces_known: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on: told words, files done and files in all; asked whether to stop."""

    on_progress: Callable[[str, int, int], None] | None = None
    should_stop: Callable[[], bool] | None = None

    def step(self, words: str, done: int, total: int) -> None:
        """One file more.

        Raises:
            Interrupted: nobody waits any more.
        """
        if self.should_stop is not None and self.should_stop():
            raise Interrupted("De-identification was stopped.", "Start it again; nothing was written.")
        if self.on_progress is not None:
            self.on_progress(words, done, total)


@dataclass(frozen=True, slots=True)
class _Source:
    """One original: whose, which series, and its place and number there."""

    path: str
    study: str
    patient: str
    pseudonym: str
    series: str
    number: int
    folder: str
    """Below the folder of results; made of the pseudonym and of numbers."""
    position_mm: float | None = None


def find_studies(workspace: Workspace, names: Sequence[str], *, pool: DecodePool | None = None) -> tuple[str, ...]:
    """UIDs of studies named by UID, by the folder of their index, or by a folder or file, which then is indexed.

    Raises:
        NotFound: there is no such study.
        InputError: the folder holds none.
    """
    found: dict[str, None] = {}
    for name in names:
        by_folder = workspace.root / "studies" / name / "study.json"
        if (study_folder(workspace, name) / "study.json").exists():
            found[name] = None
        elif "/" not in name and "\\" not in name and by_folder.exists():
            found[_read(by_folder).uid] = None
        elif Path(name).expanduser().exists():
            scan = import_studies(workspace, Path(name), pool=pool)
            found.update(dict.fromkeys(study.uid for study in scan.studies))
        else:
            raise NotFound(f"There is no study “{name}” in this workspace.", "“medfm study list” lists them.")
    return tuple(found)


def _read(path: Path) -> Study:
    from medfm_gui.base import wire
    from medfm_gui.domain.study import Study

    return wire.read(Study, path)


def examine(
    workspace: Workspace,
    studies: Sequence[str],
    series: Collection[str] = (),
    *,
    pool: DecodePool | None = None,
    watch: Watch | None = None,
) -> Examined:
    """Look at all headers for what a person has to know or to see first; nothing is written.

    Raises:
        NotFound: there is no such study, or not one image of it.
        Interrupted: the watcher wanted no more.
    """
    sources = _sources(workspace, studies, series)
    with _a_pool(pool) as children:
        looks = _look(sources, children, watch or Watch())
    return Examined(
        files=len(sources),
        bytes=sum(look.bytes for look in looks.values()),
        patients=len({source.pseudonym for source in sources}),
        flagged=tuple(
            FlaggedFile(one.path, looks[one.path].flags, one.study, one.series, one.number, looks[one.path].frames)
            for one in sources
            if looks[one.path].flags and _fits(looks[one.path])
        ),
        faces=_faces(sources, looks),
        held=tuple(_unfit(look) for look in looks.values() if not _fits(look)),
    )


def deidentify(
    workspace: Workspace, wish: Wish, *, pool: DecodePool | None = None, watch: Watch | None = None
) -> Deidentified:
    """Write copies of studies that name nobody into a new folder, with a report of what was removed.

    Files that may show a name and that nobody looked at are held back, as are those that cannot be written.

    Raises:
        NotFound: there is no such study.
        InputError: the folder is not empty or lies among the originals; or not one file may be written.
        DiskFull: there is no room; nothing stays.
        Interrupted: the watcher wanted no more; nothing stays.
        WorkspaceBusy: another de-identification writes to the same folder.
    """
    watch = watch or Watch()
    sources = _sources(workspace, wish.studies, wish.series)
    out = check_target(wish.out, [source.path for source in sources])
    with _a_pool(pool) as children:
        looks = _look(sources, children, watch)
        held = [_unfit(look) for look in looks.values() if not _fits(look)]
        held += [_waiting(looks[one.path]) for one in sources if _waits(looks[one.path], wish)]
        ready = [one for one in sources if _fits(looks[one.path]) and not _waits(looks[one.path], wish)]
        if not ready:
            raise _nothing(held)
        check_room(out, sum(looks[one.path].bytes for one in ready))
        faces = _faces(sources, looks)
        with new_folder_of(out) as folder:
            made = _write(
                workspace, wish, folder, ready, {(face.study, face.series) for face in faces}, children, watch
            )
            copies = _read_again(folder, out, children, watch)
            done = replace(_summary(out, wish, ready, faces, made, held), studies=copies)
            looked_at = Counter(flag for one in ready for flag in looks[one.path].flags)
            where = {(one.study, one.series): one.folder for one in sources}
            write_reports(folder, wish, done, looked_at, [where[face.study, face.series] for face in faces])
    images = Counter(one.study for one in ready if one.path in made.paths)
    for uid, count in images.items():
        _note(workspace, wish, done, uid, count, looked_at=bool(looked_at))
    return done


@dataclass(frozen=True, slots=True)
class _Made:
    """What the children said."""

    paths: frozenset[str]
    tallies: list[Sequence[Sequence[object]]]
    notes: Counter[str]
    refused: list[HeldFile]


def _write(
    workspace: Workspace,
    wish: Wish,
    folder: Path,
    ready: Sequence[_Source],
    with_faces: Collection[tuple[str, str]],
    pool: DecodePool,
    watch: Watch,
) -> _Made:
    from medfm_gui.imaging.deidentify.orders import WriteJob, write
    from medfm_gui.imaging.deidentify.secrets import Secrets

    stopped: list[Interrupted] = []

    def jobs() -> Iterator[WriteJob]:
        for one in ready:
            if stopped:
                return
            out = folder / one.folder / f"{one.number:06d}.dcm"
            out.parent.mkdir(parents=True, exist_ok=True)
            yield WriteJob(
                path=one.path,
                out=out,
                patient=one.patient,
                pseudonym=one.pseudonym,
                study=one.study,
                series=one.series,
                number=one.number,
                is_looked_at=wish.all_looked_at or one.path in wish.looked_at,
                has_face=(one.study, one.series) in with_faces,
            )

    paths, tallies, notes, refused = set(), [], Counter[str](), []
    with contextlib.closing(write(jobs(), wish.options, Secrets.of(pseudonym_key(workspace)), pool)) as results:
        for done, result in enumerate(results, 1):
            if result.ok:
                paths.add(result.path)
                tallies.append(result.tally)
                notes.update(result.notes)
            else:
                refused.append(HeldFile(result.path, result.reason, result.message))
            if not stopped:
                try:
                    watch.step(_WRITING, done, len(ready))
                except Interrupted as error:  # what the children have begun is waited for: they write into the folder
                    stopped.append(error)
    if stopped:
        raise stopped[0]
    if not paths:
        raise _nothing(refused)
    return _Made(frozenset(paths), tallies, notes, refused)


def _read_again(folder: Path, out: Path, pool: DecodePool, watch: Watch) -> tuple[Study, ...]:
    """The copies as whoever gets them will read them; their files are named as they will be.

    Raises:
        InternalError: one of them cannot be read.
    """
    from medfm_gui.imaging.series import Watch as Reading
    from medfm_gui.imaging.series import scan

    reading = Reading(lambda done, total: watch.step(_CHECKING, done, total), None, watch.should_stop)
    found = scan(folder, pool, reading)
    wrong = {item.reason for item in found.skipped} - _SAME_BEFORE
    if wrong or not found.studies:
        reasons = ", ".join(sorted(wrong))
        raise InternalError(
            f"Copies were written that cannot be read again ({reasons}).", "Nothing was kept. Report it."
        )
    return tuple(
        replace(study, series=tuple(_moved(series, folder, out) for series in study.series)) for study in found.studies
    )


def _moved(series: Series, folder: Path, out: Path) -> Series:
    return replace(
        series,
        instances=tuple(
            replace(item, path=str(out / Path(item.path).relative_to(folder))) for item in series.instances
        ),
    )


def _summary(
    out: Path,
    wish: Wish,
    ready: Sequence[_Source],
    faces: tuple[FaceSeries, ...],
    made: _Made,
    held: Sequence[HeldFile],
) -> Deidentified:
    from medfm_gui.imaging.deidentify.tally import summed

    return Deidentified(
        out=str(out),
        written=len(made.paths),
        patients=tuple(dict.fromkeys(one.pseudonym for one in ready if one.path in made.paths)),
        held=(*held, *made.refused),
        faces=faces,
        removals=summed(made.tallies),
        notes=tuple(f"{count} × {words}" for words, count in sorted(made.notes.items())),
        report=str(out / "deidentification.json"),
        codes=tuple(value for value, _ in wish.options.codes()),
    )


def _note(workspace: Workspace, wish: Wish, done: Deidentified, uid: str, images: int, *, looked_at: bool) -> None:
    """The journal knows what was done to which study, not where the copies went."""
    details = {"images": str(images), "codes": " ".join(done.codes)}
    if looked_at:
        details["burned_in"] = "a person looked at the flagged images and saw no name"
    faces = sum(face.study == uid for face in done.faces)
    if faces:
        known = "a person knows it" if wish.faces_known else "not confirmed by a person"
        details["faces"] = f"can be rebuilt from {faces} series: {known}"
    note(workspace, "study de-identified", study_folder(workspace, uid).name, **details)


def _sources(workspace: Workspace, studies: Sequence[str], series: Collection[str]) -> list[_Source]:
    from medfm_gui.datasets.pseudonym import pseudonym

    key = pseudonym_key(workspace)
    found: dict[str, _Source] = {}
    counts: Counter[str] = Counter()
    for uid in dict.fromkeys(studies):
        study = read_study(workspace, uid)
        name = pseudonym(key, study.patient or f"study {uid}")
        counts[name] += 1
        places: dict[str, int] = {}
        numbers: Counter[str] = Counter()
        for one in study.series:
            if series and one.uid not in series:
                continue
            place = places.setdefault(one.uid, len(places) + 1)
            folder = f"{name}/study-{counts[name]:02d}/series-{place:03d}"
            for item in one.instances:
                if item.path not in found:
                    numbers[one.uid] += 1
                    found[item.path] = _Source(
                        item.path, uid, study.patient, name, one.uid, numbers[one.uid], folder, item.position_mm
                    )
    if not found:
        raise NotFound("There is no such series in these studies.", "Open their folder again.")
    return list(found.values())


def _look(sources: Sequence[_Source], pool: DecodePool, watch: Watch) -> dict[str, Look]:
    from medfm_gui.imaging.deidentify.orders import look

    found = {}
    with contextlib.closing(look((one.path for one in sources), pool)) as results:
        for done, result in enumerate(results, 1):
            found[result.path] = result
            watch.step(_LOOKING, done, len(sources))
    return {one.path: found[one.path] for one in sources}


def _faces(sources: Sequence[_Source], looks: dict[str, Look]) -> tuple[FaceSeries, ...]:
    from medfm_gui.imaging.deidentify.faces import Slice, faces

    slices = []
    for one in sources:
        look = looks[one.path]
        if look.ok:
            facts = (look.modality, look.about, look.frames, look.field_mm, one.position_mm)
            slices.append(Slice(one.study, one.series, *facts))
    return faces(slices)


def _waits(look: Look, wish: Wish) -> bool:
    return _fits(look) and bool(look.flags) and not wish.all_looked_at and look.path not in wish.looked_at


def _waiting(look: Look) -> HeldFile:
    why = " ".join(FLAG_WORDS[flag] for flag in look.flags)
    return HeldFile(look.path, _WAITS, f"It may show a name, and nobody has looked: {why}")


def _fits(look: Look) -> bool:
    """Whether it can be written at all: what hides in unused bits of pixels, nobody can see in the viewer."""
    return look.ok and Flag.OVERLAY_BITS not in look.flags


def _unfit(look: Look) -> HeldFile:
    if look.ok:
        words = f"{FLAG_WORDS[Flag.OVERLAY_BITS]} Export it again without the overlay."
        return HeldFile(look.path, Flag.OVERLAY_BITS.value, words)
    return HeldFile(look.path, look.reason, look.message)


def _nothing(held: Sequence[HeldFile]) -> InputError:
    waiting = sum(one.reason == _WAITS for one in held)
    if waiting:
        return InputError(
            f"Nothing was written: {waiting} of {len(held)} images may show a name, and nobody has looked at them.",
            "Look at them; then confirm it (--burned-in-checked).",
        )
    why = held[0].message if held else "there is no image."
    return InputError(
        f"Nothing was written: not one of {len(held)} files can be de-identified. {why}", "Choose others."
    )


@contextlib.contextmanager
def _a_pool(pool: DecodePool | None) -> Iterator[DecodePool]:
    if pool is not None:
        yield pool
        return
    from medfm_gui.imaging.pool import DecodePool

    with DecodePool() as started:
        yield started
