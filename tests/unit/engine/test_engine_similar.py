"""How unlike its training images an image is: kept with every run, told with every prediction, never carried away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medfm_gui.base import wire
from medfm_gui.datasets.files import read_dataset, read_split
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.run import ExportSpec, OutlierSpec, SimilarSpec, StudyImage, StudySpec, TrainSpec
from medfm_gui.domain.similar import OutlierLimit
from medfm_gui.engine import outlier
from medfm_gui.engine.job import events_of
from medfm_gui.engine.outlier import OUTLIER, drawn
from medfm_gui.engine.outlier_scores import SCORES
from medfm_gui.engine.portable import export_model
from medfm_gui.engine.predict import OpenModels, predict_study
from medfm_gui.engine.similar import NEAR, SIMILAR, SimilarCases, SimilarFacts, read_similar, same_patient, vectors_of
from medfm_gui.engine.train import run_training
from medfm_gui.metrics import outliers

Order = Callable[..., tuple[TrainSpec, Path]]


@pytest.fixture(autouse=True)
def few_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of the few patients that the tiny datasets have."""
    monkeypatch.setattr(outliers.fit_limit, "__kwdefaults__", {"level": 0.75})


def _trained(order: Order, adapt: str, **changes: Any) -> tuple[TrainSpec, Path, list[ev.Event]]:
    spec, folder = order(adapt, **changes)
    return spec, folder, list(run_training(spec, folder))


def _asked(folder: Path, pixels: dict[str, Any], made: Path) -> dict[str, ev.StudyPredicted]:
    images = []
    for name, image in pixels.items():
        np.save(made / f"{name}.npy", image)
        images.append(StudyImage(name, str(made / f"{name}.npy")))
    said = predict_study(StudySpec((str(folder),), tuple(images), str(made / "maps")))
    return {event.source: event for event in said if isinstance(event, ev.StudyPredicted)}


def _image(spec: TrainSpec, number: int) -> Any:
    return np.array(PixelCache(Path(spec.pixels)).image(f"s{number:06d}"))


@pytest.mark.parametrize("adapt", ["knn", "linear", "linear-grid", "lora", "full"])
def test_every_run_tells_its_training_images_from_others(order: Order, tmp_path: Path, adapt: str) -> None:
    spec, folder, said = _trained(order, adapt)
    written = {event.name for event in said if isinstance(event, ev.FileWritten)}
    assert {OUTLIER, SIMILAR} <= written
    limit = wire.read(OutlierLimit, folder / OUTLIER)
    assert (limit.fitted_on, limit.n, limit.n_patients) == ("cal", 9, 5) and limit.note == ""
    assert (limit.references, limit.of, limit.k) == (20, 20, NEAR)
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    noise[:, :, 0], noise[:, :, 1] = 255, 0
    found = _asked(folder, {"own": _image(spec, 4), "new": _image(spec, 43), "noise": noise}, tmp_path)
    scores = {name: event.outlier_score for name, event in found.items() if event.outlier_score is not None}
    assert len(scores) == 3 and all(0 <= score <= 2 for score in scores.values())
    assert scores["noise"] > max(scores["own"], scores["new"])
    assert limit.limit is not None and scores["noise"] > limit.limit
    nearest = found["own"].similar
    assert len(nearest) == 5 and [case.distance for case in nearest] == sorted(case.distance for case in nearest)
    assert nearest[0].sample == "s000004" and nearest[0].labels == ("benign",)
    assert nearest[0].distance == pytest.approx(0, abs=2e-3)
    train = {f"s{number:06d}" for number in range(20)}
    assert all(case.sample in train for event in found.values() for case in event.similar), "no case of the test"


def test_labels_that_occur_together_are_all_named(order: Order, tmp_path: Path) -> None:
    spec, folder, _ = _trained(order, "linear", data="multilabel")
    found = _asked(folder, {str(number): _image(spec, number) for number in (3, 4, 5)}, tmp_path)
    assert [found[name].similar[0].labels for name in ("3", "4", "5")] == [("left", "right"), (), ("left",)]


def test_a_frozen_backbone_computes_no_image_twice(order: Order) -> None:
    spec, folder = order("linear")
    said = list(run_training(spec, folder))
    looks = [event for event in said if isinstance(event, ev.FeaturesReady)]
    assert len(looks) >= 4 and sum(event.computed for event in looks[1:]) == 0


def test_of_a_trained_backbone_few_training_images_are_looked_at_again(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlier, "_FEWEST", 4)
    _, folder, said = _trained(order, "full", recipe={"epochs": 2})
    kept = read_similar(folder)
    assert kept is not None and len(kept.rows) == 4 and kept.facts.of == 20, "nine per cent of two epochs of twenty"
    assert {int(row.argmax()) for row in kept.labels} == {0, 1}
    stages = [event for event in said if isinstance(event, ev.StageStarted) and event.stage == "features"]
    assert [event.total for event in stages] == [4]


def test_without_calibration_images_validation_sets_the_limit_and_that_is_said(bench: Any, order: Order) -> None:
    spec, folder = order("linear", split=_without(bench, "cal"))
    list(run_training(spec, folder))
    limit = wire.read(OutlierLimit, folder / OUTLIER)
    assert limit.fitted_on == "val" and limit.note == "also used for model selection"
    spec, folder = order("linear", split=spec.split, recipe={"protocol": "two-stage"})
    list(run_training(spec, folder))
    limit = wire.read(OutlierLimit, folder / OUTLIER)
    assert (limit.limit, limit.fitted_on, limit.of) == (None, "", 31) and "no calibration image" in limit.note


def _without(bench: Any, side: str) -> Any:
    """The split with the images of one side left out."""
    from medfm_gui.base.atomic import sha256_file
    from medfm_gui.datasets.files import read_split, write_split
    from medfm_gui.domain.run import FileRef

    path = Path(bench.spec().split.path)
    split = read_split(path)
    kept = tuple(one for one in split.assignments if one.partition != side)
    other = path.with_name(f"without-{side}.json")
    write_split(other, replace(split, assignments=kept))
    return FileRef(str(other), sha256_file(other))


def test_a_single_training_image_can_be_compared_with(order: Order, tmp_path: Path) -> None:
    cases = SimilarCases(torch.tensor([[1.0, 0.0]]), torch.tensor([[0, 1]]), SimilarFacts(("s1",), ("a", "b"), 1, ""))
    score, nearest = cases.of_image(torch.tensor([[0.0, 3.0]]))
    assert score == pytest.approx(1) and [(case.sample, case.labels) for case in nearest] == [("s1", ("b",))]
    assert cases.of_image(torch.tensor([[torch.nan, 1.0]])) == (None, ())
    assert cases.of_image(torch.tensor([[torch.inf, 1.0]])) == (None, ())
    assert cases.of_image(torch.zeros(1, 2))[0] == pytest.approx(1)
    assert len(cases.near(torch.empty(0, 2)).scores) == 0


def test_images_of_ones_own_patient_do_not_count() -> None:
    rows = vectors_of(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]))
    cases = SimilarCases(rows, torch.zeros(3, 1), SimilarFacts(("a", "b", "c"), ("x",), 3, ""))
    barred = same_patient(["p1", "p2", "p3"], ["p1", "p1", "p2"])
    assert barred is not None and same_patient(None, ["p1"]) is None
    free, kept = cases.near(rows).scores, cases.near(rows, barred).scores
    assert kept[0] == pytest.approx(1, abs=1e-6) and kept[0] > free[0], "the third alone is of another patient"
    alone = same_patient(["p1", "p1", "p1"], ["p1", "p1", "p1"])
    assert cases.near(rows, alone).scores.isnan().all(), "nobody is left to be compared with"


def test_equal_distances_are_in_the_order_of_the_training_images_each_time() -> None:
    rows = vectors_of(torch.ones(12, 3))
    cases = SimilarCases(rows, torch.zeros(12, 1), SimilarFacts(tuple(map(str, range(12))), ("x",), 12, ""))
    first = cases.of_image(torch.ones(1, 3))
    assert first == cases.of_image(torch.ones(1, 3)) and first[0] == pytest.approx(0, abs=1e-6)


def test_tokens_are_compared_by_their_mean() -> None:
    tokens = torch.arange(24.0).reshape(2, 3, 4)
    assert torch.allclose(vectors_of(tokens), vectors_of(tokens.mean(dim=1)))
    assert vectors_of(torch.full((1, 2), 1e30))[0].isfinite().all()


def test_every_class_is_drawn_in_its_proportion(bench: Any) -> None:
    dataset: Dataset = read_dataset(Path(bench.spec().dataset.path).parent)
    samples = tuple(
        replace(sample, target=(int(number < 5),)) for number, sample in enumerate(dataset.samples)
    )  # five of forty-seven
    rare = replace(dataset, samples=samples)
    ids = [sample.id for sample in samples]
    some = drawn(rare, ids, 20, seed=1)
    assert len(some) == 20 and some == [one for one in ids if one in some]
    assert sum(ids.index(one) < 5 for one in some) in (2, 3)
    assert drawn(rare, ids, 20, seed=1) == some != drawn(rare, ids, 20, seed=2)
    assert len({ids.index(one) < 5 for one in drawn(rare, ids, 2, seed=1)}) == 2, "one of each class before a second"
    assert drawn(rare, ids, 100, seed=1) == ids


def test_a_damaged_file_costs_the_comparison_and_not_the_prediction(order: Order, tmp_path: Path) -> None:
    spec, folder, _ = _trained(order, "linear")
    whole = (folder / SIMILAR).read_bytes()
    (folder / SIMILAR).write_bytes(whole[:-20])
    with pytest.raises(InputError, match="damaged"):
        read_similar(folder)
    (event,) = _asked(folder, {"a": _image(spec, 41)}, tmp_path).values()
    assert len(event.scores) == 2 and event.outlier_score is None and event.similar == ()
    (folder / SIMILAR).unlink()
    assert read_similar(folder) is None
    _, other, _ = _trained(order, "linear", recipe={"epochs": 1})
    (folder / SIMILAR).write_bytes((other / SIMILAR).read_bytes())
    assert read_similar(folder) is None, "of another training"


def test_a_worker_that_stays_hears_of_features_that_came_later(order: Order, tmp_path: Path) -> None:
    _, folder, _ = _trained(order, "linear")
    models, device = OpenModels(), torch.device("cpu")
    whole = (folder / SIMILAR).read_bytes()
    (folder / SIMILAR).unlink()
    assert models.open(folder, device).similar is None
    (folder / SIMILAR).write_bytes(whole)
    assert models.open(folder, device).similar is not None


@pytest.mark.parametrize("changes", [{}, {"recipe": {"protocol": "two-stage"}}, {"shots": 2}])
def test_a_finished_run_gets_the_same_files_afterwards(order: Order, changes: dict[str, Any]) -> None:
    _, folder, _ = _trained(order, "linear", **changes)
    files = {name: (folder / name).read_bytes() for name in (OUTLIER, SIMILAR)}
    for name in files:
        (folder / name).unlink()
    said = list(events_of(SimilarSpec(str(folder), "cpu"), folder))
    assert {event.name for event in said if isinstance(event, ev.FileWritten)} == set(files)
    assert {name: (folder / name).read_bytes() for name in files} == files


def test_a_trained_backbone_gets_them_afterwards_too(order: Order) -> None:
    _, folder, _ = _trained(order, "full")
    whole = (folder / SIMILAR).read_bytes()
    (folder / SIMILAR).unlink()
    list(events_of(SimilarSpec(str(folder), "cpu"), folder))
    assert (folder / SIMILAR).read_bytes() == whole


def test_a_model_that_travels_leaves_its_training_images_behind(order: Order, tmp_path: Path) -> None:
    _, folder, _ = _trained(order, "full")
    out = tmp_path / "out"
    list(export_model(ExportSpec(str(folder), str(out))))
    names = {path.name for path in out.rglob("*") if path.is_file()}
    assert names and not names & {OUTLIER, SIMILAR}


@pytest.mark.parametrize("aggregate", ["mean", "attention"])
def test_each_image_of_a_patient_is_compared_by_itself(order: Order, tmp_path: Path, aggregate: str) -> None:
    spec, folder, _ = _trained(order, "linear", data="multilabel", recipe={"aggregate": aggregate, "unit": "patient"})
    limit = wire.read(OutlierLimit, folder / OUTLIER)
    assert (limit.n, limit.n_patients, limit.references) == (9, 5, 20) and limit.limit_pooled is not None
    images = []
    for number in (3, 44):
        np.save(tmp_path / f"{number}.npy", _image(spec, number))
        images.append(StudyImage(str(number), str(tmp_path / f"{number}.npy"), case="one"))
    said = predict_study(StudySpec((str(folder),), tuple(images), str(tmp_path / "maps")))
    own, other = (event for event in said if isinstance(event, ev.StudyPredicted))
    assert own.scores == other.scores and own.similar[0].sample == "s000003"
    assert own.outlier_score != other.outlier_score


@pytest.mark.parametrize("adapt", ["linear", "linear-grid", "full"])
def test_every_image_of_a_partition_is_scored_as_one_by_one(order: Order, tmp_path: Path, adapt: str) -> None:
    spec, folder, _ = _trained(order, adapt)
    said = list(events_of(OutlierSpec(str(folder), "test", str(tmp_path), "cpu"), folder))
    assert [event.name for event in said if isinstance(event, ev.FileWritten)] == [SCORES]
    with np.load(tmp_path / SCORES) as kept:
        found = dict(zip(kept["sample"].tolist(), kept["scores"][:, 0].tolist(), strict=True))
    tested = {one.sample for one in read_split(Path(spec.split.path)).assignments if one.partition == "test"}
    assert set(found) == tested and len(found) > 2
    some = sorted(found)[:3]
    alone = _asked(folder, {one: _image(spec, int(one[1:])) for one in some}, tmp_path)
    for one in some:
        assert found[one] == pytest.approx(alone[one].outlier_score, abs=2e-3)


def test_an_image_is_not_compared_with_itself(order: Order, tmp_path: Path) -> None:
    spec, folder, _ = _trained(order, "linear")
    list(events_of(OutlierSpec(str(folder), "train", str(tmp_path), "cpu"), folder))
    with np.load(tmp_path / SCORES) as kept:
        own = float(kept["scores"][list(kept["sample"]).index("s000004"), 0])
    said = _asked(folder, {"a": _image(spec, 4)}, tmp_path)["a"]
    assert said.outlier_score is not None and said.similar[0].sample == "s000004" and own > said.outlier_score
    (folder / SIMILAR).unlink()
    with pytest.raises(UsageError, match="kept no training images"):
        list(events_of(OutlierSpec(str(folder), "test", str(tmp_path), "cpu"), folder))


def test_without_a_limit_it_is_not_said_what_the_limit_rests_on(
    bench: Any, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults: Any = outliers.fit_limit.__kwdefaults__
    monkeypatch.setitem(defaults, "level", 0.99)  # of so few patients there is none
    spec, folder = order("linear", split=_without(bench, "cal"))
    list(run_training(spec, folder))
    limit = wire.read(OutlierLimit, folder / OUTLIER)
    assert limit.limit is None and limit.fitted_on == "val"
    assert "needed for a" in limit.note and "model selection" not in limit.note
