"""Runs side by side on the same sealed test units."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, MedfmError, UsageError
from medfm_gui.domain.evaluation import Comparison
from medfm_gui.domain.protocol import Role
from medfm_gui.domain.run import TrainSpec, run_name
from medfm_gui.domain.threshold import RuleOrigin
from medfm_gui.domain.units import unit_title
from medfm_gui.workspace import data, pretraining, training
from medfm_gui.workspace.evaluating import EvaluationFile, calibrator, opened, operating_point, test_predictions
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.roles import Standing, standing
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.training import RunView


@dataclass(frozen=True, slots=True)
class ComparisonFile:
    """``evaluations/compare-<hash>.json``: paired comparisons of runs against the first of them."""

    runs: tuple[str, ...]
    pairs: tuple[Comparison, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Tested:
    """What decides with which others a run can be compared; ``sample_set`` is empty while its test is sealed."""

    __test__ = False  # no test of ours, whatever its name

    run: str
    task: Task
    classes: tuple[str, ...]
    dataset_fingerprint: str
    sample_set: str


OnProgress = Callable[[str, int, int], None]
"""Told what is being done, how many steps of it are done, and how many there are; may raise to end the work."""


@dataclass(frozen=True, slots=True)
class ComparisonOutcome:
    """The comparison, the opened tests it rests on, and its charts."""

    file: ComparisonFile
    views: tuple[RunView, ...]
    tests: tuple[EvaluationFile, ...]
    charts: tuple[ChartSpec, ...]


def compare(
    workspace: Workspace, run_ids: Sequence[str], *, on_progress: OnProgress | None = None
) -> ComparisonOutcome:
    """Compare runs on their test units: each against the first, which is the reference.

    Raises:
        SealError: the test of a run was not opened.
        UsageError: fewer than two runs, or runs of different tasks.
        InputError: the runs share no test unit.
    """
    outcome = side_by_side(workspace, run_ids, on_progress=on_progress)
    wire.write(comparison_path(workspace, outcome.file.runs), outcome.file)
    _index(workspace, outcome)
    note(workspace, "runs compared", " ".join(outcome.file.runs))
    return outcome


def comparison_path(workspace: Workspace, run_ids: Sequence[str]) -> Path:
    """Where the comparison of these runs in this order is kept."""
    name = hashlib.sha256("\n".join(run_ids).encode()).hexdigest()[:16]
    return workspace.root / "evaluations" / f"compare-{name}.json"


def chart_owner(run_ids: Sequence[str]) -> str:
    """Under which name the database holds the charts of these runs in this order."""
    return "+".join(run_ids)


def index_again(workspace: Workspace, file: ComparisonFile) -> None:
    """Bring a comparison that was made before into the database."""
    _index(workspace, side_by_side(workspace, file.runs))


def _index(workspace: Workspace, outcome: ComparisonOutcome) -> None:
    workspace.store.put_comparisons(outcome.file.pairs)
    for chart in outcome.charts:
        workspace.store.put_chart(chart_owner(outcome.file.runs), chart)


def side_by_side(
    workspace: Workspace, run_ids: Sequence[str], *, on_progress: OnProgress | None = None
) -> ComparisonOutcome:
    """The same as ``compare``, kept nowhere.

    Raises:
        as ``compare``.
    """
    run_ids = tuple(dict.fromkeys(run_ids))
    if len(run_ids) < 2:
        raise UsageError(
            "A comparison needs at least two runs.", "Name two or more run ids; the first is the reference."
        )
    views = tuple(training.view(workspace, run_id) for run_id in run_ids)
    tests = tuple(opened(workspace, run_id) for run_id in run_ids)
    _check_comparable(views, tests)
    file, charts = _compute(workspace, views, tests, on_progress or _tell_nobody)
    return ComparisonOutcome(file, views, tests, charts)


def obstacle(first: Tested, other: Tested) -> MedfmError | None:
    """Why two opened tests cannot be compared in pairs; None where they can."""
    if (other.task, other.classes) != (first.task, first.classes):
        return UsageError(
            f"{other.run} and {first.run} answer different questions ({other.task}: "
            f"{', '.join(other.classes)}; {first.task}: {', '.join(first.classes)}).",
            "Compare runs of the same task and classes.",
        )
    if other.dataset_fingerprint != first.dataset_fingerprint:
        return InputError(
            f"{other.run} and {first.run} were tested on different datasets.",
            "A paired comparison needs the same test units; train both on one split.",
        )
    if other.sample_set != first.sample_set:
        return InputError(
            "The runs were tested on different sets of images.",
            "A paired comparison needs the same test units; train all of them on one split.",
        )
    return None


def _tell_nobody(doing: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def _check_comparable(views: Sequence[RunView], tests: Sequence[EvaluationFile]) -> None:
    first, *others = (
        Tested(view.id, view.spec.task, view.spec.classes, view.spec.dataset_fingerprint, test.sample_set)
        for view, test in zip(views, tests, strict=True)
    )
    for other in others:
        if (found := obstacle(first, other)) is not None:
            raise found


def _compute(
    workspace: Workspace, views: Sequence[RunView], tests: Sequence[EvaluationFile], tell: OnProgress
) -> tuple[ComparisonFile, tuple[ChartSpec, ...]]:
    from medfm_gui.metrics import charts as drawing
    from medfm_gui.metrics import compare as paired
    from medfm_gui.metrics.evaluate import headline
    from medfm_gui.metrics.family import Contender, against_first, compare_family
    from medfm_gui.metrics.probability_charts import calibration_chart, precision_recall_chart
    from medfm_gui.metrics.recalibration import calibrated

    tell("Reading the predictions", 0, len(views))
    dataset = data.read(workspace, views[0].spec.dataset_id)
    results = [scored(dataset, *read_scores(test_predictions(workspace, view.id))) for view in views]
    unit = views[0].spec.recipe.counted
    sides = [
        Contender(view.id, result, operating_point(view.folder)) for view, result in zip(views, results, strict=True)
    ]
    pairs = compare_family(sides, against_first(sides), unit=unit, on_progress=tell)
    tell("Drawing the charts", len(views), len(views))
    names = {view.id: title(view) for view in views}
    said = [paired.sentence(pairs, names), *_promised(workspace, views, pairs, names), _differ_in_seed(views)]
    said.append(_other_units(views))
    said += pretraining.warnings(views, dataset)
    file = ComparisonFile(tuple(names), pairs, "\n".join(part for part in said if part))
    main = headline(dataset.task)
    rows = [
        row
        for test in tests
        for row in test.evaluations
        if row.metric == main and not row.label and "failures" not in row.parameters
    ]
    families = {view.id: view.spec.card.family.value for view in views}
    named = [
        (title(view), view.spec.card.family.value, view.spec.adapt, result.by_unit(view.spec.recipe.counted))
        for view, result in zip(views, results, strict=True)
    ]
    charts = [drawing.roc_chart(named), drawing.interval_chart(rows, names, families)]
    if dataset.task is Task.BINARY:
        lines = [calibrator(view.folder) for view in views]
        shown = [
            one if line is None else (*one[:3], calibrated(one[3], line))
            for one, line in zip(named, lines, strict=True)
        ]
        charts += [precision_recall_chart(named), calibration_chart(shown)]
    return file, tuple(charts)


def _promised(
    workspace: Workspace, views: Sequence[RunView], pairs: Sequence[Comparison], names: Mapping[str, str]
) -> list[str]:
    found = standing(workspace, views)
    primary = [pair for pair in pairs if found.role_of_pair(pair, views) is Role.PRIMARY]
    return promised_words(found, [(pair, found.side_first(pair, views)) for pair in primary], names)


def promised_words(found: Standing, primary: Sequence[tuple[Comparison, str]], names: Mapping[str, str]) -> list[str]:
    """What a locked protocol has to say: which pair it promised, and whether its margin is kept.

    Args:
        primary: the pairs that it promised, each with the one of the two that it names first.
    """
    from medfm_gui.metrics.margin import margin_sentence

    if found.locked is None:
        return []
    if found.objection:
        return [found.objection]
    if not primary:
        return [f"The protocol {found.locked.id} promised none of these comparisons: all of them are exploratory."]
    margin = found.margin
    if margin is None:
        return [
            f"{pair.a} against {pair.b} is the primary comparison; the others are exploratory." for pair, _ in primary
        ]
    return [margin_sentence(pair, names, margin, first=first) for pair, first in primary]


def _other_units(views: Sequence[RunView]) -> str:
    """Which runs were set up to count something else than the reference does."""
    unit = views[0].spec.recipe.counted
    others = [
        f"{view.id} counts by {unit_title(view.spec.recipe.counted)}"
        for view in views[1:]
        if view.spec.recipe.counted != unit
    ]
    if not others:
        return ""
    return (
        f"{'; '.join(others)} in its own numbers: in this comparison every run is counted by {unit_title(unit)}, as "
        f"{views[0].id} is, and each keeps the threshold that was fixed on its own units."
    )


def _differ_in_seed(views: Sequence[RunView]) -> str:
    """Which runs are the reference trained once more: their differences are chance, no way of adapting."""

    def apart_from_seed(view: RunView) -> TrainSpec:
        return replace(
            view.spec, run="", seed=0, created="", code_version="", device="", threshold_from=RuleOrigin.UNKNOWN
        )

    first = views[0]
    twins = [view.id for view in views[1:] if apart_from_seed(view) == apart_from_seed(first)]
    if not twins:
        return ""
    return (
        f"{', '.join(twins)} and {first.id} differ in nothing but their seed: what lies between them is how much a "
        "training varies by chance."
    )


def title(view: RunView) -> str:
    """A run's name for people: id, model, adaptation, and whatever else sets it apart."""
    spec = view.spec
    name = run_name(
        spec.card.title,
        spec.adapt,
        from_scratch=spec.from_scratch,
        fold=spec.fold,
        seed=spec.seed,
        shots=spec.shots,
    )
    return f"{view.id} {name}"
