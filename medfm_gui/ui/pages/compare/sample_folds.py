"""Sample answers about folds: two ways over five folds each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medfm_gui.desk.asks.compare_cases import FoldTable
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.workspace.crossvalidation import CrossValidation
from medfm_gui.workspace.fold_pairs import MODELS_HELD, FoldPair
from medfm_gui.workspace.held_out import HeldOut

_SHIFTS = (-0.021, 0.012, 0.004, -0.009, 0.014)
_METHOD = "bootstrap-within-folds"


def sample_folds(known: Mapping[str, tuple[str, str, float]], runs: Sequence[str]) -> FoldTable:
    """The first two of these runs as the first folds of two cross-validations; none of a single run."""
    ways = tuple(_way(run, *known[run][::2], place) for place, run in enumerate(runs[:2]))
    if len(ways) < 2:
        return FoldTable(tuple(runs))
    first, second = ways
    shift = (second.mean.value or 0.0) - (first.mean.value or 0.0)
    row = Comparison(
        second.name, first.name, "auc", shift, shift - 0.02, shift + 0.02, _METHOD, 0.04, 0.04, 2460,
        parameters={"unit": "patient", "folds": "5", "divisions": "1"},
    )  # fmt: skip
    values = tuple((b.value or 0.0) - (a.value or 0.0) for a, b in zip(first.rows, second.rows, strict=True))
    pair = FoldPair(row, tuple(one.label for one in first.rows), values)
    said = f"Over the same 5 folds (2,460 patients) the mean ROC-AUC of {row.a} minus that of {row.b} is {shift:+.3f}."
    named = (*first.runs, *second.runs)
    found = CrossValidation(named, "auc", ways, (), (pair,), f"{said}\n{MODELS_HELD}", (_chart(ways),))
    return FoldTable(tuple(runs), found)


def _way(run: str, title: str, auc: float, place: int) -> HeldOut:
    runs = (run, *(f"r{200 + 10 * place + fold:04d}" for fold in range(2, 6)))
    rows = tuple(
        _row(run, auc + shift * (1 + place), 0.04, f"fold {fold}", 492)
        for fold, (run, shift) in enumerate(zip(runs, _SHIFTS, strict=True), 1)
    )
    values = [row.value or 0.0 for row in rows]
    note = (
        "The number within each of 5 folds, and their mean; each fold has a model of its own, so scores are not pooled "
        "as they are. The spread over folds is no confidence interval."
    )
    return HeldOut(
        title, "fold", "nih-s1", runs, rows, _row("", auc, 0.018, "", 2460, _METHOD), 0.014 * (1 + place),
        min(values), max(values), note, folds=(1, 2, 3, 4, 5),
    )  # fmt: skip


def _row(run: str, value: float, half: float, label: str, n: int, method: str = "delong-logit") -> Evaluation:
    return Evaluation(
        run, "test", "auc", value, value - half, value + half, method, "patient", n, n, n // 4, "", label=label
    )


def _chart(ways: Sequence[HeldOut]) -> ChartSpec:
    series: list[Series] = []
    names: list[str] = []
    for way in ways:
        mean, start = way.mean, len(names)
        names += [f"{way.name}: mean", *(f"{row.label}, {row.run}" for row in way.rows)]
        ends = (mean.low or 0.0,), (mean.high or 0.0,)
        series.append(Series(f"{way.name}: mean", (mean.value or 0.0,), (float(start),), *ends, markers=True))
        values = tuple(row.value or 0.0 for row in way.rows)
        places = tuple(float(start + at) for at in range(1, len(values) + 1))
        series.append(Series(f"{way.name}: folds", values, places, markers=True))
    return ChartSpec("folds", "intervals", "ROC-AUC over folds", "ROC-AUC", series=tuple(series), rows=tuple(names))
