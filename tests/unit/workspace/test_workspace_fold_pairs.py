"""Several ways over folds: intervals that hold together, what a protocol promised, the database, a report's account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.cli.folds import compared_folds
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.desk.answers.compare_cases import read_folds
from medfm_gui.desk.asks.compare_cases import ReadFolds
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.report import Outline, Part
from medfm_gui.reports.attached import read_pdf
from medfm_gui.store import queries
from medfm_gui.workspace import data
from medfm_gui.workspace.crossvalidation import CrossValidation, cross_validation, crossed
from medfm_gui.workspace.crossvalidation import read_folds as read_runs
from medfm_gui.workspace.evidence import read_evidence, runs_of
from medfm_gui.workspace.evidence_folds import FoldEvidence
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.protocol import lock_protocol
from medfm_gui.workspace.rebuild import rebuild
from medfm_gui.workspace.report_folds import folds_tables
from medfm_gui.workspace.reporting import write_report
from medfm_gui.workspace.verifying_folds import folds_differ
from medfm_gui.workspace.verifying_report import verify_contents
from tests.fixtures.opened import drawn_dataset, opened_folds

PROTOCOL = """
question = "Is the second better?"
population = "drawn"
unit = "image"
reference_standard = "drawn"
primary_metric = "auc"
threshold_rule = "youden"
n = 300
margin = 0.1
primary_comparison = ["r0001", "r0003"]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as made:
        yield made


def three_ways(workspace: Workspace, images: int = 300, folds: int = 3, **settings: Any) -> tuple[str, ...]:
    """Runs of three ways over the newest folds; the dataset is made where there is none."""
    dataset = drawn_dataset(workspace, images, request=SplitRequest(folds=folds), **settings)
    return ways_again(workspace, dataset)


def ways_again(workspace: Workspace, dataset: Any) -> tuple[str, ...]:
    signals = (0.8, 1.2, 2.2)
    every = [opened_folds(workspace, dataset, signal=signal, seed=seed) for seed, signal in enumerate(signals)]
    return tuple(run for runs in every for run in runs)


def test_pairs_over_one_division_hold_together_by_max_t(workspace: Workspace) -> None:
    found = cross_validation(workspace, three_ways(workspace))
    assert len(found.pairs) == 2
    for row in found.comparisons:
        assert row.simultaneous_method == "max-t-bootstrap" and "simultaneous over 2" in row.note
        assert row.low is not None and row.low_simultaneous is not None and row.low_simultaneous <= row.low
        assert row.high is not None and row.high_simultaneous is not None and row.high_simultaneous >= row.high
        assert "unadjusted" not in row.note and "Holm over 2" in row.note
    assert "together with the other comparisons" in found.sentence and "not adjusted" not in found.sentence
    pairs = folds_tables(found)[2]
    assert "Simultaneous 95 % interval" in pairs.header and len(pairs.rows[0]) == len(pairs.header)
    alone = cross_validation(workspace, found.ways[0].runs + found.ways[1].runs, keep=False)
    assert not alone.comparisons[0].simultaneous_method and "together with" not in alone.sentence
    assert (alone.comparisons[0].low, alone.comparisons[0].p) == pytest.approx(
        (found.comparisons[0].low, found.comparisons[0].p)
    )


def test_pairs_over_repeats_hold_together_by_bonferroni(workspace: Workspace) -> None:
    from scipy import stats

    dataset = drawn_dataset(workspace, 240, request=SplitRequest(folds=3))
    runs = [*ways_again(workspace, dataset)]
    data.make_split(workspace, dataset.id, SplitRequest(folds=3, seed=1))
    found = cross_validation(workspace, [*runs, *ways_again(workspace, dataset)])
    assert [row.test for row in found.comparisons] == ["nadeau-bengio"] * 2
    for row in found.comparisons:
        assert row.simultaneous_method == "bonferroni" and "by Bonferroni" in row.note
        assert row.difference is not None and row.high is not None and row.high_simultaneous is not None
        error = (row.high - row.difference) / stats.t.ppf(0.975, 5)
        assert row.high_simultaneous - row.difference == pytest.approx(error * stats.t.ppf(1 - 0.025 / 2, 5))


def test_a_locked_protocol_names_the_pair_and_its_margin(workspace: Workspace, tmp_path: Path) -> None:
    dataset = drawn_dataset(workspace, 160, request=SplitRequest(folds=2))
    (tmp_path / "p.toml").write_text(f'{PROTOCOL}split = "drawn-s1"\n', encoding="utf-8")
    lock_protocol(workspace, tmp_path / "p.toml")
    runs = ways_again(workspace, dataset)
    answer = compared_folds(workspace, runs, asks_more=False)
    assert answer is not None
    document, lines, _ = answer
    assert [row["role"] for row in document["pairs"]] == ["primary", "exploratory"]
    assert {way["role"] for way in document["cross_validation"]["ways"]} == {"primary"}
    assert document["protocol"]["objection"] == "" and any("Primary comparison" in line for line in lines)
    with Room(workspace) as room:
        told = read_folds(room, ReadFolds(runs), Told(lambda kind, value: None))
    assert len(told.promised) == 1 and told.promised[0] in document["sentence"]
    pdf = tmp_path / "folds.pdf"
    write_report(workspace, runs, out=pdf, outline=Outline(parts=(Part.FOLDS,)))
    files, text = read_pdf(pdf)
    shown = json.loads(files["contents.json"])
    (section,) = (one for one in shown["sections"] if one["title"] == Part.FOLDS.heading)
    (table,) = (one for one in section["tables"] if one["caption"].startswith("Ways compared"))
    assert [row[1] for row in table["rows"]] == ["ROC-AUC (primary)", "ROC-AUC"]
    table["rows"][1][1] = "ROC-AUC (primary)"
    assert "Primary comparison" in " ".join(section["sentences"])
    changed = verify_contents("x", {**files, "contents.json": json.dumps(shown).encode()}, text)
    assert any("no attached protocol promised it" in one.message for one in changed.differences)


def test_a_protocol_of_one_fold_does_not_bind_all(workspace: Workspace, tmp_path: Path) -> None:
    dataset = drawn_dataset(workspace, 200, request=SplitRequest(folds=2))
    (tmp_path / "p.toml").write_text(f'{PROTOCOL}split = "drawn-s1-f2"\n', encoding="utf-8")
    lock_protocol(workspace, tmp_path / "p.toml")
    runs = (*opened_folds(workspace, dataset), *opened_folds(workspace, dataset, seed=1))
    answer = compared_folds(workspace, runs, asks_more=False)
    assert answer is not None and answer[0]["pairs"][0]["role"] == "exploratory"
    assert "not of all these folds" in answer[0]["protocol"]["objection"]


def stored(workspace: Workspace, found: CrossValidation) -> tuple[Any, ...]:
    """What the database holds of a cross-validation."""
    ways = ["+".join(way.runs) for way in found.ways]
    with workspace.store.reading() as reader:
        return (
            queries.evaluations(reader, ways),
            queries.comparisons(reader, ways),
            queries.comparisons(reader, found.runs),
            queries.charts(reader, f"cases:{'+'.join(found.runs)}"),
        )


def test_every_number_is_in_the_database_and_comes_back_from_the_files(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        found = cross_validation(workspace, three_ways(workspace))
        before = stored(workspace, found)
    rows, pairs, within, charts = before
    means = {row.run: row for row in rows if row.method == "bootstrap-within-folds"}
    for way in found.ways:
        row = means["+".join(way.runs)]
        assert (row.value, row.low, row.high, row.n) == (way.mean.value, way.mean.low, way.mean.high, way.mean.n)
        assert len(row.sample_set) == 64 and row.sample_set != way.rows[0].sample_set
        spread = {one.parameters["over folds"]: one.value for one in rows
                  if one.run == row.run and one.method == "fold-values"}  # fmt: skip
        assert spread == {"standard deviation": way.spread, "lowest": way.lowest, "highest": way.highest}
    assert [row.low_simultaneous for row in pairs] == [row.low_simultaneous for row in found.comparisons]
    assert pairs[0].parameters["way_a"] == found.comparisons[0].a
    assert [row.difference for row in within] == [value for pair in found.pairs for value in pair.values]
    assert (within[0].a, within[0].b) == (found.ways[1].runs[0], found.ways[0].runs[0]) and len(charts) == 1
    rebuild(tmp_path / "ws", settings=Settings())
    with open_workspace(tmp_path / "ws", settings=Settings()) as again:
        assert stored(again, found) == before


def test_a_report_keeps_the_numbers_and_the_window_too(workspace: Workspace, tmp_path: Path) -> None:
    runs = three_ways(workspace, images=200, folds=2)
    write_report(workspace, runs, out=tmp_path / "folds.pdf", outline=Outline(parts=(Part.FOLDS,)))
    (kept,) = (workspace.root / "evaluations").glob("folds-*.json")
    assert len(stored(workspace, wire.read(CrossValidation, kept))[1]) == 2
    journal = (workspace.root / "journal.jsonl").read_text(encoding="utf-8")
    with Room(workspace) as room:
        read_folds(room, ReadFolds(runs), Told(lambda kind, value: None))
    said = (workspace.root / "journal.jsonl").read_text(encoding="utf-8")
    assert said.count("runs compared") == journal.count("runs compared") == 1


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], str]:
    """The files and the text of a report over folds."""
    folder = tmp_path_factory.mktemp("folds")
    with open_workspace(folder / "ws", settings=Settings()) as made:
        runs = three_ways(made, covariates={"sex": ("F", "M")})
        write_report(made, runs, out=folder / "folds.pdf")
    files, text = read_pdf(folder / "folds.pdf")
    return dict(files), text


def test_the_account_of_the_study_is_attached_and_its_sections_are_made_again(
    written: tuple[dict[str, bytes], str],
) -> None:
    files, text = written
    found = verify_contents("x", files, text)
    assert found.ok, [one.message for one in found.differences]
    assert len(json.loads(files["study.json"])["folds"]) == 3
    alone = next(one for one in found.remarks if "contents.json alone" in one)
    for part in (Part.DATA, Part.SPLIT, Part.FOLDS, Part.LIMITATIONS, Part.CARD, Part.PROVENANCE):
        assert part.heading not in alone


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Part.DATA, "Images of each class by the fold"),
        (Part.SPLIT, "The folds, in images"),
        (Part.LIMITATIONS, "What the stored facts show"),
        (Part.PROVENANCE, "Openings of the tests"),
    ],
)
def test_a_changed_cell_of_a_section_is_found(written: tuple[dict[str, bytes], str], part: Part, said: str) -> None:
    files, text = written
    shown = json.loads(files["contents.json"])
    (section,) = (one for one in shown["sections"] if one["title"] == part.heading)
    (table,) = (one for one in section["tables"] if one["caption"].startswith(said))
    table["rows"][0][-1] = "999"
    found = verify_contents("x", {**files, "contents.json": json.dumps(shown).encode()}, text)
    assert any(one.where.startswith(f"{part.heading}: {said}") and "999" in one.message for one in found.differences)


@pytest.mark.parametrize("what", ["count", "card", "chart", "fold", "split"])
def test_a_changed_file_is_found(written: tuple[dict[str, bytes], str], what: str) -> None:
    files, text = written
    name = {"count": "study.json", "card": "model-card.json", "split": "split-drawn-s1-f2.csv"}.get(what, "folds.json")
    if what == "split":
        changed = files[name].replace(b",train,", b",val,", 5)
    else:
        told = json.loads(files[name])
        if what == "count":
            told["folds"][1]["seed"] = 77
        elif what == "card":
            told["images"]["in all folds"] = 299
        elif what == "chart":
            told["found"]["charts"][0]["series"][0]["x"][0] += 0.01
        else:
            told["facts"][0]["fold"] = 2
        changed = json.dumps(told).encode()
    found = verify_contents("x", {**files, name: changed}, text)
    numbers = [one for one in found.differences if one.kind in ("differs", "changed", "missing", "inserted")]
    assert any(what in one.message or name in one.message or "77" in one.message for one in numbers)
    assert len(numbers) > 1, "the hash of the file, and what does not follow"


def test_a_report_of_an_earlier_version_without_them_is_still_right(
    written: tuple[dict[str, bytes], str], workspace: Workspace
) -> None:
    runs = three_ways(workspace)
    earlier = crossed(read_runs(workspace, runs), together=False)
    assert all(not row.simultaneous_method and "interval unadjusted" in row.note for row in earlier.comparisons)
    assert "The intervals are not adjusted" in earlier.sentence
    held = read_evidence(written[0])
    assert held.folds is not None
    before = FoldEvidence(held.folds.facts, replace(earlier, runs=held.folds.found.runs))
    assert folds_differ(before, runs_of(held)) == []
    wrong = replace(earlier, sentence=earlier.sentence.replace("not adjusted", "adjusted"))
    assert folds_differ(FoldEvidence(held.folds.facts, wrong), runs_of(held))
