"""A workspace: one folder with everything, where every fact is a file first and the database indexes them.

datasets/<id>/manifest.json, samples.jsonl, pixels/    runs/<id>/spec.json, events.jsonl, weights/, …
splits/<id>.json     predictions/<id>/     evaluations/<id>.json     studies/<id>/     reports/<id>/
protocols/<id>.json  features/  pixels/   journal.jsonl   medfm.sqlite   keys/   locks/
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.base.settings import Settings, default_workspace, load_settings, weights_folder
from medfm_gui.domain.errors import DiskFull, InputError, NewerWorkspace, NotFound

if TYPE_CHECKING:
    from medfm_gui.store.store import Store

FORMAT = 1
DATABASE = "medfm.sqlite"
_MARKER = "workspace.json"
_FOLDERS = ("datasets", "splits", "runs", "predictions", "evaluations", "studies", "reports", "features", "locks")


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    """``workspace.json``: the format of the folder's files."""

    format: int = FORMAT
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open workspace: its folder, its database and the settings in force."""

    root: Path
    store: Store
    settings: Settings

    @property
    def weights(self) -> Path:
        """Where pretrained weights are kept."""
        return weights_folder(self.settings)

    def dataset(self, dataset_id: str) -> Path:
        """The folder of a dataset."""
        return self._found("datasets", dataset_id, "dataset", "“medfm datasets” lists them")

    def split(self, split_id: str) -> Path:
        """The file of a split."""
        return self._found("splits", f"{split_id}.json", "split", "“medfm split DATASET” makes one")

    def run(self, run_id: str) -> Path:
        """The folder of a run."""
        return self._found("runs", run_id, "run", "“medfm runs” lists them")

    def _found(self, folder: str, name: str, noun: str, hint: str) -> Path:
        path = self.root / folder / name
        if not re.fullmatch(r"[\w\-][\w.\-]*", name) or not path.exists():
            raise NotFound(
                f"There is no {noun} “{name.removesuffix('.json')}” in this workspace.",
                f"{hint}; --workspace chooses another workspace.",
            )
        return path


@contextlib.contextmanager
def open_workspace(
    root: Path | None = None, *, settings: Settings | None = None, database: str = DATABASE
) -> Iterator[Workspace]:
    """Open a workspace, making it where there is none.

    Args:
        database: the name of the database's file; another one while it is made anew.

    Raises:
        NewerWorkspace: its files were written by a newer version.
        InputError: the folder holds other things, or cannot be written.
        StoreError: the database cannot be used.
    """
    from medfm_gui.store.store import Store  # sqlite-utils brings pandas where it is installed

    settings = settings or load_settings()
    root = (root or default_workspace(settings)).expanduser().absolute()
    _prepare(root)
    with Store.open(root / database) as store:
        yield Workspace(root, store, settings)


def _prepare(root: Path) -> None:
    from medfm_gui import __version__

    if not _is_utf8(root):
        raise InputError(
            f"The path of the workspace {str(root)!a} is not UTF-8, so its files could not name it.",
            "Choose a folder with another name with --workspace.",
        )
    try:
        check_format(root)
        root.mkdir(parents=True, exist_ok=True)
        if not (root / _MARKER).exists():  # first, so that a full disk leaves no folder that looks like another's
            wire.write(root / _MARKER, WorkspaceFile(FORMAT, __version__))
        for name in _FOLDERS:
            (root / name).mkdir(exist_ok=True)
        (root / "keys").mkdir(mode=0o700, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"The disk that is to hold the workspace “{root}” is full.", "Free some space and do it again."
            ) from error
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(
            f"The workspace “{root}” cannot be written ({why}).", "Choose a folder that you may write to."
        ) from error


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def check_format(root: Path) -> None:
    """See that a folder is a workspace that this version knows, or can become one; nothing is written.

    Raises:
        NewerWorkspace: its files were written by a newer version.
        InputError: the folder holds other things, or its ``workspace.json`` is damaged.
        OSError: it cannot be looked at.
    """
    if (root / _MARKER).exists():
        found = wire.read(WorkspaceFile, root / _MARKER)
        if found.format > FORMAT:
            raise NewerWorkspace(
                f"The workspace “{root}” was written by a newer version (format {found.format}, not {FORMAT}).",
                "Update MedFM Studio, or choose another workspace with --workspace.",
            )
    elif os.path.lexists(root) and (not root.is_dir() or any(not _is_beginning(entry) for entry in root.iterdir())):
        raise InputError(
            f"“{root}” is not a workspace and not an empty folder.", "Choose an empty or a new folder with --workspace."
        )


def check_there(root: Path) -> None:
    """See that the folder of a workspace that was open is still one.

    Raises:
        NotFound: it was moved or deleted, or its drive is gone.
    """
    if not (root / _MARKER).exists():
        raise NotFound(
            f"The workspace “{root.name}” is not there any more.",
            "It was moved or deleted, or its drive is not connected. Bring it back, or open another workspace on Home.",
        )


def _is_beginning(entry: Path) -> bool:
    """What another program that makes this workspace at this moment may have put there."""
    return entry.name == _MARKER or (entry.name.startswith(f".{_MARKER}.") and entry.name.endswith(".tmp"))


def pseudonym_key(workspace: Workspace) -> bytes:
    """The workspace's secret for patient pseudonyms, made on first use and never exported."""
    path = workspace.root / "keys" / "pseudonyms.key"
    if not path.exists():
        atomic_write(path, secrets.token_bytes(32))
        path.chmod(0o600)
    return path.read_bytes()


def slug(name: str) -> str:
    """A folder name of a title: lower-case letters, digits and hyphens, at most 40."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "unnamed"


def new_folder(parent: Path, stem: str, *, counted: bool = False) -> Path:
    """Make a folder of a name that nothing has yet: ``stem``, ``stem-2``, … or, counted, ``stem0001``, …"""
    number = 1
    while True:
        name = f"{stem}{number:04d}" if counted else stem if number == 1 else f"{stem}-{number}"
        try:
            (parent / name).mkdir()
        except FileExistsError:
            number += 1
            continue
        return parent / name


@contextlib.contextmanager
def made_folder(parent: Path, stem: str, *, counted: bool = False) -> Iterator[Path]:
    """A new folder (see ``new_folder``) that is gone again when the block fails: nothing half-made stays."""
    folder = new_folder(parent, stem, counted=counted)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
