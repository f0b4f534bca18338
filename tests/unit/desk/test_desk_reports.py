"""Questions about reports: the list, the PDF of one, one that is composed, and writing it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.desk.answers.reports import ENTRIES
from medfm_gui.desk.asks import reports as asks
from medfm_gui.desk.protocol import Ask, answer_type, decode_answer, decode_ask, encode_value
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.errors import (
    DiskFull,
    InputError,
    Interrupted,
    MedfmError,
    NotFound,
    SealError,
    UsageError,
    WorkerFailed,
)
from medfm_gui.domain.report import OF_SEVERAL, ON_OCCASION, Charts, Outline, Paragraph, Part, Pictures, Table
from medfm_gui.domain.run import StudySpec, fold
from medfm_gui.workspace import data, evaluating, examples, statements, training
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.reporting import build_report, write_report

MODEL = "efficientnet-lite0"  # its weights come with a package
CLASSES = ("benign & co", "<b>malignant</b>")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("reports")
    noise = np.random.default_rng(5)
    with open_workspace(folder / "ws", settings=Settings()) as workspace:
        for side in CLASSES:
            (folder / "noise" / side).mkdir(parents=True)
            for number in range(14):
                pixels = noise.integers(0, 255, (20, 20, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / "noise" / side / f"{number}.png")
        data.import_dataset(workspace, "folder", folder / "noise", ImportOptions(), name="Noise")
        data.make_split(workspace, "noise", SplitRequest())
        statements.state(workspace, "noise", Statement(licence="CC0 1.0", redistribution=True))
        yield workspace


@pytest.fixture
def room(workspace: Workspace) -> Iterator[Room]:
    with Room(workspace) as room:
        yield room


@pytest.fixture
def finished(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes a finished run, and opens its test."""

    def errand(spec: Any, *, folder: Path, **rest: Any) -> list[ev.Event]:
        order = training.spec_of(Path(spec.run_folder))
        split = wire.read(dict, Path(order.split.path))
        ids = [one["sample"] for one in split["assignments"] if one["partition"] == "test"]
        positive = np.random.default_rng(order.seed).uniform(0.05, 0.95, len(ids))
        scores = np.column_stack((1 - positive, positive)).astype(np.float32)
        np.savez(folder / "test.npz", sample=np.array(ids), scores=scores)
        return []

    monkeypatch.setattr(evaluating, "run_errand", errand)

    def make(*, seed: int = 0, opened: bool = True, adapt: str = "linear") -> str:
        view = training.create_runs(workspace, training.TrainRequest("noise", (MODEL,), (adapt,), seeds=(seed,)))[0]
        trained = 0 if adapt == "knn" else 77
        end = ev.RunFinished(9.0, {"auc": 0.7}, 3.0, 12.0, trained, labels_used=28, peak_memory_bytes=940_000_000)
        events: tuple[ev.Event, ...] = (ev.RunStarted(1.0, "cpu"), end)
        (view.folder / "events.jsonl").write_bytes(b"".join(map(wire.encode_event, events)))
        workspace.store.record_events(view.id, events, fold(view.state, events))
        if opened:
            evaluating.evaluate(workspace, [view.id], reason="protocol 1.2")
        return view.id

    return make


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[StudySpec]:
    """The orders that a worker got to draw heat maps; it draws a ramp at once."""
    orders: list[StudySpec] = []

    def errand(spec: StudySpec, *, folder: Path, on_event: Any, stop: Any) -> list[ev.Event]:
        orders.append(spec)
        if stop is not None and stop.is_set():
            raise Interrupted("Stopped.", "")
        said: list[ev.Event] = []
        for number, image in enumerate(spec.images):
            for run in spec.run_folders:
                path = Path(spec.out) / f"{len(said)}.npy"
                np.save(path, np.linspace(0, 1, 49, dtype=np.float32).reshape(7, 7))
                said.append(ev.StudyPredicted(1.0, Path(run).name, image.source, (0.4, 0.6), map=str(path)))
            if on_event:
                on_event(ev.Progressed(1.0, "predict", number + 1, len(spec.images)))
        return said

    monkeypatch.setattr(examples, "run_errand", errand)
    return orders


def answered(room: Room, ask: Ask[Any], say: Callable[[str, Any], None] = lambda kind, value: None) -> Any:
    return ENTRIES[type(ask)].answer(room, ask, Told(say))


def files(workspace: Workspace) -> set[Path]:
    return {path for path in workspace.root.rglob("*") if "medfm.sqlite" not in path.name}


def test_heat_maps_are_drawn_once_and_pages_come_before_them(
    room: Room, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    runs = (finished(seed=1), finished(seed=2))
    said: list[tuple[str, Any]] = []
    whole = answered(room, asks.PreviewReport(runs), lambda kind, value: said.append((kind, value)))
    (part,) = [value for kind, value in said if kind == "part"]
    assert not part.is_whole and whole.is_whole
    assert part.payload.startswith(b"%PDF") and whole.payload.startswith(b"%PDF")
    assert whole.title == "Comparison of adapted foundation models"
    assert [value.done for kind, value in said if kind == "progress" and value.text == "Drawing heat maps"]
    said.clear()
    again = answered(room, asks.PreviewReport(runs), lambda kind, value: said.append((kind, value)))
    assert len(drawn) == 1 and again.pages == whole.pages
    assert not [value for kind, value in said if kind == "part"]
    other = answered(room, asks.PreviewReport(runs[::-1]))
    assert len(drawn) == 2 and other.is_whole, "another reference chooses other images"


def test_a_preview_of_a_workspace_that_is_read_only_writes_nothing_there(
    workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    runs = (finished(seed=3), finished(seed=4))
    before = files(workspace)
    with Room(workspace, is_read_only=True) as room:
        assert answered(room, asks.PreviewReport(runs)).is_whole
        assert answered(room, asks.PreviewReport(runs)).is_whole
    assert files(workspace) == before
    assert len(drawn) == 1


def test_what_is_left_out_is_named_and_the_looks_are_told_all_the_same(
    workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    run = finished(seed=5)
    outline = Outline("A title", (Part.RESULTS, Part.DATA), attachments=False)
    report = build_report(workspace, [run], outline=outline)
    assert (report.title, report.attachments) == ("A title", ())
    assert [section.title for section in report.sections] == ["Data", "Results on the sealed test set", "Left out"]
    told = " ".join(block.text for block in report.sections[-1].blocks)  # type: ignore[union-attr]
    assert "Provenance" in told and "attached files" in told and "was opened" in told
    assert "Paired comparison" not in told, "one run has none"
    assert not drawn
    whole = build_report(workspace, [run])
    assert [section.title for section in whole.sections] == [
        part.heading for part in Part if part not in OF_SEVERAL | ON_OCCASION
    ]


def test_the_purpose_is_text_and_table_and_card_lie_beside(
    workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec], tmp_path: Path
) -> None:
    run = finished(seed=41)
    outline = Outline(
        purpose="To see *which*\n\n#panic() & <b>", parts=(Part.RESULTS, Part.CALIBRATION, Part.LIMITATIONS)
    )
    table, card = tmp_path / "t.csv", tmp_path / "new" / "card.json"
    write_report(workspace, [run], outline=outline, out=tmp_path / "a.pdf", table=table, card=card)
    first = build_report(workspace, [run], outline=outline).sections[0]
    assert [block.text for block in first.blocks] == ["To see *which*", "#panic() & <b>"]  # type: ignore[union-attr]
    rows = evaluating.opened(workspace, run).evaluations
    assert len(table.read_text().splitlines()) == len(rows) + 1
    said = json.loads(card.read_text())
    assert said["purpose"] == outline.purpose and said["models"][0]["results"] == [wire.plain(row) for row in rows]
    assert {"Size of the test", "Sampling", "Patients"} <= {title for title, _ in said["limitations"]}
    with pytest.raises(UsageError):
        write_report(workspace, [run], out=tmp_path / "b.pdf", table=tmp_path / "t.xlsx")
    assert not (tmp_path / "b.pdf").exists()
    for name in ("t.csv", "report", "rep.doc"):
        with pytest.raises(UsageError, match="name of a PDF"):
            write_report(workspace, [run], out=tmp_path / name)
    assert len(table.read_text().splitlines()) == len(rows) + 1, "the table is as it was"


def test_samples_bear_other_names_in_every_report(
    workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    run = finished(seed=42)
    outline = Outline(parts=(Part.RESULTS,))
    names = []
    known = {sample.id for sample in data.read(workspace, "noise").samples}
    for _ in range(2):
        files = {file.name: file.text for file in build_report(workspace, [run], outline=outline).attachments}
        scored = {line.split(",")[0] for line in files[f"predictions-{run}.csv"].splitlines()[1:]}
        sides = {line.split(",")[0]: line.split(",")[1] for line in files["split.csv"].splitlines()[1:]}
        assert scored == {name for name, side in sides.items() if side == "test"} and not known & set(sides)
        names.append(set(sides))
    assert not names[0] & names[1]


def test_several_runs_stand_on_a_ladder_with_what_they_cost(
    workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    alike, other = (finished(seed=31), finished(seed=32)), finished(seed=31, adapt="knn")
    outline = Outline(parts=(Part.LADDER, Part.MODELS))
    *_, section = build_report(workspace, alike, outline=outline).sections[:2]
    assert section.title == "Adaptation ladder" and [block.block for block in section.blocks] == ["table", "paragraph"]
    *_, section = build_report(workspace, (*alike, other), outline=outline).sections[:2]
    charts, table, said = section.blocks
    assert isinstance(charts, Charts) and isinstance(table, Table) and isinstance(said, Paragraph)
    assert [chart.id for chart in charts.charts] == ["ladder-parameters"], "the runs differ in nothing else"
    assert [row[0] for row in table.rows] == [other, *alike], "from the lowest rung to the highest"
    assert table.rows[0][3:8] == ("all", "0", "0.05", "940", "28") and "(" in table.rows[0][8]
    assert "several seeds" in said.text
    models = build_report(workspace, (*alike, other), outline=outline).sections[0].blocks[0]
    assert isinstance(models, Table) and models.rows[0][-3:] == ("0.05", "940", "28")
    assert not drawn


def test_a_kept_picture_that_is_lost_is_drawn_again(
    room: Room, workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    run = finished(seed=6)
    answered(room, asks.PreviewReport((run,)))
    picture = next((workspace.run(run) / "examples").rglob("*.png"))
    picture.unlink()
    answered(room, asks.PreviewReport((run,)))
    assert len(drawn) == 2 and picture.exists()


def test_a_report_is_filed_and_lies_where_it_was_wanted(
    room: Room, finished: Callable[..., str], drawn: list[StudySpec], tmp_path: Path
) -> None:
    runs = (finished(seed=7), finished(seed=8))
    out = tmp_path / "new folder" / "report.pdf"
    made = answered(room, asks.WriteReport(runs, str(out), Outline("Ours & <i>theirs</i>")))
    written = out.read_bytes()
    assert hashlib.sha256(written).hexdigest() == made.sha256
    assert made.size_bytes == len(written) and made.path == str(out)
    item = {item.row.id: item for item in answered(room, asks.ListReports()).reports}[made.id]
    assert (item.row.title, item.row.runs, item.row.pages) == ("Ours & <i>theirs</i>", runs, made.pages)
    assert not item.is_missing
    out.unlink()  # the workspace has its own
    document = answered(room, asks.ReadReport(made.id))
    assert document.payload == written and not document.is_changed
    copied = answered(room, asks.CopyReport(made.id, str(tmp_path / "copy.pdf")))
    assert (tmp_path / "copy.pdf").read_bytes() == written and copied.sha256 == made.sha256


def test_table_and_card_lie_beside_and_replace_nothing(
    room: Room, finished: Callable[..., str], drawn: list[StudySpec], tmp_path: Path
) -> None:
    run = finished(seed=43)
    (tmp_path / "report-table.tex").write_text("mine")
    out, outline = tmp_path / "report.pdf", Outline(parts=(Part.RESULTS,))
    made = answered(room, asks.WriteReport((run,), str(out), outline, table="tex", card=True))
    assert [Path(path).name for path in made.beside] == ["report-table-2.tex", "report-model-card.json"]
    assert (tmp_path / "report-table.tex").read_text() == "mine"
    assert "tabular" in (tmp_path / "report-table-2.tex").read_text()
    assert json.loads((tmp_path / "report-model-card.json").read_text())["models"][0]["run"] == run


def test_a_preview_tells_what_the_dataset_allows(
    room: Room, workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    run = finished(seed=44)
    assert answered(room, asks.PreviewReport((run,), Outline(parts=(Part.DATA,)))).withheld == ""
    stated = statements.statement_of(workspace, "noise")
    try:
        statements.state(workspace, "noise", Statement(redistribution=False, licence="DUA"))
        preview = answered(room, asks.PreviewReport((run,)))
        assert "may not be redistributed (DUA)" in preview.withheld and not drawn, "no heat map is drawn for nobody"
        answered(room, asks.PreviewReport((run,), Outline(images_consent=True)))
        assert drawn
    finally:
        statements.state(workspace, "noise", stated)


def test_captions_bear_no_name_of_the_workspace(
    workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    report = build_report(workspace, [finished(seed=45)], outline=Outline(parts=(Part.EXAMPLES, Part.FAILURES)))
    pictures = [one for section in report.sections for block in section.blocks if isinstance(block, Pictures)
                for one in block.pictures]  # fmt: skip
    known = {sample.id for sample in data.read(workspace, "noise").samples}
    assert len(pictures) > 4
    assert not [one for one in pictures for name in known if name in one.caption or name in one.alternative]


def test_a_file_that_changed_or_went_is_told(
    room: Room, workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec], tmp_path: Path
) -> None:
    path = Path(write_report(workspace, [finished(seed=9)]).path)
    report = path.parent.name
    path.write_bytes(path.read_bytes() + b"\n")
    assert answered(room, asks.ReadReport(report)).is_changed
    path.write_bytes(b"<html>")
    with pytest.raises(InputError):
        answered(room, asks.ReadReport(report))
    path.unlink()
    assert next(item for item in answered(room, asks.ListReports()).reports if item.row.id == report).is_missing
    for ask in (asks.ReadReport(report), asks.CopyReport(report, str(tmp_path / "a.pdf")), asks.ReadReport("../x")):
        with pytest.raises(NotFound):
            answered(room, ask)


def test_nothing_is_filed_where_a_report_cannot_be_written(
    room: Room, workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec], tmp_path: Path
) -> None:
    run = finished(seed=10)
    before = answered(room, asks.ListReports())
    folders = set((workspace.root / "reports").iterdir())
    (tmp_path / "file").write_bytes(b"")
    for path in (str(tmp_path), str(tmp_path / "file" / "a.pdf"), "a.pdf", ""):
        with pytest.raises((MedfmError, OSError)):
            answered(room, asks.WriteReport((run,), path))
    assert answered(room, asks.ListReports()) == before
    assert set((workspace.root / "reports").iterdir()) == folders


def test_a_report_that_cannot_be_filed_leaves_the_former_copy_and_no_part_of_another(
    room: Room,
    workspace: Workspace,
    finished: Callable[..., str],
    drawn: list[StudySpec],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = finished(seed=13)
    out = tmp_path / "report.pdf"
    answered(room, asks.WriteReport((run,), str(out)))
    written, before = out.read_bytes(), files(workspace)
    listed = answered(room, asks.ListReports())
    write = wire.write

    def full(path: Path, value: object) -> str:
        if path.name == "file.json":
            raise DiskFull("The disk is full.", "Free some space.")
        return write(path, value)

    with monkeypatch.context() as patch:
        patch.setattr(wire, "write", full)
        with pytest.raises(DiskFull):
            answered(room, asks.WriteReport((run,), str(out), Outline("Another")))
    assert out.read_bytes() == written
    assert [path.name for path in tmp_path.iterdir()] == ["report.pdf"]
    assert files(workspace) == before
    assert answered(room, asks.ListReports()) == listed


def test_heat_maps_that_do_not_fit_on_the_disk_leave_none(
    room: Room,
    workspace: Workspace,
    finished: Callable[..., str],
    drawn: list[StudySpec],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = finished(seed=14)
    overlays = iter(range(9))

    def full(*_: Any) -> Any:
        if next(overlays) == 2:
            raise DiskFull("The disk is full.", "Free some space.")
        return np.zeros((8, 8, 3), np.uint8)

    with monkeypatch.context() as patch:
        patch.setattr("medfm_gui.imaging.overlay.overlay", full)
        with pytest.raises(DiskFull):
            answered(room, asks.PreviewReport((run,)))
    assert not list((workspace.run(run) / "examples").rglob("*.png"))
    assert answered(room, asks.PreviewReport((run,))).is_whole


def test_refusals_come_as_their_errors(room: Room, finished: Callable[..., str], drawn: list[StudySpec]) -> None:
    for kind, runs in ((SealError, (finished(opened=False),)), (NotFound, ("r9999",)), (UsageError, ())):
        with pytest.raises(kind):
            answered(room, asks.PreviewReport(runs))


def test_a_preview_that_is_wanted_no_more_ends_the_worker(
    room: Room, workspace: Workspace, finished: Callable[..., str], drawn: list[StudySpec]
) -> None:
    run = finished(seed=11)
    told = Told(lambda kind, value: told.stopped.set() if kind == "part" else None)
    with pytest.raises(Interrupted):
        ENTRIES[asks.PreviewReport].answer(room, asks.PreviewReport((run,)), told)
    assert not list((workspace.run(run) / "examples").rglob("examples.json"))


def test_a_worker_that_fails_is_named(
    room: Room, finished: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> list[ev.Event]:
        raise WorkerFailed("The worker ended.", "Do it again.")

    monkeypatch.setattr(examples, "run_errand", broken)
    parts: list[Any] = []
    with pytest.raises(WorkerFailed):
        answered(room, asks.PreviewReport((finished(seed=12),)), lambda kind, value: parts.append(kind))
    assert "part" in parts


@pytest.mark.parametrize("title", ['#let x = read("/etc/passwd")', "\u202egnp.exe", "x" * 10_000, "\x00\n\t"])
def test_a_title_is_never_markup_and_never_too_long(
    room: Room, finished: Callable[..., str], drawn: list[StudySpec], title: str
) -> None:
    preview = answered(room, asks.PreviewReport((finished(adapt="knn"),), Outline(title, (Part.DATA,))))
    assert preview.payload.startswith(b"%PDF")
    assert len(preview.title) <= 240


@pytest.mark.parametrize(
    "ask",
    [
        asks.ListReports(),
        asks.ReadReport("report0001"),
        asks.PreviewReport(("r0001", "r0002"), Outline("T", (Part.SPLIT,), attachments=False)),
        asks.WriteReport(("r0001",), "/a.pdf"),
        asks.CopyReport("report0001", "/a.pdf"),
    ],
)
def test_questions_survive_the_wire(ask: Ask[Any]) -> None:
    assert decode_ask(type(ask), *encode_value(ask)) == ask


def test_an_answer_carries_its_pdf_across_the_wire() -> None:
    preview = asks.ReportPreview("T", 3, False, bytes(range(256)))
    assert decode_answer(answer_type(asks.PreviewReport), *encode_value(preview)) == preview
