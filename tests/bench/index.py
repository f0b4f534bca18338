"""``index``: 5,000 DICOM files in 50 series (64 x 64, headers of usual length) become studies that can be browsed.

Against pydicom reading every header in a loop, which makes no tree of them. Files lie in memory, as they do when
a stick was just copied; the reader is warm, and each reading begins without anything known. More is told of it:
seconds to the first series, a second reading of the unchanged tree, and SimpleITK's (GDCM's) list of series.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.uid import generate_uid

from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.volume import warm_up
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.studies import import_studies
from tests.bench.measure import alternately, rounded, timed
from tests.fixtures.slices import write_series

AT_LEAST = 1.7
FIRST_S = 0.5


def main(tiny: bool = False) -> dict[str, Any]:
    """Read the tree in turns; 3 patients with 2 short series if ``tiny``."""
    patients, series, slices = (3, 2, 3) if tiny else (10, 5, 100)
    with tempfile.TemporaryDirectory(prefix="medfm-bench-") as name, DecodePool() as pool:
        tree = Path(name) / "tree"
        _write(tree, patients, series, slices)
        paths = sorted(str(path) for path in tree.rglob("*.dcm"))
        warm_up(pool)
        ours = _Ours(Path(name), tree, pool)
        turns = alternately(
            ours.read, timed(lambda: [dcmread(path, stop_before_pixels=True) for path in paths]), 1 if tiny else 3
        )
        known, gdcm = ours.read_again(), timed(lambda: _gdcm(tree))()
    first = statistics.median(ours.first)
    line = turns.line(at_least=AT_LEAST)
    return {
        **line,
        "goal": f"{line['goal']} and first series <= {FIRST_S} s",
        "pass": line["pass"] and first <= FIRST_S,
        "first_series_s": rounded(first),
        "read_again_s": rounded(known),
        "gdcm_s": rounded(gdcm),
        "files": len(paths),
    }


def _write(tree: Path, patients: int, series: int, slices: int) -> None:
    for patient in range(patients):
        study = generate_uid()
        for number in range(1, series + 1):
            write_series(tree / f"p{patient}" / f"s{number}", slices, patient=f"P{patient}", study=study, number=number)


class _Ours:
    """Readings into workspaces that are new each time."""

    def __init__(self, place: Path, tree: Path, pool: DecodePool) -> None:
        self.first: list[float] = []
        self._place = place
        self._tree = tree
        self._pool = pool
        self._count = 0

    def read(self) -> float:
        """Into a new workspace; the seconds of the index alone."""
        self._count += 1
        with open_workspace(self._place / f"workspace-{self._count}") as workspace:
            return self._read(workspace)

    def read_again(self) -> float:
        """Into one that knows the tree."""
        with open_workspace(self._place / f"workspace-{self._count}") as workspace:
            return self._read(workspace)

    def _read(self, workspace: Workspace) -> float:
        begun = time.perf_counter()
        told: list[float] = []
        import_studies(
            workspace, self._tree, pool=self._pool, on_study=lambda _: told.append(time.perf_counter() - begun)
        )
        seconds = time.perf_counter() - begun
        self.first.append(told[0])
        return seconds


def _gdcm(tree: Path) -> None:
    from SimpleITK import ImageSeriesReader  # as a peer only

    peer: Any = ImageSeriesReader
    for folder in sorted({path.parent for path in tree.rglob("*.dcm")}):
        for uid in peer.GetGDCMSeriesIDs(str(folder)):
            peer.GetGDCMSeriesFileNames(str(folder), uid)
