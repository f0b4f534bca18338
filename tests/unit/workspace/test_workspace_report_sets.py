"""Coverage of sets of classes: told in a report where the settings or the outline ask for it, and computed again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.desk.answers.compare_cases import read_class_sets
from medfm_gui.desk.asks.compare_cases import ReadClassSets
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.dataset import Statement, Task
from medfm_gui.domain.report import Outline, Paragraph, Part, Report, Section, Table
from medfm_gui.domain.split import Partition
from medfm_gui.metrics.conformal import PROMISE
from medfm_gui.reports.pdf import write_pdf
from medfm_gui.workspace import statements
from medfm_gui.workspace.class_sets import COVERAGE, SetsOnTest, sets_on_test
from medfm_gui.workspace.evidence_numbers import CLASS_SETS
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.report_demographics import WITHHELD
from medfm_gui.workspace.report_usefulness import SETS, sets_table
from medfm_gui.workspace.reporting import build_report
from medfm_gui.workspace.verifying_files import verify
from tests.fixtures.opened import drawn_dataset, keep_scores, opened_run

GRADES = ("none", "mild", "severe")
PARTS = (Part.RESULTS, Part.CALIBRATION, Part.PROVENANCE)

Place = tuple[Workspace, tuple[str, ...]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Two runs of three grades; the calibration scores of the first alone are kept."""
    with open_workspace(tmp_path_factory.mktemp("sets") / "ws", settings=Settings(class_sets=True)) as workspace:
        request = SplitRequest(ratios="50/10/20/20")
        dataset = drawn_dataset(workspace, 900, task=Task.ORDINAL, classes=GRADES, request=request)
        statements.state(workspace, dataset.id, Statement(redistribution=True))
        runs = tuple(opened_run(workspace, dataset, seed=seed) for seed in range(2))
        keep_scores(workspace, dataset, runs[0], Partition.CAL)
        yield workspace, runs


def calibration(report: Report) -> Section:
    return next(one for one in report.sections if one.title == Part.CALIBRATION.heading)


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def words(section: Section) -> str:
    return " ".join(block.text for block in section.blocks if isinstance(block, Paragraph))


def test_the_report_tells_coverage_by_class_its_promise_and_who_has_no_sets(place: Place, tmp_path: Path) -> None:
    workspace, runs = place
    report = build_report(workspace, runs, outline=Outline(parts=PARTS))
    (table,) = tables(calibration(report))
    found = sets_on_test(workspace, runs)[0]
    assert table.caption.startswith(SETS) and [row[:2] for row in table.rows] == [(runs[0], name) for name in GRADES]
    first = found.by_class[0]
    assert table.rows[0][2] == f"{first.value:.3f} ({first.low:.3f} to {first.high:.3f})"
    assert PROMISE in words(calibration(report)) and f"{runs[0]} {found.size:.2f}" in words(calibration(report))
    assert f"{runs[1]}: No set: " in words(calibration(report))
    write_pdf(report, tmp_path / "report.pdf")
    assert verify(workspace, str(tmp_path / "report.pdf")).differences == ()


def test_a_changed_coverage_is_found(place: Place, tmp_path: Path) -> None:
    workspace, runs = place
    report = build_report(workspace, runs[:1], outline=Outline(parts=PARTS))
    (file,) = [one for one in report.attachments if one.name == CLASS_SETS]
    told = json.loads(file.text)
    told[0]["evaluations"][1]["value"] = 0.999
    changed = [replace(one, text=json.dumps(told)) if one is file else one for one in report.attachments]
    write_pdf(replace(report, attachments=tuple(changed)), tmp_path / "forged.pdf")
    named = [item.where for item in verify(workspace, str(tmp_path / "forged.pdf")).differences]
    assert any(where.startswith(f"sets of classes, {runs[0]} {COVERAGE} (mild)") for where in named), named


def test_the_outline_counts_more_than_the_settings(place: Place) -> None:
    workspace, runs = place
    assert not tables(calibration(build_report(workspace, runs, outline=Outline(parts=PARTS, class_sets=False))))
    off = replace(workspace, settings=Settings())
    assert not tables(calibration(build_report(off, runs, outline=Outline(parts=PARTS))))
    assert tables(calibration(build_report(off, runs, outline=Outline(parts=PARTS, class_sets=True))))


def test_of_a_class_with_few_units_nothing_is_told(place: Place) -> None:
    workspace, runs = place
    found = sets_on_test(workspace, runs[:1])[0]
    few = replace(found, evaluations=(replace(found.by_class[0], n=4, n_events=4), *found.evaluations[1:]))
    assert isinstance(few, SetsOnTest)
    assert sets_table((few,)).rows[0][2:5:2] == (WITHHELD, "< 5")


def test_the_window_is_told_where_the_settings_ask_for_sets(place: Place) -> None:
    workspace, runs = place
    with Room(workspace) as room:
        told = read_class_sets(room, ReadClassSets(runs), Told(lambda kind, value: None))
    assert told.is_on and [bool(one.by_class) for one in told.sets] == [True, False]
