"""Failure analysis and subgroups of a report: small groups, consent, what the pages may show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.errors import NotFound
from medfm_gui.domain.report import Block, Outline, Paragraph, Part, Report, Section, Table
from medfm_gui.reports.pdf import typeset
from medfm_gui.workspace import statements
from medfm_gui.workspace.opened_runs import opened_tests, read_opened
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.protocol import lock_protocol
from medfm_gui.workspace.report_demographics import FEW, WITHHELD, count_told
from medfm_gui.workspace.report_failures import failure_tables, judged
from medfm_gui.workspace.report_names import ReportNames
from medfm_gui.workspace.report_permission import permission_of
from medfm_gui.workspace.report_sections import examples_section
from medfm_gui.workspace.report_subgroups import untold
from medfm_gui.workspace.reporting import build_report
from tests.fixtures.opened import drawn_dataset, opened_run

PARTS = (Part.SUBGROUPS, Part.EXAMPLES, Part.FAILURES)
PROTOCOL = """
question = "Which is better?"
population = "drawn patients"
unit = "image"
reference_standard = "the drawing"
primary_metric = "ROC-AUC"
threshold_rule = "youden"
subgroups = ["SEX", "scanner"]
n = 90
dataset = "declared"
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_workspace(tmp_path_factory.mktemp("failures") / "ws", settings=Settings()) as room:
        yield room


@pytest.fixture(scope="module")
def runs(workspace: Workspace) -> tuple[str, str]:
    dataset = drawn_dataset(
        workspace, 600, name="Drawn", covariates={"sex": ["F", "M"], "site": ["A"] * 14 + ["B"], "age": ["33", "95"]}
    )
    return opened_run(workspace, dataset, seed=1), opened_run(workspace, dataset, seed=2, failed=2)


def section(report: Report, part: Part) -> Section:
    return next(one for one in report.sections if one.title == part.heading)


def tables(blocks: tuple[Block, ...] | list[Block]) -> dict[str, Table]:
    return {block.caption: block for block in blocks if isinstance(block, Table)}


def words(section: Section) -> str:
    return " ".join(block.text for block in section.blocks if isinstance(block, Paragraph))


def test_mistakes_are_the_wrong_decisions_the_surest_first(workspace: Workspace, runs: tuple[str, str]) -> None:
    found = read_opened(workspace, opened_tests(workspace, runs))
    for run in found.runs:
        one = judged(run)
        mistakes = one.mistakes()
        assert len(mistakes) == int(one.is_wrong.sum())
        sure = [mistake.probability for mistake in mistakes]
        assert sure == sorted(sure, reverse=True)
        assert run.point is not None
        good = run.units.without_failed()
        wrong = (good.event_scores >= run.point.threshold) != good.events
        assert len(mistakes) == int(wrong.sum())
    shown = tables(failure_tables(found.runs, ReportNames(), hide=False))["Errors by class, images that were scored."]
    for run in found.runs:
        bad = sum(int(row[3]) for row in shown.rows if row[0] == run.view.id)
        assert bad == len(judged(run).mistakes())


def test_small_groups_are_not_told_and_no_difference_gives_them_away(
    workspace: Workspace, runs: tuple[str, str]
) -> None:
    report = build_report(workspace, runs, outline=Outline(parts=PARTS, subgroups=("site",)))
    by_site = tables(section(report, Part.FAILURES).blocks)["Errors by site, images that were scored."]
    for run in runs:
        cells = [row[2:] for row in by_site.rows if row[0] == run]
        for column in zip(*cells, strict=True):
            hidden = [cell for cell in column if cell in (FEW, WITHHELD)]
            assert len(hidden) != 1, column
            assert all(cell in (FEW, WITHHELD) or int(cell) == 0 or int(cell) >= 5 for cell in column)
    groups = next(table for name, table in tables(section(report, Part.SUBGROUPS).blocks).items() if "By site" in name)
    small = [row for row in groups.rows if row[0] == "B"]
    assert small and all(row[4:] == ("–", "–", "–") for row in small), "fewer than 20 of both classes have no estimate"
    assert (count_told(3), count_told(97, 100), count_told(0), count_told(50, 100)) == (FEW, WITHHELD, "0", "50")


def test_subgroups_are_exploratory_unless_a_protocol_declares_them(workspace: Workspace, tmp_path: Path) -> None:
    dataset = drawn_dataset(workspace, 400, name="Declared", covariates={"sex": ["F", "M"], "site": ["A", "B"]})
    (tmp_path / "p.toml").write_text(PROTOCOL, encoding="utf-8")
    lock_protocol(workspace, tmp_path / "p.toml")
    run = opened_run(workspace, dataset, seed=3)
    report = build_report(workspace, [run], outline=Outline(parts=PARTS, subgroups=("site",)))
    found = section(report, Part.SUBGROUPS)
    captions = [name for name in tables(found.blocks) if name.startswith("By ")]
    assert captions == ["By sex, by image (declared in the protocol).", "By site, by image (exploratory)."]
    assert "“scanner”, which no test image has" in words(found)


def test_a_covariate_that_nobody_has_is_refused_and_none_named_is_said(
    workspace: Workspace, runs: tuple[str, str]
) -> None:
    with pytest.raises(NotFound):
        build_report(workspace, runs, outline=Outline(parts=PARTS, subgroups=("nothing",)))
    assert "none was named" in words(section(build_report(workspace, runs, outline=Outline(parts=PARTS)), PARTS[0]))


@pytest.mark.parametrize(
    ("name", "values", "is_told"),
    [
        ("sex", {"F", "M"}, True),
        ("age", {"34", "95"}, True),
        ("slice_thickness_mm", {"20200131x", "5"}, True),
        ("StudyDate", {"a"}, False),
        ("seen", {"20200131", "2021-12-05", ""}, False),
        ("PatientID", {"1"}, False),
        ("group", {"site 1", "site 2"}, True),
        ("group", {f"lesion {number}" for number in range(30)}, False),
    ],
)
def test_no_subgroup_is_a_date_or_a_person(name: str, values: set[str], is_told: bool) -> None:
    assert (untold(name, values) == "") is is_told


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        (Statement(), "does not state"),
        (Statement(redistribution=False, licence="DUA 1"), "may not be redistributed (DUA 1)"),
        (Statement(redistribution=True), ""),
    ],
)
def test_the_statement_decides_on_pictures_and_files(
    workspace: Workspace, runs: tuple[str, str], stated: Statement, reason: str
) -> None:
    assert reason in permission_of(stated).reason and bool(permission_of(stated).reason) == bool(reason)
    statements.state(workspace, "drawn", stated)
    parts = (Part.FAILURES, Part.PROVENANCE)
    report = build_report(workspace, runs, outline=Outline(parts=parts))
    assert bool(report.attachments) is (stated.redistribution is not False), "silence forbids no files"
    assert ("No picture of a case stands here" in words(section(report, Part.FAILURES))) is bool(reason)
    if stated.redistribution is False:
        assert reason in words(next(one for one in report.sections if one.title == "Left out"))
    if reason:
        examples = build_report(workspace, runs, outline=Outline(parts=(Part.EXAMPLES,)))
        assert reason in words(section(examples, Part.EXAMPLES))
    wish = Outline(parts=parts, attachments=not report.attachments, images_consent=True)
    chosen = build_report(workspace, runs, outline=wish)
    assert bool(chosen.attachments) is not bool(report.attachments), "the person's word counts more"
    assert "No picture of a case" not in words(section(chosen, Part.FAILURES))


def test_attached_files_stand_in_provenance_with_versions(workspace: Workspace, runs: tuple[str, str]) -> None:
    report = build_report(workspace, runs, outline=Outline(parts=(Part.RESULTS, Part.PROVENANCE), attachments=True))
    names = {file.name for file in report.attachments}
    assert {"environment.json", "charts.json", "charts.csv", "contents.json", "runs.json"} <= names
    found = section(report, Part.PROVENANCE)
    listed = {row[0]: row[2] for row in tables(found.blocks)["Files attached to this report."].rows}
    assert set(listed) == names - {"contents.json"}, "its own hash stands in the list of the attachments"
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in listed.values())
    charts = tables(found.blocks)["Charts of this report, as they are attached."]
    assert len(charts.rows) >= 3
    facts = dict(row for block in found.blocks if block.block == "facts" for row in block.rows)
    assert "python 3" in facts["Written with"] and f"numpy {np.__version__}" in facts["Written with"]
    import getpass
    import platform

    words_out = next(file.text for file in report.attachments if file.name == "environment.json")
    assert platform.node() not in words_out or len(platform.node()) < 3
    assert f'"{getpass.getuser()}"' not in words_out


def test_a_report_without_pictures_or_files_can_be_set(workspace: Workspace, runs: tuple[str, str]) -> None:
    data, pages = typeset(build_report(workspace, runs, outline=Outline(parts=PARTS, attachments=False)))
    assert data.startswith(b"%PDF") and pages >= 2


def test_examples_say_what_the_maps_are_worth() -> None:
    made = examples_section(
        (), 2, "Chosen by their score.", {"r0001": ("Shuffled: 0.03.", "Moved: 0.91."), "r0002": ()}
    )
    said = words(made)
    assert "What the maps of r0001 are worth: Shuffled: 0.03. Moved: 0.91." in said
    assert "The maps of r0002 were not checked" in said and "medfm maps r0002" in said
