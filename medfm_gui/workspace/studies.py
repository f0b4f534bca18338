"""DICOM studies of a workspace: what a folder holds, kept as an index beside the untouched originals."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.domain.study import Scan, Study
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.imaging.pool import DecodePool


def import_studies(
    workspace: Workspace,
    path: Path,
    *,
    pool: DecodePool | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_study: Callable[[Study], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Scan:
    """Index every DICOM study below a folder or in a file; the originals stay where they are.

    Every call reads all headers again. A study is kept when all of its files were read: of a reading that
    was stopped, nothing is.

    Args:
        pool: a warm pool; None starts one and ends it.
        on_progress: told files read, files in all.
        on_study: told each study as far as it is known, again when it has grown, at the end whole and kept.
        should_stop: asked after each file.

    Raises:
        InputError: there is no DICOM image.
        Interrupted: ``should_stop`` said so.
    """
    from medfm_gui.imaging.pool import DecodePool
    from medfm_gui.imaging.series import Watch, scan

    path = path.expanduser().absolute()
    if not path.exists():
        raise InputError(f"“{path}” does not exist.", "Check the path.")
    with contextlib.ExitStack() as held:
        reader = pool or held.enter_context(DecodePool())
        found = scan(path, reader, Watch(on_progress, on_study, should_stop))
    if not found.studies:
        reasons = sorted({item.reason for item in found.skipped})
        raise InputError(
            f"“{path.name}” holds no DICOM image" + (f" ({', '.join(reasons)})." if reasons else "."),
            "Choose a folder with DICOM files.",
        )
    for study in found.studies:
        keep(workspace, study)
        if on_study is not None:
            on_study(study)
    return found


def keep(workspace: Workspace, study: Study) -> Path:
    """Write a study's index into the workspace and return its folder, whose name says nothing of the patient."""
    folder = study_folder(workspace, study.uid)
    folder.mkdir(exist_ok=True)
    wire.write(folder / "study.json", study)
    workspace.store.put_study(study, str(folder))
    note(workspace, "study indexed", folder.name)
    return folder


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


def every_study(workspace: Workspace) -> list[Study]:
    """All indexed studies, newest date first."""
    paths = sorted((workspace.root / "studies").glob("*/study.json"))
    return sorted((wire.read(Study, path) for path in paths), key=lambda study: study.date, reverse=True)
