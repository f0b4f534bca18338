"""Where the pictures of CBIS-DDSM are, and which file is the crop and which the mask.

A path of the tables ends in ``<patient folder>/<StudyUID>/<SeriesUID>/00000n.dcm`` and matches no tree that people
have. TCIA's tree is joined on the series' UID in the files, else on PatientID (the path's first folder); Kaggle's
JPEGs lie in folders called after the series' UID. File numbers say nothing: crop and mask are swapped in many rows.
What a file is, its series' description says where it stands alone in its series; of several the mask is the one as
large as the mammogram; and where that does not decide, the pixels: a mask has two values.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medfm_gui.datasets.layout import Decoder
from medfm_gui.datasets.published import find_file, find_folder, images_below, junk_remark, records
from medfm_gui.datasets.table import read_table
from medfm_gui.datasets.text import natural, shown
from medfm_gui.datasets.walk import has_dicom_mark, suffix_of, walk
from medfm_gui.domain.dataset import Count, Skipped
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

_FILES = 10_239
"""Image files of the release on TCIA."""
_FULL, _CROP, _MASK = "full", "crop", "mask"
_KINDS = {"full mammogram": _FULL, "cropped": _CROP, "roi mask": _MASK}
_ALIKE = 0.05
"""Two pictures are as large as one another where their areas differ by less than this share."""
_TWO_VALUES = 0.995
"""Share of a mask's pixels that are black or white within the blur of a JPEG."""


@dataclass(frozen=True, slots=True)
class File:
    """One picture: its relative path, series and patient, what its series calls it (empty: nothing), its area."""

    name: str
    series: str
    patient: str = ""
    kind: str = ""
    area: int = 0


@dataclass(slots=True)
class Pictures:
    """All pictures of a release."""

    root: Path
    form: str
    files: Sequence[File]
    pool: Decoder
    skipped: tuple[Skipped, ...] = ()
    junk: tuple[str, ...] = ()
    counts: tuple[Count, ...] = ()
    unclear: int = 0
    _by_series: Mapping[str, list[File]] = field(default_factory=dict)
    _by_patient: Mapping[str, list[File]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_series: defaultdict[str, list[File]] = defaultdict(list)
        by_patient: defaultdict[str, list[File]] = defaultdict(list)
        for file in sorted(self.files, key=lambda file: natural(file.name)):
            by_series[file.series].append(file)
            by_patient[file.patient].append(file)
        self._by_series, self._by_patient = dict(by_series), dict(by_patient)

    def mammogram(self, said: str) -> str | None:
        """The whole mammogram that a path of the tables means, or None."""
        file = self._mammogram(said)
        return file.name if file else None

    def _mammogram(self, said: str) -> File | None:
        files = self._near(said)
        named = [file for file in files if file.kind == _FULL] or [file for file in files if not file.kind]
        return max(named, key=lambda file: file.area) if named else None

    def crops(self, rows: Sequence[tuple[str, tuple[str, str]]]) -> list[str | None]:
        """For each (path of the mammogram, paths called crop and mask) the crop that is there, or None."""
        found: list[str | None] = []
        unclear: dict[int, list[File]] = {}
        for number, (said, paths) in enumerate(rows):
            whole = self._mammogram(said)
            files = dict.fromkeys(file for path in paths for file in self._near(path) if file.kind != _FULL)
            kinds = self._kinds([file for file in files if file != whole], whole.area if whole else 0)
            crops = [file for file, kind in kinds.items() if kind == _CROP]
            if len(crops) != 1 and (doubtful := [file for file, kind in kinds.items() if kind != _MASK]):
                unclear[number] = doubtful
            found.append(crops[0].name if len(crops) == 1 else None)
        self._look(unclear, found)
        return found

    def _near(self, said: str) -> list[File]:
        """The files of the series that a path names; else those of the folder that it begins with."""
        parts = said.replace("\\", "/").strip("/").split("/")
        series = parts[-2] if len(parts) > 1 else ""
        return self._by_series.get(series) or self._by_patient.get(parts[0]) or []

    def _kinds(self, files: Sequence[File], whole_area: int) -> dict[File, str]:
        """Crop or mask; empty where neither the description nor the size tells."""
        kinds = {file: file.kind if self._is_told(file) else "" for file in files}
        if all(kinds.values()):
            return kinds
        largest = max(file.area for file in files)
        for file in files:
            if kinds[file] or not file.area:
                continue
            if whole_area:
                kinds[file] = _MASK if abs(file.area - whole_area) <= _ALIKE * whole_area else _CROP
            elif len(files) > 1 and file.area < largest * (1 - _ALIKE):
                kinds[file] = _CROP
            elif len(files) > 1 and sum(other.area >= largest * (1 - _ALIKE) for other in files) == 1:
                kinds[file] = _MASK
        return kinds

    def _is_told(self, file: File) -> bool:
        """Whether the description speaks of this file alone: not where all files of a series share it."""
        return sum(other.kind == file.kind for other in self._by_series[file.series]) == 1

    def _look(self, unclear: Mapping[int, list[File]], found: list[str | None]) -> None:
        """Settle by the pixels what is still open: the one that is no mask is the crop."""
        wanted = dict.fromkeys(file for files in unclear.values() for file in files)
        masks = _masks(self.root, wanted, self.pool)
        for number, files in unclear.items():
            crops = [file for file in files if masks.get(file.name) is False]
            if len(crops) == 1:
                found[number] = crops[0].name
            else:
                self.unclear += 1

    def remarks(self) -> tuple[str, ...]:
        """Warnings: rows whose crop could not be told from the mask, and the rubbish of file managers."""
        said = (f"{counted(self.unclear, 'row')} whose crop cannot be told from its mask.",) if self.unclear else ()
        return (*said, *junk_remark(self.junk))


def pictures_of(source: Path, pool: Decoder) -> Pictures:
    """Find the pictures: JPEGs where there is a folder of them by series, else DICOM.

    Raises:
        InputError: there are neither.
    """
    jpeg = find_folder(source, "jpeg", depth=3)
    return _jpegs(source, jpeg, pool) if jpeg else _dicom(source, pool)


# -- Kaggle


def _jpegs(source: Path, folder: Path, pool: Decoder) -> Pictures:
    root = source if folder.is_relative_to(source) else folder
    images = images_below(root, folder, suffixes=frozenset({".jpg", ".jpeg", ".png"}))
    told = _dicom_info(find_file(source, "dicom_info.csv", depth=3))
    files = []
    for name in images.files:
        series, _, leaf = name.rpartition("/")
        series = series.rpartition("/")[2]
        known = told.get(f"{series}/{leaf}".casefold(), File(name, series))
        files.append(File(name, series, known.patient, known.kind, known.area))
    return Pictures(root, "JPEG (Kaggle)", files, pool, images.skipped, images.junk)


def _dicom_info(path: Path | None) -> dict[str, File]:
    """What ``dicom_info.csv`` says of each file, by series and file name; nothing where there is no such table."""
    if path is None:
        return {}
    found: dict[str, File] = {}
    for row in records(read_table(path)):
        parts = row.get("imagepath", "").replace("\\", "/").split("/")
        sides = [row.get(name, "").removesuffix(".0") for name in ("rows", "columns")]
        area = int(sides[0]) * int(sides[1]) if all(side.isdecimal() for side in sides) else 0
        key = "/".join(parts[-2:]).casefold()
        kind = _kind(row.get("seriesdescription", ""))
        found[key] = File(key, row.get("seriesinstanceuid", ""), row.get("patientid", ""), kind, area)
    return found


# -- TCIA


def _dicom(source: Path, pool: Decoder) -> Pictures:
    tree = walk(source)
    names = [name for name in tree.files if suffix_of(name) == ".dcm" or _may_be_dicom(source, name)]
    if not names:
        raise InputError(
            f"“{shown(source.name)}” holds neither DICOM files nor a folder “jpeg”.",
            "Put the release's images beside its tables, or name the folder that holds both.",
        )
    by_path = {str(source / name): name for name in names}
    files: list[File] = []
    skipped = list(tree.skipped)
    for result in pool.headers([Path(path) for path in by_path]):
        name, told = by_path[str(result.path)], result.header
        if not result.ok or told is None:
            skipped.append(Skipped(shown(name), result.reason, result.message))
        else:
            area = told.rows * told.columns
            kind = _kind(told.series_description)
            files.append(File(name, told.series_uid, told.patient_id.strip(), kind, area))
    skipped.sort(key=lambda item: item.path)
    counts = (Count("DICOM files", len(names), _FILES, "pub"),)
    return Pictures(source, "DICOM (TCIA)", files, pool, tuple(skipped), tree.junk, counts)


def _may_be_dicom(source: Path, name: str) -> bool:
    """Some tools save without an ending."""
    return not suffix_of(name) and has_dicom_mark(source / name)


def _kind(description: str) -> str:
    words = description.casefold()
    return next((kind for mark, kind in _KINDS.items() if mark in words), "")


# -- pixels


def _masks(root: Path, files: Iterable[File], pool: Decoder) -> dict[str, bool]:
    """Path → whether a picture has two values, as a mask has; nothing of those that do not decode."""
    found: dict[str, bool] = {}
    with tempfile.TemporaryDirectory(prefix="medfm-") as place:
        for number, file in enumerate(files):
            out = Path(place) / f"{number}.npy"
            for result in pool.to_npys([(root / file.name, out)]):
                if result.ok:
                    found[file.name] = has_two_values(np.load(out, allow_pickle=False))
                    out.unlink()
    return found


def has_two_values(pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bool:
    """Whether a picture (H × W or H × W × 3) is black and white, but for the blur that JPEG leaves along edges."""
    values = pixels.astype(np.int64)
    low, high = int(values.min()), int(values.max())
    near = (high - low) // 8
    black_or_white = (values <= low + near) | (values >= high - near)
    return low < high and float(black_or_white.mean()) >= _TWO_VALUES
