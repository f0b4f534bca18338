"""The index of studies: it is kept, goes on where it was stopped, and is searched."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.domain.errors import InputError, Interrupted
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.workspace import studies
from medfm_gui.workspace.place import Workspace, open_workspace
from tests.fixtures.slices import write_series


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as opened:
        yield opened


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients, the second with two series."""
    folder = tmp_path_factory.mktemp("tree")
    write_series(folder / "p1" / "s1", 6, side=16, patient="P1", study="1.2.1")
    write_series(folder / "p2" / "s1", 5, side=16, patient="P2", study="1.2.2", StudyDescription="Knee")
    write_series(folder / "p2" / "s2", 4, side=16, patient="P2", study="1.2.2", number=2, StudyDescription="Knee")
    return folder


def kept(workspace: Workspace, tree: Path) -> int:
    """How many files' headers are known."""
    workspace.store.flush()
    return sum(len(workspace.store.headers.of(str(folder))) for folder in tree.glob("*/*"))


def test_a_stopped_index_keeps_headers_but_no_study(workspace: Workspace, tree: Path, decoders: DecodePool) -> None:
    seen: list[int] = []
    with pytest.raises(Interrupted):
        studies.import_studies(
            workspace,
            tree,
            pool=decoders,
            on_progress=lambda done, _: seen.append(done),
            should_stop=lambda: len(seen) >= 7,
        )
    assert studies.every_study(workspace) == [] and studies.unfinished(workspace) == ""
    assert kept(workspace, tree) >= 7
    found = studies.import_studies(workspace, tree, pool=decoders)
    assert [len(study.series) for study in found.studies] == [1, 2]
    assert kept(workspace, tree) == 15
    assert studies.import_studies(workspace, tree, pool=decoders) == found


def test_a_killed_index_goes_on(tree: Path, tmp_path: Path, decoders: DecodePool) -> None:
    shutil.copytree(tree, tmp_path / "tree")
    program = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from medfm_gui.imaging import walking\n"
        "from medfm_gui.workspace.place import open_workspace\n"
        "from medfm_gui.workspace.studies import import_studies\n"
        "walking._FRESH = 2\n"
        "def die(done, total):\n"
        "    if done == 9:\n"
        "        time.sleep(1.5)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "with open_workspace(Path(sys.argv[1])) as workspace:\n"
        "    import_studies(workspace, Path(sys.argv[2]), on_progress=die)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "ws"), str(tmp_path / "tree")], timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        assert studies.unfinished(workspace) == str(tmp_path / "tree")
        assert 0 < kept(workspace, tmp_path / "tree") < 15
        found = studies.import_studies(workspace, tmp_path / "tree", pool=decoders)
        assert sum(len(series.instances) for study in found.studies for series in study.series) == 15
        assert studies.unfinished(workspace) == ""


def test_studies_are_listed_by_their_words(workspace: Workspace, tree: Path, decoders: DecodePool) -> None:
    studies.import_studies(workspace, tree, pool=decoders)
    assert [row.uid for row in studies.listed(workspace)] == ["1.2.1", "1.2.2"]
    assert [row.description for row in studies.listed(workspace, ["KNEE", "ct"])] == ["Knee"]
    assert len(studies.listed(workspace, ["2024-03"])) == len(studies.listed(workspace, ["202403"])) == 2
    assert studies.listed(workspace, ["P1"]) == (), "who somebody is is not searched"


def test_a_folder_without_images_is_an_error_and_leaves_no_mark(
    workspace: Workspace, tmp_path: Path, decoders: DecodePool
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no DICOM image"):
        studies.import_studies(workspace, tmp_path / "empty", pool=decoders)
    assert studies.unfinished(workspace) == ""
