"""Reports of the folds of a cross-validation and of tests on other data, and what of them is computed again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.report import Outline, Part, Report, Section, Table
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.report_folds import SPREAD
from medfm_gui.workspace.reporting import build_report, write_report
from medfm_gui.workspace.statements import state
from medfm_gui.workspace.verifying_report import verify_report
from tests.fixtures.elsewhere import on_another_dataset
from tests.fixtures.opened import drawn_dataset, opened_folds, opened_run


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as made:
        yield made


def section(report: Report, part: Part) -> Section:
    return next(one for one in report.sections if one.title == part.heading)


def table(found: Section, start: str) -> Table:
    return next(one for one in found.blocks if isinstance(one, Table) and one.caption.startswith(start))


def test_folds_stand_in_one_report_and_are_computed_again(workspace: Workspace, tmp_path: Path) -> None:
    dataset = drawn_dataset(workspace, 300, request=SplitRequest(folds=3))
    runs = (*opened_folds(workspace, dataset, signal=0.8), *opened_folds(workspace, dataset, signal=2.0, seed=1))
    report = build_report(workspace, runs)
    titles = [one.title for one in report.sections]
    assert Part.FOLDS.heading in titles and Part.COMPARISON.heading not in titles and "Left out" in titles
    told = section(report, Part.FOLDS)
    means = table(told, "Mean over folds")
    assert SPREAD in means.header and len(means.rows) == 2 and "bootstrap of patients within folds" in means.rows[0][4]
    assert len(table(told, "Difference within each fold").rows) == 3
    assert len(table(told, "ROC-AUC within each fold").rows) == 6
    assert "of 3 folds" not in report.summary and "mean ROC-AUC over 3 folds" in report.summary
    limits = table(section(report, Part.LIMITATIONS), "What the stored facts show")
    said = {row[0]: row[1] for row in limits.rows}
    assert "Size of the test" not in said and "models of the folds are held" in said["Folds"]
    assert "alone" not in said["Folds"]
    by_class = table(section(report, Part.DATA), "Images of each class by the fold")
    assert len(by_class.header) == 4 and not any("by partition" in one.caption for one in section(report, Part.DATA)
                                                 .blocks if isinstance(one, Table))  # fmt: skip
    assert len(table(section(report, Part.SPLIT), "The folds").rows) == 3

    pdf = tmp_path / "folds.pdf"
    write_report(workspace, runs, out=pdf)
    found = verify_report(workspace, pdf)
    assert found.ok, [one.message for one in found.differences]


def test_a_changed_mean_over_folds_is_found(workspace: Workspace, tmp_path: Path) -> None:
    from medfm_gui.reports.attached import read_pdf
    from medfm_gui.workspace.evidence import read_evidence, runs_of
    from medfm_gui.workspace.verifying_folds import folds_differ

    dataset = drawn_dataset(workspace, 200, request=SplitRequest(folds=2))
    runs = (*opened_folds(workspace, dataset, signal=0.8), *opened_folds(workspace, dataset, signal=2.0, seed=1))
    pdf = tmp_path / "folds.pdf"
    write_report(workspace, runs, out=pdf, outline=Outline(parts=(Part.FOLDS, Part.PROVENANCE)))
    files, _ = read_pdf(pdf)
    told = json.loads(files["folds.json"])
    told["found"]["ways"][0]["mean"]["value"] += 0.01
    told["found"]["ways"][1]["spread"] *= 2
    told["found"]["pairs"][0]["values"][0] += 0.1
    held = read_evidence({**files, "folds.json": json.dumps(told).encode()})
    assert held.folds is not None
    said = " ".join(one.message for one in folds_differ(held.folds, runs_of(held)))
    assert "mean over folds" in said and "spread over folds" in said and "fold 1" in said


def test_sites_left_out_in_turn_stand_in_a_report(workspace: Workspace) -> None:
    dataset = drawn_dataset(
        workspace, 300, covariates={"site": ("north", "south", "east")}, request=SplitRequest(leave_out="site")
    )
    report = build_report(workspace, opened_folds(workspace, dataset))
    told = section(report, Part.FOLDS)
    assert "left out in turn" in table(told, "Mean over folds").rows[0][1]
    assert {row[1] for row in table(told, "ROC-AUC within each fold").rows} == {"north", "south", "east"}
    assert section(report, Part.EXTERNAL).blocks
    lists = section(report, Part.CHECKLISTS)
    items = [row for one in lists.blocks if isinstance(one, Table) for row in one.rows if "left out in turn" in row[4]]
    assert items and all(row[3].startswith("filled") for row in items)


def test_external_tests_stand_in_the_report(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn = drawn_dataset(workspace, 300)
    runs = (opened_run(workspace, drawn, signal=1.0), opened_run(workspace, drawn, seed=1))
    on_another_dataset(workspace, runs, monkeypatch)
    report = build_report(workspace, runs)
    told = section(report, Part.EXTERNAL)
    who = table(told, "Tested on Elsewhere")
    by = {(row[0], row[1]): row for row in who.rows}
    assert by[runs[0], "all"][2] == "600" and by[runs[0], "rare"][4] in ("< 5", "not shown")
    results = table(told, "Results on Elsewhere")
    whole = {row[2]: row for row in results.rows if row[:2] == (runs[0], "all")}
    assert {"ROC-AUC", "sensitivity", "specificity", "Brier score", "calibration slope"} <= set(whole)
    assert whole["Brier score"][4] != "–" and whole["ROC-AUC"][4] == "–" and whole["ROC-AUC"][5]
    assert all(row[3] == "not shown" for row in results.rows if row[1] == "rare")
    facts = dict(row for block in told.blocks if hasattr(block, "rows") and not isinstance(block, Table)
                 for row in block.rows)  # fmt: skip
    assert "healthy = without" in facts[f"{runs[0]}: label map (theirs = ours)"] and "2 times" in facts["Openings"]
    lists = section(report, Part.CHECKLISTS)
    items = [row for one in lists.blocks if isinstance(one, Table) for row in one.rows if "on other datasets" in row[4]]
    assert len(items) >= 2 and all(row[3].startswith("filled") for row in items)
    limits = {row[0]: row[1] for row in table(section(report, Part.LIMITATIONS), "What the stored facts show").rows}
    assert "Elsewhere" in limits["External test"]

    pdf = tmp_path / "external.pdf"
    write_report(workspace, runs, out=pdf)
    found = verify_report(workspace, pdf)
    assert found.ok, [one.message for one in found.differences]
    assert not any("External tests" in remark for remark in found.remarks)


def test_a_changed_external_number_is_found_and_what_must_not_travel_does_not(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from medfm_gui.reports.attached import read_pdf
    from medfm_gui.workspace.evidence import read_evidence
    from medfm_gui.workspace.verifying_outside import outside_differs

    run = opened_run(workspace, drawn_dataset(workspace, 300))
    theirs = on_another_dataset(workspace, (run,), monkeypatch)
    outline = Outline(parts=(Part.EXTERNAL, Part.PROVENANCE))
    pdf = tmp_path / "external.pdf"
    write_report(workspace, (run,), out=pdf, outline=outline)
    files, _ = read_pdf(pdf)
    assert "external-1.csv" in files and b"P0" not in files["external-1.csv"] and b"hospital" in files[
        "external-tests.json"]  # fmt: skip
    told = json.loads(files["external-tests.json"])
    told[0]["file"]["evaluations"][0]["value"] += 0.05
    held = read_evidence({**files, "external-tests.json": json.dumps(told).encode()})
    found = outside_differs(held.outside[0], held.outside_tables)
    assert len(found) == 1 and "on Elsewhere" in found[0].message
    state(workspace, theirs.id, Statement(redistribution=False, licence="none of yours"))
    write_report(workspace, (run,), out=pdf, outline=outline)
    files, _ = read_pdf(pdf)
    assert "external-1.csv" not in files and "external-tests.json" in files
    assert verify_report(workspace, pdf).ok
