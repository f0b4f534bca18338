"""What a report tells of its runs on other datasets: frozen first and recalibrated beside it, for all and by site.

The facts of a test are gathered once and go to the pages and, where its dataset lets predictions travel, into the
attached files, from which the same section is made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Calibrator, Evaluation, OperatingPoint
from medfm_gui.domain.report import Block, Charts, Facts, Paragraph, Part, Section, Table
from medfm_gui.domain.threshold import SIDES, fixed_in_words
from medfm_gui.domain.units import counted, unit_title
from medfm_gui.metrics.names import METRICS, method_title, metric_title
from medfm_gui.workspace import data
from medfm_gui.workspace.elsewhere import FROZEN, RECALIBRATED, ExternalTest
from medfm_gui.workspace.evaluating import calibrator, operating_point
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_demographics import FEW, WITHHELD, suppressed
from medfm_gui.workspace.report_sections import estimate
from medfm_gui.workspace.sites import external_chart, kept_tests
from medfm_gui.workspace.training import RunView

ALL = "all"
OUTSIDE_TABLE = "external-{number}.csv"
HIDDEN = frozenset({FEW, WITHHELD})
_FEWEST = 5
_WIDTHS = (6.0, 11.0, 20.0, 20.0, 20.0, 26.0)
_SIDE_BY_SIDE = (
    "As it is: scores, threshold and calibration are those that the run fixed on its own data. Recalibrated: "
    "probabilities of one half of the patients, put right by what the other half teaches, and the other way round; "
    "order and threshold are not asked of these."
)
_NOTE = (
    f"Sites of fewer than 20 units are not told apart; a site with fewer than {_FEWEST} events, or as few others, is "
    "counted and has no numbers."
)


@dataclass(frozen=True, slots=True)
class OutsideTest:
    """A run on another dataset, with all that its numbers come of but the scores.

    ``openings`` counts how often these images were opened in this workspace; ``point`` and ``line`` are what the run
    had fixed; ``table`` is the attached file of its predictions, empty where these do not travel (``withheld`` says
    why).
    """

    file: ExternalTest
    name: str
    task: Task
    classes: tuple[str, ...]
    positive: str | None
    unit: str
    n_patients: int | None
    openings: int
    point: OperatingPoint | None = None
    line: Calibrator | None = None
    table: str = ""
    withheld: str = ""


def outside_tests(workspace: Workspace, views: Sequence[RunView]) -> tuple[OutsideTest, ...]:
    """The newest test of each of these runs on each other dataset, and of each covariate that parted it by site."""
    kept = kept_tests(workspace, [view.id for view in views])
    newest: dict[tuple[str, str, str], OutsideTest] = {}
    by_id = {view.id: view for view in views}
    for file, openings in zip(kept.files, kept.openings, strict=True):
        view = by_id[file.run]
        spec = view.spec
        newest[file.dataset, file.run, file.by] = OutsideTest(
            file, _called(workspace, file), spec.task, spec.classes, spec.positive, spec.recipe.counted,
            next((row.n_patients for row in file.evaluations if not row.parameters.get("site")), None), openings,
            operating_point(view.folder), calibrator(view.folder),
        )  # fmt: skip
    parted = {(dataset, run) for dataset, run, by in newest if by}
    found = [one for (dataset, run, by), one in newest.items() if by or (dataset, run) not in parted]
    order = {view.id: place for place, view in enumerate(views)}
    names = list(dict.fromkeys(one.file.dataset for one in found))
    return tuple(sorted(found, key=lambda one: (names.index(one.file.dataset), order[one.file.run], one.file.by)))


def _called(workspace: Workspace, file: ExternalTest) -> str:
    """The dataset's name; its id where it is not here any more."""
    here = (workspace.root / "datasets" / file.dataset / "manifest.json").exists()
    return data.read(workspace, file.dataset).name if here else file.dataset


def outside_section(
    tests: Sequence[OutsideTest], views: Mapping[str, RunView], left_out: Sequence[str] = ()
) -> Section | None:
    """A block for each dataset: who was tested, the numbers side by side, a forest; None where nothing was tested.

    Args:
        left_out: values of a covariate that were left out in turn, told in the section of the cross-validation.
    """
    blocks: list[Block] = [Paragraph(text) for text in left_out]
    for dataset in dict.fromkeys(one.file.dataset for one in tests):
        found = [one for one in tests if one.file.dataset == dataset]
        blocks += [Facts(outside_facts(found)), *outside_tables(found)]
        chart = _chart(found, views)
        if chart is not None:
            runs = ", ".join(dict.fromkeys(one.file.run for one in found))
            blocks.append(Charts((chart,), (f"{chart.title}, for {runs}.",)))
        for text in dict.fromkeys(one.file.withheld for one in found if one.file.withheld):
            blocks.append(Paragraph(f"Not recalibrated: {text}.", "small"))
        for text in dict.fromkeys(one.withheld for one in found if one.withheld):
            blocks.append(Paragraph(text, "small"))
    if not blocks:
        return None
    if tests:
        blocks += [Paragraph(_SIDE_BY_SIDE, "small"), Paragraph(_NOTE, "small")]
    return Section(Part.EXTERNAL.heading, tuple(blocks))


def outside_facts(tests: Sequence[OutsideTest]) -> tuple[tuple[str, str], ...]:
    """A dataset as an external test: its label map, what was left out, openings with reasons, thresholds."""
    first = tests[0]
    rows = [("Dataset", first.name)]
    for one in tests:
        said = ", ".join(f"{theirs} = {ours}" for theirs, ours in one.file.labels.items())
        rows.append((f"{one.file.run}: label map (theirs = ours)", said))
        if one.file.left_out:
            rows.append((f"{one.file.run}: left out", f"{_count(one.file.left_out)} images of other classes"))
        if one.file.shared:
            rows.append((f"{one.file.run}: also in its own dataset", f"{_count(one.file.shared)} of these images"))
        rows.append((f"{one.file.run}: opened", f"{one.file.opened}, reason: {one.file.reason}"))
        if one.point is not None:
            point = one.point
            how = fixed_in_words(point.rule, point.fitted_on)
            said = f"{point.threshold:.4f} for “{point.positive}”, {how} of its own data before this test"
            rows.append((f"{one.file.run}: threshold", said))
        if one.line is not None:
            rows.append(
                (
                    f"{one.file.run}: calibration",
                    f"{one.line.kind}, fixed on {SIDES.get(one.line.fitted_on, one.line.fitted_on)}",
                )
            )
    times = max(one.openings for one in tests)
    rows.append(("Openings", f"these images were opened {counted(times, 'time')} in this workspace"))
    rows += [(f"{one.file.run}: images (SHA-256)", one.file.sample_set) for one in tests]
    return tuple(rows)


def _count(number: int) -> str:
    return FEW if 0 < number < _FEWEST else f"{number:,}"


def outside_tables(tests: Sequence[OutsideTest]) -> list[Table]:
    """Who was tested, and every number frozen and recalibrated side by side."""
    name = tests[0].name
    who: list[tuple[str, ...]] = []
    numbers: list[tuple[str, ...]] = []
    for one in tests:
        counts = counts_told(one)
        who += [(one.file.run, site, *cells) for site, cells in counts.items()]
        numbers += _side_by_side(one, _few(one))
    unit = tests[0].unit
    head = ("Run", "Site", "n", "patients", "events")
    beside = ("Run", "Site", "Metric", "As it is (95 % interval)", "Recalibrated (95 % interval)", "Method")
    return [
        Table(f"Tested on {name}, by {unit_title(unit)}.", head, tuple(who), (2, 3, 4)),
        Table(
            f"Results on {name}, by {unit_title(unit)}: frozen first, recalibrated second.",
            beside,
            tuple(numbers),
            widths=_WIDTHS,
        ),
    ]


def counts_told(one: OutsideTest) -> dict[str, tuple[str, str, str]]:
    """Units, patients and events for all and for each site, small cells suppressed."""
    rows = _heads(one)
    sites = [site for site in rows if site != ALL]
    totals = rows[ALL]
    few = _few(one)
    hidden = {place for place, site in enumerate(sites) if site in few}
    events = suppressed([rows[site].n_events or 0 for site in sites], hidden)
    told = {
        site: (
            f"{rows[site].n:,}",
            "–" if rows[site].n_patients is None else _count(rows[site].n_patients or 0),
            "–" if rows[site].n_events is None else events[place],
        )
        for place, site in enumerate(sites)
    }
    whole = "–" if totals.n_events is None else _whole(totals)
    patients = "–" if totals.n_patients is None else _count(totals.n_patients)
    return {ALL: (f"{totals.n:,}", patients, whole), **told}


def _few(one: OutsideTest) -> set[str]:
    """The sites whose events, or whose others, are so few that their numbers would tell of single patients."""
    heads = _heads(one)
    return {
        site
        for site, row in heads.items()
        if site != ALL and row.n_events is not None and min(row.n_events, row.n - row.n_events) < _FEWEST
    }


def _whole(row: Evaluation) -> str:
    events = row.n_events or 0
    if 0 < events < _FEWEST:
        return FEW
    return WITHHELD if 0 < row.n - events < _FEWEST else f"{events:,}"


def _heads(one: OutsideTest) -> dict[str, Evaluation]:
    """The first number of the whole, and of each site: their counts are those of all units."""
    found: dict[str, Evaluation] = {}
    for row in one.file.evaluations:
        if row.parameters.get("calibration") == FROZEN and not row.label and "failures" not in row.parameters:
            found.setdefault(row.parameters.get("site", "") or ALL, row)
    return found


def _side_by_side(one: OutsideTest, few_in: set[str]) -> list[tuple[str, ...]]:
    by: dict[tuple[str, str], dict[str, Evaluation]] = {}
    for row in one.file.evaluations:
        site = row.parameters.get("site", "") or ALL
        if site in few_in or (row.metric in METRICS and METRICS[row.metric].improper):
            continue
        title = metric_title(row.metric, row.label) + _failed(row)
        by.setdefault((site, title), {}).setdefault(row.parameters.get("calibration", ""), row)
    made = []
    for (site, title), told in by.items():
        few = site != ALL and any(0 < (row.n_events or 0) < _FEWEST for row in told.values())
        cells = [WITHHELD if few else _estimate(told[kind]) if kind in told else "–"
                 for kind in (FROZEN, RECALIBRATED)]  # fmt: skip
        methods = dict.fromkeys(method_title(row.method) for row in told.values())
        made.append((one.file.run, site, title, *cells, "; ".join(methods)))
    return made


def _estimate(row: Evaluation) -> str:
    """As elsewhere; between limits that may be below zero a dash would mislead."""
    told = estimate(row)
    return told.replace("–", " to ") if row.low is not None and row.high is not None and row.low < 0 else told


def _failed(row: Evaluation) -> str:
    return " (what could not be scored counts as wrong)" if "failures" in row.parameters else ""


def _chart(tests: Sequence[OutsideTest], views: Mapping[str, RunView]) -> ChartSpec | None:
    """The forest of those sites whose numbers are shown."""
    files = []
    for one in tests:
        few = _few(one)
        rows = tuple(row for row in one.file.evaluations if (row.parameters.get("site", "") or ALL) not in few)
        files.append(replace(one.file, evaluations=rows))
    made = external_chart(files, views, list(views))
    title = f"{made.x_label[:1].upper()}{made.x_label[1:]} on {tests[0].name}"
    return replace(made, title=title) if made.series else None


def outside_charts(tests: Sequence[OutsideTest], views: Mapping[str, RunView]) -> list[ChartSpec]:
    """The forest of each dataset, in the order in which they stand in the section."""
    names = dict.fromkeys(one.file.dataset for one in tests)
    made = (_chart([one for one in tests if one.file.dataset == name], views) for name in names)
    return [chart for chart in made if chart is not None]
