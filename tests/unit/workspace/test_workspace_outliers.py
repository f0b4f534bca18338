"""What is said of an image's distance to the training images, and where nothing can be said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.cli.studies import prediction_lines, prediction_row
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.explain import Neighbour
from medfm_gui.domain.portable import IMPORTED
from medfm_gui.domain.run import EXTERNAL, Phase, SimilarSpec
from medfm_gui.domain.similar import OutlierLimit, SimilarCase
from medfm_gui.workspace import outliers, training
from medfm_gui.workspace.class_sets import Limits
from medfm_gui.workspace.outliers import (
    OUTLIER,
    OUTLIER_SET,
    SIMILAR,
    can_keep,
    keep_similar,
    limit_line,
    noticed,
    outlier_limit,
    verdict,
)
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.prediction import Explanation, StudyPrediction, _compared, _with_set
from medfm_gui.workspace.prediction_units import Frame, Unit
from medfm_gui.workspace.training import RunView
from tests.fixtures.opened import drawn_dataset, opened_run

LIMIT = OutlierLimit(0.3, 0.2, 0.95, "cal", 240, 118, 10, 5000, 5000)
NEAR = SimilarCase("s000001", ("with",), 0.12)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with open_workspace(tmp_path_factory.mktemp("outliers") / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 120)
        yield SimpleNamespace(workspace=workspace, run=opened_run(workspace, dataset))


@pytest.fixture
def view(place: SimpleNamespace) -> Iterator[RunView]:
    found = training.view(place.workspace, place.run)
    _keep(found.folder, LIMIT)
    yield found
    for name in (OUTLIER, SIMILAR):
        (found.folder / name).unlink(missing_ok=True)


def _keep(folder: Path, limit: OutlierLimit) -> None:
    wire.write(folder / OUTLIER, limit)
    (folder / SIMILAR).write_bytes(b"rows")


def _said(*scores: float | None, similar: tuple[SimilarCase, ...] = (NEAR,)) -> list[ev.StudyPredicted]:
    return [
        ev.StudyPredicted(0.0, "r0001", f"/{place}", (0.4, 0.6), outlier_score=score, similar=similar)
        for place, score in enumerate(scores)
    ]


def test_one_image_stands_against_the_limit_of_single_images(view: RunView) -> None:
    like = verdict(view, _said(0.25))
    assert (like.is_outlier, like.score, like.limit, like.similar) == (False, 0.25, 0.3, (NEAR,))
    assert like.note == (
        "No outlier signal: distance 0.250, not above the limit 0.300 (95th percentile of 118 calibration patients)."
    )
    unlike = verdict(view, _said(0.41))
    assert unlike.is_outlier is True and unlike.note.startswith(
        "Looks unlike the training images: distance 0.410, abov"
    )
    assert "abnormal" not in unlike.note and "positive" not in unlike.note
    assert verdict(view, _said(0.3)).is_outlier is False, "at the limit is not above it"
    assert "0.3001" in verdict(view, _said(0.3001)).note, "as many digits as tell them apart"


def test_several_images_stand_together_against_the_limit_of_means(view: RunView) -> None:
    found = verdict(view, _said(0.1, 0.1, 0.55))
    assert found.score == pytest.approx(0.25) and found.is_outlier is True and found.limit == 0.2
    assert found.beyond == 1 and "mean distance 0.250 of 3 images" in found.note
    assert "1 of 3 images are beyond the limit alone" in found.note
    _keep(view.folder, replace(LIMIT, limit_pooled=None))
    assert verdict(view, _said(0.1, 0.1, 0.55)).is_outlier is False


def test_the_nearest_of_several_images_are_named_once(view: RunView) -> None:
    far = tuple(SimilarCase(f"s{place}", (), 0.2 + place / 10) for place in range(5))
    first, second = _said(0.1, 0.1, similar=far)
    found = verdict(view, [first, replace(second, similar=(NEAR, replace(far[0], distance=0.15)))])
    assert [case.sample for case in found.similar] == ["s000001", "s0", "s1", "s2", "s3"]
    assert found.similar[1].distance == 0.15


def test_where_the_limit_is_from_and_what_weakens_it_is_said(view: RunView) -> None:
    weak = replace(
        LIMIT, fitted_on="val", n_patients=None, references=128, of=1050, note="also used for model selection"
    )
    _keep(view.folder, weak)
    assert verdict(view, _said(0.1)).note.endswith(
        "(95th percentile of 240 validation images, also used for model selection, compared with 128 of 1,050 "
        "training images)."
    )


def test_without_a_limit_there_is_a_distance_and_no_verdict(view: RunView) -> None:
    _keep(view.folder, replace(LIMIT, limit=None, limit_pooled=None, note="7 patients, and 19 are needed"))
    found = verdict(view, _said(0.41))
    assert found.is_outlier is None and found.score == 0.41 and found.similar == (NEAR,)
    assert found.note == "Distance 0.410; no verdict: 7 patients, and 19 are needed."


def test_why_nothing_is_known_is_said(view: RunView) -> None:
    assert "not finite" in verdict(view, _said(None)).note
    assert verdict(view, _said(0.1, None)).score is None
    (view.folder / OUTLIER).write_text("{}")
    assert verdict(view, _said(0.1)).note.startswith("No verdict:")
    _keep(view.folder, replace(LIMIT, limit=-1.0))
    with pytest.raises(InputError, match="damaged"):
        outlier_limit(view.folder)
    _keep(view.folder, LIMIT)
    (view.folder / SIMILAR).unlink()
    assert "gone" in verdict(view, _said(None)).note
    (view.folder / OUTLIER).unlink()
    early = verdict(view, _said(None))
    assert early.score is None and early.is_outlier is None and f"medfm similar {view.id}" in early.note
    travelled = replace(view, state=replace(view.state, facts={IMPORTED: "a.medfm"}))
    assert "do not travel" in verdict(travelled, _said(None)).note


def test_why_there_is_no_verdict_does_not_speak_of_the_limit(view: RunView) -> None:
    why = "3 patients, and 19 are needed for a 95th percentile"
    none = replace(LIMIT, limit=None, limit_pooled=None, fitted_on="val", note=f"{why}; also used for model selection")
    _keep(view.folder, none)
    assert verdict(view, _said(0.41)).note == f"Distance 0.410; no verdict: {why}."
    assert limit_line(none) == f"No verdict on outliers: {why}."
    chosen = replace(LIMIT, fitted_on="val", note="also used for model selection")
    _keep(view.folder, chosen)
    for said in (verdict(view, _said(0.41)).note, limit_line(chosen)):
        assert "0.300 (95th percentile of 118 validation patients, also used for model selection)." in said


def test_a_run_that_lacks_them_can_have_them_made_where_it_was_trained(view: RunView) -> None:
    assert not can_keep(view), "both files are there"
    (view.folder / SIMILAR).unlink()
    assert can_keep(view)
    travelled = replace(view, state=replace(view.state, facts={IMPORTED: "a.medfm"}))
    running = replace(view, state=replace(view.state, phase=Phase.RUNNING))
    external = replace(view, spec=replace(view.spec, adapt=EXTERNAL))
    elsewhere = replace(view, spec=replace(view.spec, dataset_id=""))
    assert not any(can_keep(one) for one in (travelled, running, external, elsewhere))


def test_a_picture_that_leaves_says_that_it_is_one() -> None:
    assert [noticed("N", one) for one in (None, False)] == ["N", "N"]
    assert noticed("N", True) == "N. The image looks unlike the training images"


def test_a_set_of_classes_is_hidden_for_an_outlier() -> None:
    classes = ("a", "b", "c")
    made = StudyPrediction("/a.png", "r0001", dict.fromkeys(classes, 0.3), "a", None)
    spec: Any = SimpleNamespace(classes=classes, task=Task.MULTICLASS)
    from medfm_gui.metrics.conformal import Quantiles

    limits = Limits("r0001", Quantiles(0.9, (0.1, 0.1, 0.1), (40, 40, 40), "cal", "image"), promise="holds on average")
    unit = Unit("/a.png", (Frame(Path("/a.png")),))
    for outlier, kept in ((False, classes), (None, classes), (True, ())):
        found = _with_set(replace(made, outlier=outlier), limits, spec, (0.3, 0.3, 0.4), unit)
        assert found.class_set == kept and (found.class_set_note == OUTLIER_SET) is bool(outlier)


def test_a_prediction_carries_it_in_json_and_in_words(view: RunView) -> None:
    made = StudyPrediction("/a.png", "r0001", {"without": 0.4, "with": 0.6}, "with", None)
    found = _compared(made, verdict(view, _said(0.41)))
    row = prediction_row(found)
    assert (row["outlier"], row["outlier_score"], row["outlier_limit"]) == (True, 0.41, 0.3)
    assert row["similar"] == [{"sample": "s000001", "label": "with", "distance": 0.12}]
    text = "\n".join(prediction_lines(found))
    assert "Looks unlike the training images" in text and "s000001 (with, 0.120)" in text
    early = prediction_row(made)
    assert early["outlier"] is None and early["outlier_score"] is None and early["similar"] == []
    assert wire.decode(StudyPrediction, wire.encode(found)) == found
    votes = Explanation("neighbours", "", "with", neighbours=(Neighbour("s9", ("with",), 0.75, 1.0),))
    assert prediction_row(replace(made, explanation=votes))["similar"][0]["distance"] == pytest.approx(0.25)


def test_a_finished_run_gets_its_limit_once(
    place: SimpleNamespace, view: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[SimilarSpec] = []

    def work(order: SimilarSpec, **_: Any) -> list[ev.Event]:
        orders.append(order)
        _keep(Path(order.run_folder), LIMIT)
        return []

    monkeypatch.setattr(outliers, "run_errand", work)
    assert keep_similar(place.workspace, view.id) == LIMIT and orders == [], "what is whole stays"
    (view.folder / SIMILAR).unlink()
    assert keep_similar(place.workspace, view.id) == LIMIT and [one.run_folder for one in orders] == [str(view.folder)]
    journal = (place.workspace.root / "journal.jsonl").read_text(encoding="utf-8")
    assert journal.count("outlier limit fixed") == 1
    monkeypatch.setattr(outliers, "run_errand", lambda order, **_: [])
    (view.folder / OUTLIER).unlink()
    with pytest.raises(InputError, match="finite"):
        keep_similar(place.workspace, view.id)


def test_a_model_from_elsewhere_has_no_images_to_compare_with(
    place: SimpleNamespace, view: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = replace(view, spec=replace(view.spec, dataset_id=""))
    monkeypatch.setattr(training, "view", lambda *_: foreign)
    with pytest.raises(UsageError, match="do not travel"):
        keep_similar(place.workspace, view.id)
