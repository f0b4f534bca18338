"""Sample answers of what comes to a comparison of phantoms from outside; nothing was measured on a patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from medfm_gui.desk.asks.compare import Drawing
from medfm_gui.desk.asks.compare_outside import (
    Baselines,
    ImportPredictions,
    ImportReaders,
    ImportTarget,
    ImportTargets,
    ListExternalTests,
    ListImportTargets,
    ListReads,
    LookAtSite,
    ReadBaselines,
    ReadReaders,
    ReadRocBeside,
    ReadsList,
    ReadsRow,
    SiteTested,
    TableImported,
    TestOnSite,
)
from medfm_gui.desk.asks.data import DatasetList, ListDatasets, UnitList, UnitsOf
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.run import FileRef
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.sample import Answers
from medfm_gui.workspace.beside import ReaderBoard
from medfm_gui.workspace.disagreements import Case
from medfm_gui.workspace.elsewhere import FROZEN, RECALIBRATED, ExternalTest
from medfm_gui.workspace.readers import Disagreement, ReaderTable
from medfm_gui.workspace.shortcuts import COVARIATES, THUMBNAILS, TITLES, Baseline, ShortcutFile
from medfm_gui.workspace.sites import KeptTests, SiteFacts

Runs = dict[str, tuple[str, str, float]]
_CLASSES = ("no nodule", "nodule")
_READERS = ("A. Kim", "B. Rossi", "C. Novak")
_SITES = ("North", "South")


def _row(run: str, metric: str, value: float | None, half: float = 0.04, n: int = 492, **more: str) -> Evaluation:
    low, high = (None, None) if value is None else (max(0.0, value - half), value + half)
    return Evaluation(
        run, "test", metric, value, low, high, "delong-logit", "patient", n, n, n // 4, "ab", parameters=dict(more)
    )


def _pair(run: str, other: str, metric: str, difference: float, half: float, **more: str) -> Comparison:
    p = 0.001 if difference - half > 0 else 0.2
    return Comparison(
        run, other, metric, difference, difference - half, difference + half, "delong", p, min(1.0, 4 * p), 492,
        parameters={"unit": "patient", **more},
    )  # fmt: skip


def _baselines(known: Runs, runs: Sequence[str]) -> Baselines:
    reached = {COVARIATES: 0.688, THUMBNAILS: 0.807}
    notes = {
        COVARIATES: "logistic regression on age, manufacturer, sex, view; learned from 1,896 training images",
        THUMBNAILS: "logistic regression on grey images of 32 × 32 pixels; learned from 1,896 training images",
    }
    made, sentences, unbeaten = [], [], []
    for name, auc in reached.items():
        numbers = {"auc": auc, "average_precision": auc - 0.2, "brier": 0.19, "log_loss": 0.55}
        pairs = tuple(_pair(run, name, "auc", known[run][2] - auc, 0.03) for run in runs)
        made.append(
            Baseline(
                name, TITLES[name], notes[name], tuple(_row(name, metric, value) for metric, value in numbers.items()),
                pairs, FileRef("/nowhere", ""),
            )
        )  # fmt: skip
        for pair in pairs:
            if pair.low is not None and pair.low <= 0:
                unbeaten.append((pair.a, name))
                sentences.append(
                    f"{pair.a} {known[pair.a][0]} is not shown to beat a model on {TITLES[name]} (ROC-AUC "
                    f"{pair.difference:+.3f}): what it scores may come from how, where or of whom the image was taken."
                )
    return Baselines(ShortcutFile(tuple(runs), tuple(made), tuple(sentences)), tuple(unbeaten))


def _roc_beside(chart: ChartSpec, ask: ReadRocBeside) -> Drawing:
    series = list(chart.series)
    steps = tuple(step / 40 for step in range(41))
    if ask.baselines:
        for title, power in (("covariates alone", 0.45), ("32-pixel thumbnails", 0.24)):
            series.append(Series(title, steps, tuple(x**power for x in steps), family="Baseline", style="baseline"))
    if ask.reads:
        points = ((0.11, 0.76), (0.19, 0.86), (0.07, 0.66))
        for name, (x, y) in zip(_READERS, points, strict=True):
            series.append(Series(f"reader {name}", (x,), (y,), markers=True, joined=False))
    chart = replace(chart, id="roc-beside", series=tuple(series), note="Readers are points, on what they read.")
    return Drawing(chart.id, chart.title, chart)


def _board(known: Runs, ask: ReadReaders, chart: ChartSpec) -> ReaderBoard:
    shares = {"A. Kim": (0.76, 0.89), "B. Rossi": (0.86, 0.81), "C. Novak": (0.66, 0.93)}
    judged = [name for name in _READERS if name != ask.reference]
    rows = [
        replace(_row(f"reader:{name}", metric, value, 0.07, n), n_events=118)
        for name in judged
        for metric, value, n in zip(("sensitivity", "specificity"), shares[name], (118, 374), strict=True)
    ]
    pairs = tuple(
        _pair(run, f"reader:{name}", "sensitivity", known[run][2] - shares[name][0] - 0.02, 0.06,
              at_specificity=f"{shares[name][1]}", run_specificity=f"{shares[name][1] + 0.004}")
        for run in ask.runs for name in judged
    )  # fmt: skip
    cases = tuple(
        Case(f"P{number:04d}", f"s{number:04d}", 1, _CLASSES[number % 2], (None,) * 3,
             (_CLASSES[1], _CLASSES[number % 3 == 0], _CLASSES[0]), (False, True, number % 2 == 1), 0.3,
             f"/data/phantoms/{number}.png")
        for number in range(24)
    )  # fmt: skip
    agreement = (_row("readers", "kappa_fleiss", 0.61, 0.07), _row("readers", "alpha_krippendorff", 0.61, 0.07))
    drawn = _roc_beside(chart, ReadRocBeside(ask.runs, reads=ask.reads)).chart
    table = ReaderTable(
        ask.reads, ask.reference, tuple(rows), agreement, pairs,
        tuple(Disagreement(case.unit, case.reference, _READERS[:1], _READERS[2:]) for case in cases), drawn,
        "Runs are set to the reader's specificity on the units that were read: their threshold was chosen on these.",
    )  # fmt: skip
    return ReaderBoard(table, _READERS, "patient", 492, cases, 96)


def _external(known: Runs, runs: Sequence[str]) -> KeptTests:
    files = []
    for run in runs[:2]:
        auc = known[run][2] - 0.07
        rows = []
        for kind in (FROZEN, RECALIBRATED):
            for place, site in enumerate(("", *_SITES)):
                more = {"calibration": kind, **({"site": site} if site else {})}
                n = 812 if not site else (520, 292)[place - 1]
                value = auc - 0.02 * place
                mended = kind == RECALIBRATED
                numbers = {
                    "brier": 0.18 if mended else 0.21,
                    "calibration_slope": 0.98 if mended else 0.7,
                    "calibration_in_the_large": 0.0 if mended else 0.4,
                }
                if kind == FROZEN:
                    numbers = {"auc": value, "sensitivity": value - 0.1, "specificity": value - 0.02, **numbers}
                rows += [_row(run, metric, number, 0.05, n, **more) for metric, number in numbers.items()]
        files.append(
            ExternalTest(
                run, "coastal-hospitals", "ef" * 32, "2026-11-22T09:00:00Z", "External validation, protocol 1.2",
                "ef" * 32, {"nodule": "nodule", "normal": "no nodule"}, 37, "hospital", FileRef("", ""), tuple(rows),
            )
        )  # fmt: skip
    names = [f"{run}, {site or 'all'}" for run in runs[:2] for site in ("", *_SITES)]
    series = tuple(
        Series(
            f"{run} {known[run][0]}", tuple(known[run][2] - 0.07 - 0.02 * at for at in range(3)),
            tuple(float(3 * place + at) for at in range(3)), tuple(known[run][2] - 0.12 - 0.02 * at for at in range(3)),
            tuple(known[run][2] - 0.02 - 0.02 * at for at in range(3)), known[run][1], markers=True,
        )
        for place, run in enumerate(runs[:2])
    )  # fmt: skip
    chart = ChartSpec(
        "external-coastal-hospitals", "intervals", "ROC-AUC on coastal-hospitals", "ROC-AUC", series=series,
        rows=tuple(names), note="Scores as they are; 95 % intervals.",
    )  # fmt: skip
    return KeptTests(tuple(runs), tuple(files), (2,) * len(files), (chart,))


def _datasets() -> DatasetList:
    return DatasetList(
        tuple(
            DatasetRow(
                key,
                name,
                "folder",
                Task.BINARY,
                _CLASSES,
                "nodule",
                "/data",
                "/ws",
                "0" * 64,
                "",
                {},
                (),
                images,
                None,
                0,
            )
            for key, name, images in (("chest", "Chest phantoms", 2709), ("coastal", "Coastal hospitals", 849))
        )
    )


def outside_answers(known: Runs, roc: Callable[[Sequence[str]], ChartSpec]) -> Answers:
    """Answers about these runs: id → title, family, AUC; ``roc`` draws them."""
    reads = ReadsRow("reads-0a1b", _READERS, "patient", 492, "2026-11-21T16:40:00Z")
    targets = (ImportTarget("chest", "Chest phantoms", Task.BINARY, ("chest-s2", "chest-s1")),)
    facts = SiteFacts(
        (), "coastal", 849, ("nodule", "normal", "pleural effusion"), _CLASSES, (("nodule", "nodule"),),
        ("hospital", "manufacturer"), 1,
    )  # fmt: skip
    return {
        ReadBaselines: lambda ask: _baselines(known, ask.runs),
        ReadRocBeside: lambda ask: _roc_beside(roc(ask.runs), ask),
        ListReads: lambda ask: ReadsList(ask.runs, (reads,)),
        ReadReaders: lambda ask: _board(known, ask, roc(ask.runs)),
        UnitsOf: lambda ask: UnitList(("image", "study", "patient")),
        ListImportTargets: lambda ask: ImportTargets(targets, "chest", "chest-s2", "patient", {"chest-s2": 6}),
        ImportPredictions: lambda ask: TableImported("r0005", ("2 rows without a score: counted as failed",)),
        ImportReaders: lambda ask: TableImported("reads-0a1b", ("3 readers, 492 images",)),
        ListExternalTests: lambda ask: _external(known, ask.runs),
        ListDatasets: lambda ask: _datasets(),
        LookAtSite: lambda ask: replace(facts, runs=ask.runs, dataset=ask.dataset),
        TestOnSite: lambda ask: SiteTested(ask.runs, (), 2),
    }
