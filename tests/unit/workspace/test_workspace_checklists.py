"""The checklists of guidelines: well-formed, decided by the facts, and with the pages on which these really stand."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from medfm_gui.base import wire
from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Dataset, Sample, Statement, Task
from medfm_gui.domain.evaluation import Calibrator, Evaluation, OperatingPoint
from medfm_gui.domain.protocol import LockedProtocol, Protocol
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.report import Charts, Outline, Part, Picture, Pictures, Report, Section, Table
from medfm_gui.domain.run import EXTERNAL, FileRef, Phase, RunState, TrainSpec
from medfm_gui.domain.split import Assignment, Leak, LeakKind, Partition, Split
from medfm_gui.reports.pdf import typeset
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.report_checklists import Answer, Status, answers, checklists_section, guidelines
from medfm_gui.workspace.report_preparation import (
    CALIBRATOR,
    chosen_by,
    images_words,
    recalibrated_on,
    with_preparation,
)
from medfm_gui.workspace.report_rules import PROTOCOL, PURPOSE, RULES, Known
from medfm_gui.workspace.reporting import build_report
from medfm_gui.workspace.roles import NOTHING_PROMISED, Standing
from medfm_gui.workspace.training import RunView
from tests.fixtures.opened import drawn_dataset, opened_run

CLAIM, TRIPOD, STARD = guidelines()
SIDES = (Partition.TRAIN, Partition.VAL, Partition.TEST, Partition.TEST)


def row(**more: object) -> Evaluation:
    made = Evaluation("r0001", "test", "auc", 0.8, None, None, "none", "image", 30, 20, 12, "hash")
    return replace(made, **more)  # type: ignore[arg-type]


def opened(*rows: Evaluation, **more: object) -> EvaluationFile:
    file = EvaluationFile("r0001", "test", "2026-01-01T00:00:00Z", "plan", "hash", FileRef("p", "0" * 64), rows)
    return replace(file, **more)  # type: ignore[arg-type]


def view(name: str = "r0001", adapt: str = "linear", seed: int = 0, recipe: Recipe | None = None) -> RunView:
    spec = TrainSpec(
        name, FileRef("", ""), FileRef("", ""), "", "", read_plugins().card("efficientnet-lite0"), adapt,
        recipe or Recipe(), seed, "cpu", None,
    )  # fmt: skip
    return RunView(name, spec, RunState(Phase.FINISHED), Path("/nowhere"))


def dataset(task: Task = Task.BINARY, **covariates: str) -> Dataset:
    samples = tuple(Sample(f"s{place}", f"{place}.png", (place % 2,), covariates=covariates) for place in range(4))
    positive = "yes" if task is Task.BINARY else None
    return Dataset("d", "D", "folder", task, ("no", "yes"), "/x", samples, "f" * 64, positive=positive)


def split(sides: Sequence[Partition] = SIDES, **more: object) -> Split:
    given = tuple(Assignment(f"s{place}", side, f"s{place}") for place, side in enumerate(sides))
    return Split("d-s1", "d", "f" * 64, "by patient", 0, given, "e" * 64, **more)  # type: ignore[arg-type]


def written(*more: Section) -> list[Section]:
    """Empty sections of all parts, but for those that only come with what they show, and ``more``."""
    later = {Part.EXAMPLES, Part.SUBGROUPS, Part.FAILURES, Part.CHECKLISTS, Part.PROVENANCE}
    kept = {section.title for section in more}
    empty = [Section(part.heading, ()) for part in Part if part not in later and part.heading not in kept]
    return [*empty, *more]


def locked(**more: object) -> Standing:
    said = Protocol("Which?", "Adults", "image", "Biopsy", "auc", "youden", 120, "d")
    return Standing(LockedProtocol("p1", replace(said, **more), "a" * 64, "2026-01-01", "f" * 64))  # type: ignore[arg-type]


def known(**more: object) -> Known:
    """A run about which nobody stated anything."""
    bare = Known(
        [view()], [opened(row())], dataset(), split(), Statement(), NOTHING_PROMISED, sections=written(), attached=False
    )
    return replace(bare, **more)  # type: ignore[arg-type]


def found(fact: str, of: Known) -> Answer:
    """What the first item of that fact becomes."""
    return next(one for guideline in guidelines() for one in answers(guideline, of) if one.item.fact == fact)


@pytest.mark.parametrize(("guideline", "number"), [(CLAIM, 44), (TRIPOD, 52), (STARD, 48)])
def test_every_item_is_there_once_and_whole(guideline: object, number: int) -> None:
    assert guideline in (CLAIM, TRIPOD, STARD)
    one = next(each for each in guidelines() if each is guideline)
    assert len(one.items) == number
    assert set(Counter(item.number for item in one.items).values()) == {1}
    assert all(re.fullmatch(r"\d{1,2}[a-g]?", item.number) for item in one.items)
    assert [int(item.number.rstrip("abcdefg")) for item in one.items] == sorted(
        int(item.number.rstrip("abcdefg")) for item in one.items
    )
    assert all(item.section.strip() and 5 < len(item.asks) <= 100 and not item.asks.endswith(".") for item in one.items)
    assert re.search(r"20\d\d", one.name) and "doi:10." in one.source and one.title


def test_every_rule_is_asked_for_and_every_fact_has_a_rule() -> None:
    assert {item.fact for guideline in guidelines() for item in guideline.items} - {""} == set(RULES)


TOLD = Table("By sex, by image (declared in the protocol).", ("Run", "sex"), (("r0001", "F"),))
MATRIX = Charts((ChartSpec("confusion", "matrix", "Cross table", matrix=((1.0,),)),), ("",))


@pytest.mark.parametrize(
    ("fact", "place", "more"),
    [
        ("sampling", Part.DATA, {"stated": Statement(sampling="consecutive")}),
        ("representative", Part.DATA, {"stated": Statement(sampling="consecutive")}),
        ("representative", Part.DATA, {"stated": Statement(sampling="case-control", prevalence="12 %")}),
        ("source", Part.DATA, {"stated": Statement(source="a registry")}),
        ("availability", Part.DATA, {"stated": Statement(licence="CC BY 4.0")}),
        ("reference", Part.DATA, {"stated": Statement(reference_standard="biopsy")}),
        ("timing", Part.DATA, {"stated": Statement(reference_timing="within a week")}),
        ("reference", PROTOCOL, {"promised": locked()}),
        ("objectives", PROTOCOL, {"promised": locked()}),
        ("objectives", PURPOSE, {"purpose": "To compare."}),
        ("goal", PROTOCOL, {"promised": locked(margin=0.05)}),
        ("eligibility", PROTOCOL, {"promised": locked()}),
        ("sample_size", PROTOCOL, {"promised": locked()}),
        ("protocol", PROTOCOL, {"promised": locked()}),
        ("characteristics", Part.DATA, {"dataset": dataset(sex="F")}),
        ("acquisition", Part.DATA, {"dataset": dataset(Manufacturer="ACME")}),
        ("devices", Part.DATA, {"dataset": dataset(scanner="ACME")}),
        ("sites", Part.DATA, {"dataset": dataset(site="A")}),
        ("performance", Part.RESULTS, {"tests": [opened(row(low=0.7, high=0.9))]}),
        ("uncertainty", Part.RESULTS, {"tests": [opened(row(low=0.7, high=0.9))]}),
        ("robustness", Part.RESULTS, {"tests": [opened(row(), without_flagged=(row(),))]}),
        ("robustness", Part.RESULTS, {"views": [view(), view("r0002", seed=1)]}),
        ("code", Part.PROVENANCE, {"attached": True}),
        ("audit", Part.PROVENANCE, {"attached": True}),
        ("subgroups", Part.SUBGROUPS, {"sections": written(Section(Part.SUBGROUPS.heading, (TOLD,)))}),
        ("errors", Part.FAILURES, {"sections": written(Section(Part.FAILURES.heading, (TOLD,)))}),
        ("cross_table", Part.RESULTS, {"sections": written(Section(Part.RESULTS.heading, (MATRIX,)))}),
        (
            "explanation",
            Part.EXAMPLES,
            {"sections": written(Section(Part.EXAMPLES.heading, (Pictures((Picture("", "", ""),)),)))},
        ),
        (
            "clusters",
            Part.SUBGROUPS,
            {
                "dataset": dataset(site="A"),
                "sections": written(
                    Section(Part.SUBGROUPS.heading, (replace(TOLD, caption="By site, by image (exploratory)."),))
                ),
            },
        ),
    ],
)
def test_an_item_is_missing_until_its_fact_is_there(fact: str, place: Part | str, more: dict[str, object]) -> None:
    before = found(fact, known())
    assert before.status is Status.MISSING and before.said and not before.title
    assert "left out of this report" not in before.said
    extra = [Section(title, ()) for title in (PURPOSE, PROTOCOL)]
    after = found(fact, known(**{"sections": written(*extra), **more}))
    title = place.heading if isinstance(place, Part) else place
    assert (after.status, after.title) == (Status.FILLED, title), after.said


def test_without_validation_images_nothing_was_chosen_by_them() -> None:
    assert found("selection", known()).status is Status.FILLED
    without = split((Partition.TRAIN, Partition.TRAIN, Partition.TEST, Partition.TEST))
    assert found("selection", known(split=without)).status is Status.MISSING


def test_what_only_authors_can_know_is_theirs() -> None:
    for fact in ("purpose", "severity", "alternatives"):
        assert found(fact, known()).status is Status.AUTHORS
    assert found("severity", known(dataset=dataset(Task.ORDINAL))).status is Status.FILLED
    assert found("alternatives", known(dataset=dataset(Task.MULTICLASS))).status is Status.FILLED
    told = found("purpose", known(purpose="For a ward.", sections=written(Section(PURPOSE, ()))))
    assert (told.status, told.title) == (Status.FILLED, PURPOSE)
    author = {item.asks for guideline in guidelines() for item in guideline.items if not item.fact}
    assert any("Funding" in asks for asks in author) and any("thic" in asks for asks in author)


def test_words_follow_the_facts() -> None:
    assert "names no patients" in found("disjoint", known()).said
    patients = replace(dataset(), samples=tuple(replace(one, patient=one.id) for one in dataset().samples))
    assert "by patient" in found("disjoint", known(dataset=patients)).said
    leaks = (Leak(LeakKind.PIXELS, "s0", "s2"),)
    assert "not disjoint" in found("disjoint", known(split=split(leaks=leaks, acceptance="known"))).said
    assert (
        "120 planned, 30 tested"
        in found("sample_size", known(promised=locked(), sections=[Section(PROTOCOL, ())])).said
    )
    weighed = view(recipe=Recipe(class_weights=True, geometry="centre-crop"))
    (table,) = with_preparation(Section("", ()), [weighed, view("r0002"), view("r0003")], split()).blocks
    assert isinstance(table, Table) and [line[0] for line in table.rows] == ["r0001", "r0002, r0003"]
    assert "the middle taken" in table.rows[0][1] and table.rows[0][2] == "classes weigh alike in the loss"
    assert table.rows[1][2:] == ("none", "the penalty, by log loss on validation images", "none")
    late = replace(locked(), objection="too late")
    assert "exploratory" in found("goal", known(promised=late, sections=[Section(PROTOCOL, ())])).said
    told = written(Section(Part.SUBGROUPS.heading, (TOLD,)))
    assert "some fixed beforehand" in found("subgroups", known(sections=told)).said
    assert "two classes alone" in found("subgroups", known(dataset=dataset(Task.ORDINAL))).said
    failed = [opened(row(parameters={"failures": "wrong"}))]
    assert "without a score" in found("unscored", known(tests=failed)).said
    assert "2 stored" in found("external", known(elsewhere=2)).said


def test_a_recalibration_that_was_fixed_is_told(tmp_path: Path) -> None:
    assert "no model was" in found("updating", known()).said
    wire.write(tmp_path / CALIBRATOR, Calibrator("platt", 1.1, 0.2, "val", "image", 40))
    fixed = replace(view(), folder=tmp_path)
    assert "a recalibration was fixed" in found("updating", known(views=[fixed])).said
    assert recalibrated_on(fixed) == "platt, on validation (40 images)"


@pytest.mark.parametrize(
    ("adapt", "shots", "recipe", "words"),
    [
        ("knn", None, Recipe(), "nothing: all settings are fixed"),
        ("lora", None, Recipe(), "the epoch, by the task's headline on validation images"),
        ("full", None, Recipe(selection="accuracy", protocol="two-stage"), "the epoch, by accuracy on validation "
         "images, then trained again with them"),
        ("linear", 5, Recipe(shot_tuning="inner-cv"), "the penalty, by cross-validation within the shots"),
        ("linear-grid", 5, Recipe(shot_tuning="validation"), "the head, by the task's headline on validation images"),
        ("lora", 5, Recipe(), "nothing: all settings are fixed"),
    ],
)  # fmt: skip
def test_what_a_run_chose_is_said(adapt: str, shots: int | None, recipe: Recipe, words: str) -> None:
    made = view(adapt=adapt, recipe=recipe)
    made = replace(made, spec=replace(made.spec, shots=shots))
    assert chosen_by(made, split()) == words


def test_the_preparation_names_windows_cuts_and_views() -> None:
    recipe = Recipe(hu_window="-1024,600", clip_low=1, clip_high=99, channels="red", normalisation="min-max")
    words = images_words(view(adapt="lora", recipe=recipe))
    assert "window -1024,600 HU" in words and "percentiles 1 and 99" in words and "red channel" in words
    assert "augmentation “default”" in words and "augmentation" not in images_words(view(recipe=recipe))
    assert with_preparation(Section("", ()), [view(adapt=EXTERNAL)], split()).blocks == ()


def test_a_threshold_that_was_fixed_is_told(tmp_path: Path) -> None:
    assert found("threshold", known()).status is Status.MISSING
    wire.write(tmp_path / "operating_point.json", OperatingPoint(0.4, "youden", "val", "image", "yes"))
    told = found("threshold", known(views=[replace(view(), folder=tmp_path)]))
    assert told.status is Status.FILLED and "youden" in told.said
    many = known(dataset=dataset(Task.MULTICLASS), sections=written(Section(Part.FAILURES.heading, ())))
    assert found("threshold", many).title == Part.FAILURES.heading
    assert "two classes alone" in found("clusters", known(dataset=dataset(Task.ORDINAL, site="A"))).said


def test_nothing_is_known_of_the_training_of_other_systems() -> None:
    facts = ("model", "start", "training", "selection", "software", "preparation", "imbalance")
    both = known(views=[view(), view("r0002", EXTERNAL)])
    for fact in facts:
        assert found(fact, known(views=[view(adapt=EXTERNAL)])).status is Status.MISSING
        assert found(fact, both).status is Status.FILLED and "not known of r0002" in found(fact, both).said


@pytest.mark.parametrize("part", [Part.DATA, Part.SPLIT, Part.MODELS, Part.RESULTS, Part.LIMITATIONS, Part.PROVENANCE])
def test_a_section_left_out_makes_its_items_missing(part: Part) -> None:
    stated = Statement(source="a registry", licence="CC0", reference_standard="biopsy", sampling="consecutive")
    drawn = Section(Part.RESULTS.heading, (MATRIX,))
    whole = known(stated=stated, tests=[opened(row(low=0.7, high=0.9))], sections=written(drawn))
    parts = tuple(one for one in Part if one is not part)
    without = replace(whole, parts=parts, sections=[one for one in whole.sections if one.title != part.heading])
    lost = 0
    for guideline in guidelines():
        for before, after in zip(answers(guideline, whole), answers(guideline, without), strict=True):
            if before.title != part.heading:
                assert (after.status, after.title) == (before.status, before.title)
                assert part.heading not in after.said
                continue
            lost += 1
            assert (after.status, after.title) == (Status.MISSING, "")
            assert after.said == f"left out of this report: {part.heading}"
    assert lost


def test_no_item_waits_for_a_section_that_was_left_out() -> None:
    for part in (Part.SUBGROUPS, Part.FAILURES, Part.EXAMPLES):
        fact = {Part.SUBGROUPS: "subgroups", Part.FAILURES: "errors", Part.EXAMPLES: "explanation"}[part]
        said = found(fact, known(parts=tuple(one for one in Part if one is not part))).said
        assert said == f"left out of this report: {part.heading}"


def test_one_table_a_guideline_says_its_version_source_and_what_it_is_not() -> None:
    section = checklists_section(known())
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert len(tables) == 3
    words = str(section)
    assert "no statement that this report, or a study, complies" in words
    for guideline, table in zip(guidelines(), tables, strict=True):
        assert guideline.name in table.caption and guideline.source in words
        states = Counter(line[3] for line in table.rows)
        counts = [int(number) for number in re.findall(r"(\d+) (?:filled|to be|missing)", table.caption)]
        assert counts == [states[status.value] for status in Status] and sum(counts) == len(table.rows)
        assert all(
            bool(page) == (line[3] == Status.FILLED.value) for line, page in zip(table.rows, table.pages, strict=True)
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Report:
    parts = tuple(part for part in Part if part not in (Part.EXAMPLES, Part.LADDER))
    place = tmp_path_factory.mktemp("report") / "w"
    with open_workspace(place, settings=Settings()) as workspace:
        data = drawn_dataset(workspace, 200, covariates={"sex": ("F", "M")})
        runs = [opened_run(workspace, data)]
        return build_report(workspace, runs, outline=Outline(parts=parts, attachments=False, purpose="To see."))


def test_the_pages_are_those_on_which_the_sections_stand(whole: Report) -> None:
    data, count = typeset(whole)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]
    assert len(pages) == count
    heads: dict[str, int] = {}
    for number, section in enumerate(whole.sections, 1):
        head = re.compile(rf"^{number}\s*{re.escape(section.title)}\s*$", re.MULTILINE)
        (heads[section.title],) = [place for place, text in enumerate(pages, 1) if head.search(text)]
    assert len(set(heads.values())) > 2
    (made,) = [section for section in whole.sections if section.title == Part.CHECKLISTS.heading]
    said = _squeezed("".join(pages[heads[made.title] - 1 :]))
    last = whole.sections[whole.sections.index(made) + 1].title
    checked = 0
    for table in (block for block in made.blocks if isinstance(block, Table)):
        for place, (line, title) in enumerate(zip(table.rows, table.pages, strict=True)):
            following = (
                re.escape(_squeezed("".join(table.rows[place + 1][:2]))) if place + 1 < len(table.rows) else "$^"
            )
            page = heads[title] if title else ""
            cells = re.escape(_squeezed("".join(line)))
            assert re.search(rf"{cells}{page}(?:{following}|Researchuseonly|[A-Z]|\d+{last}|$)", said), line
            checked += bool(title)
    assert checked > 40


def test_each_page_number_leads_to_its_section(whole: Report) -> None:
    reader = PdfReader(io.BytesIO(typeset(whole)[0]))
    links = [note.get_object() for page in reader.pages for note in page.get("/Annots", ())]
    (made,) = [section for section in whole.sections if section.title == Part.CHECKLISTS.heading]
    wanted = sum(bool(title) for block in made.blocks if isinstance(block, Table) for title in block.pages)
    assert len(links) >= wanted and all(note["/Subtype"] == "/Link" for note in links)


def _squeezed(text: str) -> str:
    return "".join(text.split())
