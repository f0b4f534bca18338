"""A report is verified from itself: untouched it is whole, and a digit that was changed is named where it stands."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pypdf
import pytest
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Statement, Task
from medfm_gui.domain.errors import NotFound
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.domain.report import Attachment, Outline, Paragraph, Part, Report, Section, Table
from medfm_gui.reports.attached import read_pdf, solid
from medfm_gui.reports.pdf import write_pdf
from medfm_gui.workspace import data, evaluating, statements, training
from medfm_gui.workspace.evaluating import opened
from medfm_gui.workspace.external import import_predictions
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.reporting import build_report
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.verifying_files import verify
from tests.fixtures.opened import drawn_dataset, opened_run

LINE = Calibrator("platt", 0.7, -0.3, "val", "image", 200)
PARTS = tuple(part for part in Part if part not in (Part.EXAMPLES, Part.CHECKLISTS))
COVARIATES = {"sex": ["F", "M", "F", "M", ""], "age": ["34", "67", "91", "45"], "site": ["A"] * 30 + ["B"]}


@dataclass(frozen=True)
class Written:
    """A report of two runs as it was built, and its PDF."""

    workspace: Workspace
    runs: tuple[str, ...]
    report: Report
    path: Path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    folder = tmp_path_factory.mktemp("verified")
    with open_workspace(folder / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 1600, covariates=COVARIATES)
        statements.state(workspace, dataset.id, Statement(redistribution=True, sampling="consecutive"))
        runs = (opened_run(workspace, dataset, seed=1), opened_run(workspace, dataset, seed=2, failed=3))
        wire.write(workspace.run(runs[1]) / "calibrator.json", LINE)
        outline = Outline(parts=PARTS, subgroups=("sex", "site"), net_benefit=(0.1, 0.5), purpose="To see.")
        report = build_report(workspace, runs, outline=outline)
        write_pdf(report, folder / "report.pdf")
        yield Written(workspace, runs, report, folder / "report.pdf")


def test_an_untouched_report_is_whole_and_nothing_is_skipped(written: Written) -> None:
    found = verify(written.workspace, str(written.path))
    assert found.ok, found.differences
    rows = sum(len(block.rows) for one in written.report.sections for block in one.blocks if isinstance(block, Table))
    assert found.checked > rows


def test_a_report_of_the_workspace_is_named_by_its_id(written: Written) -> None:
    kept = written.workspace.root / "reports" / "report0007" / "report.pdf"
    kept.parent.mkdir(parents=True)
    shutil.copy(written.path, kept)
    try:
        found = verify(written.workspace, "report0007")
        assert found.subject == verify(written.workspace, str(kept)).subject and found.ok
        with pytest.raises(NotFound, match="neither a run or report of this workspace nor a file"):
            verify(written.workspace, "report0008")
    finally:
        shutil.rmtree(kept.parent)


def _changed(text: str) -> str:
    """The text with its last digit another one."""
    place = max(found.start() for found in re.finditer(r"\d", text))
    return f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"


def _with_change(report: Report, section: str, caption: str) -> tuple[Report, str]:
    """The same report where one digit of a table differs, and the name of the row."""
    key = ""

    def table(block: Table) -> Table:
        nonlocal key
        at, row = next(
            (at, row) for at, row in enumerate(block.rows) if any(re.search(r"\d", cell) for cell in row[2:])
        )
        column = max(place for place, cell in enumerate(row) if place > 1 and re.search(r"\d", cell))
        cells = tuple(_changed(cell) if place == column else cell for place, cell in enumerate(row))
        key = row[0]
        return replace(block, rows=(*block.rows[:at], cells, *block.rows[at + 1 :]))

    def changed(one: Section) -> Section:
        if one.title != section:
            return one
        blocks = (
            table(block) if isinstance(block, Table) and block.caption.startswith(caption) else block
            for block in one.blocks
        )
        return replace(one, blocks=tuple(blocks))

    return replace(report, sections=tuple(map(changed, report.sections))), key


KINDS = (
    (Part.RESULTS, "Test results"),
    (Part.CALIBRATION, "Calibration on"),
    (Part.CALIBRATION, "Net benefit"),
    (Part.COMPARISON, "Paired comparison"),
    (Part.SUBGROUPS, "By sex"),
    (Part.FAILURES, "Errors by class"),
    (Part.FAILURES, "The surest mistakes"),
    (Part.FAILURES, "Cases that all runs"),
    (Part.FAILURES, "Errors by sex"),
    (Part.DATA, "Images of each class"),
    (Part.LADDER, "What each run cost"),
)


def test_a_digit_that_was_changed_on_the_pages_is_named_by_section_and_row(written: Written, tmp_path: Path) -> None:
    forged, wanted = written.report, []
    for part, caption in KINDS:
        forged, key = _with_change(forged, part.heading, caption)
        assert key, caption
        wanted.append((part.heading, caption, key))
    write_pdf(forged, tmp_path / "forged.pdf")
    found = verify(written.workspace, str(tmp_path / "forged.pdf"))
    named = [item.where for item in found.differences]
    for section, caption, key in wanted:
        assert any(where.startswith(f"{section}: {caption}") and f"({key}" in where for where in named), (
            caption,
            named,
        )
    assert len(named) == len(KINDS), named


def test_a_digit_that_was_changed_on_pages_and_in_the_contents_alike_is_computed_again(
    written: Written, tmp_path: Path
) -> None:
    forged, wanted = written.report, []
    for part, caption in KINDS[:9]:
        before = json.loads(_file(forged, "contents.json").text)
        forged, key = _with_change(forged, part.heading, caption)
        whole = next(one for one in forged.sections if one.title == part.heading)
        tables = [block for block in whole.blocks if isinstance(block, Table)]
        for one in before["sections"]:
            if one["title"] == part.heading:
                for table, shown in zip(one["tables"], tables, strict=True):
                    table["rows"] = [list(row) for row in shown.rows]
        forged = _replaced(forged, "contents.json", json.dumps(before))
        wanted.append((part.heading, caption, key))
    write_pdf(forged, tmp_path / "forged.pdf")
    named = [item.where for item in verify(written.workspace, str(tmp_path / "forged.pdf")).differences]
    for section, caption, key in wanted:
        assert any(where.startswith(f"{section}: {caption}") and f", {key}" in where for where in named), (
            caption,
            named,
        )


def _file(report: Report, name: str) -> Attachment:
    return next(one for one in report.attachments if one.name == name)


def _replaced(report: Report, name: str, text: str) -> Report:
    files = tuple(replace(one, text=text) if one.name == name else one for one in report.attachments)
    return replace(report, attachments=files)


@pytest.mark.parametrize(
    ("name", "old", "where"),
    [
        ("subgroups.json", r'"value": 0\.(\d)', "sex"),
        ("usefulness.json", r'"value": -?\d+\.(\d)', "calibration"),
        ("covariates.csv", ",F,", "sex"),
    ],
)
def test_a_number_that_was_changed_in_an_attached_file_is_computed_again(
    written: Written, tmp_path: Path, name: str, old: str, where: str
) -> None:
    text = _file(written.report, name).text
    spot = next(re.finditer(old, text))
    if name.endswith(".csv"):
        forged = text.replace(",F,", ",M,", 40)
    else:
        place = spot.start(1)
        forged = f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"
    write_pdf(_replaced(written.report, name, forged), tmp_path / "forged.pdf")
    found = verify(written.workspace, str(tmp_path / "forged.pdf"))
    assert any(where in item.where for item in found.differences), found.differences


def test_the_numbers_of_the_pages_are_those_of_the_store_and_of_another_library(written: Written) -> None:
    files, text = read_pdf(written.path)
    for run in written.runs:
        scores, truth, point = _attached(files, run)
        called = scores >= point
        hits, calls = called & (truth == 1), called.sum()
        theirs = {
            "auc": ("ROC-AUC", roc_auc_score(truth, scores)),
            "average_precision": ("averageprecision", average_precision_score(truth, scores)),
            "brier": ("Brierscore", brier_score_loss(truth, scores)),
            "log_loss": ("logloss", log_loss(truth, scores)),
            "sensitivity": ("sensitivity", recall_score(truth, called)),
            "specificity": ("specificity", recall_score(truth, called, pos_label=0)),
            "balanced_accuracy": ("balancedaccuracy", balanced_accuracy_score(truth, called)),
            "accuracy": ("accuracy", accuracy_score(truth, called)),
        }
        kept = {
            row.metric: row.value
            for row in opened(written.workspace, run).evaluations
            if not row.parameters.get("failures")
        }
        for metric, (title, value) in theirs.items():
            assert kept[metric] == pytest.approx(value, abs=1e-9), metric
            assert _on_page(text, f"{run}{title}", r"\(") == pytest.approx(value, abs=5.1e-4), metric
        shown = _shown(files, run, scores)
        odds = np.log(shown / (1 - shown))
        line = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(odds[:, None], truth)
        shift = brentq(_excess, -10, 10, args=(odds, truth))
        beside = {
            "calibrationslope": line.coef_[0, 0],
            "calibration-in-the-large": shift,
            "positivepredictivevalue": precision_score(truth, called),
            "negativepredictivevalue": precision_score(truth, called, pos_label=0),
        }
        for title, value in beside.items():
            assert _on_page(text, f"{run}{title}", r"\(") == pytest.approx(value, abs=6e-4), title
        assert hits.sum() / calls == pytest.approx(beside["positivepredictivevalue"])


def test_the_net_benefit_of_the_pages_is_that_of_its_definition(written: Written) -> None:
    files, text = read_pdf(written.path)
    grid = json.loads(files["usefulness.json"])["charts"][0]["series"][0]["x"]
    _, every, _ = _attached(files, written.runs[0])
    for run in written.runs:
        scores, truth, _ = _attached(files, run)
        for threshold in (grid[0], grid[-1], *(x for x in grid if re.search(rf"[)\d]{x:.3f}{run}", text))):
            called, odds = _shown(files, run, scores) >= threshold, threshold / (1 - threshold)
            benefit = ((called & (truth == 1)).sum() - odds * (called & (truth == 0)).sum()) / len(truth)
            everyone = every.mean() - odds * (1 - every.mean())  # one line for all runs
            row = re.search(rf"{threshold:.3f}{run}\S*?(-?\d\.\d{{4}})\((\S+?)\)(-?\d\.\d{{4}})", text)
            assert row is not None, (run, threshold)
            assert float(row[1]) == pytest.approx(benefit, abs=5.1e-5)
            assert float(row[3]) == pytest.approx(everyone, abs=5.1e-5)


Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]


def _attached(files: dict[str, bytes], run: str) -> tuple[Numbers, Numbers, float]:
    """Scores and truth of the units that were scored, and the threshold, all as they travel in the report."""
    rows = [line.split(",") for line in files[f"predictions-{run}.csv"].decode().splitlines()]
    event, target = rows[0].index("with"), rows[0].index("target")
    scores = np.array([float(row[event]) for row in rows[1:]])
    truth = np.array([int(row[target]) for row in rows[1:]])
    good = np.isfinite(scores)
    point = next(one for one in json.loads(files["outcomes.json"]) if one["run"] == run)["point"]["threshold"]
    return scores[good], truth[good], point


def _shown(files: dict[str, bytes], run: str, scores: Numbers) -> Numbers:
    """The probabilities that a prediction shows: by the run's own line, where it has one."""
    line = next(one for one in json.loads(files["outcomes.json"]) if one["run"] == run)["calibrator"]
    if line is None:
        return scores
    odds = line["slope"] * np.log(scores / (1 - scores)) + line["intercept"]
    return np.asarray(1 / (1 + np.exp(-odds)))


def _excess(shift: float, odds: Numbers, truth: Numbers) -> float:
    """By how much more often the event is there than shifted log-odds say."""
    return float(np.sum(truth - 1 / (1 + np.exp(-shift - odds))))


def _on_page(text: str, before: str, after: str) -> float:
    found = re.search(rf"{before}([-−]?\d+\.\d{{3}}){after}", text)
    assert found is not None, before
    return float(found[1].replace("−", "-"))


def test_no_name_of_the_workspace_leaves_it_and_small_counts_do_not(written: Written) -> None:
    reader = pypdf.PdfReader(written.path)
    text = "".join(page.extract_text() for page in reader.pages)
    everything = text + "".join(one.text for one in written.report.attachments)
    assert not re.search(r"\bs0\d{5}\b", everything) and not re.search(r"\bP\d{3,}\b", text)
    table = next(
        block
        for one in written.report.sections
        for block in one.blocks
        if isinstance(block, Table) and block.caption.startswith("Errors by site")
    )
    assert all(not cell.isdigit() or int(cell) >= 5 or cell == "0" for row in table.rows for cell in row[2:])
    assert solid("Researchuseonly") in solid(text)
    assert str(written.workspace.root) not in everything


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.MULTILABEL, Task.ORDINAL])
def test_other_tasks_are_verified_too(tmp_path: Path, task: Task) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(
            workspace, 400, task=task, classes=("none", "mild", "severe"), covariates={"sex": ["F", "M"]}
        )
        statements.state(workspace, dataset.id, Statement(redistribution=True))
        runs = (opened_run(workspace, dataset, seed=1, signal=0.6), opened_run(workspace, dataset, seed=2, failed=1))
        outline = Outline(parts=PARTS, subgroups=("sex",))
        report = build_report(workspace, runs, outline=outline)
        write_pdf(report, tmp_path / "r.pdf")
        found = verify(workspace, str(tmp_path / "r.pdf"))
    assert found.ok, found.differences
    section = next(one for one in report.sections if one.title == Part.FAILURES.heading)
    captions = [block.caption for block in section.blocks if isinstance(block, Table)]
    assert captions[0].startswith("Errors by finding" if task is Task.MULTILABEL else "Errors by class")
    assert any("could not score 1 image:" in block.text for block in section.blocks if isinstance(block, Paragraph))


@pytest.mark.parametrize(
    ("settings", "said", "name"),
    [
        ({"unit": "patient"}, "by patient.", r"P\d+"),
        ({"unit": "eye", "unit_score": "max"}, "by eye (highest image).", r"U\d+"),
    ],
)
def test_units_and_flagged_images_are_verified_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str, name: str
) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 500, per_patient=4, covariates={"sex": ["F", "M", ""]}, sides=True)
        statements.state(workspace, dataset.id, Statement(redistribution=True))
        runs = tuple(opened_run(workspace, dataset, seed=seed, signal=0.7, settings=settings) for seed in (1, 2))
        for run in runs:
            _flag(workspace, run, monkeypatch)
        outline = Outline(parts=PARTS, subgroups=("sex",))
        report = build_report(workspace, runs, outline=outline)
        write_pdf(report, tmp_path / "r.pdf")
        assert verify(workspace, str(tmp_path / "r.pdf")).differences == ()
        text = _file(report, "without-flagged.json").text
        at = text.index('"value": 0.') + len('"value": 0.')
        forged = f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}"
        write_pdf(_replaced(report, "without-flagged.json", forged), tmp_path / "forged.pdf")
        found = verify(workspace, str(tmp_path / "forged.pdf")).differences
    assert any(item.where.startswith("without flagged images, r0001 auc value") for item in found), found
    named = {cell for one in report.sections for block in one.blocks if isinstance(block, Table)
             and block.caption.startswith("The surest") for cell in (row[1] for row in block.rows)}  # fmt: skip
    assert all(re.fullmatch(name, one) for one in named), "a unit's number in this report"
    captions = [block.caption for one in report.sections for block in one.blocks if isinstance(block, Table)]
    assert any(caption.startswith("Test results") and said in caption for caption in captions)
    text = _file(report, "predictions-r0001.csv").text
    assert ("unit:eye" in text.splitlines()[0]) is ("eye" in said) and "left" not in text


def _flag(workspace: Workspace, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the leak gate name four images of the test, as an opening keeps it."""
    view, file = training.view(workspace, run), opened(workspace, run)
    samples, scores = read_scores(evaluating.test_predictions(workspace, run))
    monkeypatch.setattr("medfm_gui.datasets.certificate.flagged", lambda split: samples[4:8])
    dataset = data.read(workspace, view.spec.dataset_id)
    named, rows = evaluating._without_flagged(workspace, view, dataset, samples, scores)
    assert named and rows
    wire.write(evaluating.evaluation_path(workspace, run), replace(file, flagged=named, without_flagged=rows))


def test_a_table_of_scores_of_another_system_is_verified_too(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 400)
        statements.state(workspace, dataset.id, Statement(redistribution=True))
        run = opened_run(workspace, dataset, seed=1)
        samples, scores = read_scores(evaluating.test_predictions(workspace, run))
        lines = [f"{name},{1 - row[1] / 2:.6f},{row[1] / 2:.6f}" for name, row in zip(samples, scores, strict=True)]
        (tmp_path / "theirs.csv").write_text("\n".join(["sample,without,with", *lines, ""]))
        theirs = import_predictions(
            workspace, tmp_path / "theirs.csv", name="CAD", dataset_id=dataset.id, threshold=0.3, reason="a look"
        )
        report = build_report(workspace, (run, theirs.view.id), outline=Outline(parts=PARTS))
        write_pdf(report, tmp_path / "r.pdf")
        assert verify(workspace, str(tmp_path / "r.pdf")).differences == ()
