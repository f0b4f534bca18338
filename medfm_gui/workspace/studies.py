"""DICOM studies of a workspace: what a folder holds, kept as an index beside the untouched originals."""

from __future__ import annotations

import hashlib
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.study import Scan, Study
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace


def import_studies(workspace: Workspace, path: Path) -> Scan:
    """Index every DICOM study below a folder or in a file; the originals stay where they are.

    Raises:
        InputError: there is no DICOM image.
    """
    from medfm_gui.imaging.pool import DecodePool
    from medfm_gui.imaging.series import scan

    path = path.expanduser().absolute()
    if not path.exists():
        raise InputError(f"“{path}” does not exist.", "Check the path.")
    with DecodePool() as pool:
        found = scan(path, pool)
    if not found.studies:
        reasons = sorted({item.reason for item in found.skipped})
        raise InputError(
            f"“{path.name}” holds no DICOM image" + (f" ({', '.join(reasons)})." if reasons else "."),
            "Choose a folder with DICOM files.",
        )
    for study in found.studies:
        keep(workspace, study)
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


def every_study(workspace: Workspace) -> list[Study]:
    """All indexed studies, newest date first."""
    paths = sorted((workspace.root / "studies").glob("*/study.json"))
    return sorted((wire.read(Study, path) for path in paths), key=lambda study: study.date, reverse=True)
