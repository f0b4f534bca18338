"""What imports leave behind: nothing of one that was killed, and a word where the same images are there already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.listing import ImportOptions
from medfm_gui.workspace import data, importing
from medfm_gui.workspace.place import Workspace, open_workspace


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as made:
        yield made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(4):
        place = tmp_path / "in" / ("ill" if number % 2 else "well")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(place / f"{number}.png")
    return tmp_path / "in"


def there(room: Workspace) -> list[str]:
    return sorted(path.name for path in (room.root / "datasets").iterdir())


def test_what_a_killed_import_left_is_removed_by_the_next(room: Workspace, source: Path) -> None:
    lock = room.root / "locks" / "import-huge.lock"
    lock.touch()
    (room.root / "datasets" / "huge" / "pixels").mkdir(parents=True)
    (room.root / "datasets" / "huge" / "pixels" / "shard-1.pixels").write_bytes(bytes(100))
    (room.root / "datasets" / "unknown").mkdir()  # no import's: it has no lock
    data.import_dataset(room, "folder", source, ImportOptions(), name="new", dry_run=True)
    assert there(room) == ["huge", "unknown"], "a dry run changes nothing"
    data.import_dataset(room, "folder", source, ImportOptions(), name="new")
    assert there(room) == ["new", "unknown"] and not lock.exists()


def test_an_import_at_work_is_left_alone(room: Workspace) -> None:
    folder = room.root / "datasets" / "busy"
    folder.mkdir()
    with FileLock(room.root / "locks" / "import-busy.lock"):
        assert importing.remove_abandoned(room) == () and folder.exists()
    assert importing.remove_abandoned(room) == ("busy",) and not folder.exists()


def test_a_whole_dataset_whose_lock_was_left_stays(room: Workspace, source: Path) -> None:
    made = data.import_dataset(room, "folder", source, ImportOptions(), name="d")
    assert not list((room.root / "locks").glob("import-*")), "a finished import holds no lock"
    (room.root / "locks" / f"import-{made.id}.lock").touch()
    assert importing.remove_abandoned(room) == ()
    assert data.read(room, made.id).fingerprint == made.fingerprint


def test_the_same_source_a_second_time_is_said(room: Workspace, source: Path) -> None:
    first = data.import_dataset(room, "folder", source, ImportOptions(), name="Chest")
    said = "The workspace has these images with these labels already, as “Chest” (chest)."
    assert said not in first.warnings
    looked = data.import_dataset(room, "folder", source, ImportOptions(), name="Chest", dry_run=True)
    second = data.import_dataset(room, "folder", source, ImportOptions(), name="Chest")
    assert looked.warnings[-1] == second.warnings[-1] == said
    assert (second.id, second.fingerprint) == ("chest-2", first.fingerprint)
    (source / "ill" / "1.png").unlink()
    assert said not in data.import_dataset(room, "folder", source, ImportOptions(), name="fewer").warnings
