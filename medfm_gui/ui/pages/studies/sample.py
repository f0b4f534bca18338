"""Studies of phantoms and what runs say of them, for the page alone and for its tests; nobody was imaged for it."""

from __future__ import annotations

import atexit
import functools
import itertools
import math
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.desk.asks.data import Thumbnails, Tile, TileSheet
from medfm_gui.desk.asks.runs import ListRuns, RunItem, RunList
from medfm_gui.desk.asks.settings import ReadSettings
from medfm_gui.desk.asks.studies import (
    CaptureWritten,
    CloseSeries,
    EarlierPrediction,
    EarlierPredictions,
    ElementTable,
    ExplainAgain,
    ExportCapture,
    FileThumbnails,
    HeatMapAnswer,
    ImageSaid,
    IndexSource,
    KeepSimilar,
    ListEarlier,
    ListStudies,
    OpenSeries,
    PredictionView,
    PredictSource,
    ReadElements,
    ReadTags,
    RunSaid,
    SeriesOpened,
    SeriesThumbnails,
    ShowHeatMap,
    ShowPrediction,
    SimilarKept,
    SourceIndexed,
    StudyList,
    TagFact,
    TagFacts,
)
from medfm_gui.desk.protocol import Nothing
from medfm_gui.domain.dataset import Skipped, Task
from medfm_gui.domain.explain import Neighbour
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.domain.similar import SimilarCase
from medfm_gui.domain.study import Element
from medfm_gui.store.rows import RunRow, SeriesRow, StudyRow
from medfm_gui.ui.pages.settings.sample import SETTINGS
from medfm_gui.ui.pages.studies.deidentifying.sample import ANSWERS as DEIDENTIFYING
from medfm_gui.ui.sample import Answers
from medfm_gui.workspace.opening import OpenedSeries, SourceFrame

_SLICES, _SIDE = 24, 256
_WARNING = "Slices overlap: 3.00 mm thick, 2.00 mm apart; the positions give the distance."
_NOTE = "Relative to this image's maximum: not comparable between images or models. A map is no proof."
_FROM = "95th percentile of 118 calibration patients"
_LIKE = f"No outlier signal: mean distance 0.143 of 24 images, not above the limit 0.212 ({_FROM})."
_UNLIKE = f"Looks unlike the training images: mean distance 0.268 of 24 images, above the limit 0.212 ({_FROM})."
_RULE = "youden, fitted on val; counts a miss and a false alarm alike; also used for model selection"
_PRESETS = """
[[preset]]
name = "Soft tissue"
centre = 40
width = 400

[[preset]]
name = "Lung"
centre = -600
width = 1500
"""


def series(uid: str, modality: str, description: str, images: int, warnings: tuple[str, ...] = ()) -> SeriesRow:
    """A series of the sample."""
    return SeriesRow(
        uid, modality, description, images, _SIDE, _SIDE, (1.2, 1.2), 2.0 if images > 1 else None, warnings
    )


STUDIES = (
    StudyRow(
        "1.2.1", "PHANTOM-0007", "20261118", "CT", "CT thorax, phantom", "F", "064Y", "",
        (
            series("1.2.1.1", "CT", "Thorax 2.0 soft", _SLICES, (_WARNING,)),
            series("1.2.1.2", "CT", "Thorax 2.0 lung", _SLICES),
        ),
    ),
    StudyRow(
        "1.2.2", "PHANTOM-0007", "20251002", "DX", "Chest radiography, phantom", "F", "063Y", "",
        (series("1.2.2.1", "DX", "Chest PA", 1), series("1.2.2.2", "DX", "Chest lateral", 1)),
    ),
    StudyRow(
        "1.2.3", "PHANTOM-0012", "20261030", "MG", "Screening mammography, phantom", "F", "058Y", "",
        tuple(
            series(f"1.2.3.{number}", "MG", name, 1)
            for number, name in enumerate(("R CC", "L CC", "R MLO", "L MLO"), 1)
        ),
    ),
    StudyRow(
        "1.2.4", "PHANTOM-0031", "20260914", "MR", "MR brain, phantom", "M", "047Y", "",
        tuple(
            series(f"1.2.4.{number}", "MR", name, _SLICES)
            for number, name in enumerate(("T1 pre", "T1 post", "T2", "FLAIR"), 1)
        ),
    ),
)  # fmt: skip


def run(number: int, title: str, family: str, phase: Phase = Phase.FINISHED) -> RunItem:
    """A run of the sample."""
    row = RunRow(
        id=f"r{number:04d}",
        folder=f"/workspace/runs/r{number:04d}",
        dataset="chest-phantoms",
        dataset_fingerprint="5b" * 32,
        split="chest-phantoms-s1",
        split_fingerprint="c4" * 32,
        fold=None,
        task=Task.BINARY,
        model=title,
        family=family,
        adapt="lora",
        shots=None,
        seed=0,
        preset="",
        recipe={},
        weights_sha256=None,
        from_scratch=False,
        created="2026-11-20T08:00:00Z",
        code_version="0.1.0",
        state=RunState(phase=phase),
    )
    return RunItem(row, title, False, phase is Phase.RUNNING, title, "Chest phantoms, nodule or none")


RUNS = (
    run(1, "EfficientNet-Lite0 · linear", "Baseline"),
    run(2, "MAE ViT-B/16 · linear", "MAE"),
    run(3, "DINOv2 ViT-B/14 · lora", "DINOv2"),
    run(4, "DINOv2 ViT-S/14 · full", "DINOv2", Phase.RUNNING),
)


# -- pixels


@functools.cache
def _folder() -> Path:
    """Frames of the sample; gone when the program ends."""
    made = Path(tempfile.mkdtemp(prefix="medfm-sample-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


_NUMBERS = itertools.count()


def phantom(side: int, at: float) -> npt.NDArray[np.int16]:
    """A slice through a body of water with two lungs, a spine and, in the middle third, a nodule; Hounsfield units."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    grown = math.sqrt(max(0.05, 1 - (2 * at - 1) ** 2 * 0.7))
    values = np.full((side, side), -1000.0)
    values[(x / 0.88) ** 2 + (y / 0.66) ** 2 < 1] = 40
    for middle in (-0.42, 0.42):
        values[((x - middle) / (0.34 * grown)) ** 2 + ((y + 0.02) / (0.48 * grown)) ** 2 < 1] = -820
    values[(x / 0.09) ** 2 + ((y - 0.5) / 0.11) ** 2 < 1] = 700
    values[(x / 0.2) ** 2 + ((y + 0.1) / 0.24) ** 2 < 1] = 55
    if 0.33 < at < 0.67:
        values[(x - 0.46) ** 2 + (y + 0.14) ** 2 < 0.075**2] = 35
    noise = np.random.default_rng(round(at * 1000)).normal(0, 14, values.shape)
    return np.asarray(np.clip(values + noise, -1024, 1500), np.int16)


def opened(ask: OpenSeries) -> SeriesOpened:
    """A phantom for whatever series."""
    study = next((one for one in STUDIES if one.uid == ask.key.study), None)
    row = next((one for one in study.series if one.uid == ask.key.series), None) if study is not None else None
    volume = row is not None and row.n_instances > 1
    count = _SLICES if volume else 1
    array = _folder() / f"series-{next(_NUMBERS)}.npy"
    frames = np.stack([phantom(_SIDE, (index + 0.5) / count) for index in range(count)])
    np.save(array, frames)
    offset = int(np.load(array, mmap_mode="r").offset)
    sources = tuple(
        SourceFrame(ask.key.path or f"/phantoms/{ask.key.series}/{index:03d}.dcm") for index in range(count)
    )
    shown = OpenedSeries(
        array=str(array),
        count=count,
        rows=_SIDE,
        columns=_SIDE,
        channels=1,
        dtype="int16",
        loaded=count,
        first=count // 2,
        sources=sources,
        unit="HU" if volume else "raw",
        window=(40.0, 400.0) if volume else (-250.0, 1400.0),
        spacing_mm=(1.2, 1.2) if row is not None else None,
        spacing_note="mm" if row is not None else "px",
        orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0) if volume else None,
        positions_mm=tuple(-40.0 + 2.0 * index for index in range(count)) if volume else (),
        patient_orientation=("L", "F") if row is not None and not volume else None,
        marks=row.warnings if row is not None else (),
        identity=f"{study.patient} · {study.sex} · 64 y" if study is not None else "",
        study=f"2026-11-18 · {row.modality} · {row.description}" if row is not None else "",
    )
    return SeriesOpened(shown, count, offset)


def _closed(ask: CloseSeries) -> Nothing:
    array = Path(ask.array)
    if array.parent == _folder():
        array.unlink(missing_ok=True)
    return Nothing()


def _sheet(keys: tuple[str, ...]) -> TileSheet:
    small = np.asarray(np.clip((phantom(64, 0.5).astype(np.int32) + 160) / 400 * 255, 0, 255), np.uint8)
    tiles = tuple(Tile(key, 64, 64, 1, place * 64 * 64) for place, key in enumerate(keys))
    return TileSheet(tiles, small.tobytes() * len(keys))


# -- answers of runs


def said(number: int, item: RunItem, score: float, threshold: float, *, slices: int = _SLICES) -> RunSaid:
    """What a run says: nodule or none."""
    return RunSaid(
        prediction="p0007",
        number=number,
        run=item.row.id,
        title=item.title,
        family=item.row.family,
        task="binary",
        classes={"No nodule": 1 - score, "Nodule": score},
        decision="Nodule" if score >= threshold else "No nodule",
        positive="Nodule",
        threshold=threshold,
        threshold_note=_RULE,
        slices=slices,
        has_map=True,
        map_target="Nodule",
        map_note=_NOTE,
        method="gradcam",
        checks={"randomisation": "Grad-CAM follows the weights: with shuffled ones the maps change."},
        dataset=item.row.dataset,
        outlier=number == 1,
        outlier_note=_UNLIKE if number == 1 else _LIKE,
        similar=tuple(
            SimilarCase(f"chest-{place:04d}", ("Nodule" if place % 3 else "No nodule",), 0.12 + 0.02 * place)
            for place in range(5)
        ),
    )


def voted(number: int, item: RunItem, score: float) -> RunSaid:
    """What a vote of neighbours says: no map, but the training images that cast it."""
    near = tuple(
        Neighbour(
            f"chest-{place:04d}", ("Nodule" if place % 3 else "No nodule",), 0.97 - 0.02 * place, 0.2 - 0.02 * place
        )
        for place in range(8)
    )
    note = "A vote of neighbours has no class gradient, so there is no map: the neighbours are the explanation."
    return replace(
        said(number, item, score, 0.5), has_map=False, map_note=note, method="neighbours", checks={}, neighbours=near
    )


def lacking(item: RunSaid) -> RunSaid:
    """The same of a run of an earlier version: it compared the image with nothing, and what it needs can be made."""
    why = f"Not available: this run kept no training images to compare with. “medfm similar {item.run}” keeps them."
    return replace(item, outlier=None, outlier_note=why, similar=(), can_keep_similar=True)


_CT = ImageSaid(
    source="/phantoms/1.2.1.1",
    study="1.2.1",
    series="1.2.1.1",
    said=(said(0, RUNS[2], 0.81, 0.46), said(1, RUNS[1], 0.39, 0.52)),
    warnings=("The study is CT; the runs were trained on DX.",),
)
PREDICTION = PredictionView("p0007", "2026-11-22T07:16:31Z", (_CT,))


def _predicted(ask: PredictSource) -> PredictionView:
    items = [item for item in RUNS if item.row.id in ask.runs]
    scores = ((0.81, 0.46), (0.39, 0.52), (0.64, 0.55))
    source = ask.key.path or f"/phantoms/{ask.key.series}"
    answers = tuple(
        replace(said(place, item, *scores[place % 3]), method=ask.explain) for place, item in enumerate(items)
    )
    image = ImageSaid(source, ask.key.study, ask.key.series, answers, _CT.warnings if ask.key.study == "1.2.1" else ())
    return PredictionView("p0008", "2026-11-22T09:30:00Z", (image,))


def _again(ask: ExplainAgain) -> HeatMapAnswer:
    made = _heat(ShowHeatMap(ask.prediction, ask.number))
    if ask.explain == "layercam":
        blank = bytes(4 * made.rows * made.columns) + made.payload[4 * made.rows * made.columns :]
        return replace(made, method=ask.explain, payload=blank, is_blank=True, reason="no positive evidence")
    return replace(made, method=ask.explain)


def _heat(ask: ShowHeatMap) -> HeatMapAnswer:
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    values = np.exp(-((x - 0.46) ** 2 + (y + 0.14) ** 2) / 0.05).astype(np.float32)
    ramp = np.linspace(0, 1, 256)[:, None]
    colours = np.asarray(np.array([0, 34, 78]) * (1 - ramp) + np.array([254, 232, 56]) * ramp, np.uint8)
    source = f"/phantoms/1.2.1.1/{_SLICES // 2:03d}.dcm"
    return HeatMapAnswer(64, 64, source, "Nodule", "gradcam", _NOTE, values.tobytes() + colours.tobytes())


def _tags(ask: ReadTags) -> TagFacts:
    who = (TagFact("Patient ID", "PHANTOM-0007"), TagFact("Sex", "F"), TagFact("Age", "64 y"))
    what = (
        ("Modality", "CT"), ("Study date", "2026-11-18"), ("Body part", "CHEST"), ("Images", "24"),
        ("Size", "256 × 256 px"), ("Pixel spacing", "1.2 × 1.2 mm"), ("Slice thickness", "3 mm"),
        ("Slice spacing", "2.00 mm"), ("Photometric", "MONOCHROME2"), ("Manufacturer", "Phantom works"),
    )  # fmt: skip
    return TagFacts((*(who if ask.identity else ()), *(TagFact(*fact) for fact in what)))


_ELEMENTS = (
    ("(0002,0010)", "Transfer Syntax UID", "UI", "1.2.840.10008.1.2.1"),
    ("(0008,0008)", "Image Type", "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
    ("(0008,0060)", "Modality", "CS", "CT"),
    ("(0008,0070)", "Manufacturer", "LO", "Phantom works"),
    ("(0008,0080)", "Institution Name", "LO", "Phantom hospital"),
    ("(0008,1032)", "Procedure Code Sequence", "SQ", "1 item"),
    ("(0010,0010)", "Patient's Name", "PN", "Phantom^Seven"),
    ("(0010,0020)", "Patient ID", "LO", "PHANTOM-0007"),
    ("(0018,0050)", "Slice Thickness", "DS", "3"),
    ("(0018,1210)", "Convolution Kernel", "SH", "STANDARD"),
    ("(0028,0030)", "Pixel Spacing", "DS", "1.2\\1.2"),
    ("(0043,1028)", "Private tag data", "OB", "80 bytes"),
)


def _elements(ask: ReadElements) -> ElementTable:
    who = ("(0008,0080)", "(0010,0010)", "(0010,0020)")
    found = []
    for tag, name, kind, value in _ELEMENTS:
        hidden = tag in who and not ask.identity
        found.append(Element(tag, name, kind, "" if hidden else value, 0, tag == "(0043,1028)", hidden))
        if kind == "SQ":
            found.append(Element("(0008,0104)", "Code Meaning", "LO", "CT of the chest", 1))
    return ElementTable(tuple(found))


def _earlier(ask: ListEarlier) -> EarlierPredictions:
    if ask.key.study != "1.2.1":
        return EarlierPredictions(())
    titles = tuple(item.title for item in RUNS[:2])
    return EarlierPredictions(
        (
            EarlierPrediction("p0007", "2026-11-22T07:16:31Z", titles, 1),
            EarlierPrediction("p0003", "2026-11-19T15:02:10Z", titles[:1], 1),
        )
    )


def _indexed(ask: IndexSource) -> SourceIndexed:
    if ask.path.endswith(".png"):
        return SourceIndexed(pictures=(ask.path,))
    left = (Skipped(f"{ask.path}/notes.txt", "not_an_image", "It is a text, not an image."),)
    return SourceIndexed((STUDIES[0],), skipped=left, n_skipped=1)


ANSWERS: Answers = {
    ListStudies: lambda ask: StudyList(STUDIES, "/workspace/demo-data/ct/0000", _PRESETS),
    IndexSource: _indexed,
    SeriesThumbnails: lambda ask: _sheet(tuple(map(str, ask.places))),
    FileThumbnails: lambda ask: _sheet(ask.paths),
    OpenSeries: opened,
    CloseSeries: _closed,
    ReadTags: _tags,
    ReadElements: _elements,
    ListRuns: lambda ask: RunList(RUNS),
    ReadSettings: lambda ask: replace(SETTINGS, class_sets=True),
    PredictSource: _predicted,
    ShowPrediction: lambda ask: PREDICTION,
    ListEarlier: _earlier,
    ShowHeatMap: _heat,
    ExplainAgain: _again,
    KeepSimilar: lambda ask: SimilarKept(ask.run, 820),
    Thumbnails: lambda ask: _sheet(ask.samples),
    ExportCapture: lambda ask: CaptureWritten(ask.path),
    **{ask: answer for ask, answer in DEIDENTIFYING.items() if ask is not FileThumbnails},
}


def answers(**other: Any) -> Answers:
    """The sample with other answers to some questions, by the name of their class."""
    kinds = {kind.__name__: kind for kind in ANSWERS}
    return {**ANSWERS, **{kinds[name]: answer for name, answer in other.items()}}
