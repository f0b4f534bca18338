"""Sample charts for ``python -m medfm_gui.ui.charts``: invented runs, one chart of each kind."""

from __future__ import annotations

import numpy as np

from medfm_gui.domain.cards import Family
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.events import EpochFinished
from medfm_gui.ui.charts.probability import ClassProbability, RunProbabilities

RUNS = (
    ("DINOv2-B · LoRA", Family.DINOV2, "lora", 1.9),
    ("MAE-B · linear", Family.MAE, "linear", 1.4),
    ("VMamba-T · full", Family.VMAMBA, "full", 1.7),
    ("CoCa-B · kNN", Family.COCA, "knn", 1.1),
    ("SAM 2-B · attention head", Family.SAM2, "attention-head", 1.25),
    ("AIMv2-L · linear", Family.AIMV2, "linear", 1.6),
    ("CLIP-B · BitFit", Family.CLIP, "bitfit", 1.5),
    ("metadata only", Family.BASELINE, "", 0.5),
)


def roc() -> ChartSpec:
    """ROC curves of two normal distributions, as staircases."""
    draw = np.random.default_rng(7)
    series = []
    for name, family, style, apart in RUNS:
        scores = np.concatenate((draw.normal(size=260), draw.normal(apart, size=140)))
        event = np.repeat([False, True], (260, 140))[np.argsort(-scores)]
        x, y = np.cumsum(~event) / 260, np.cumsum(event) / 140
        series.append(Series(name, (0.0, *map(float, x)), (0.0, *map(float, y)), family=family, style=style))
    names = ("1 − specificity", "sensitivity")
    return ChartSpec("roc", "lines", "ROC", *names, tuple(series), x_range=(0, 1), y_range=(0, 1), diagonal=True)


def efficiency() -> ChartSpec:
    """A metric with its interval against the number of labels."""
    labels = (10.0, 25.0, 50.0, 100.0, 200.0, 400.0)
    series = []
    for place, (name, family, style, _) in enumerate(RUNS[:4]):
        y = tuple(0.93 - 0.02 * place - 1.1 / (n**0.5 + 2 + place) for n in labels)
        half = tuple(0.25 / n**0.5 for n in labels)
        low, high = (
            tuple(value - room for value, room in zip(y, half, strict=True)),
            tuple(value + room for value, room in zip(y, half, strict=True)),
        )
        banded = place < 2
        series.append(Series(name, labels, y, low, high, family, style, markers=not banded))
    note = "95 % percentile bootstrap of patients."
    return ChartSpec("labels", "lines", "Label efficiency", "labelled patients", "AUC", tuple(series), note=note)


def decision() -> ChartSpec:
    """A decision curve, which is a staircase here."""
    x = tuple(float(value) for value in np.linspace(0.01, 0.6, 30))
    curves = [(name, family, style, apart) for name, family, style, apart in RUNS[:3]]
    series = tuple(
        Series(name, x, tuple(0.35 - 0.5 * value / apart for value in x), family=family, style=style, step=True)
        for name, family, style, apart in curves
    )
    return ChartSpec("decision", "lines", "Decision curve", "threshold probability", "net benefit", series)


def confusion() -> ChartSpec:
    """Five grades of diabetic retinopathy."""
    grades = ("no retinopathy", "mild", "moderate", "severe", "proliferative")
    counts = ((263, 6, 2, 0, 0), (9, 41, 6, 0, 0), (4, 11, 124, 9, 2), (0, 0, 12, 14, 3), (1, 0, 9, 6, 29))
    matrix = tuple(tuple(float(count) for count in row) for row in counts)
    note = "Decision: the class of the highest score."
    return ChartSpec(
        "confusion", "matrix", "Confusion matrix", "decision", "reference", (), grades, grades, matrix, note=note
    )


def estimates() -> ChartSpec:
    """One AUC with its interval a run, one of them not estimable."""
    series = tuple(
        Series(name, (0.71 + 0.1 * apart,), (0.0,), (0.69 + 0.095 * apart,), (0.73 + 0.105 * apart,), family, style)
        for name, family, style, apart in RUNS
    )
    lacking = Series("too few events", (float("nan"),), (8.0,))
    note = "Intervals: 95 % DeLong on the logit scale."
    return ChartSpec("auc", "intervals", "ROC-AUC", "ROC-AUC", series=(*series, lacking), note=note)


def training(epochs: int = 40) -> tuple[EpochFinished, ...]:
    """A fine-tuning that overfits from the middle on."""
    draw, best, events = np.random.default_rng(3), 0.0, []
    for epoch in range(1, epochs + 1):
        share = epoch / epochs
        auc = 0.9 - 0.35 * float(np.exp(-6 * share)) - 0.04 * share**3 + float(draw.normal(0, 0.004))
        metrics = {
            "train_loss": 0.7 * float(np.exp(-3 * share)) + 0.05,
            "val_loss": 0.3 + 0.4 * float(np.exp(-6 * share)) + 0.12 * share**2 + float(draw.normal(0, 0.008)),
            "auc": auc,
            "average_precision": auc - 0.08,
            "brier": 0.25 - 0.15 * auc,
            "log_loss": None,
            "lr": 1e-4 * (1 + float(np.cos(np.pi * share))) / 2,
        }
        events.append(EpochFinished(float(epoch), epoch, epochs, metrics, 3.2, auc > best))
        best = max(best, auc)
    return tuple(events)


def answers() -> tuple[RunProbabilities, ...]:
    """What two runs say of one radiograph."""
    origin = "Youden on calibration"
    first = (
        ClassProbability("Pneumonia", 0.81, 0.72, 0.88, 5, 0.46, origin),
        ClassProbability("Normal", 0.19, 0.12, 0.28, 5),
    )
    second = (
        ClassProbability("Pneumonia", 0.38, threshold=0.51, threshold_text=origin),
        ClassProbability("Normal", 0.62),
    )
    return (
        RunProbabilities("DINOv2-B · LoRA · run 12", first, Family.DINOV2, 0),
        RunProbabilities("MAE-B · linear · run 7", second, Family.MAE, 1),
    )
