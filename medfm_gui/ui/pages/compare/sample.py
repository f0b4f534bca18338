"""Six runs on phantom images, for the page alone and for its tests; nothing was measured on a patient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from medfm_gui.desk.asks.compare import (
    LADDER,
    LADDER_OF_ALL,
    AllPairs,
    Candidate,
    CandidateList,
    CompareRuns,
    Drawing,
    DrawingList,
    ExportAllPairs,
    ExportDrawing,
    ExportNumbers,
    FileWritten,
    ListCandidates,
    ReadAllPairs,
    ReadDrawings,
    ReadLadder,
    ReadSideBySide,
    Side,
    SideBySide,
)
from medfm_gui.desk.asks.runs import LookAtSeal, OpenTest, SealFacts, TestOpened
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.ladder import Ladder, Rung
from medfm_gui.metrics.names import metric_title
from medfm_gui.store.rows import Opening
from medfm_gui.ui.pages.compare.sample_cases import case_answers
from medfm_gui.ui.pages.compare.sample_outside import outside_answers
from medfm_gui.ui.pages.compare.wording import heading
from medfm_gui.ui.sample import Answers
from medfm_gui.workspace.all_pairs import EXPLORATORY

SET = "ab" * 32
OTHER_SET = "cd" * 32
RUNS: Mapping[str, tuple[str, str, float]] = {
    "r0003": ("DINOv2 ViT-S/14 · linear", "DINOv2", 0.873),
    "r0004": ("DINOv2 ViT-S/14 · full", "DINOv2", 0.902),
    "r0005": ("MAE ViT-B/16 · linear", "MAE", 0.812),
    "r0006": ("CLIP ViT-B/16 · linear", "CLIP", 0.861),
    "r0007": ("VMamba-T · full · seed 1", "VMamba", 0.884),
    "r0002": ("EfficientNet-Lite0 · linear", "Baseline", 0.756),
}
"""Opened runs on one test: title, family, AUC."""
_SPREAD = {"sensitivity": 0.061, "specificity": 0.048, "brier": 0.019, "log_loss": 0.047}
_CLASSES = ("no nodule", "nodule")


def number(run: str, metric: str, value: float, label: str = "") -> Evaluation:
    """One number of a run, with an interval that is plausible for 492 patients."""
    half = _SPREAD.get(metric, 0.03)
    method = "wilson" if metric in ("sensitivity", "specificity") else "delong-logit"
    threshold = {"threshold": "0.417", "rule": "youden", "fitted_on": "val"}
    parameters = threshold if metric in ("sensitivity", "specificity", "balanced_accuracy") else {}
    ends = max(0.0, value - half), min(1.0, value + half * 0.9)
    return Evaluation(
        run, "test", metric, value, *ends, method, "patient", 492, 492, 118, SET, label=label, parameters=parameters
    )


def numbers(run: str) -> tuple[Evaluation, ...]:
    """All numbers of a run, headline first."""
    auc = RUNS[run][2] if run in RUNS else 0.8
    values = {
        "auc": auc,
        "average_precision": auc - 0.07,
        "brier": 0.43 - 0.35 * auc,
        "log_loss": 1.2 - auc,
        "sensitivity": auc - 0.05,
        "specificity": auc - 0.03,
        "balanced_accuracy": auc - 0.04,
    }
    return tuple(number(run, metric, value) for metric, value in values.items())


def pairs(runs: Sequence[str]) -> tuple[Comparison, ...]:
    """Every run against the first, by three metrics."""
    found = []
    for run in runs[1:]:
        for metric, share in (("auc", 1.0), ("sensitivity", 0.9), ("specificity", 0.7)):
            difference = share * (RUNS[run][2] - RUNS[runs[0]][2])
            half = 0.024 if metric == "auc" else 0.05
            p = math.erfc(abs(difference) / half * 1.96 / math.sqrt(2))
            test = "delong" if metric == "auc" else "mcnemar-mid-p"
            several = len(runs) > 2
            wide, over = 1.28 * half, len(runs) - 1
            found.append(
                Comparison(
                    run,
                    runs[0],
                    metric,
                    difference,
                    difference - half,
                    difference + half,
                    test,
                    p,
                    min(1.0, p * (len(runs) - 1)),
                    {"auc": 492, "sensitivity": 118, "specificity": 374}[metric],
                    note=f"simultaneous over {over} (critical value 2.51); Holm over {over}" if several else "",
                    parameters={"unit": "patient", "n_events": "118"},
                    low_simultaneous=difference - wide if several else None,
                    high_simultaneous=difference + wide if several else None,
                    simultaneous_method="max-t-bootstrap" if several else "",
                )
            )
    return tuple(found)


def all_pairs(runs: Sequence[str]) -> AllPairs:
    """Every run minus every run before it, by the AUC."""
    found = []
    count = len(runs) * (len(runs) - 1) // 2
    for reference in range(len(runs) - 1):
        for pair in pairs(runs[reference:]):
            if pair.metric == "auc" and pair.difference is not None and pair.p is not None:
                p = min(1.0, pair.p * count)
                note = f"simultaneous over {count} (critical value 2.92); Holm over {count}"
                found.append(
                    replace(
                        pair, p_adjusted=p, note=note, parameters={**pair.parameters, "pairs": EXPLORATORY},
                        low_simultaneous=pair.difference - 0.036, high_simultaneous=pair.difference + 0.036,
                        simultaneous_method="max-t-bootstrap",
                    )
                )  # fmt: skip
    return AllPairs(tuple(runs), tuple(found))


def side_by_side(runs: Sequence[str], *, is_compared: bool = True) -> SideBySide:
    """What is stored of these runs."""
    sides = tuple(Side(run, *RUNS[run][:2]) for run in runs)
    told = pairs(runs) if is_compared else ()
    clauses = [
        f"On the same 492 patients the ROC-AUC of {pair.a} {RUNS[pair.a][0]} minus that of {pair.b} "
        f"{RUNS[pair.b][0]} is {pair.difference:+.3f}."
        for pair in told
        if pair.metric == "auc"
    ]
    return SideBySide(
        sides=sides,
        task=Task.BINARY,
        dataset="Chest phantoms, nodule or none",
        classes=_CLASSES,
        positive="nodule",
        evaluations=tuple(row for run in runs for row in numbers(run)),
        openings=len(RUNS),
        pairs=told,
        sentence="\n".join(clauses),
        is_compared=is_compared and len(runs) > 1,
    )


def several_classes(runs: Sequence[str]) -> SideBySide:
    """The same runs, asked for four densities of the breast."""
    classes = ("almost entirely fatty", "scattered", "heterogeneously dense", "extremely dense")
    found = side_by_side(runs)
    rows = []
    for run in runs:
        rows.append(number(run, "auc_macro_ovr", RUNS[run][2]))
        rows += [
            replace(number(run, "auc", RUNS[run][2] - 0.02 * place, label), n_events=(61, 190, 188, 53)[place])
            for place, label in enumerate(classes)
        ]
    return replace(found, task=Task.MULTICLASS, classes=classes, positive=None, evaluations=tuple(rows))


def drawings(runs: Sequence[str]) -> tuple[Drawing, ...]:
    """The charts of these runs."""
    made: list[Drawing] = []
    if len(runs) > 1:
        made.append(Drawing("roc", "ROC", _roc(runs)))
        made.append(Drawing("precision-recall", "Precision and recall", _precision(runs)))
        made.append(Drawing("calibration", "Calibration", _calibration(runs)))
    for metric in dict.fromkeys(row.metric for row in numbers(runs[0])):
        made.append(Drawing(f"intervals:{metric}", f"{_title(metric)} with intervals", _intervals(runs, metric)))
    for metric in ("auc", "sensitivity", "specificity"):
        rows = [pair for pair in pairs(runs) if pair.metric == metric]
        if rows:
            title = f"{_title(metric)}: difference from {runs[0]}"
            made.append(Drawing(f"differences:{metric}", title, _differences(rows, metric, title)))
    if len(runs) == 1:
        made.append(Drawing(f"roc:{runs[0]}", "ROC", _roc(runs), runs[0]))
    for run in runs:
        made.append(Drawing(f"distribution:{run}", f"Probabilities, {run}", _distribution(run), run))
        name = f"Confusion matrix, {run}"
        chart = ChartSpec(
            "confusion",
            "matrix",
            name,
            "decision",
            "reference",
            rows=_CLASSES,
            columns=_CLASSES,
            matrix=((331.0, 43.0), (round(118 * (1 - RUNS[run][2])) + 6.0, round(118 * RUNS[run][2]) - 6.0)),
            note="Threshold 0.417 (youden, fitted on val).",
        )
        made.append(Drawing(f"confusion:{run}", name, chart, run))
    return (*made, *ladders(runs))


def ladders(runs: Sequence[str], kinds: Sequence[str] = (LADDER, LADDER_OF_ALL)) -> tuple[Drawing, ...]:
    """The ladder of these runs, and that of all of the split with a few shots besides."""
    chosen = tuple(_rung(run, *RUNS[run]) for run in runs)
    few = tuple(
        _rung(
            f"r{100 + 10 * place + seed:04d}",
            f"{title} · {'1 shot' if shots == 1 else f'{shots} shots'}",
            family,
            auc,
            shots,
            seed,
        )
        for place, (shots, auc) in enumerate(((1, 0.66), (4, 0.75), (16, 0.82)))
        for seed in range(5)
        for title, family in (("DINOv2 ViT-S/14 · linear", "DINOv2"),)
    )
    from medfm_gui.workspace.ladder import ladder_charts  # sample answers are made as the desk makes them

    test = Ladder(chosen, "auc", "test", "On the opened test, by patient.")
    note = "Validation numbers, for the test of r0100, r0101 and 13 more is sealed."
    every = Ladder(tuple(replace(rung, low=None, high=None) for rung in (*chosen, *few)), "auc", "val", note)
    return tuple(
        Drawing(one.key, one.name, one.chart)
        for prefix, ladder in ((LADDER, test), (LADDER_OF_ALL, every))
        for one in ladder_charts(ladder, prefix)
        if prefix in kinds and (len(chosen) > 1 or prefix == LADDER_OF_ALL)
    )


_COSTS = {"linear": (1538, 0.4, 1_100_000_000), "full": (22_056_960, 26.0, 4_900_000_000)}
"""Of an adaptation: trained parameters, minutes, bytes."""


def _rung(run: str, title: str, family: str, auc: float, shots: int | None = None, seed: int = 0) -> Rung:
    model, adapt = title.split(" · ")[:2]
    parameters, minutes, peak = _COSTS[adapt]
    value = auc + 0.012 * (seed - 2) if shots else auc
    labels = 2 * shots if shots else 1896
    return Rung(
        run, f"{run} {title}", model, model, family, adapt, shots, seed, None, False, adapt, parameters, minutes,
        labels, peak, "test", "auc", value, value - 0.03, value + 0.027, "patient", "delong-logit",
    )  # fmt: skip


def _title(metric: str) -> str:
    return heading(metric).removesuffix(" ↓")


def _roc(runs: Sequence[str]) -> ChartSpec:
    series = []
    for run in runs:
        title, family, auc = RUNS[run]
        x = tuple(step / 60 for step in range(61))
        y = tuple(value ** ((1 - auc) / auc) for value in x)
        series.append(Series(f"{run} {title}", x, y, family=family, style=title.split(" · ")[1]))
    names = ("1 − specificity", "sensitivity")
    return ChartSpec("roc", "lines", "ROC", *names, tuple(series), x_range=(0, 1), y_range=(0, 1), diagonal=True)


_STEPS = tuple(step / 40 for step in range(41))


def _precision(runs: Sequence[str]) -> ChartSpec:
    series = []
    for run in runs:
        title, family, auc = RUNS[run]
        y = tuple(0.24 + 0.76 * (1 - x ** (2 * auc)) for x in _STEPS)
        series.append(Series(f"{run} {title}", _STEPS, y, family=family, style=title.split(" · ")[1], step=True))
    names = ("recall (sensitivity)", "precision")
    note = "Chance would reach 0.240 at every recall."
    return ChartSpec(
        "precision-recall", "lines", "Precision and recall", *names, tuple(series), x_range=(0, 1), y_range=(0, 1),
        note=note,
    )  # fmt: skip


def _calibration(runs: Sequence[str]) -> ChartSpec:
    series = []
    for run in runs:
        title, family, auc = RUNS[run]
        y = tuple(x ** (0.6 + auc / 2) for x in _STEPS)
        low, high = tuple(max(0.0, v - 0.06) for v in y), tuple(min(1.0, v + 0.06) for v in y)
        series.append(Series(f"{run} {title}", _STEPS, y, low, high, family, title.split(" · ")[1]))
    names = ("probability that was said", "share of events observed")
    return ChartSpec(
        "calibration", "lines", "Calibration", *names, tuple(series), x_range=(0, 1), y_range=(0, 1), diagonal=True,
        note="Bands: pointwise 95 %.",
    )  # fmt: skip


def _distribution(run: str) -> ChartSpec:
    auc = RUNS[run][2]
    series = tuple(
        Series(
            name, _STEPS, tuple(0.12 * math.exp(-(((x - centre) / 0.2) ** 2)) for x in _STEPS), style=style, step=True
        )
        for name, centre, style in (("nodule", auc - 0.1, ""), ("no nodule", 0.9 - auc, "knn"))
    )
    names = ("probability of nodule", "share of its units")
    return ChartSpec("distribution", "lines", f"Probabilities, {run}", *names, series, x_range=(0, 1))


def _intervals(runs: Sequence[str], metric: str) -> ChartSpec:
    rows = [row for run in runs for row in numbers(run) if row.metric == metric]
    series = tuple(
        Series(
            f"{row.run} {RUNS[row.run][0]}",
            (row.value or 0.0,),
            (float(place),),
            (row.low or 0.0,),
            (row.high or 0.0,),
            RUNS[row.run][1],
        )
        for place, row in enumerate(rows)
    )
    title = metric_title(metric)
    note = "Intervals: 95 % DeLong on the logit scale."
    return ChartSpec("intervals", "intervals", _title(metric), title, series=series, note=note)


def _differences(rows: Sequence[Comparison], metric: str, title: str) -> ChartSpec:
    series = tuple(
        Series(
            f"{row.a} {RUNS[row.a][0]}",
            (row.difference or 0.0,),
            (float(place),),
            (row.low or 0.0,),
            (row.high or 0.0,),
            RUNS[row.a][1],
        )
        for place, row in enumerate(rows)
    )
    return ChartSpec(
        f"differences-{metric}",
        "intervals",
        title,
        f"difference in {metric_title(metric)}",
        series=series,
        diagonal=True,
        note="Paired, more is better; 95 % DeLong.",
    )


def candidates(reference: str = "") -> tuple[Candidate, ...]:
    """Opened runs, a sealed one, and one of other images."""
    opened = [
        Candidate(run, title, family, "Chest phantoms, nodule or none", True, SET, numbers(run)[0], auc + 0.01, "auc")
        for run, (title, family, auc) in sorted(RUNS.items())
    ]
    sealed = Candidate(
        "r0008", "AIMv2-L · linear", "AIMv2", "Chest phantoms, nodule or none", False, validation=0.893, metric="auc"
    )
    why = "The runs were tested on different sets of images." if reference in RUNS else ""
    other = Candidate(
        "r0001",
        "DINOv2 ViT-S/14 · knn",
        "DINOv2",
        "Breast phantoms, four densities",
        True,
        OTHER_SET,
        number("r0001", "kappa_quadratic", 0.71),
        0.73,
        "kappa_quadratic",
        why,
    )
    return (other, *opened, sealed)


def sample_answers() -> Answers:
    """Answers about these runs."""
    looks = (
        Opening("r0002", "test", SET, "2026-11-20T10:12:00Z", "First look for the pilot", is_first=True),
        Opening("r0003", "test", SET, "2026-11-21T16:40:00Z", "Final evaluation, protocol 1.2", is_first=True),
    )
    return {
        ListCandidates: lambda ask: CandidateList(ask.reference, candidates(ask.reference), 2),
        ReadSideBySide: lambda ask: side_by_side(ask.runs),
        CompareRuns: lambda ask: side_by_side(ask.runs),
        ReadLadder: lambda ask: DrawingList(ask.runs, ladders(tuple(RUNS), (LADDER_OF_ALL,))),
        ReadDrawings: lambda ask: DrawingList(ask.runs, drawings(ask.runs)),
        ExportDrawing: lambda ask: FileWritten(ask.path),
        ExportNumbers: lambda ask: FileWritten(ask.path),
        ReadAllPairs: lambda ask: all_pairs(ask.runs),
        ExportAllPairs: lambda ask: FileWritten(ask.path),
        LookAtSeal: lambda ask: SealFacts(ask.runs, 492, looks),
        OpenTest: lambda ask: TestOpened(ask.runs, (), 7),
        **case_answers(dict(RUNS)),
        **outside_answers(dict(RUNS), lambda runs: _roc(runs)),
    }


ANSWERS: Answers = sample_answers()
