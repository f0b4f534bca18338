"""The model card of a report: what each run is, what it was trained and tested on, what it reached, what limits it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Evaluation, OperatingPoint
from medfm_gui.domain.report import Block, Facts, Paragraph, Part, Section
from medfm_gui.domain.split import Split
from medfm_gui.domain.threshold import fixed_in_words
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace import pretraining
from medfm_gui.workspace.comparing import title
from medfm_gui.workspace.evaluating import EvaluationFile, operating_point
from medfm_gui.workspace.report_sections import estimate
from medfm_gui.workspace.training import RunView

CARD = "model-card.json"
"""Under which name it travels in a report."""
INTENDED_USE = "Research use only: not for clinical use."
OUT_OF_SCOPE = "Any decision about a patient; images of another kind than those of the dataset."


@dataclass(frozen=True, slots=True)
class RunCard:
    """One run: its model, its data, its numbers on the opened test with their intervals."""

    run: str
    title: str
    model: str
    family: str
    adaptation: str
    from_scratch: bool
    pretraining: str
    pretraining_data: str
    saw_these_images: str
    licence: str
    non_commercial: bool
    weights_sha256: str
    parameters_m: float
    trained_parameters: int
    labels_used: int
    seed: int
    settings: Mapping[str, str]
    threshold: OperatingPoint | None
    results: tuple[Evaluation, ...]
    code_version: str


@dataclass(frozen=True, slots=True)
class Card:
    """The models of a report. ``limitations`` are pairs: of what, and the sentence; neither paths nor patients."""

    dataset: str
    dataset_fingerprint: str
    split_fingerprint: str
    task: Task
    classes: tuple[str, ...]
    positive: str | None
    images: Mapping[str, int]
    patients: int | None
    test_openings: int
    limitations: tuple[tuple[str, str], ...]
    models: tuple[RunCard, ...]
    purpose: str = ""
    intended_use: str = INTENDED_USE
    out_of_scope: str = OUT_OF_SCOPE
    format: int = field(default=1)


def model_card(
    views: Sequence[RunView],
    tests: Sequence[EvaluationFile],
    dataset: Dataset,
    split: Split,
    *,
    openings: int,
    limitations: Sequence[tuple[str, str]],
    purpose: str = "",
) -> Card:
    """The card of runs whose test was opened."""
    return Card(
        dataset=dataset.name,
        dataset_fingerprint=dataset.fingerprint,
        split_fingerprint=split.fingerprint,
        task=dataset.task,
        classes=dataset.classes,
        positive=dataset.positive,
        images=split.sizes,
        patients=dataset.n_patients,
        test_openings=openings,
        limitations=tuple(limitations),
        models=tuple(_run_card(view, test, dataset) for view, test in zip(views, tests, strict=True)),
        purpose=purpose.strip(),
    )


def card_text(card: Card) -> str:
    """The card as JSON."""
    return json.dumps(wire.plain(card), indent=1, ensure_ascii=False)


def checked_card(path: Path) -> Path:
    """The absolute path of a card that can be written.

    Raises:
        UsageError: it is a folder.
    """
    path = path.expanduser().absolute()
    if path.is_dir():
        raise UsageError(f"“{path}” is a folder.", "Name a file, e.g. model-card.json.")
    return path


def card_section(card: Card) -> Section:
    """The card on paper: use first, then each model in facts; the limitations have a section of their own."""
    sizes = ", ".join(f"{name} {number:,}" for name, number in card.images.items() if number)
    common = (
        ("Intended use", card.intended_use),
        ("Out of scope", card.out_of_scope),
        ("Trained and tested on", f"{card.dataset}: {', '.join(card.classes)} ({sizes} images)"),
    )
    blocks: list[Block] = [Facts(common)]
    for one in card.models:
        blocks += [Paragraph(one.title), Facts(_facts(one))]
    return Section(Part.CARD.heading, tuple(blocks))


def _facts(one: RunCard) -> tuple[tuple[str, str], ...]:
    point = one.threshold
    begun = "random weights (from scratch)" if one.from_scratch else f"{one.pretraining}, on {one.pretraining_data}"
    threshold = (
        f"{point.threshold:.4f} for “{point.positive}”, {fixed_in_words(point.rule, point.fitted_on)}" if point else ""
    )
    whole = [row for row in one.results if not row.label]
    return (
        ("Run", one.run),
        ("Model", f"{one.model} ({one.family}), {one.parameters_m:.1f} million parameters"),
        ("Adaptation", f"{one.adaptation}, {one.trained_parameters:,} parameters trained, seed {one.seed}"),
        ("Begun from", begun),
        ("Licence", one.licence + (" (non-commercial)" if one.non_commercial else "")),
        *((("Threshold", threshold),) if threshold else ()),
        ("Results", "; ".join(f"{metric_title(row.metric)} {estimate(row)}" for row in whole)),
    )


def _run_card(view: RunView, test: EvaluationFile, dataset: Dataset) -> RunCard:
    spec, card = view.spec, view.spec.card
    return RunCard(
        run=view.id,
        title=title(view),
        model=card.title,
        family=card.family.value,
        adaptation=spec.adapt,
        from_scratch=spec.from_scratch,
        pretraining=card.pretraining,
        pretraining_data=card.pretraining_data,
        saw_these_images=pretraining.overlap(view, dataset),
        licence=card.licence,
        non_commercial=card.non_commercial,
        weights_sha256=spec.weights.sha256 if spec.weights else "",
        parameters_m=card.parameters_m,
        trained_parameters=view.state.trained_parameters,
        labels_used=view.state.labels_used,
        seed=spec.seed,
        settings={key: str(value) for key, value in wire.plain(spec.recipe).items()},
        threshold=operating_point(view.folder),
        results=test.evaluations,
        code_version=spec.code_version,
    )
