"""Sample answers of what lies behind a comparison of phantoms; nothing was measured on a patient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from medfm_gui.desk.asks.compare import FileWritten
from medfm_gui.desk.asks.compare_cases import (
    ClassSets,
    CovariateList,
    ListTestCovariates,
    ReadClassSets,
    ReadDisagreements,
    ReadFolds,
    ReadReferences,
    ReadSampling,
    ReadSeeds,
    ReadSubgroups,
    ReadUsefulness,
    WriteChart,
)
from medfm_gui.desk.asks.data import Thumbnails, Tile, TileSheet
from medfm_gui.desk.asks.studies import PredictionView, PredictSource
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.ui.pages.compare.sample_folds import sample_folds
from medfm_gui.ui.sample import Answers
from medfm_gui.workspace.disagreements import Case, Disagreements, Kind
from medfm_gui.workspace.references import OwnResult, PublishedResult, References
from medfm_gui.workspace.seeds import SeedFile, SeedGroup
from medfm_gui.workspace.subgrouping import CovariateFacts, SubgroupFile, forest_chart
from medfm_gui.workspace.usefulness import (
    BRIER_AT,
    CALIBRATED,
    ECE,
    IN_THE_LARGE,
    NPV,
    PPV,
    SCALE,
    SLOPE,
    Sampling,
    UsefulnessFile,
)  # fmt: skip

_CLASSES = ("no nodule", "nodule")
Runs = dict[str, tuple[str, str, float]]


def _row(run: str, metric: str, value: float | None, half: float = 0.04, **changes: object) -> Evaluation:
    ends = (None, None) if value is None or not half else (value - half, value + half)
    known: dict[str, object] = {
        "method": "delong-logit", "unit": "patient", "n": 492, "n_patients": 492, "n_events": 118, "sample_set": "ab",
        **changes,
    }  # fmt: skip
    return Evaluation(run, "test", metric, value, *ends, **known)  # type: ignore[arg-type]


def _subgroups(known: Runs, runs: Sequence[str], covariate: str) -> SubgroupFile:
    values = {"F": (240, 60), "M": (228, 52), "not recorded": (24, 6)}
    rows = []
    for run in runs:
        for place, (value, (n, events)) in enumerate(values.items()):
            auc = None if min(events, n - events) < 20 else known[run][2] - 0.03 * place
            size = {"n": n, "n_patients": n, "n_events": events, "label": value}
            note = "" if auc is not None else "fewer than 20 units of a class: no estimate"
            method = "newcombe" if auc is not None else "not-estimable"
            for metric, less in (("auc", 0.0), ("sensitivity", 0.06), ("specificity", 0.03)):
                told = None if auc is None else auc - less
                rows.append(_row(run, metric, told, 0.06, **size, method=method, note=note))
    named = [(run, f"{run} {known[run][0]}", known[run][1]) for run in runs]
    return SubgroupFile(
        tuple(runs), covariate, tuple(values), tuple(rows), forest_chart(named, covariate, tuple(values), rows),
        "patient",
    )  # fmt: skip


def _usefulness(known: Runs, ask: ReadUsefulness) -> UsefulnessFile:
    rows = []
    for place, run in enumerate(ask.runs):
        hidden = "withheld: it holds only at the share of events of consecutive cases"
        scale = {} if place else {SCALE: CALIBRATED}
        rows += [
            _row(run, IN_THE_LARGE, None, method="not-estimable", note=hidden),
            replace(_row(run, SLOPE, 0.72 + 0.1 * place, 0.16, method="logistic-wald"), parameters=scale),
            _row(run, ECE, None, method="not-estimable", note=hidden),
            *(
                _row(run, metric, value if ask.prevalence else None, 0.05, method="logit-predictive")
                for metric, value in ((BRIER_AT, 0.14), (PPV, 0.58), (NPV, 0.93))
            ),
        ]
    series = []
    steps = [ask.low + (ask.high - ask.low) * step / 30 for step in range(31)]
    for run in ask.runs:
        title, family, auc = known[run]
        y = tuple(0.24 * auc - 0.3 * (1 - auc) * t / (1 - t) - 0.1 * t for t in steps)
        low, high = tuple(v - 0.02 for v in y), tuple(v + 0.02 for v in y)
        series.append(Series(f"{run} {title}", tuple(steps), y, low, high, family, title.split(" · ")[1]))
    series.append(Series("treat all", tuple(steps), tuple(0.24 - 0.76 * t / (1 - t) for t in steps)))
    series.append(Series("treat none", (ask.low, ask.high), (0.0, 0.0)))
    chart = ChartSpec(
        "decision", "lines", "Net benefit", "threshold probability", "net benefit", tuple(series),
        x_range=(ask.low, ask.high), y_range=(-0.05, 0.26),
        note="Share of events: re-weighted to a prevalence of 0.24. Bands: pointwise 95 %, patients drawn together.",
    )  # fmt: skip
    withheld = "" if ask.prevalence else (
        "The dataset says that its cases are enriched, so the share of events here need not be that of any "
        "population. Net benefit is withheld until a prevalence is named."
    )  # fmt: skip
    return UsefulnessFile(
        ask.runs, ask.low, ask.high, ask.prevalence, Sampling("enriched"), "patient", tuple(rows),
        () if withheld else (chart,), withheld, ask.runs[1:2],
    )  # fmt: skip


def _seeds(known: Runs, runs: Sequence[str]) -> SeedFile:
    groups = []
    for place, run in enumerate(runs[:3]):
        title, _, auc = known[run]
        values = tuple(auc + 0.006 * (seed - 2) for seed in range(5 if place < 2 else 1))
        several = len(values) > 1
        over = {"label": title, "method": "t-seeds", "parameters": {"interval over": "seeds"}}
        groups.append(
            SeedGroup(
                title, (run, *(f"r{100 * (place + 1) + seed:04d}" for seed in range(1, len(values)))),
                tuple(range(len(values))), values, 0.0095 if several else None,
                _row(run, "auc", auc, 0.012 if several else 0.0, **over),
                _row(run, "auc", auc, 0.031, label=title, method="bootstrap"),
            )
        )  # fmt: skip
    shift = groups[1].over_seeds.value or 0.0
    first = groups[0].over_seeds.value or 0.0
    pair = Comparison(
        groups[1].name, groups[0].name, "auc", shift - first, shift - first - 0.03, shift - first + 0.03,
        "seeds-patients", 0.06, 0.06, 492, parameters={"unit": "patient", "seeds": "5 and 5"},
    )  # fmt: skip
    bars = [
        (f"{group.name}: over {what}", row)
        for group in groups
        for what, row in (("seeds", group.over_seeds), ("patients", group.over_patients))
        if row.low is not None
    ]
    series = tuple(
        Series(name, (row.value or 0.0,), (float(at),), (row.low or 0.0,), (row.high or 0.0,))
        for at, (name, row) in enumerate(bars)
    )
    chart = ChartSpec(
        "seeds", "intervals", "ROC-AUC over seeds", "ROC-AUC", series=series, rows=tuple(n for n, _ in bars)
    )
    said = (
        "A claim about a backbone or an adaptation needs at least 5 seeds of each. Fewer have: "
        f"{groups[-1].name} (1). What is compared there are single trained models. No seed is chosen by its test."
    )
    return SeedFile(tuple(runs), "auc", tuple(groups), (pair,), said, (chart,))


def _disagreements(known: Runs, ask: ReadDisagreements) -> Disagreements:
    cases = []
    for number in range(180):
        truth = number % 3 == 0
        told = tuple(
            min(0.99, max(0.01, 0.5 + 0.4 * math.sin(1.7 * number + 2.1 * place))) for place in range(len(ask.runs))
        )
        decided = tuple(_CLASSES[value >= 0.417] for value in told)
        wrong = tuple(name != _CLASSES[truth] for name in decided)
        differ, err = len(set(decided)) > 1, all(wrong)
        if {Kind.DIFFER: differ, Kind.ALL_ERR: err, Kind.ANY: differ or err}[ask.kind]:
            gap = max(told) - min(told)
            cases.append(
                Case(f"P{number:04d}", f"s{number:04d}", 1 + number % 2, _CLASSES[truth], told, decided, wrong, gap,
                     f"/data/phantoms/{number}.png")
            )  # fmt: skip
    cases.sort(key=lambda case: -case.gap)
    return Disagreements(
        ask.runs, "chest", ask.kind, "patient", "nodule", tuple(cases), len(cases), 120, 20, 492, mapped=ask.runs,
    )  # fmt: skip


def _references(known: Runs, runs: Sequence[str]) -> References:
    marks = (("DINOv2-B", 0.966), ("AIMv2-L", 0.968), ("MAE-B", 0.943), ("CLIP", None))
    results = tuple(
        PublishedResult("A", "ddsm", "auc", model, "", value, "figure", "Figure 1") for model, value in marks
    )
    own = tuple(
        Series(f"{run} {known[run][0]}", (known[run][2],), (float(place),), (known[run][2] - 0.03,),
               (known[run][2] + 0.027,), known[run][1], markers=True)
        for place, run in enumerate(runs)
    )  # fmt: skip
    hollow = tuple(
        Series(f"{model} (study A)", (value,), (float(len(own) + place),), markers=True, hollow=True)
        for place, (model, value) in enumerate(marks) if value is not None
    )  # fmt: skip
    series = (*own, *hollow)
    chart = ChartSpec(
        "references-auc", "intervals", "ROC-AUC and published results", "ROC-AUC", series=series,
        rows=tuple(one.name for one in series), note="Hollow: published, other split: not comparable.",
    )  # fmt: skip
    defined = tuple(OwnResult(run, "A", "auc", "study_a_roc_auc", round(known[run][2], 3)) for run in runs)
    studies = (("A", "Fine-tuning natural-domain foundation models (arXiv 2505.19779)"),)
    return References(
        tuple(runs), "DDSM", results, (chart,), studies,
        (("figure", "digitised from a figure (error about ±0.001)"),), defined,
    )  # fmt: skip


def _tiles(ask: Thumbnails) -> TileSheet:
    side = 48
    tiles, parts = [], []
    for place, name in enumerate(ask.samples):
        number = sum(map(ord, name))
        parts.append(bytes(40 + (x * 5 + y * 3 + number * 17) % 160 for y in range(side) for x in range(side)))
        tiles.append(Tile(name, side, side, 1, place * side * side))
    return TileSheet(tuple(tiles), b"".join(parts))


def case_answers(known: Runs) -> Answers:
    """Answers about these runs: id → title, family, AUC."""
    facts = (CovariateFacts("manufacturer", 3, 0), CovariateFacts("sex", 2, 24), CovariateFacts("view", 2, 0))
    return {
        ListTestCovariates: lambda ask: CovariateList(ask.runs, facts),
        ReadSubgroups: lambda ask: _subgroups(known, ask.runs, ask.covariate),
        ReadSampling: lambda ask: Sampling("enriched"),
        ReadUsefulness: lambda ask: _usefulness(known, ask),
        ReadClassSets: lambda ask: ClassSets(is_on=False),
        ReadSeeds: lambda ask: _seeds(known, ask.runs),
        ReadFolds: lambda ask: sample_folds(known, ask.runs),
        ReadDisagreements: lambda ask: _disagreements(known, ask),
        ReadReferences: lambda ask: _references(known, ask.runs),
        WriteChart: lambda ask: FileWritten(ask.path),
        Thumbnails: _tiles,
        PredictSource: lambda ask: PredictionView("p0001", "2026-11-21T16:40:00Z", ()),
    }
