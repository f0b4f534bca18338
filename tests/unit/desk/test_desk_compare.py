"""Questions about comparisons: who may stand beside whom, what is read, what is computed, what leaves as a file."""

from __future__ import annotations

import csv
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
from medfm_gui.desk.answers.compare import ENTRIES
from medfm_gui.desk.asks import compare as asks
from medfm_gui.desk.protocol import Ask, answer_type, decode_answer, decode_ask, encode_value
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.errors import InputError, Interrupted, NotFound, SealError, UsageError
from medfm_gui.domain.run import fold
from medfm_gui.workspace import data, evaluating, sidebyside, training
from medfm_gui.workspace.place import Workspace, open_workspace

MODEL = "efficientnet-lite0"  # its weights come with a package
CLASSES = ("=1+1", "malignant <b>")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("compare")
    noise = np.random.default_rng(5)
    with open_workspace(folder / "ws", settings=Settings()) as workspace:
        for name in ("Noise", "Other"):
            for side in CLASSES:
                (folder / name / side).mkdir(parents=True)
                for number in range(14):
                    pixels = noise.integers(0, 255, (20, 20, 3), dtype=np.uint8)
                    Image.fromarray(pixels).save(folder / name / side / f"{number}.png")
            data.import_dataset(workspace, "folder", folder / name, ImportOptions(), name=name)
            data.make_split(workspace, name.lower(), SplitRequest())
        yield workspace


@pytest.fixture
def room(workspace: Workspace) -> Iterator[Room]:
    with Room(workspace) as room:
        yield room


@pytest.fixture
def finished(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes a finished run, and opens its test with scores of a given quality."""

    def errand(spec: Any, *, folder: Path, **rest: Any) -> list[ev.Event]:
        order = training.spec_of(Path(spec.run_folder))
        split = json.loads(Path(order.split.path).read_text())
        ids = [one["sample"] for one in split["assignments"] if one["partition"] == "test"]
        dataset = data.read(workspace, order.dataset_id)
        labels = {sample.id: sample.target[0] for sample in dataset.samples}
        draw = np.random.default_rng(order.seed)
        positive = np.clip(draw.normal([0.4 + 0.2 * labels[name] for name in ids], 0.1), 0.01, 0.99)
        scores = np.column_stack((1 - positive, positive)).astype(np.float32)
        np.savez(folder / "test.npz", sample=np.array(ids), scores=scores)
        return []

    monkeypatch.setattr(evaluating, "run_errand", errand)

    def make(
        dataset: str = "noise",
        *,
        seed: int = 0,
        opened: bool = True,
        adapt: str = "linear",
        shots: int | None = None,
        settings: dict[str, Any] | None = None,
    ) -> str:
        request = training.TrainRequest(
            dataset, (MODEL,), (adapt,), seeds=(seed,), shots=(shots,), settings=settings or {}
        )
        view = training.create_runs(workspace, request)[0]
        events = (
            ev.RunStarted(1.0, "cpu"),
            ev.RunFinished(
                9.0,
                {"auc": 0.7},
                1.5 if adapt == "knn" else 3.0,
                12.0,
                0 if adapt == "knn" else 77,
                labels_used=2 * shots if shots else 20,
                peak_memory_bytes=900_000_000,
            ),
        )
        (view.folder / "events.jsonl").write_bytes(b"".join(wire.encode_event(event) for event in events))
        workspace.store.record_events(view.id, events, fold(view.state, events))
        if opened:
            evaluating.evaluate(workspace, [view.id], reason="protocol 1.2")
        return view.id

    return make


def answered(room: Room, ask: Ask[Any], say: Callable[[str, Any], None] = lambda kind, value: None) -> Any:
    return ENTRIES[type(ask)].answer(room, ask, Told(say))


def test_only_runs_of_the_same_open_test_stand_side_by_side(room: Room, finished: Callable[..., str]) -> None:
    first, second, sealed = finished(seed=1), finished(seed=2), finished(seed=3, opened=False)
    other = finished("other")
    answer = answered(room, asks.ListCandidates(first))
    found = {one.run: one for one in answer.runs}
    assert not found[second].obstacle and found[second].test.metric == "auc" and found[second].is_opened
    assert not found[sealed].is_opened and found[sealed].test is None and found[sealed].validation == 0.7
    assert "different datasets" in found[other].obstacle and not found[first].obstacle
    assert found[second].title.endswith("linear · seed 2")
    with pytest.raises(InputError):
        answered(room, asks.ReadSideBySide((first, other)))
    with pytest.raises(SealError):
        answered(room, asks.ReadSideBySide((first, sealed)))
    with pytest.raises(NotFound):
        answered(room, asks.ReadSideBySide((first, "r9999")))
    with pytest.raises(UsageError):
        answered(room, asks.ReadSideBySide(()))


def test_a_comparison_is_computed_once_and_read_afterwards(room: Room, finished: Callable[..., str]) -> None:
    runs = tuple(finished(seed=seed) for seed in (1, 2, 3))
    before = answered(room, asks.ReadSideBySide(runs))
    assert not before.is_compared and not before.pairs and before.openings >= 3
    assert [side.run for side in before.sides] == list(runs)
    told: list[Any] = []
    computed = answered(room, asks.CompareRuns(runs), lambda kind, value: told.append(value))
    assert told and told[0].total == 3
    assert computed.is_compared and {pair.b for pair in computed.pairs} == {runs[0]}
    assert "several seeds of each" in computed.sentence, "one run each is two models"
    assert f"{', '.join(runs[1:])} and {runs[0]} differ in nothing but their seed" in computed.sentence
    assert all(pair.p_adjusted is None or pair.p_adjusted >= pair.p for pair in computed.pairs)
    assert answered(room, asks.ReadSideBySide(runs)) == computed
    again = (runs[1], runs[0], runs[2])
    assert not answered(room, asks.ReadSideBySide(again)).is_compared, "another reference is another comparison"


def test_a_comparison_that_is_given_up_leaves_nothing(room: Room, finished: Callable[..., str]) -> None:
    runs = (finished(seed=1), finished(seed=2))
    told = Told(lambda kind, value: None)
    told.stopped.set()
    with pytest.raises(Interrupted):
        ENTRIES[asks.CompareRuns].answer(room, asks.CompareRuns(runs), told)
    assert not answered(room, asks.ReadSideBySide(runs)).is_compared


def test_charts_of_one_run_and_of_several(room: Room, finished: Callable[..., str]) -> None:
    runs = (finished(seed=1), finished(seed=2))
    alone = {one.key: one for one in answered(room, asks.ReadDrawings(runs[:1])).drawings}
    assert {f"roc:{runs[0]}", f"confusion:{runs[0]}", "intervals:auc"} <= set(alone)
    answered(room, asks.CompareRuns(runs))
    both = {one.key: one for one in answered(room, asks.ReadDrawings(runs)).drawings}
    assert {"roc", "intervals:brier", "differences:auc", f"confusion:{runs[1]}"} <= set(both)
    assert f"roc:{runs[0]}" not in both, "the same curve stands among the others"
    assert all(series.name.partition(" ")[0] in runs for series in both["roc"].chart.series)
    assert [series.name.partition(" ")[0] for series in both["differences:auc"].chart.series] == [runs[1]]
    assert both["intervals:auc"].chart.series[0].family == "Baseline"


def test_the_ladder_of_opened_runs_is_of_the_test(room: Room, finished: Callable[..., str]) -> None:
    runs = (finished(seed=61), finished(seed=61, adapt="knn"), finished(seed=61, shots=2))
    drawn = {one.key: one for one in answered(room, asks.ReadDrawings(runs)).drawings}
    chart = drawn["ladder:ladder-parameters"].chart
    assert [series.name.partition(" ")[0] for series in chart.series] == list(runs)
    assert [series.x for series in chart.series] == [(77.0,), (0.0,), (77.0,)]
    assert "opened test" in chart.note and all(series.low for series in chart.series)
    assert "linear · 2 shots · seed 61" in chart.series[2].name
    assert [series.x for series in drawn["ladder:ladder-labels"].chart.series] == [(20.0,), (20.0,), (4.0,)]
    assert drawn["ladder:ladder-minutes"].chart.series[0].x == (0.05,)
    curve = drawn["ladder:label-efficiency"].chart
    assert [(one.name.partition(" · ")[2], one.x) for one in curve.series] == [("linear", (4.0, 20.0))]
    assert "ladder:ladder-labels" not in {one.key for one in answered(room, asks.ReadDrawings(runs[:1])).drawings}, (
        "one run is no ladder"
    )


def test_the_ladder_of_sealed_runs_is_of_validation(room: Room, finished: Callable[..., str], tmp_path: Path) -> None:
    runs = (finished(seed=71, opened=False), finished(seed=71, adapt="knn", opened=False))
    other = finished("other", seed=71)
    drawn = {one.key: one for one in answered(room, asks.ReadLadder((*runs, other))).drawings}
    chart = drawn["ladder:ladder-parameters"].chart
    assert [series.name.partition(" ")[0] for series in chart.series] == list(runs)
    assert "Validation numbers" in chart.note and f"the test of {', '.join(runs)} is sealed" in chart.note
    assert f"other images or count other units: {other}" in chart.note
    assert not any(series.low for series in chart.series) and {series.y for series in chart.series} == {(0.7,)}
    every = drawn["ladder-of-all:ladder-parameters"].chart
    assert {*runs} < {series.name.partition(" ")[0] for series in every.series}
    assert other not in {series.name.partition(" ")[0] for series in every.series}
    out = tmp_path / "ladder.csv"
    answered(room, asks.ExportDrawing(runs, "ladder:ladder-parameters", "csv", str(out)))
    assert out.read_text().splitlines()[0] == "series,trained parameters,ROC-AUC,low,high"
    assert answered(room, asks.ReadLadder(("r9999",))).drawings == ()


def test_runs_of_other_units_stand_in_no_ladder_together(
    room: Room, finished: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "check_unit", lambda *told: None)  # these images know no patients
    runs = (
        finished(seed=81, adapt="knn"),
        finished(seed=82),
        finished(seed=83, opened=False, settings={"unit": "patient"}),
    )
    drawn = {one.key: one for one in answered(room, asks.ReadLadder(runs)).drawings}
    chart = drawn["ladder:ladder-parameters"].chart
    assert [series.name.partition(" ")[0] for series in chart.series] == list(runs[:2])
    assert runs[2] in chart.note


def test_long_lines_are_thinned_for_the_screen_only() -> None:
    points = tuple(float(place) for place in range(25_001))
    chart = ChartSpec("roc", "lines", "ROC", series=(Series("a", points, points), Series("b", (0.0,), (1.0,))))
    thin = sidebyside.thinned(chart, 1000)
    assert len(thin.series[0].x) == 1000 and thin.series[0].x[0] == 0 and thin.series[0].y[-1] == 25_000
    assert list(thin.series[0].x) == sorted(set(thin.series[0].x)) and thin.series[1] == chart.series[1]


def test_charts_leave_whole_and_numbers_are_no_formulas(
    room: Room, finished: Callable[..., str], tmp_path: Path
) -> None:
    runs = (finished(seed=1), finished(seed=2))
    answered(room, asks.CompareRuns(runs))
    wanted = [("roc", "pdf"), ("roc", "svg"), ("roc", "csv")]
    for key, kind in (*wanted, (f"confusion:{runs[0]}", "csv"), ("differences:auc", "csv")):
        out = tmp_path / f"{key.replace(':', '-')}.{kind}"
        assert answered(room, asks.ExportDrawing(runs, key, kind, str(out))).path == str(out)
        assert out.stat().st_size > 50
    assert b"<svg" in (tmp_path / "roc.svg").read_bytes()
    assert (tmp_path / "roc.pdf").read_bytes().startswith(b"%PDF")
    rows = list(csv.reader((tmp_path / f"confusion-{runs[0]}.csv").read_text().splitlines()))
    assert rows[0][1:] == ["'=1+1", "malignant <b>"], "a class is no formula"
    picture = tmp_path / "roc.png"
    answered(room, asks.ExportDrawing(runs, "roc", "png", str(picture), b"\x89PNG"))
    assert picture.read_bytes() == b"\x89PNG"
    for key, kind, error in (("gone", "svg", NotFound), ("roc", "exe", UsageError)):
        with pytest.raises(error):
            answered(room, asks.ExportDrawing(runs, key, kind, str(tmp_path / "x")))
    table = tmp_path / "numbers.csv"
    answered(room, asks.ExportNumbers(runs, str(table)))
    numbers = list(csv.DictReader(table.read_text().splitlines()))
    assert {row["run"] for row in numbers} == set(runs)
    assert {row["compared_with"] for row in numbers} == {"", runs[0]}
    assert all(not cell.startswith(("=", "@", "+")) for row in numbers for cell in row.values())


def test_all_pairs_are_computed_once_marked_and_not_kept_in_the_workspace(
    room: Room, finished: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tuple(finished(seed=seed) for seed in (91, 92, 93))
    files = sorted((room.workspace.root / "evaluations").iterdir())
    told: list[Any] = []
    found = answered(room, asks.ReadAllPairs(runs), lambda kind, value: told.append(value))
    assert [(pair.a, pair.b) for pair in found.pairs] == [(runs[1], runs[0]), (runs[2], runs[0]), (runs[2], runs[1])]
    assert {pair.parameters["pairs"] for pair in found.pairs} == {"all pairs, exploratory"}
    assert {news.text for news in told} >= {"Reading the predictions", f"Comparing {runs[2]} with {runs[1]}"}
    assert sorted((room.workspace.root / "evaluations").iterdir()) == files, "nothing of it is kept"
    monkeypatch.setattr("medfm_gui.workspace.all_pairs.every_pair", None)
    assert answered(room, asks.ReadAllPairs(runs)) == found, "what was computed is not computed again"
    assert decode_answer(asks.AllPairs, *encode_value(found)) == found
    out = tmp_path / "all.csv"
    assert answered(room, asks.ExportAllPairs(runs, str(out))).path == str(out)
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(row["run"], row["compared_with"]) for row in rows] == [(pair.a, pair.b) for pair in found.pairs]
    assert all("pairs=all pairs, exploratory" in row["parameters"] for row in rows)
    assert [row["simultaneous_method"] for row in rows] == [pair.simultaneous_method for pair in found.pairs]
    assert [row["low_simultaneous"] for row in rows] == [
        "" if pair.low_simultaneous is None else repr(pair.low_simultaneous) for pair in found.pairs
    ]


def test_all_pairs_can_be_given_up(room: Room, finished: Callable[..., str]) -> None:
    runs = tuple(finished(seed=seed) for seed in (94, 95, 96))
    told = Told(lambda kind, value: None)
    told.stopped.set()
    with pytest.raises(Interrupted):
        ENTRIES[asks.ReadAllPairs].answer(room, asks.ReadAllPairs(runs), told)
    with pytest.raises(SealError):
        answered(room, asks.ReadAllPairs((runs[0], finished(seed=97, opened=False))))


def test_every_question_crosses_the_wire(room: Room, finished: Callable[..., str]) -> None:
    runs = (finished(seed=1), finished(seed=2))
    answered(room, asks.CompareRuns(runs))
    every: tuple[Ask[Any], ...] = (asks.ListCandidates(runs[0]), asks.ReadSideBySide(runs), asks.ReadDrawings(runs))
    every = (*every, asks.ReadLadder(runs), asks.ReadAllPairs(runs))
    for ask in every:
        assert decode_ask(type(ask), *encode_value(ask)) == ask
        answer = answered(room, ask)
        assert decode_answer(answer_type(type(ask)), *encode_value(answer)) == answer
    export = asks.ExportDrawing(runs, "roc", "png", "/x", b"\x89PNG")
    assert decode_ask(asks.ExportDrawing, *encode_value(export)) == export
