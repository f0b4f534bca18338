"""Small reports, charts and PNG files, made here."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.report import Attachment, Charts, Facts, Paragraph, Picture, Pictures, Report, Section, Table

RUNS = (
    ("DINOv2-B · LoRA", "DINOv2", "lora"),
    ("MAE-B · linear probe", "MAE", "linear"),
    ("VMamba-T · full", "VMamba", "full"),
    ("CoCa-B · k nearest neighbours", "CoCa", "knn"),
    ("AIMv2-L · linear probe", "AIMv2", "linear"),
    ("EfficientNet-Lite0 · full", "Baseline", "full"),
)

ESTIMATES = ("Run", "AUC (95 % CI)", "Sens.", "Spec.", "n", "events")


def make_png(width: int, height: int, seed: int = 0) -> bytes:
    """A grey-scale PNG with a soft blob on a ramp."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(
        b"\0"
        + bytes(
            int(
                40 + 60 * x / width + 150 * math.exp(-((x - width * 0.3 - seed * 5) ** 2 + (y - height / 2) ** 2) / 300)
            )
            for x in range(width)
        )
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_roc(runs: int = 6, points: int = 200) -> ChartSpec:
    xs = [i / (points - 1) for i in range(points)]
    series = tuple(
        Series(name, tuple(xs), tuple(x ** (0.12 + 0.07 * k) for x in xs), family=family, style=style)
        for k, (name, family, style) in enumerate(RUNS[:runs])
    )
    return ChartSpec(
        "roc", "lines", "ROC on the internal test set", "1 − specificity", "Sensitivity", series,
        x_range=(0, 1), y_range=(0, 1), diagonal=True, note="412 patients, 96 with the finding.",
    )  # fmt: skip


def make_losses(epochs: int = 20) -> ChartSpec:
    xs = tuple(float(epoch) for epoch in range(1, epochs + 1))
    train = tuple(0.7 * math.exp(-x / 6) + 0.02 * math.sin(5 * x) for x in xs)
    val = tuple(0.6 * math.exp(-x / 5) + 0.16 + 0.03 * math.sin(3 * x) for x in xs)
    series = (
        Series("train", xs, train, family="DINOv2", style="train"),
        Series("validation", xs, val, tuple(v - 0.04 for v in val), tuple(v + 0.04 for v in val), family="DINOv2"),
    )
    return ChartSpec("loss", "lines", "Loss by epoch, DINOv2-B · LoRA", "Epoch", "Cross-entropy", series)


def make_confusion(classes: int = 2) -> ChartSpec:
    names: tuple[str, ...] = ("No pneumonia", "Pneumonia")
    if classes > 2:
        names = tuple(f"{'Severe' if k % 2 else 'Mild'} class {k}" for k in range(classes))
    cells = tuple(
        tuple(float(300 if r == c else (r * 7 + c * 13) % 40) for c in range(classes)) for r in range(classes)
    )
    return ChartSpec(
        f"confusion-{classes}", "matrix", "Confusion matrix at the operating point", "Predicted", "Reference standard",
        rows=names, columns=names, matrix=cells,
    )  # fmt: skip


def make_intervals() -> ChartSpec:
    series = tuple(
        Series(name, (0.87 - 0.02 * k,), (float(k),), (0.84 - 0.02 * k,), (0.90 - 0.015 * k,), family, style)
        for k, (name, family, style) in enumerate(RUNS)
    )
    return ChartSpec("auc", "intervals", "AUC with 95 % intervals", "AUC", series=series)


def make_attachments() -> tuple[Attachment, ...]:
    rows = "\n".join(f"image-{k:05d},{(k * 7919) % 1000 / 1000:.3f},{k % 2}" for k in range(2000))
    return (
        Attachment("manifest.json", '{"dataset": "demo", "fingerprint": "9f86d081"}', "Dataset and split"),
        Attachment("predictions.csv", f"sample,score,label\n{rows}\n", "Scores of each sample", "text/csv"),
    )


def make_six_runs(folder: Path) -> Report:
    """A full report as a comparison of six runs makes it; pictures go to ``folder``."""
    pictures = []
    for k in range(6):
        path = folder / f"case-{k}.png"
        path.write_bytes(make_png(96, 96, k))
        pictures.append(Picture(str(path), f"Case {k + 1}: pneumonia, score 0.{91 - k}", f"Grad-CAM over case {k + 1}"))
    rows = tuple(
        (name, f"0.{870 - 18 * k} (0.{841 - 18 * k}–0.{899 - 15 * k})", f"0.{812 - k}", f"0.{790 + k}", "412", "96")
        for k, (name, _, _) in enumerate(RUNS)
    )
    facts = Facts(
        (
            ("Dataset", "Chest radiographs, 2,000 images of 1,384 patients"),
            ("Split", "70/15/15 by patient, sealed; made 2026-03-01"),
            ("Fingerprint", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            ("Reference standard", "Consensus of two radiologists"),
        )
    )
    long_rows = tuple((f"image-{k:04d}", f"P{k // 3:03d}", f"0.{(k * 7919) % 1000:03d}", "yes") for k in range(70))
    charts = (make_roc(), make_intervals(), make_confusion(2), make_losses())
    results = (
        Table("Estimates on the internal test set", ESTIMATES, rows, (1, 2, 3, 4, 5)),
        Charts(charts, ("ROC", "AUC intervals", "Confusion", "Losses")),
    )  # fmt: skip
    alone = Charts((make_intervals(),), ("a",))
    return Report(
        title="Six models for pneumonia on chest radiographs",
        subtitle="Comparison on the internal test set",
        created="2026-03-01T10:20:30+00:00",
        summary="DINOv2-B with LoRA reached the highest AUC, 0.870 (0.841–0.899). The difference to MAE-B is 0.018 "
        "(95 % CI −0.004 to 0.040, DeLong, p = 0.11 after Holm's correction): these data do not show which is better.",
        sections=(
            Section("Data", (facts, Paragraph("Three patients were dropped.", "warning"))),
            Section("Results", results),
            Section("Heat maps", (Pictures(tuple(pictures)), Paragraph("Maps show, they do not explain.", "small"))),
            Section("Every case", (Table("Scores", ("Image", "Patient", "Score", "Correct"), long_rows, (2,)),)),
            Section("Classes", (Charts((make_confusion(5), make_confusion(9)), ("5", "9")), alone)),
        ),
        attachments=make_attachments(),
        version="0.1.0",
    )  # fmt: skip


@pytest.fixture
def png() -> Callable[..., bytes]:
    return make_png


@pytest.fixture
def roc() -> ChartSpec:
    return make_roc()


@pytest.fixture
def losses() -> ChartSpec:
    return make_losses()


@pytest.fixture
def confusion() -> Callable[[int], ChartSpec]:
    return make_confusion


@pytest.fixture
def intervals() -> ChartSpec:
    return make_intervals()


@pytest.fixture
def six_runs(tmp_path: Path) -> Report:
    return make_six_runs(tmp_path)


@pytest.fixture(scope="session")
def make_report() -> Callable[[Path], Report]:
    return make_six_runs
