"""The sections of a report that need more than one look into its facts, each of what was gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.domain.report import OF_SEVERAL, Outline, Paragraph, Part, Picture, Section, Table
from medfm_gui.domain.split import Split
from medfm_gui.domain.units import counted
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace import flow, statements
from medfm_gui.workspace import report_sections as write
from medfm_gui.workspace.examples import examples, plain_pictures
from medfm_gui.workspace.held_out import FOLD
from medfm_gui.workspace.ladder import ladder
from medfm_gui.workspace.map_checks import sentences
from medfm_gui.workspace.opened_runs import OpenedRun, unit_images
from medfm_gui.workspace.report_demographics import BALANCE, CHARACTERISTICS, count_told
from medfm_gui.workspace.report_facts import ReportFacts, Watch
from medfm_gui.workspace.report_failures import Judged, class_word, failures_section, judged
from medfm_gui.workspace.report_folds import OF_ONE_TEST, folds_summary, tested_by_fold, with_folds
from medfm_gui.workspace.report_ladder import ladder_section
from medfm_gui.workspace.report_numbers import ReportNumbers
from medfm_gui.workspace.report_outside import OUTSIDE_TABLE, OutsideTest, outside_section
from medfm_gui.workspace.report_permission import no_pictures, permission_of
from medfm_gui.workspace.sidebyside import finished_runs

_CASES = 8
"""Pictures of mistakes at most."""


def data_part(facts: ReportFacts) -> Section:
    """The dataset with its statement and the flow of its images."""
    stated = statements.rows(facts.statement)
    if facts.folds is not None:
        return _data_of_folds(facts, facts.folds.splits, stated)
    found = flow.flow_of(facts.dataset, facts.split, flow.ancestors_of(facts.workspace, facts.dataset))
    return write.data_section(facts.dataset, facts.split, stated, flow_table(found))


def _data_of_folds(facts: ReportFacts, splits: Sequence[Split], stated: Sequence[tuple[str, str]]) -> Section:
    """Without partitions, which differ from fold to fold."""
    found = flow.flow_of(facts.dataset, None, flow.ancestors_of(facts.workspace, facts.dataset))
    return data_of_folds(facts.dataset, splits, stated, flow_table(found))


def data_of_folds(
    dataset: Dataset, splits: Sequence[Split], stated: Sequence[tuple[str, str]], boxes: Table
) -> Section:
    """The section of the data with the classes by the fold that tests them; ``boxes`` is the flow, undivided."""
    section = write.data_section(dataset, splits[0], stated, boxes)
    parted = (BALANCE, CHARACTERISTICS)
    blocks = [one for one in section.blocks if not (isinstance(one, Table) and one.caption.startswith(parted))]
    return replace(section, blocks=(*blocks, tested_by_fold(dataset, splits)))


def flow_table(found: flow.Flow) -> Table:
    """The flow as a report tells it: small counts hidden."""
    table = flow.as_table(found)
    boxes = {step.name: step for step in (*found.steps, *found.partitions)}
    return replace(table, rows=tuple(_box(row, boxes) for row in table.rows))


def _box(row: tuple[str, ...], boxes: dict[str, flow.Step]) -> tuple[str, ...]:
    """A row of the flow; few images or patients of a box are not told (what is left out are files, no persons)."""
    step = boxes.get(row[0])
    if step is None:
        return row
    return (row[0], count_told(step.number), count_told(step.patients) if step.patients else "")


def ladder_part(facts: ReportFacts) -> Section | None:
    """What the runs cost and how good they became, from the database."""
    if len(facts.views) < 2:
        return None
    models = {view.spec.card.name: view.spec.card.title for view in facts.views}
    known = {run.row.id: run for run in finished_runs(facts.workspace)[0]}
    rows = ladder([known[view.id] for view in facts.views if view.id in known], facts.titles, models)
    return ladder_section(rows, facts.titles) if len(rows.rungs) > 1 else None


def examples_part(facts: ReportFacts, outline: Outline, watch: Watch) -> Section | None:
    """A few test images with heat maps, where pictures may be shown; else why there are none."""
    if not facts.permission.pictures(outline):
        return Section(Part.EXAMPLES.heading, (Paragraph(no_pictures(facts.permission)),))
    watch.on_step("Looking for heat maps")
    elsewhere = facts.draft.pictures if facts.draft else None
    try:
        made = examples(facts.workspace, facts.views, on_event=watch.on_event, stop=watch.stop, elsewhere=elsewhere)
    except (NotFound, InputError) as error:  # the pixels were let go to save space
        return Section(Part.EXAMPLES.heading, (Paragraph(f"No picture of a case stands here: {error.message}"),))
    if not made.shown:
        return None
    checks = {run: tuple(sentences(facts.workspace, run, "gradcam").values()) for run in made.explained}
    return write.examples_section(made.pictures(facts.names.sample), len(made.explained) + 1, made.rule, checks)


def failures_part(facts: ReportFacts, outline: Outline, numbers: ReportNumbers) -> Section:
    """Tables of what went wrong, and pictures of the surest mistakes where they may be shown."""
    if not facts.permission.pictures(outline):
        return failures_section(numbers.failures, (), no_pictures(facts.permission))
    return failures_section(numbers.failures, _pictures(facts), "")


def _pictures(facts: ReportFacts) -> tuple[Picture, ...]:
    """The surest mistakes of the runs by turns, each unit by its first image."""
    seen = [(one, one.mistakes()[:_CASES]) for one in map(judged, facts.found.runs)]
    chosen: dict[str, tuple[str, str]] = {}
    for turn in range(_CASES):
        for one, found in seen:
            if turn < len(found) and len(chosen) < _CASES:
                mistake = found[turn]
                unit = one.run.units.samples[mistake.place]
                words = [class_word(one.run, code, mistake.finding) for code in (mistake.reference, mistake.decided)]
                said = f"reference standard {words[0]}; {one.run.view.id} decided {words[1]}, {mistake.probability:.2f}"
                chosen.setdefault(unit_images(one.run)[unit][0], (_called(facts, one, unit), said))
    elsewhere = facts.draft.pictures if facts.draft else None
    paths = plain_pictures(facts.workspace, facts.views, tuple(chosen), elsewhere=elsewhere)
    return tuple(
        Picture(str(paths[image]), f"{name}: {said}", f"Test case {name}, {said}")
        for image, (name, said) in chosen.items()
        if image in paths
    )


def _called(facts: ReportFacts, one: Judged, unit: str) -> str:
    return facts.names.of_units(one.run)[unit]


def charts_part(facts: ReportFacts) -> write.ResultCharts:
    """The charts of the results, as they were stored."""
    store = facts.workspace.store
    shared = {chart.id: chart for chart in facts.outcome.charts} if facts.outcome else {}
    own = {view.id: {chart.id: chart for chart in store.charts(view.id)} for view in facts.views}
    confusions = ((view.id, own[view.id]["confusion"]) for view in facts.views if "confusion" in own[view.id])
    return write.ResultCharts(
        roc=shared.get("roc") or own[facts.views[0].id].get("roc"),
        calibration=shared.get("calibration") or own[facts.views[0].id].get("calibration"),
        intervals=shared.get("intervals"),
        confusions=tuple(replace(chart, title=f"{chart.title}, {run}") for run, chart in confusions),
    )


def summary_of(facts: ReportFacts) -> str:
    """The headline of each run and what the comparison says, in one paragraph."""
    if facts.folds is not None:
        return folds_summary(facts.folds.found)
    return summary(facts.found.runs, facts.outcome.file.sentence if facts.outcome else "")


def summary(runs: Sequence[OpenedRun], sentence: str) -> str:
    """The same from the runs and the sentence of their comparison; empty without one."""
    lines = []
    for run in runs:
        row = run.test.evaluations[0]
        lines.append(f"{run.name}: {metric_title(row.metric)} {write.estimate(row)} ({counted(row.n, row.unit)}).")
    lines.extend(sentence.splitlines())
    if any(run.view.spec.from_scratch for run in runs):
        lines.append("Runs marked “from scratch” started from random weights, not from a pretrained model.")
    return "\n".join(lines)


def left_out(facts: ReportFacts, outline: Outline, files: str) -> list[str]:
    """What is not in the report, in words; ``files`` is what stands for attached ones, empty where there are some."""
    absent = set() if facts.outcome else set(OF_SEVERAL)
    absent |= {Part.FOLDS} if facts.folds is None else set(OF_ONE_TEST)
    absent |= set() if facts.elsewhere else {Part.EXTERNAL}
    named = [part.heading for part in Part if part not in outline.parts and part not in absent]
    return [*named, *([files] if files else [])]


def split_part(facts: ReportFacts) -> Section:
    """How the data were divided; of a cross-validation with every fold."""
    section = write.split_section(facts.dataset, facts.split)
    return section if facts.folds is None else with_folds(section, facts.folds.splits)


def outside_part(facts: ReportFacts, outline: Outline) -> Section | None:
    """The runs on other datasets, and where values of a covariate were left out in turn."""
    left_out = []
    if facts.folds is not None:
        by = dict.fromkeys(way.by for way in facts.folds.found.ways if way.by != FOLD)
        where = f"the section “{Part.FOLDS.heading}” tells it" if Part.FOLDS in outline.parts else "it is left out"
        left_out = [f"Within the dataset each “{name}” was left out in turn: {where}." for name in by]
    return outside_section(travelling(facts, outline), {view.id: view for view in facts.views}, left_out)


def travelling(facts: ReportFacts, outline: Outline) -> tuple[OutsideTest, ...]:
    """The tests on other data, each with the file of its predictions or why these do not travel."""
    if not facts.permission.files(outline):
        return facts.elsewhere
    found = []
    for number, one in enumerate(facts.elsewhere, 1):
        stated = permission_of(statements.statement_of(facts.workspace, one.file.dataset))
        path = facts.workspace.root / "datasets" / one.file.dataset / "manifest.json"
        if not path.exists():
            found.append(
                replace(one, withheld=f"The predictions on {one.name} do not travel: it is not here any more.")
            )
        elif stated.files(outline):
            found.append(replace(one, table=OUTSIDE_TABLE.format(number=number)))
        else:
            found.append(replace(one, withheld=f"The predictions on {one.name} do not travel: {stated.reason}."))
    return tuple(found)
