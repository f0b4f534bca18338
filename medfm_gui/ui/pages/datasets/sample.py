"""Answers for the page alone: datasets of simulated patients, pictures drawn here, splits with and without leaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from medfm_gui.desk.asks.data import (
    CheckQuality,
    DatasetList,
    DeleteDataset,
    DeleteSplit,
    DescribeCohort,
    ImportDataset,
    Imported,
    ListDatasets,
    ListSamples,
    ListSplits,
    LookAtSource,
    MakePreviews,
    MakeSplit,
    PlanSplit,
    PreviewImport,
    PreviewsMade,
    ShowSample,
    ShowSplit,
    SplitList,
    SplitMade,
    Thumbnails,
    Tile,
    TileSheet,
)
from medfm_gui.domain.dataset import Count, Sample, Skipped, Task
from medfm_gui.domain.split import Certificate, Leak, LeakCheck, LeakKind
from medfm_gui.store.rows import DatasetRow, SamplePage, SplitRow
from medfm_gui.ui.pages.datasets.sample_curation import answers
from medfm_gui.ui.sample import Answers
from medfm_gui.workspace.cohort import (
    Characteristics,
    LeakLine,
    Line,
    PlannedFold,
    Quality,
    Section,
    SplitFacts,
    SplitPlan,
    Twins,
)
from medfm_gui.workspace.deletion import Deleted
from medfm_gui.workspace.sources import (
    ColumnFacts,
    ImportReport,
    LayoutFacts,
    PolicyFacts,
    SkippedGroup,
    SourceFacts,
)

CHEST: Final = DatasetRow(
    id="thorax-phantom",
    name="Thorax phantom",
    layout="dicom",
    task=Task.BINARY,
    classes=("clear", "nodule"),
    positive="nodule",
    source="/data/phantom/thorax",
    folder="/workspace/datasets/thorax-phantom",
    fingerprint="4be1c1f07a5f0d2c9f3e6a1b8d7c5e4f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d",
    created="2026-11-20T08:14:02Z",
    taken={
        "layout": "dicom (the folder holds DICOM files and a table)",
        "table": "labels.csv",
        "join": "sop_instance_uid as SOPInstanceUID (by its name)",
        "patient": "PatientID of the files, kept as pseudonyms",
        "label": "finding (by its name)",
        "positive class": "nodule (“nodule” names a disease)",
    },
    warnings=("2 sets of images with identical pixels: p014/0002.dcm = p014/0003.dcm, p090/0001.dcm = p091/0001.dcm.",),
    n_samples=1284,
    n_patients=412,
    n_skipped=7,
)
FUNDUS: Final = replace(
    CHEST,
    id="fundus-grades",
    name="Fundus grades, simulated",
    layout="csv",
    task=Task.ORDINAL,
    classes=("0", "1", "2", "3", "4"),
    positive=None,
    n_samples=3662,
    n_patients=None,
    n_skipped=0,
    warnings=(),
    created="2026-11-21T16:40:00Z",
)
FINDINGS: Final = replace(
    CHEST,
    id="chest-findings",
    name="Chest findings, simulated",
    layout="csv",
    task=Task.MULTILABEL,
    classes=("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Nodule", "Pneumothorax"),
    positive=None,
    n_samples=250_000,
    n_patients=61_204,
    created="2026-11-18T11:02:45Z",
)
_SIZES: Final = {"train": 898, "val": 193, "cal": 0, "test": 193}
_COLUMNS: Final = ("train", "val", "test")
_CLASSES: Final = (Line("clear", (611, 131, 132)), Line("nodule", (287, 62, 61)))


def _split(number: int, **changes: object) -> SplitRow:
    made = SplitRow(
        id=f"thorax-phantom-s{number}",
        dataset="thorax-phantom",
        dataset_fingerprint=CHEST.fingerprint,
        path=f"/workspace/splits/thorax-phantom-s{number}.json",
        rule="70/15/15 by patient, seed 0",
        seed=0,
        fingerprint=f"{number}7c0a9e2f4b1d8c6a5e3f2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e4d3c2b1",
        created="2026-11-20T08:20:31Z",
        family=None,
        fold=None,
        acceptance=None,
        n_leaks=0,
        n_dropped=0,
        warnings=(),
        settings={"ratios": "70/15/15", "by": "patient", "seed": "0"},
        sizes=_SIZES,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


SPLITS: Final = (
    _split(1),
    _split(
        2,
        rule="70/15/15 by image, seed 0",
        settings={"ratios": "70/15/15", "by": "image", "seed": "0"},
        n_leaks=214,
        acceptance="to measure what leakage is worth",
        warnings=("Patients stand on several sides, as was accepted.",),
        created="2026-11-20T09:02:10Z",
    ),
)
_LEAKS: Final = tuple(
    LeakLine(
        Leak(LeakKind.PATIENT, f"s{number:06d}", f"s{number + 400:06d}", ("train", "test")),
        f"p{number:03d}/0001.dcm",
        f"p{number:03d}/0002.dcm",
    )
    for number in range(14, 40)
)


def _sample(dataset: DatasetRow, number: int) -> Sample:
    target: tuple[int, ...] = (int(number % 3 == 0),)
    if dataset.task is Task.MULTILABEL:
        target = tuple(int((number * (place + 3)) % 7 == 0) for place in range(len(dataset.classes)))
    elif dataset.task is Task.ORDINAL:
        target = (number % 5,)
    return Sample(
        id=f"s{number + 1:06d}",
        path=f"p{number // 3 + 1:03d}/{number % 3 + 1:04d}.dcm",
        target=target,
        patient=f"P-{number // 3 + 1:04d}" if dataset.n_patients else None,
        rows=512,
        columns=512,
        covariates={"modality": "CR", "view": ("PA", "AP", "LL")[number % 3], "sex": "FM"[number % 2], "age": "064Y"},
    )


def _datasets(ask: ListDatasets) -> DatasetList:
    return DatasetList((FINDINGS, CHEST, FUNDUS))


def _find(name: str) -> DatasetRow:
    return next((row for row in (CHEST, FUNDUS, FINDINGS) if row.id == name), CHEST)


def _splits(ask: ListSplits) -> SplitList:
    return SplitList(SPLITS if ask.dataset in ("", CHEST.id) else ())


def _samples(ask: ListSamples) -> SamplePage:
    dataset = _find(ask.dataset)
    total = dataset.n_samples
    if ask.only.text == "nothing":
        total = 0
    elif ask.only.class_index is not None:
        total //= len(dataset.classes)
    rows = range(ask.offset, min(ask.offset + ask.limit, total))
    samples = tuple(_sample(dataset, number) for number in rows)
    if ask.only.ids is not None:
        total = len(ask.only.ids)
        samples = tuple(_sample(dataset, int(name[1:]) - 1) for name in ask.only.ids[ask.offset :][: ask.limit])
    hidden = {sample.id for sample in samples if dataset is CHEST and int(sample.id[1:]) % 7 == 3}
    shown = tuple(replace(one, target=(), path="") if one.id in hidden else one for one in samples)
    return SamplePage(total, shown, tuple(hidden))


def _drawn(name: str, side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A simulated radiograph: two dark lungs, ribs, and in every third a bright spot."""
    number = int(name[1:] or 1)
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    tilt = (number * 37 % 11 - 5) / 60
    body = np.clip(1.3 - 2.2 * (x * x + 0.5 * y * y), 0, 1)
    lungs = sum(np.exp(-(((x - at - tilt * y) / 0.13) ** 2) - ((y + 0.02) / 0.3) ** 2) for at in (-0.19, 0.19))
    ribs = 0.06 * np.cos(50 * (y + 0.7 * x * x)) * lungs
    spot = 0.45 * np.exp(-((x - 0.17) ** 2 + (y - tilt) ** 2) / 0.0015) if (number - 1) % 3 == 0 else 0.0
    grey = 0.25 + 0.6 * body - 0.5 * lungs + ribs + spot
    return np.asarray(np.clip(grey * 230, 0, 255), dtype=np.uint8)


def _sheet(names: tuple[str, ...], side: int) -> TileSheet:
    drawn = [_drawn(name, side) for name in names]
    tiles = tuple(Tile(name, side, side, 1, place * side * side) for place, name in enumerate(names))
    return TileSheet(tiles, b"".join(picture.tobytes() for picture in drawn))


def _cohort(ask: DescribeCohort) -> Characteristics:
    columns = ("all", *_COLUMNS) if ask.split else ("all",)

    def line(name: str, *counts: int) -> Line:
        return Line(name, (sum(counts), *counts) if ask.split else (sum(counts),))

    return Characteristics(
        dataset=ask.dataset,
        split=ask.split,
        columns=columns,
        images=(1284, 898, 193, 193)[: len(columns)],
        patients=(412, 288, 62, 62)[: len(columns)],
        sections=(
            Section("Class", (line("clear", 611, 131, 132), line("nodule", 287, 62, 61))),
            Section(
                "Patients with a class",
                (line("clear", 214, 46, 45), line("nodule", 96, 21, 22)),
                (412, 288, 62, 62)[: len(columns)],
            ),
            Section("Sex", (line("F", 441, 101, 88), line("M", 446, 92, 104), line("not recorded", 11, 0, 1))),
            Section(
                "Age",
                (
                    line("18–39 years", 122, 31, 20),
                    line("40–59 years", 310, 60, 75),
                    line("60–79 years", 402, 90, 81),
                    line("80 years and older", 64, 12, 17),
                ),
            ),
            Section("View", (line("PA", 520, 117, 110), line("AP", 291, 60, 66), line("LL", 87, 16, 17))),
            Section("Manufacturer", (line("Phantom A", 603, 120, 131), line("Phantom B", 295, 73, 62))),
        ),
        left_out=("Exposure time",),
    )


def _quality(ask: CheckQuality) -> Quality:
    row = _find(ask.dataset)
    skipped = (
        SkippedGroup(
            "truncated", 4, tuple(Skipped(f"p{n:03d}/0002.dcm", "truncated", "It ends early.") for n in (3, 17, 88, 91))
        ),
        SkippedGroup("no_label", 3, tuple(Skipped(f"p{n:03d}/0001.dcm", "no_label", "No row.") for n in (5, 6, 7))),
    )
    twins = (
        Twins(("s000270", "s000273"), ("p090/0001.dcm", "p091/0001.dcm"), ("clear", "nodule"), True),
        Twins(("s000041", "s000042"), ("p014/0002.dcm", "p014/0003.dcm"), ("nodule", "nodule"), False),
    )
    return Quality(
        dataset=row.id,
        warnings=row.warnings,
        skipped=skipped if row.n_skipped else (),
        n_skipped=row.n_skipped,
        twins=twins if row.warnings else (),
        n_twins=2 if row.warnings else 0,
        units=("patient", "image", "view") if row.n_patients else ("image",),
        has_patients=bool(row.n_patients),
        folds=(),
        presets=(("study-b", "Study B, corrected"), ("study-b-as-published", "Study B as published: official lists")),
        sites=("manufacturer", "view"),
        times=("study_date",),
    )


def _plan(ask: PlanSplit) -> SplitPlan:
    if ask.wish.by == "image" and not (ask.wish.drop or ask.wish.accept or ask.wish.move):
        message = (
            "The split leaks: 214 images in train with a patient of test (s000014 and s000414, s000015 and s000415)."
        )
        return SplitPlan(leaks=_LEAKS, n_leaks=214, n_drop=214, message=message)
    number = ask.wish.folds or 1
    rule = ask.wish.ratios or "70/15/15"
    folds = tuple(
        PlannedFold(f"{rule} by {ask.wish.by}, seed {ask.wish.seed}", _SIZES, _CLASSES) for _ in range(number)
    )
    return SplitPlan(_COLUMNS, folds, ())


def _made(ask: MakeSplit) -> SplitMade:
    return SplitMade(SPLITS[0].id, (SPLITS[0],))


def _shown(ask: ShowSplit) -> SplitFacts:
    row = next((row for row in SPLITS if row.id == ask.split), SPLITS[0])
    leaks = _LEAKS if row.n_leaks else ()
    near = Leak(LeakKind.NEAR, "s000120", "s000877", ("train", "test"))
    suspects = (LeakLine(near, "p040/0001.dcm", "p288/0002.dcm"),) if row.id == SPLITS[-1].id else ()
    vouched = Certificate(
        checks=(
            LeakCheck(LeakKind.PATIENT, "patient identifiers", 1284, len(leaks)),
            LeakCheck(LeakKind.GROUP, "lesion or group identifiers", reason="The dataset has none."),
            LeakCheck(LeakKind.PIXELS, "SHA-256 of decoded pixels", 1284),
            LeakCheck(LeakKind.NEAR, "descriptors propose, registration decides", 1284, len(suspects)),
        ),
        leaks=tuple(item.leak for item in leaks),
        suspects=tuple(item.leak for item in suspects),
        accepted=row.acceptance,
        unseen=(
            "One patient under two identifiers.",
            "Whether a foundation model has seen these images in its pretraining.",
        ),
        sha256="5f0c" * 16,
    )
    return SplitFacts(row.id, _COLUMNS, _CLASSES, leaks, (), row.settings, certificate=vouched, suspects=suspects)


def _looked(ask: LookAtSource) -> SourceFacts:
    return SourceFacts(
        path=ask.path,
        name="thorax",
        is_folder=True,
        layouts=(
            LayoutFacts("medmnist", "A MedMNIST archive (.npz)"),
            LayoutFacts(
                "dicom",
                "A tree of DICOM files with a table of labels",
                (
                    PolicyFacts(
                        "uncertain",
                        "Uncertain labels",
                        (("ignore", "left out of the loss"), ("ones", "counted as present"), ("zeros", "as absent")),
                        "ignore",
                    ),
                    PolicyFacts("views", "Views", (("all", "all views"), ("frontal", "frontal only")), "all"),
                ),
                {"study-a": {"uncertain": "zeros", "views": "frontal"}},
            ),
            LayoutFacts("csv", "A table with one row an image"),
            LayoutFacts("folder", "One folder a class"),
        ),
        layout="dicom",
        reason="the folder holds DICOM files and a table",
        table="labels.csv",
        n_rows=1291,
        columns=(
            ColumnFacts("sop_instance_uid", 1291, ("1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2")),
            ColumnFacts("finding", 2, ("clear", "nodule")),
            ColumnFacts("site", 3, ("A", "B", "C")),
            ColumnFacts("age", 71, ("64", "58", "71")),
        ),
    )


def _previewed(ask: PreviewImport) -> ImportReport:
    return ImportReport(
        layout="dicom",
        name="thorax",
        task=Task.BINARY,
        classes=("clear", "nodule"),
        positive="nodule",
        counts=(874, 410),
        n_samples=1284,
        n_patients=412,
        n_skipped=7,
        smallest=(512, 512),
        largest=(2048, 2500),
        taken=CHEST.taken,
        warnings=CHEST.warnings,
        skipped=_quality(CheckQuality(CHEST.id)).skipped,
        known=(Count("images", 1284, 1291, "simulated"), Count("patients", 412, 412, "simulated"), Count("sites", 3)),
        policies={"uncertain": "ignore", "views": "all"},
    )


ANSWERS: Final[Answers] = {
    **answers(),
    ListDatasets: _datasets,
    ListSplits: _splits,
    ListSamples: _samples,
    Thumbnails: lambda ask: _sheet(ask.samples, ask.side),
    ShowSample: lambda ask: _sheet((ask.sample,), 512),
    DescribeCohort: _cohort,
    CheckQuality: _quality,
    PlanSplit: _plan,
    MakeSplit: _made,
    ShowSplit: _shown,
    LookAtSource: _looked,
    PreviewImport: _previewed,
    ImportDataset: lambda ask: Imported(CHEST),
    DeleteDataset: lambda ask: Deleted(ask.dataset, (), f"/workspace/deleted/{ask.dataset}-1"),
    DeleteSplit: lambda ask: Deleted("", (ask.split,), f"/workspace/deleted/{ask.split}-1"),
    MakePreviews: lambda ask: PreviewsMade(ask.dataset, CHEST.n_samples),
}
