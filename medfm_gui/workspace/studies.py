"""DICOM studies of a workspace: what a folder holds, kept as an index beside the untouched originals."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.errors import InputError, MedfmError, NotFound
from medfm_gui.domain.study import Scan, Study
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.imaging.pool import DecodePool
    from medfm_gui.store.rows import StudyRow

_UNPACKED = "unpacked"
_MARK = "reading.json"


def import_studies(
    workspace: Workspace,
    path: Path,
    *,
    pool: DecodePool | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_study: Callable[[Study], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_unpacked: Callable[[int, int], None] | None = None,
) -> Scan:
    """Index every DICOM study of a folder, a file, a DICOMDIR or a ZIP archive; the originals stay where they are.

    An archive is unpacked into the workspace (``studies/unpacked``), for its images are looked at again and again.

    Headers are kept: of a folder that was read before, only new and changed files are opened. What is found is joined
    with what is known of a study: reading a part of it never makes it smaller, and images whose files are gone stay in
    the index. Of a reading that was stopped, no study is kept; the next one goes on where it was.

    Args:
        pool: a warm pool; None starts one and ends it.
        on_progress: told files read, files in all.
        on_study: told each study as far as it is known, again when it has grown, at the end whole and kept.
        should_stop: asked after each file.
        on_unpacked: told members of an archive that are unpacked, members in all.

    Returns:
        What was read, and what was passed over.

    Raises:
        InputError: there is no DICOM image, or the DICOMDIR or the archive is damaged.
        DiskFull: the archive has no room.
        Interrupted: ``should_stop`` said so.
    """
    from medfm_gui.imaging.pool import DecodePool
    from medfm_gui.imaging.series import Watch
    from medfm_gui.imaging.sources import Means, scan_source

    path = path.expanduser().absolute()
    if not path.exists():
        raise InputError(f"“{path}” does not exist.", "Check the path.")
    preview = None if on_study is None else _joining(workspace, on_study)
    with contextlib.ExitStack() as held:
        reader = pool or held.enter_context(DecodePool())
        held.enter_context(_marked(workspace, path))
        watch = Watch(on_progress, preview, should_stop)
        unpack_into = workspace.root / "studies" / _UNPACKED
        found = scan_source(path, Means(reader, watch, workspace.store.headers, unpack_into, on_unpacked))
    if not found.studies:
        passed = len(found.skipped)
        raise InputError(
            f"“{path.name}” holds no DICOM image" + (f" among its {passed} files." if passed > 1 else "."),
            "Choose a folder with DICOM files, a DICOMDIR, or a ZIP archive of them.",
        )
    for study in found.studies:
        kept = keep(workspace, study)
        if on_study is not None:
            on_study(kept)
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is being read, as long as it is."""

    path: str


@contextlib.contextmanager
def _marked(workspace: Workspace, path: Path) -> Iterator[None]:
    """A mark that stays where the program is ended while it reads, so that it can offer to go on."""
    mark = workspace.root / "studies" / _MARK
    with contextlib.suppress(MedfmError):  # of a folder that cannot be written, more is said later
        wire.write(mark, _Reading(str(path)))
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def unfinished(workspace: Workspace) -> str:
    """The folder or file that was being read when the program ended, or is read now; empty if none."""
    try:
        return wire.read(_Reading, workspace.root / "studies" / _MARK).path
    except MedfmError:
        return ""


def _joining(workspace: Workspace, on_study: Callable[[Study], None]) -> Callable[[Study], None]:
    """Tells each study with what is known of it; the index of each is read once."""
    from medfm_gui.imaging.joining import joined

    indexed: dict[str, Study | None] = {}

    def tell(study: Study) -> None:
        if study.uid not in indexed:
            indexed[study.uid] = _indexed(workspace, study.uid)
        known = indexed[study.uid]
        on_study(study if known is None else joined(known, study))

    return tell


def keep(workspace: Workspace, study: Study) -> Study:
    """Join what was read of a study with what is known of it, write its index, and return the whole.

    Its folder in the workspace has a name that says nothing of the patient.
    """
    from medfm_gui.imaging.joining import joined

    folder = study_folder(workspace, study.uid)
    known = _indexed(workspace, study.uid)
    whole = study if known is None else joined(known, study)
    if whole != known:
        folder.mkdir(exist_ok=True)
        wire.write(folder / "study.json", whole)
        note(workspace, "study indexed", folder.name)
    workspace.store.put_study(whole, str(folder))
    return whole


def _indexed(workspace: Workspace, uid: str) -> Study | None:
    """What is known of a study; nothing where its index is missing or damaged: then it is written anew."""
    try:
        return read_study(workspace, uid)
    except MedfmError:
        return None


def study_folder(workspace: Workspace, uid: str) -> Path:
    """The folder of a study: named by a hash of its UID."""
    return workspace.root / "studies" / hashlib.sha256(uid.encode()).hexdigest()[:16]


def read_study(workspace: Workspace, uid: str) -> Study:
    """An indexed study.

    Raises:
        NotFound: there is none of that UID.
    """
    path = study_folder(workspace, uid) / "study.json"
    if not path.exists():
        raise NotFound("There is no such study in this workspace.", "Open its folder again.")
    return wire.read(Study, path)


def files_of(workspace: Workspace, series: Collection[str]) -> tuple[str, ...]:
    """The files of indexed series, by Series Instance UID."""
    from medfm_gui.store import queries

    with workspace.store.reading() as reader:
        rows = queries.studies(reader)
    owners = [row.uid for row in rows if any(one.uid in series for one in row.series)]
    found = (one for uid in owners for one in read_study(workspace, uid).series if one.uid in series)
    return tuple(dict.fromkeys(item.path for one in found for item in one.instances))


def listed(workspace: Workspace, words: Sequence[str] = ()) -> tuple[StudyRow, ...]:
    """Indexed studies with their series, newest date first, from the database alone.

    Args:
        words: each must stand in a description, a modality or a date (``2024-03`` or ``202403``) of the study.
    """
    from medfm_gui.store import queries

    wanted = [word.casefold() for word in words]
    with workspace.store.reading() as reader:
        found = queries.studies(reader)
    return tuple(row for row in found if all(word in _searched(row) for word in wanted))


def _searched(row: StudyRow) -> str:
    date = f"{row.date[:4]}-{row.date[4:6]}-{row.date[6:]}"
    of_series = (text for one in row.series for text in (one.description, one.modality))
    return "\n".join((row.description, row.modality, row.date, date, *of_series)).casefold()


def every_study(workspace: Workspace) -> list[Study]:
    """All indexed studies, newest date first."""
    paths = sorted((workspace.root / "studies").glob("*/study.json"))
    return sorted((wire.read(Study, path) for path in paths), key=lambda study: study.date, reverse=True)
