"""The sections of a report, each made of stored facts: values to words, nothing computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.protocol import Role
from medfm_gui.domain.report import (
    Block,
    Charts,
    Facts,
    Paragraph,
    Part,
    Picture,
    Pictures,
    Section,
    Table,
)
from medfm_gui.domain.run import EXTERNAL
from medfm_gui.domain.split import LeakCheck, Split
from medfm_gui.domain.threshold import fixed_in_words
from medfm_gui.domain.units import unit_title
from medfm_gui.metrics.names import method_title, metric_title, multiplicity
from medfm_gui.workspace import pretraining
from medfm_gui.workspace.comparing import ComparisonFile
from medfm_gui.workspace.evaluating import EvaluationFile, operating_point
from medfm_gui.workspace.report_demographics import balance, count_told, demographics
from medfm_gui.workspace.report_ladder import memory_text, minutes_text
from medfm_gui.workspace.roles import NOTHING_PROMISED, Standing
from medfm_gui.workspace.training import RunView

LOSSES = ("train_loss", "val_loss")
"""What the curve of a training shows, where a run has it."""
PER_CLASS = "Per class."
SIMULTANEOUS = "Simultaneous 95 % interval"


@dataclass(frozen=True, slots=True)
class ResultCharts:
    """The charts of the results section, as they were stored."""

    roc: ChartSpec | None
    calibration: ChartSpec | None
    intervals: ChartSpec | None
    confusions: tuple[ChartSpec, ...]


def estimate(row: Evaluation) -> str:
    """``0.873 (0.841–0.899)``, or why there is no number."""
    if row.value is None:
        return f"not estimable ({row.note})" if row.note else "not estimable"
    if row.low is None or row.high is None:
        return f"{row.value:.3f}"
    return f"{row.value:.3f} ({row.low:.3f}–{row.high:.3f})"


def purpose_section(purpose: str) -> Section:
    """What the report is for, in the authors' own words."""
    return Section("Purpose", tuple(Paragraph(line.strip()) for line in purpose.splitlines() if line.strip()))


def data_section(
    dataset: Dataset, split: Split, stated: Sequence[tuple[str, str]] = (), flow: Table | None = None
) -> Section:
    """What was imported, what it states of itself, where its images went, how the classes lie in the partitions."""
    facts = [
        ("Dataset", dataset.name),
        ("Layout", dataset.layout),
        ("Task", dataset.task.value + (f", positive class “{dataset.positive}”" if dataset.positive else "")),
        ("Images", f"{len(dataset.samples):,}"),
        ("Patients", f"{dataset.n_patients:,}" if dataset.n_patients else "no patient identifiers"),
        ("Skipped files", str(len(dataset.skipped))),
        ("Fingerprint (SHA-256)", dataset.fingerprint),
        *((f"Taken for {key}", value) for key, value in dataset.taken.items()),
    ]
    blocks: list[Block] = [Facts(tuple(facts)), *([Facts(tuple(stated))] if stated else [])]
    blocks += [*([flow] if flow is not None else []), *balance(dataset, split)]
    blocks += demographics(dataset, split)
    blocks += [Paragraph(text, "small") for text in dataset.warnings]
    return Section(Part.DATA.heading, tuple(blocks))


def split_section(dataset: Dataset, split: Split) -> Section:
    """How the data were divided, and what the leak gate found."""
    facts = [
        ("Split", split.id + (f" (fold {split.fold})" if split.fold is not None else "")),
        ("Rule", split.rule),
        ("Seed", str(split.seed)),
        ("Fingerprint (SHA-256)", split.fingerprint),
    ]
    if split.certificate:
        facts.append(("Certificate (SHA-256)", split.certificate.sha256))
    if split.as_published:
        facts.append(("As published", "yes, with the leaks of the published rule"))
    if split.leaks:
        kinds = Counter(leak.kind.value for leak in split.leaks)
        found = ", ".join(f"{number} × {kind}" for kind, number in sorted(kinds.items()))
        gate = f"The leak gate found material on two sides of this split: {found}. "
        gate += f"Accepted because: {split.acceptance}" if split.acceptance else "It was dropped from training."
        tone = "warning"
    else:
        patients = "No patient and no" if dataset.n_patients else "No patient identifiers exist; no"
        gate = f"{patients} identical image stands in two partitions (compared by decoded pixels)."
        tone = "normal"
    warned = [Paragraph(text, "small") for text in split.warnings]
    if split.dropped:
        warned.append(Paragraph(f"{len(split.dropped)} images were dropped to resolve leaks.", "small"))
    gate_paragraph = Paragraph(gate, "warning" if tone == "warning" else "normal")
    blocks = (Facts(tuple(facts)), gate_paragraph, *_certificate(split), *warned)
    return Section(Part.SPLIT.heading, blocks)


def models_section(views: Sequence[RunView], dataset: Dataset) -> Section:
    """Backbones, their weights, and the settings that decided each run."""
    header = (
        "Run",
        "Model",
        "Adaptation",
        "Weights",
        "Parameters (M)",
        "Trained",
        "Minutes",
        "Peak memory (MB)",
        "Labels used",
    )
    rows = tuple(
        (
            view.id,
            view.spec.card.title,
            view.spec.adapt,
            _weights(view),
            f"{view.spec.card.parameters_m:.1f}",
            f"{view.state.trained_parameters:,}",
            minutes_text(view.state.seconds / 60),
            memory_text(view.state.peak_memory_bytes),
            f"{view.state.labels_used:,}" if view.state.labels_used else "–",
        )
        for view in views
    )
    settings = Table(
        "Settings of each run.",
        ("Run", "Input (px)", "Settings", "Seed"),
        tuple((view.id, _size(view), _settings(view), str(view.spec.seed)) for view in views),
    )
    cards = Table(
        "Backbones.",
        ("Model", "Pretraining", "Pretraining data", "Saw these images", "Licence"),
        tuple(
            {
                view.spec.card.name: (
                    view.spec.card.title,
                    view.spec.card.pretraining,
                    view.spec.card.pretraining_data,
                    pretraining.overlap(view, dataset),
                    view.spec.card.licence + (" (non-commercial)" if view.spec.card.non_commercial else ""),
                )
                for view in views
            }.values()
        ),
    )
    scratch = [
        Paragraph(
            f"{view.id} started from random weights (“from scratch”): it shows no benefit of pretraining.", "warning"
        )
        for view in views
        if view.spec.from_scratch
    ]
    seen = [Paragraph(text, "warning") for text in pretraining.warnings(views, dataset)]
    runs = Table("Runs.", header, rows, (4, 5, 6, 7, 8))
    return Section(Part.MODELS.heading, (runs, cards, settings, *scratch, *seen))


def _weights(view: RunView) -> str:
    if view.spec.adapt == EXTERNAL:
        return "an external system: predictions alone"
    return "random (from scratch)" if view.spec.from_scratch else f"pretrained, {view.spec.card.weights.label}"


def _size(view: RunView) -> str:
    if view.spec.adapt == EXTERNAL:
        return "–"
    from medfm_gui.domain.cards import suitable_size

    return str(suitable_size(view.spec.card, view.spec.recipe.input_size or view.spec.card.input_size))


def _settings(view: RunView) -> str:
    from medfm_gui.domain.cards import adaptation

    card = adaptation(view.spec.adapt)
    keys = [key for key in (card.settings if card else ()) if key != "input_size"]
    return ", ".join(f"{key} {getattr(view.spec.recipe, key)}" for key in keys) or "none"


def results_section(
    views: Sequence[RunView],
    tests: Sequence[EvaluationFile],
    charts: ResultCharts,
    names: Sequence[str],
    promised: Standing = NOTHING_PROMISED,
) -> Section:
    """Every number of the opened test with its interval and its method, and the charts; primary ones are marked."""
    whole, *others = results_tables(tests, promised)
    blocks: list[Block] = [whole, *(table for table in others if table.caption != PER_CLASS)]
    if promised.locked is None:
        blocks.append(Paragraph(promised.objection, "small"))
    blocks += [table for table in others if table.caption == PER_CLASS]
    drawn = [chart for chart in (charts.roc, charts.calibration, charts.intervals) if chart] + list(charts.confusions)
    if drawn:
        alternatives = tuple(f"{chart.title}, for {', '.join(names)}." for chart in drawn)
        blocks.append(Charts(tuple(drawn), alternatives))
    for view in views:
        point = operating_point(view.folder)
        if point:
            how = fixed_in_words(point.rule, point.fitted_on)
            text = (
                f"{view.id}: threshold {point.threshold:.4f} for “{point.positive}”, {how} before the test was opened"
            )
            text += f"{'; ' if point.note else ''}{point.note}"
            blocks.append(Paragraph(text.strip(), "small"))
    return Section(Part.RESULTS.heading, tuple(blocks))


def results_tables(tests: Sequence[EvaluationFile], promised: Standing = NOTHING_PROMISED) -> list[Table]:
    """The results of the whole, without flagged images where there are some, and by class where there are classes."""
    whole = [row for test in tests for row in test.evaluations if not row.label]
    said = f"Test results with 95 % intervals, by {unit_title(whole[0].unit)}."
    table = Table(
        said + " Not primary: exploratory." * promised.is_binding,
        ("Run", "Metric", "Estimate (95 % interval)", "Method", "n", "patients", "events"),
        tuple(
            (
                row.run,
                metric_title(row.metric) + " (primary)" * (promised.role(row) is Role.PRIMARY),
                estimate(row),
                method_title(row.method),
                count_told(row.n).replace(",", ""),
                _count(row.n_patients),
                _events(row),
            )
            for row in whole
        ),
        (4, 5, 6),
    )
    made = [table, *_without_flagged(tests)]
    labelled = [row for test in tests for row in test.evaluations if row.label]
    if labelled:
        rows = tuple((row.run, row.label, metric_title(row.metric), estimate(row), _events(row)) for row in labelled)
        made.append(Table(PER_CLASS, ("Run", "Class", "Metric", "Estimate (95 % interval)", "events"), rows, (4,)))
    return made


def _without_flagged(tests: Sequence[EvaluationFile]) -> list[Table]:
    """The headline again without the images that the leak gate named."""
    rows = tuple(
        (row.run, metric_title(row.metric), estimate(row), str(row.n), str(len(test.flagged)))
        for test in tests
        for row in test.without_flagged
    ) + tuple(
        (test.run, "–", "what is left cannot be scored", "–", str(len(test.flagged)))
        for test in tests
        if test.flagged and not test.without_flagged
    )
    if not rows:
        return []
    caption = "Without the images that the leak gate flagged (accepted leaks and near-duplicates of other partitions)."
    header = ("Run", "Metric", "Estimate (95 % interval)", "n", "flagged")
    return [Table(caption, header, rows, (3, 4))]


def _certificate(split: Split) -> list[Block]:
    """What the gate looked at, and what it cannot see."""
    found = split.certificate
    if found is None:
        return []
    looks = tuple(
        (look.kind.value, look.method or "–", f"{look.compared:,}" if look.compared else "–", _outcome(look))
        for look in found.checks
    )
    table = Table("What the leak gate compared.", ("Shared", "By", "images", "found"), looks, (2,))
    unseen = Paragraph("The gate cannot see: " + " ".join(found.unseen), "small")
    return [table, unseen]


def _outcome(look: LeakCheck) -> str:
    return f"{look.found:,}" if look.compared else f"not compared: {look.reason}"


def _count(value: int | None) -> str:
    return "–" if value is None else count_told(value).replace(",", "")


def _events(row: Evaluation) -> str:
    """How many of the units have the event; hidden where that, or the others, are few."""
    return "–" if row.n_events is None else count_told(row.n_events, row.n).replace(",", "")


def comparison_section(
    file: ComparisonFile,
    names: Mapping[str, str],
    promised: Standing = NOTHING_PROMISED,
    views: Sequence[RunView] = (),
) -> Section:
    """Paired tests against the reference run; the primary one is marked."""
    reference = f"Reference: {names[file.runs[0]]}. {multiplicity(file.pairs)}".strip()
    told = dict.fromkeys(f"{metric_title(pair.metric)}: {pair.note.rstrip('.')}" for pair in file.pairs if pair.note)
    notes = tuple(Paragraph(f"{text[:1].upper()}{text[1:]}.", "small") for text in told)
    said = Paragraph(" ".join(file.sentence.splitlines()))
    table = pairs_table(file, promised, views)
    return Section(Part.COMPARISON.heading, (said, table, Paragraph(reference, "small"), *notes))


def pairs_table(file: ComparisonFile, promised: Standing = NOTHING_PROMISED, views: Sequence[RunView] = ()) -> Table:
    """Every paired difference with its interval, its test, p as it is and adjusted, and the simultaneous interval."""
    is_family = any(pair.simultaneous_method for pair in file.pairs)
    rows = tuple(
        (
            f"{pair.a} − {pair.b}",
            metric_title(pair.metric) + " (primary)" * (promised.role_of_pair(pair, views) is Role.PRIMARY),
            difference_text(pair.difference, pair.low, pair.high),
            method_title(pair.test),
            p_text(pair.p),
            p_text(pair.p_adjusted),
            *((simultaneous_text(pair),) if is_family else ()),
            str(pair.n),
        )
        for pair in file.pairs
    )
    together = (SIMULTANEOUS,) if is_family else ()
    header = ("Runs", "Metric", "Difference (95 % interval)", "Test", "p", "p (Holm)", *together, "n")
    return Table("Paired comparison on the same test units.", header, rows, (4, 5, len(header) - 1))


def simultaneous_text(pair: Comparison) -> str:
    """The interval that holds together with the others of its family; a dash where there is none."""
    low, high = pair.low_simultaneous, pair.high_simultaneous
    return "–" if low is None or high is None else f"{low:+.3f} to {high:+.3f}"


def difference_text(value: float | None, low: float | None, high: float | None) -> str:
    """``+0.012 (-0.010 to +0.034)``, without an interval where there is none."""
    if value is None:
        return "not estimable"
    return f"{value:+.3f}" if low is None or high is None else f"{value:+.3f} ({low:+.3f} to {high:+.3f})"


def p_text(value: float | None) -> str:
    """A p-value with three digits."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def curves_section(views: Sequence[RunView]) -> Section:
    """Losses and the selection metric over the epochs of every run that has them."""
    charts = []
    for view in views:
        points = view.state.curve
        keys = [key for key in LOSSES if any(point.metrics.get(key) is not None for point in points)]
        if len(points) < 2 or not keys:
            continue
        series = []
        for key in keys:
            pairs = [(point.epoch, point.metrics.get(key)) for point in points]
            kept = [(float(x), float(y)) for x, y in pairs if y is not None]
            series.append(Series(key.replace("_", " "), tuple(x for x, _ in kept), tuple(y for _, y in kept)))
        x_label = "penalty, strong to weak" if view.spec.adapt == "linear" else "epoch"
        charts.append(ChartSpec(f"curve-{view.id}", "lines", f"{view.id} loss", x_label, "loss", tuple(series)))
    if not charts:
        return Section(Part.CURVES.heading, (Paragraph("These adaptations have no training curve."),))
    return Section(
        Part.CURVES.heading, (Charts(tuple(charts), tuple(f"{chart.title} over epochs." for chart in charts)),)
    )


def examples_section(
    pictures: Sequence[Picture], columns: int, rule: str, checks: Mapping[str, Sequence[str]] | None = None
) -> Section:
    """A few test images with their heat maps; ``checks`` are by run what is known of its maps, empty where nothing."""
    notes = (
        Paragraph(rule),
        Paragraph(
            "Colours are relative to each image's maximum: not comparable between images or models. A heat map shows "
            "what the score depended on; it is no proof of a finding.",
            "small",
        ),
    )
    worth = [Paragraph(_worth(run, said), "small") for run, said in (checks or {}).items()]
    return Section(Part.EXAMPLES.heading, (*notes, *worth, Pictures(tuple(pictures), columns)))


def _worth(run: str, said: Sequence[str]) -> str:
    if said:
        return f"What the maps of {run} are worth: {' '.join(said)}"
    return (
        f"The maps of {run} were not checked (other weights, shifted images): “medfm maps {run}” or the run's details "
        "measure what they are worth."
    )


def label_text(dataset: Dataset, target: Sequence[int]) -> str:
    """The reference standard of a sample in words."""
    return classes_text(dataset.task, dataset.classes, target)


def classes_text(task: Task, classes: Sequence[str], target: Sequence[int]) -> str:
    """The same of the classes of a task; empty where the target is none of theirs."""
    if task is Task.MULTILABEL:
        return "|".join(name for name, value in zip(classes, target, strict=False) if value == 1)
    return classes[target[0]] if 0 <= target[0] < len(classes) else ""
