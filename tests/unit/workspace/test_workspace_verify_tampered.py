"""A digit that was changed in a report is named where it stands: on a page, in the list inside, in an attachment."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pypdf
import pytest
from pypdf.generic import DecodedStreamObject, NameObject, NumberObject, StreamObject

from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.report import Block, Facts, Outline, Paragraph, Part, Report, Section, Table
from medfm_gui.reports.attached import read_pdf
from medfm_gui.reports.pdf import write_pdf
from medfm_gui.workspace import statements
from medfm_gui.workspace.evidence_numbers import CONTENTS, contents_file
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.reporting import build_report
from medfm_gui.workspace.verifying import Verification
from medfm_gui.workspace.verifying_files import verify
from medfm_gui.workspace.verifying_report import verify_contents
from medfm_gui.workspace.verifying_whole import PICTURES
from tests.fixtures.opened import drawn_dataset, opened_run

PARTS = tuple(part for part in Part if part is not Part.EXAMPLES)
COVARIATES = {"sex": ["F", "M", "F", "M", ""], "age": ["34", "67", "91", "45"], "site": ["A"] * 30 + ["B"]}


@dataclass(frozen=True)
class Written:
    """A report of two runs as it was built, and its PDF."""

    workspace: Workspace
    report: Report
    path: Path

    def forged(self, report: Report, folder: Path) -> Verification:
        """What is found where this report was written instead."""
        write_pdf(report, folder / "forged.pdf")
        return verify(self.workspace, str(folder / "forged.pdf"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    folder = tmp_path_factory.mktemp("tampered")
    with open_workspace(folder / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 1600, covariates=COVARIATES)
        statements.state(workspace, dataset.id, Statement(redistribution=True, sampling="consecutive"))
        runs = (opened_run(workspace, dataset, seed=1), opened_run(workspace, dataset, seed=2, failed=3))
        outline = Outline(parts=PARTS, subgroups=("sex",), net_benefit=(0.1, 0.5), purpose="To see 1 thing.")
        report = build_report(workspace, runs, outline=outline)
        write_pdf(report, folder / "report.pdf")
        yield Written(workspace, report, folder / "report.pdf")


def test_an_untouched_report_is_whole_and_says_what_was_held_against_less_than_a_computation(written: Written) -> None:
    found = verify(written.workspace, str(written.path))
    assert found.ok, found.differences
    account, alone = found.remarks[-2:]
    assert account.startswith("Held against the attached account of the runs") and "time, memory" in account
    assert alone == f"Held against the attached contents.json alone, or not at all: {PICTURES}."


def _digit(text: str) -> str:
    """The text with its last digit another one."""
    place = max(found.start() for found in re.finditer(r"\d", text))
    return f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"


def _each(report: Report, change: Callable[[Section, Block], Block]) -> Report:
    sections = (replace(one, blocks=tuple(change(one, block) for block in one.blocks)) for one in report.sections)
    return replace(report, sections=tuple(sections))


def _again(report: Report) -> Report:
    """The same report with the list inside made of what it says now."""
    files = tuple(one for one in report.attachments if one.name != CONTENTS)
    return replace(report, attachments=(*files, contents_file(report.title, report.summary, report.sections)))


def _tables(report: Report) -> tuple[Report, list[tuple[str, str, str]]]:
    """One digit of every table changed; section, caption and first cell of each."""
    named: list[tuple[str, str, str]] = []

    def change(section: Section, block: Block) -> Block:
        if not isinstance(block, Table):
            return block
        for at, row in enumerate(block.rows):
            columns = [
                place for place, cell in enumerate(row) if place > min(1, len(row) - 2) and re.search(r"\d", cell)
            ]
            if columns:
                cells = tuple(_digit(cell) if place == columns[-1] else cell for place, cell in enumerate(row))
                named.append((section.title, block.caption, row[0]))
                return replace(block, rows=(*block.rows[:at], cells, *block.rows[at + 1 :]))
        return block

    return _each(report, change), named


def test_a_digit_of_every_table_is_named_on_the_pages_and_when_the_list_inside_agrees(
    written: Written, tmp_path: Path
) -> None:
    forged, named = _tables(written.report)
    captions = {caption.partition(" (")[0].partition(",")[0].rstrip(".") for _, caption, _ in named}
    assert {
        "Flow of images", "Images of each class by partition", "Characteristics by partition", "Runs",
        "Test results with 95 % intervals", "Calibration on the test set", "Paired comparison on the same test units",
        "Cheap models on the same test units", "Each run against the cheap models", "By sex", "What each run cost",
        "Errors by class", "Errors by sex", "The surest mistakes of each run", "Files attached to this report",
    } <= captions  # fmt: skip
    pages = written.forged(forged, tmp_path).differences
    whole = written.forged(_again(forged), tmp_path).differences
    for section, caption, first in named:
        start = caption.partition(" (")[0].partition(". Not")[0].rstrip(".").removesuffix(", patients")
        assert any(item.where.startswith(f"{section}: {start}") for item in pages), (caption, first)
        if first.endswith((".json", ".csv")) or caption.startswith("Charts of this report"):
            continue  # those are named by their file below
        assert any(start in item.where or start in item.message for item in whole), (caption, [i.where for i in whole])
    assert any(item.where == "runs.json" for item in whole), "the hash of a file"
    assert any(item.where.startswith("charts.json: ") for item in whole), "the hash of a chart"


def test_a_digit_of_every_fact_is_named_when_the_list_inside_agrees(written: Written, tmp_path: Path) -> None:
    wanted: list[tuple[str, str]] = []

    def change(section: Section, block: Block) -> Block:
        if not isinstance(block, Facts):
            return block
        rows = []
        for name, value in block.rows:
            known = re.search(r"\d", value) and not name.startswith("Journal head")
            rows.append((name, _digit(value) if known else value))
            wanted.extend([(section.title, name)] if known else [])
        return replace(block, rows=tuple(rows))

    found = written.forged(_again(_each(written.report, change)), tmp_path).differences
    assert len(wanted) > 20 and {name for _, name in wanted} >= {"Images", "Fingerprint (SHA-256)", "Results"}
    places = {item.where for item in found}
    for section, name in wanted:
        assert f"{section}: {name}" in places, (section, name)


def test_a_digit_of_every_sentence_is_named_when_the_list_inside_agrees(written: Written, tmp_path: Path) -> None:
    wanted: list[str] = []

    def change(section: Section, block: Block) -> Block:
        if not isinstance(block, Paragraph) or not re.search(r"\d", block.text):
            return block
        if block.text.startswith(("Counts of 1 to", "The surest mistakes are")):  # words of every report
            return block
        wanted.append(_digit(block.text))
        return replace(block, text=wanted[-1])

    forged = _again(_each(written.report, change))
    forged = _again(replace(forged, summary=_digit(forged.summary)))
    said = " ".join(item.message for item in written.forged(forged, tmp_path).differences)
    assert len(wanted) > 5 and "Summary:" in said
    for text in wanted:
        assert " ".join(text.split())[:200] in said, text


def _consistent(written: Written, changes: Mapping[str, str]) -> Verification:
    """Files changed, and every hash that the report tells of its files made to agree."""
    files, text = read_pdf(written.path)
    contents = files[CONTENTS].decode()
    for name, new in changes.items():
        assert new.encode() != files[name], name
        before, after = (hashlib.sha256(raw).hexdigest() for raw in (files[name], new.encode()))
        assert before in contents, name
        files[name], contents, text = new.encode(), contents.replace(before, after), text.replace(before, after)
    last = hashlib.sha256(files[CONTENTS]).hexdigest()
    files[CONTENTS] = contents.encode()
    return verify_contents("r.pdf", files, text.replace(last, hashlib.sha256(files[CONTENTS]).hexdigest()))


def _number(pattern: str) -> Callable[[str], str]:
    """Another digit at the end of what the pattern's group holds."""

    def change(text: str) -> str:
        found = re.search(pattern, text)
        assert found is not None, pattern
        return text[: found.start(1)] + _digit(found[1]) + text[found.end(1) :]

    return change


def _first_cell(column: int, old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.split("\n")
        for at, line in enumerate(lines[1:], 1):
            cells = line.split(",")
            if len(cells) > column and cells[column] == old:
                lines[at] = ",".join([*cells[:column], new, *cells[column + 1 :]])
                return "\n".join(lines)
        raise AssertionError(old)

    return change


CASES: tuple[tuple[tuple[str, Callable[[str], str], str], ...], ...] = (
    (
        ("split.csv", _first_cell(1, "train", "val"), "Images of each class by partition"),
        ("comparison.json", _number(r'"difference": (-?0\.\d\d)'), "r0002 − r0001"),
        ("usefulness.json", _number(r'"value": (-?\d+\.\d)'), "calibration"),
        ("subgroups.json", _number(r'"value": (0\.\d)'), "sex"),
        ("shortcuts.json", _number(r'"value":(0\.\d)'), "cheap models"),
        ("study.json", _number(r'"labels_used":(\d+)'), "Models and settings: Runs"),
        ("model-card.json", _number(r'"value": (0\.\d)'), "model-card.json models 1 results"),
        ("environment.json", _number(r'"numpy": "(\d)'), "Provenance: Written with"),
        ("charts.json", _number(r'"matrix":\[\[(\d+)'), "chart “Confusion matrix"),
    ),
    (
        ("split.csv", _first_cell(4, "0", "1"), "Images of each class by partition"),
        ("comparison.json", _number(r'"p": (\d\.\d\d)'), "r0002 − r0001"),
        ("usefulness.json", _number(r'"y": \[\s*(-?\d+\.\d\d)'), "net benefit"),
        ("covariates.csv", _first_cell(1, "F", "M"), "sex"),
        ("shortcuts.json", _number(r'"difference":(-?0\.\d)'), "baseline-covariates"),
        ("study.json", _number(r'"rule":"[^"]*?(\d)'), "Split and leak gate: Rule"),
        ("model-card.json", _number(r'"test_openings": (\d)'), "model-card.json test_openings"),
        ("charts.json", _number(r'"id":"roc".*?"x":\[0\.0,(0\.\d+)'), "chart “ROC”"),
        ("outcomes.json", _number(r'"predictions_sha256": "[a-f]*(\d)'), "Provenance: r0001 test predictions"),
    ),
    (
        ("split.csv", _first_cell(7, "20 to 39", "40 to 59"), "Characteristics by partition, Age (years)"),
        ("results.json", _number(r'"value": (0\.\d)'), "r0001 "),
        ("predictions-baselines.csv", _number(r"(?m)^x.*,(0\.\d)"), "predictions-baselines.csv"),
        ("study.json", _number(r'"compared":(\d+)'), "What the leak gate compared"),
        ("charts.json", _number(r'"id":"calibration".*?"y":\[(0\.\d)'), "chart “"),
    ),
    (
        ("runs.json", _number(r'"seed": (\d+)'), "Settings of each run"),
        ("study.json", _number(r'"number":(\d+)'), "Flow of images"),
        ("charts.json", _number(r'"id":"subgroups-sex".*?"x":\[(0\.\d\d)'), "chart “ROC-AUC by sex”"),
    ),
    (("predictions-r0002.csv", _number(r"(?m)^x.*,(0\.\d)"), "predictions-r0002.csv"),),
    (("outcomes.json", _number(r'"threshold": (0\.\d)'), "r0001 "),),
    (
        ("predictions-r0001.csv", _first_cell(3, "0", "1"), "r0001 auc"),
        ("charts.csv", _number(r"(?m)^01-roc,.*,(0\.\d)"), "charts.csv: line"),
    ),
)
"""File, what is changed in it, and where it must be named; those of a group do not touch one another."""


@pytest.mark.parametrize("cases", CASES, ids=range(len(CASES)))
def test_a_digit_of_each_attachment_is_named_where_every_hash_agrees(
    written: Written, cases: tuple[tuple[str, Callable[[str], str], str], ...]
) -> None:
    changed = {name: change(_file(written.report, name)) for name, change, _ in cases}
    places = [item.where for item in _consistent(written, changed).differences]
    for name, _, where in cases:
        assert any(where in place for place in places), (name, where, places)


def test_every_attachment_is_tampered_with_above(written: Written) -> None:
    assert {one.name for one in written.report.attachments} - {CONTENTS} == {name for of in CASES for name, *_ in of}


def _file(report: Report, name: str) -> str:
    return next(one.text for one in report.attachments if one.name == name)


def test_no_count_that_the_tables_hide_is_in_the_split(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 400, covariates={"site": ["A"] * 19 + ["rare"], "birthdate": ["1931-02-03"]})
        statements.state(workspace, dataset.id, Statement(redistribution=True))
        report = build_report(workspace, [opened_run(workspace, dataset)])
        write_pdf(report, tmp_path / "r.pdf")
        assert verify(workspace, str(tmp_path / "r.pdf")).differences == ()
    header, *rows = [line.split(",") for line in _file(report, "split.csv").splitlines()]
    assert header == ["sample", "partition", "pixels_sha256", "patient", "target", "same_pixels", "site"]
    table = next(
        block for one in report.sections for block in one.blocks
        if isinstance(block, Table) and block.caption.startswith("Characteristics")
    )  # fmt: skip
    shown = {row[1]: dict(zip(table.header[2:], row[2:], strict=True)) for row in table.rows if row[1]}
    hidden = {(value, side) for value, cells in shown.items() for side, cell in cells.items() if not cell.isdigit()}
    assert hidden, "some cell is small"
    assert not {(row[6], row[1]) for row in rows} & hidden
    assert not [row for row in rows if row[1] == "test" and row[4]], "tested images tell their target once"
    assert not re.search(r"\b1931\b", _file(report, "study.json") + _file(report, "split.csv")), "no date"


# -- the file itself


def test_a_file_that_was_taken_out_swapped_or_put_in_is_named(written: Written, tmp_path: Path) -> None:
    files, text = read_pdf(written.path)
    without = {name: raw for name, raw in files.items() if name != "usefulness.json"}
    found = verify_contents("r.pdf", without, text)
    assert any(item.where == "usefulness.json" and item.kind == "missing" for item in found.differences)
    found = verify_contents("r.pdf", {name: raw for name, raw in files.items() if name != "results.json"}, text)
    assert not found.ok and any("does not carry results.json" in item.message for item in found.differences)
    _with_swapped(written.path, tmp_path / "swapped.pdf", "predictions-r0001.csv", "predictions-r0002.csv")
    named = [item.where for item in verify(written.workspace, str(tmp_path / "swapped.pdf")).differences]
    assert {"predictions-r0001.csv", "predictions-r0002.csv"} <= set(named)
    before = sorted(path.name for path in tmp_path.iterdir())
    _with_file(written.path, tmp_path / "inside.pdf", "../../escaped.sh", b"#!/bin/sh\n")
    (first, *_) = verify(written.workspace, str(tmp_path / "inside.pdf")).differences
    assert first.kind == "inserted" and "../../escaped.sh" in first.message
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "inside.pdf"]), "nothing was written"
    assert not (tmp_path.parent.parent / "escaped.sh").exists()


def _with_swapped(path: Path, out: Path, one: str, other: str) -> None:
    writer = pypdf.PdfWriter(clone_from=path)
    found = {str(spec["/UF"]): spec for spec in _specs(writer)}
    found[one][NameObject("/EF")], found[other][NameObject("/EF")] = (
        found[other].raw_get("/EF"),
        found[one].raw_get("/EF"),
    )
    writer.write(out)


def _specs(writer: pypdf.PdfWriter) -> list[pypdf.generic.DictionaryObject]:
    found = []
    for thing in writer._objects:
        if isinstance(thing, pypdf.generic.DictionaryObject) and thing.get("/Type") == "/Filespec":
            found.append(thing)
    return found


def _with_file(path: Path, out: Path, name: str, raw: bytes) -> None:
    writer = pypdf.PdfWriter(clone_from=path)
    writer.add_attachment(name, raw)
    writer.write(out)


def test_what_is_no_report_is_a_sentence(written: Written, tmp_path: Path) -> None:
    whole = written.path.read_bytes()
    half, text, bare = tmp_path / "half.pdf", tmp_path / "text.pdf", tmp_path / "bare.pdf"
    half.write_bytes(whole[: len(whole) // 2])
    text.write_text("no PDF at all")
    write_pdf(replace(written.report, attachments=()), bare)
    for path, words in ((half, "PDF|carry|damaged"), (text, "cannot be read as a PDF"), (bare, "does not carry")):
        with pytest.raises(InputError, match=words):
            verify(written.workspace, str(path))
    assert written.path.read_bytes() == whole


def test_a_file_that_unpacks_without_end_is_refused(written: Written, tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=written.path)
    writer.add_attachment("bomb.json", b"x")
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(400)), packer.flush()])
    for thing in writer._objects:
        if isinstance(thing, StreamObject) and thing.get_data() == b"x":
            assert isinstance(thing, DecodedStreamObject | StreamObject)
            thing._data = packed
            thing[NameObject("/Filter")] = NameObject("/FlateDecode")
            thing[NameObject("/Length")] = NumberObject(len(packed))
    writer.write(tmp_path / "bomb.pdf")
    assert (tmp_path / "bomb.pdf").stat().st_size < 4_000_000
    with pytest.raises(InputError, match=r"cannot be read|too large"):
        read_pdf(tmp_path / "bomb.pdf")


def test_files_that_hold_nonsense_are_differences_and_no_failure(written: Written) -> None:
    study = _file(written.report, "study.json")
    for changes in (
        {"study.json": "{}"},
        {"study.json": study.replace('"skipped":0', '"skipped":999999999999')},
        {"runs.json": "[]"},
        {"split.csv": "sample,partition,pixels_sha256,patient,target,same_pixels\nx,moon,,,,\n"},
        {"shortcuts.json": json.dumps({"runs": [], "baselines": [], "sentences": []})},
        {
            "predictions-baselines.csv": "sample,a: b\nx,nan\n",
            "environment.json": "[" * 5000,
            "charts.json": '[{"id":"roc"}]',
            "model-card.json": "null",
        },
    ):
        found = _consistent(written, changes)
        assert not found.ok, changes
        said = " ".join(f"{item.where} {item.message}" for item in found.differences)
        assert all(name in said or "cheap models" in said or "any run" in said for name in changes), (changes, said)
