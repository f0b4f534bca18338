"""Answers for the page alone: flow, map, findings, draft and statement of simulated data."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from medfm_gui.desk.asks.curation import (
    ComputeFeatures,
    CorrectLabel,
    CovariateValues,
    DescribeFlow,
    ExcludeSamples,
    ExportFlow,
    FeaturesMade,
    KeepStatement,
    ListCovariates,
    SaveVersion,
    ScreenDataset,
    ShowDraft,
    ShowMap,
    ShowStatement,
    StepDraft,
    WrittenFile,
)
from medfm_gui.domain.correction import Correction, CorrectionDraft, CorrectionKind
from medfm_gui.domain.dataset import Statement
from medfm_gui.ui.sample import Answers
from medfm_gui.workspace.corrections import Saved
from medfm_gui.workspace.embedding import HIDDEN, BankChoice, Embedding
from medfm_gui.workspace.flow import Flow, Loss, Step
from medfm_gui.workspace.screening import Finding, Oddity, Screening

STATEMENT: Final = Statement(
    unit="image",
    sampling="enriched",
    prevalence="about 5 %",
    reference_standard="CT within the same stay",
    codes={"nodule": "SCT 427359005"},
    licence="simulated",
)
_MODELS: Final = (("efficientnet-lite0", "EfficientNet-Lite0"),)


def _flow(ask: DescribeFlow) -> Flow:
    lost = (Loss("truncated", 4), Loss("not an image", 2))
    steps: tuple[Step, ...] = (
        Step("Files and rows found", 1293, None, lost),
        Step("Readable images", 1287, None, (Loss("no label", 3),)),
        Step("Images of thorax-phantom", 1284, 412, (Loss("dropped by the leak gate", 2),) if ask.split else ()),
    )
    sides: tuple[Step, ...] = ()
    if ask.split:
        steps = (*steps, Step("Divided: 70/15/15 by patient, seed 0", 1282, 412))
        sides = (Step("Training", 898, 288), Step("Validation", 192, 62), Step("Internal test", 192, 62))
    note = "The skipped files are those that the import looked at; a file may hold several images."
    return Flow(ask.dataset, ask.split, "Flow of images: Thorax phantom", steps, sides, note)


def _map(ask: ShowMap) -> Embedding:
    if ask.dataset == "fundus-grades":
        return Embedding(ask.dataset, n_missing=3662, models=_MODELS)
    n = 25_000 if ask.dataset == "chest-findings" else 1284
    random = np.random.default_rng(3)
    group = (random.random(n) < 0.33).astype(np.uint8)
    x = (random.normal(size=n) + 2.2 * group).astype("<f4")
    y = (random.normal(size=n) + 0.6 * np.sin(2 * x)).astype("<f4")
    group[random.random(n) < 0.15] = 2
    places = np.arange(n, dtype="<u4")
    return Embedding(
        dataset=ask.dataset,
        n=n,
        bank="b1",
        model=_MODELS[0][0],
        by=ask.by,
        groups=("clear", "nodule", HIDDEN),
        explained=(0.31, 0.12),
        banks=(BankChoice("b1", _MODELS[0][0], n),),
        colourings=("label", "view", "sex"),
        models=_MODELS,
        payload=b"".join(part.tobytes() for part in (x, y, places, group)),
    )


def _screened(ask: ScreenDataset) -> Screening:
    findings = (
        Finding("s000017", Oddity.BLANK, "contrast 0.4 % of the range"),
        Finding("s000091", Oddity.SATURATED, "62 % at the highest value"),
        Finding("s000130", Oddity.TINY, "48 × 51 px"),
        Finding("s000205", Oddity.INVERTED, "agreement -0.81"),
        Finding("s000270", Oddity.IDENTICAL, "as s000273"),
        Finding("s000273", Oddity.IDENTICAL, "as s000270"),
    )
    counts = {"blank": 1, "saturated": 1, "tiny": 1, "inverted": 1, "identical": 2}
    return Screening(ask.dataset, "f", 1284, findings, counts=counts)


class _Drafts:
    """The draft of the sample, as it is changed by hand."""

    def __init__(self) -> None:
        first = Correction(CorrectionKind.LABEL, "s000002", "second reader", (0,), (1,), "p001/0002.dcm")
        second = Correction(CorrectionKind.EXCLUDE, "s000017", "blank", path="p006/0002.dcm")
        self._draft = CorrectionDraft("thorax-phantom", "f", (first, second))

    def show(self, ask: ShowDraft) -> CorrectionDraft:
        return self._of(ask.dataset)

    def correct(self, ask: CorrectLabel) -> CorrectionDraft:
        before = (int((int(ask.sample[1:]) - 1) % 3 == 0),)
        return self._kept(Correction(CorrectionKind.LABEL, ask.sample, ask.reason, before, ask.target), ask.dataset)

    def exclude(self, ask: ExcludeSamples) -> CorrectionDraft:
        for name in ask.samples:
            self._kept(Correction(CorrectionKind.EXCLUDE, name, ask.reason), ask.dataset)
        return self._draft

    def step(self, ask: StepDraft) -> CorrectionDraft:
        draft = self._draft
        steps = {"undo": draft.undo(), "redo": draft.redo(), "discard": replace(draft, done=(), undone=())}
        self._draft = steps[ask.step]
        return self._draft

    def _of(self, dataset: str) -> CorrectionDraft:
        return self._draft if dataset == self._draft.dataset else CorrectionDraft(dataset, "f")

    def _kept(self, change: Correction, dataset: str) -> CorrectionDraft:
        self._draft = self._of(dataset).added(change)
        return self._draft


def answers() -> Answers:
    """Fresh answers: a draft of their own."""
    drafts = _Drafts()
    return {
        ListCovariates: lambda ask: CovariateValues(
            (("sex", (("F", 630), ("M", 642))), ("view", (("PA", 747), ("AP", 417), ("LL", 120))))
        ),
        DescribeFlow: _flow,
        ExportFlow: lambda ask: WrittenFile(ask.path),
        ShowMap: _map,
        ComputeFeatures: lambda ask: FeaturesMade("b1"),
        ScreenDataset: _screened,
        ShowDraft: drafts.show,
        CorrectLabel: drafts.correct,
        ExcludeSamples: drafts.exclude,
        StepDraft: drafts.step,
        SaveVersion: lambda ask: Saved(f"{ask.dataset}-v2", ask.splits),
        ShowStatement: lambda ask: STATEMENT if ask.dataset == "thorax-phantom" else Statement(),
        KeepStatement: lambda ask: ask.statement,
    }
