"""What an import leaves in the workspace: nothing where it was ended, and a word where the same is there already.

An import that fails or is cancelled removes its folder itself. One whose program was killed, or whose computer lost
power, cannot: so each holds a lock as long as it works, and the next import removes the folder of every lock that
nobody holds any more.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.domain.dataset import Dataset

_LOCK = "import-{}.lock"


@contextlib.contextmanager
def working_on(workspace: Workspace, folder: Path) -> Iterator[None]:
    """Hold the lock of a dataset's folder while it is made; the folder is gone again when the block fails."""
    lock = FileLock(_lock_of(workspace, folder.name))
    lock.acquire()
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def remove_abandoned(workspace: Workspace) -> tuple[str, ...]:
    """Remove the folders of imports that were killed; their names."""
    removed: list[str] = []
    for path in sorted((workspace.root / "locks").glob(_LOCK.format("*"))):
        name = path.name.removeprefix("import-").removesuffix(".lock")
        folder = workspace.root / "datasets" / name
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            continue  # it is being made at this moment
        try:
            if folder.is_dir() and not (folder / "manifest.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(name)
        finally:
            lock.release()
            path.unlink(missing_ok=True)
    return tuple(removed)


def told_of_twin(workspace: Workspace, dataset: Dataset) -> Dataset:
    """The dataset, with a warning where another has the same images with the same labels."""
    from medfm_gui.store import queries

    with workspace.store.reading() as reader:
        twins = [row for row in queries.datasets(reader) if row.fingerprint == dataset.fingerprint]
    if not twins:
        return dataset
    known = twins[0]
    said = f"The workspace has these images with these labels already, as “{known.name}” ({known.id})."
    return replace(dataset, warnings=(*dataset.warnings, said))


def _lock_of(workspace: Workspace, name: str) -> Path:
    return workspace.root / "locks" / _LOCK.format(name)
