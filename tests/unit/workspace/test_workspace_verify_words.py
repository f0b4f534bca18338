"""What stands beside the numbers of a report is made again too: words of charts, limitations, checklists, pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.report import Outline, Part
from medfm_gui.metrics.rules import CHANGES, CODE_VERSION, RULES, changed_since, rules_of
from medfm_gui.reports.attached import read_pdf, solid
from medfm_gui.workspace import statements
from medfm_gui.workspace.evidence_numbers import CONTENTS
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.report_charts import CHARTS, POINTS, chart_text, points_table
from medfm_gui.workspace.report_provenance import code_hash
from medfm_gui.workspace.reporting import write_report
from medfm_gui.workspace.verifying import Difference, Verification
from medfm_gui.workspace.verifying_drawing import WORDS
from medfm_gui.workspace.verifying_report import verify_contents
from medfm_gui.workspace.verifying_rules import parted
from tests.fixtures.elsewhere import on_another_dataset
from tests.fixtures.opened import drawn_dataset, opened_run

Files = dict[str, bytes]


@dataclass(frozen=True)
class Written:
    """The files of a report of two runs with a test on another dataset, and the text of its pages."""

    files: Mapping[str, bytes]
    text: str

    def with_changed(self, changes: Mapping[str, Callable[[Any], None]], text: str = "") -> Verification:
        """What is found where attached JSON is another and every hash and size that is told of a file agrees."""
        files, page = dict(self.files), text or self.text
        for name, change in changes.items():
            value = json.loads(files[name])
            change(value)
            page = _swap(files, name, json.dumps(value, indent=1).encode(), page)
        if CHARTS in changes:
            page = _hashes_of_charts(self.files, files, page)
        return verify_contents("r.pdf", files, page)

    def places(self, name: str, change: Callable[[Any], None]) -> list[str]:
        """Where differences are named when one file is another."""
        return [item.where for item in self.with_changed({name: change}).differences]


def _swap(files: Files, name: str, new: bytes, page: str) -> str:
    """Another file, and everything that tells its hash: the list inside, the pages."""
    old, before = files[name], files[CONTENTS]
    files[name] = new
    page = _told(page, old, new)
    if name != CONTENTS:
        files[CONTENTS] = before.replace(_sha(old).encode(), _sha(new).encode())
        page = _told(page, before, files[CONTENTS])
    return page


def _told(page: str, old: bytes, new: bytes) -> str:
    return page.replace(f"{len(old):,}{_sha(old)}", f"{len(new):,}{_sha(new)}").replace(_sha(old), _sha(new))


def _sha(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _hashes_of_charts(before: Mapping[str, bytes], files: Files, page: str) -> str:
    """The table of points and the printed hashes of changed charts."""
    old, new = (wire.decode(tuple[ChartSpec, ...], one[CHARTS], what=CHARTS) for one in (before, files))
    page = _swap(files, POINTS, points_table(new).encode(), page)
    contents = files[CONTENTS]
    for was, made in zip(old, new, strict=True):
        one, other = _sha(chart_text(was).encode()), _sha(chart_text(made).encode())
        contents, page = contents.replace(one.encode(), other.encode()), page.replace(one, other)
    return _swap(files, CONTENTS, contents, page)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    folder = tmp_path_factory.mktemp("words")
    with open_workspace(folder / "ws", settings=Settings()) as workspace, pytest.MonkeyPatch.context() as patch:
        drawn = drawn_dataset(workspace, 600, covariates={"site": ["A"], "manufacturer": ["X", "Y"]})
        runs = (opened_run(workspace, drawn, signal=1.0), opened_run(workspace, drawn, seed=1))
        on_another_dataset(workspace, runs, patch)
        statements.state(workspace, drawn.id, Statement(redistribution=True, sampling="consecutive"))
        parts = tuple(part for part in Part if part is not Part.EXAMPLES)
        outline = Outline(parts=parts, subgroups=("manufacturer",), net_benefit=(0.1, 0.5))
        write_report(workspace, runs, out=folder / "r.pdf", outline=outline)
        yield Written(*read_pdf(folder / "r.pdf"))


def test_an_untouched_report_with_an_external_test_is_whole_to_the_last_word(written: Written) -> None:
    found = verify_contents("r.pdf", written.files, written.text)
    assert found.ok, [one.message for one in found.differences]
    assert found.facts["rules"] == str(RULES)
    assert not any("Made by" in one or "checklists" in one or "chart “" in one for one in found.remarks), found.remarks


# -- charts


def _chart(charts: list[dict[str, Any]], start: str) -> dict[str, Any]:
    return next(one for one in charts if one["id"].startswith(start))


@pytest.mark.parametrize(
    ("start", "change", "where"),
    [
        ("roc", lambda one: one.update(x_label="sensitivity"), "title of the horizontal axis"),
        ("roc", lambda one: one.update(diagonal=False), "line of chance"),
        ("roc", lambda one: one["series"][0].update(family="AIMv2"), "family of its marker"),
        ("calibration", lambda one: one.update(y_range=[0.0, 0.5]), "range of the vertical axis"),
        ("confusion", lambda one: one.update(note=one["note"].replace("Youden's index", "90 % sensitivity")), "note"),
        ("decision", lambda one: one["series"][1].update(name="r0002 another model"), "its lines"),
        ("intervals", lambda one: one.update(note=f"{one['note']} All differ."), "note"),
        ("external-", lambda one: one.update(note="Scores recalibrated; 95 % intervals."), "note"),
        ("external-", lambda one: one["series"][0]["x"].__setitem__(0, 0.99), "x of point 1"),
        ("external-", lambda one: one["rows"].__setitem__(1, "r0001, elsewhere"), "its rows and columns"),
    ],
)
def test_a_word_or_mark_of_a_chart_is_named_with_its_chart(
    written: Written, start: str, change: Callable[[dict[str, Any]], None], where: str
) -> None:
    charts = json.loads(written.files[CHARTS])
    title = _chart(charts, start)["title"]
    places = written.places(CHARTS, lambda value: change(_chart(value, start)))
    assert any(place.startswith(f"{CHARTS}: chart “{title}") and where in place for place in places), places


def test_a_chart_that_nothing_gives_back_and_one_that_is_gone_are_named(written: Written) -> None:
    places = written.places(CHARTS, lambda value: _chart(value, "external-").update(id="external-nowhere"))
    title = _chart(json.loads(written.files[CHARTS]), "external-")["title"]
    assert places.count(f"{CHARTS}: chart “{title}”") == 2, "one too many, and one missing"


def test_every_field_of_a_chart_is_looked_at() -> None:
    drawn = {"series", "links", "rows", "columns", "matrix"}
    assert set(ChartSpec.__dataclass_fields__) == drawn | set(WORDS)


# -- what stands in two files


def _outcome(value: list[dict[str, Any]], **changes: Any) -> None:
    value[0].update(changes)


@pytest.mark.parametrize(
    ("name", "change", "where"),
    [
        ("outcomes.json", lambda v: v[0]["metrics"].update(auc=0.99), "outcomes.json: r0001 validation auc"),
        ("outcomes.json", lambda v: _outcome(v, device="cuda"), "outcomes.json: r0001 device"),
        ("outcomes.json", lambda v: _outcome(v, reason="another"), "outcomes.json: r0001 opened"),
        ("runs.json", lambda v: v[0].update(split_id="drawn-s9"), "runs.json: r0001 split_id"),
        ("runs.json", lambda v: v[0].update(pixels="/home/someone/pixels"), "runs.json: r0001"),
        ("study.json", lambda v: v["dataset"]["flow"].update(note="None was left out."), "study.json: flow note"),
        ("study.json", lambda v: v["runs"][0]["state"].update(hint="/home/someone"), "study.json: r0001 hint"),
        ("study.json", lambda v: v["split"].update(suspects=3), "study.json: near-duplicates"),
        ("study.json", lambda v: v["sources"].update(Sites=0), "study.json: Sites"),
        ("study.json", lambda v: v["sources"].update(Scanners=1), "study.json: Scanners"),
        ("study.json", lambda v: v.update(elsewhere=0), "Guideline checklists"),
        ("subgroups.json", lambda v: v[0]["rows"][0].update(note="none"), "auc note"),
        ("subgroups.json", lambda v: v[0].update(runs=["r0002", "r0001"]), "subgroups.json: manufacturer runs"),
        ("shortcuts.json", lambda v: v["baselines"][0].update(title="everything"), "title"),
        ("external-tests.json", lambda v: v[0]["point"].update(note="chosen by a committee"), "threshold"),
        ("external-tests.json", lambda v: v[0].update(n_patients=299), "patients"),
        ("comparison.json", lambda v: v["pairs"][0].update(note="adjusted for all that is known"), "auc note"),
    ],
)
def test_what_stands_in_two_files_is_held_together(
    written: Written, name: str, change: Callable[[Any], None], where: str
) -> None:
    places = written.places(name, change)
    assert any(where in place for place in places), places


def test_a_line_of_the_predictions_that_does_not_fit_is_named_by_its_number(written: Written) -> None:
    for column, cell, where in ((1, "Q20", "line 3"), (2, "none", "label"), (4, "0.123", "sum of its scores")):
        files = dict(written.files)
        lines = files["predictions-r0002.csv"].decode().split("\n")
        cells = lines[2].split(",")
        cells[column] = cell
        lines[2] = ",".join(cells)
        page = _swap(files, "predictions-r0002.csv", "\n".join(lines).encode(), written.text)
        found = verify_contents("r.pdf", files, page).differences
        named = [item.where for item in found if item.where.startswith("predictions-r0002.csv: line 3")]
        assert any(where in place for place in named), (column, [item.where for item in found])


# -- sections and pages


def test_a_section_that_is_gone_or_that_no_report_has_is_named(written: Written) -> None:
    def without_limitations(value: dict[str, Any]) -> None:
        value["sections"] = [one for one in value["sections"] if one["title"] != Part.LIMITATIONS.heading]

    assert Part.LIMITATIONS.heading in written.places(CONTENTS, without_limitations)
    places = written.places(CONTENTS, lambda value: value["sections"].append({"title": "Endorsements"}))
    assert "Endorsements" in places


def _state(value: dict[str, Any]) -> None:
    section = next(one for one in value["sections"] if one["title"] == Part.CHECKLISTS.heading)
    section["tables"][0]["rows"][0][3] = "filled by an expert"


def test_an_answer_of_a_checklist_and_the_words_above_a_table_are_named(written: Written) -> None:
    places = written.places(CONTENTS, _state)
    assert any(place.startswith("Guideline checklists: CLAIM 2024") and "State" in place for place in places), places

    def caption(value: dict[str, Any]) -> None:
        section = next(one for one in value["sections"] if one["title"] == Part.SUBGROUPS.heading)
        table = section["tables"][0]
        table["caption"] = table["caption"].replace("exploratory", "declared in the protocol")

    places = written.places(CONTENTS, caption)
    assert "Subgroups: By manufacturer, what stands above it" in places, places


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("Scores as they are", "Scores recalibrated", "External tests: chart"),
        ("probability that was said", "probability that is true", "charts"),
        ("Cheap models on the same test units", "Strong models on the same test units", "Paired comparison: "),
        ("Research use only", "For clinical use", "Notice"),
        ("Characteristic Value", "Characteristic Number", "names of its columns"),
    ],
)
def test_words_on_the_pages_that_were_changed_are_named(written: Written, old: str, new: str, where: str) -> None:
    assert solid(old) in written.text
    page = written.text.replace(solid(old), solid(new))
    found = verify_contents("r.pdf", written.files, page)
    assert any(where in item.where for item in found.differences), [item.where for item in found.differences]


def test_a_sentence_that_was_put_onto_a_page_is_named_with_its_section(written: Written) -> None:
    place = written.text.index(solid("What the stored facts show"))
    page = f"{written.text[:place]}{solid('It was validated in twelve hospitals.')}{written.text[place:]}"
    (found,) = verify_contents("r.pdf", written.files, page).differences
    assert found.where == "Limitations: words" and "twelvehospitals" in found.message


# -- rules


def test_a_number_tells_by_which_rules_it_was_made() -> None:
    assert rules_of(CODE_VERSION) == RULES and rules_of("0.1.0") == 0 and rules_of("0.1.0+rules.x") == 0
    assert all(0 < one.rules <= RULES and one.said for one in CHANGES)
    assert changed_since(0, "r0002 − r0001 sensitivity parameters") is not None
    assert changed_since(RULES, "r0002 − r0001 sensitivity parameters") is None
    assert changed_since(0, "r0002 − r0001 sensitivity p") is None, "that number was always made so"


def test_a_changed_rule_and_another_wording_are_told_apart_from_a_changed_number() -> None:
    rule = Difference("r0002 − r0001 sensitivity parameters", "differs", "")
    worded = Difference(
        "Limitations: Seeds",
        "differs",
        "",
        None,
        "r1 is one training with one seed",
        "r1 was trained once, with one seed",
    )
    number = replace(worded, found="r2 is one training with one seed")
    by = parted((rule, worded, number), 0, own=False)
    assert (by.changed, by.worded, by.others) == ((rule,), (worded,), (number,))
    assert parted((rule, worded, number), RULES, own=True).others == (rule, worded, number)


def test_a_report_of_an_earlier_version_says_so_and_its_rules(written: Written) -> None:
    def older(value: dict[str, Any]) -> None:
        del value["report"]["rules"], value["report"]["code"]
        value["report"]["medfm"] = "0.0.9"

    def counted_otherwise(value: dict[str, Any]) -> None:
        pair = next(one for one in value["pairs"] if one["metric"] == "sensitivity")
        pair["parameters"]["n_patients"] = "999"

    found = written.with_changed({"environment.json": older, "comparison.json": counted_otherwise})
    said = " ".join(found.remarks)
    assert "Made by version 0.0.9, rules that it does not number" in said and f"rules {RULES}" in said
    assert "Numbers whose rule changed since: r0002 − r0001 sensitivity parameters" in said
    assert not any("sensitivity parameters" in item.where for item in found.differences)
    found = written.with_changed({"comparison.json": counted_otherwise})
    assert any("sensitivity parameters" in item.where for item in found.differences), "by the same rules it was changed"
    assert code_hash() == code_hash() and len(code_hash()) == 12
