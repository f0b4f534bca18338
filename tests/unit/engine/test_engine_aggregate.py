"""Images of a patient as one case: mean, largest number, or attention, before one head."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medfm_gui.datasets.files import read_dataset
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.recipe import recipe_from
from medfm_gui.domain.run import PredictSpec, StudyImage, StudySpec, TrainSpec
from medfm_gui.engine.bank import BankKey, FeatureBank
from medfm_gui.engine.cases import bags_of, cases_of, rows_of
from medfm_gui.engine.features import StoredFeatures
from medfm_gui.engine.head import BagHead, HeadFacts
from medfm_gui.engine.predict import predict_study, predict_subset
from medfm_gui.engine.saved import open_model
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]
KEY = BankKey("m", "a", "mean", (0, 0, 0), (1, 1, 1), "w", 32, "1", "d", "cpu", "2")


def _results(events: Sequence[ev.Event]) -> dict[str, str]:
    return {event.name: event.sha256 for event in events if isinstance(event, ev.FileWritten)}


def _data(spec: TrainSpec) -> Dataset:
    return read_dataset(Path(spec.dataset.path).parent)


def _by_three(dataset: Dataset, images: int = 12) -> Dataset:
    """Three images a patient, the middle one's label changed for the second patient."""
    samples = tuple(
        replace(sample, patient=f"P{number // 3}", target=(int(number in (4, 6, 7, 8)),))
        for number, sample in enumerate(dataset.samples[:images])
    )
    return replace(dataset, samples=samples)


@pytest.fixture
def stored(tmp_path: Path) -> StoredFeatures:
    ids = [f"s{number:06d}" for number in range(12)]
    bank = FeatureBank(tmp_path, KEY)
    bank.append(ids, np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32))
    return StoredFeatures(bank, dict(zip(ids, ids, strict=True)))


def test_a_patient_has_the_worst_finding_and_all_its_images(bench: object, order: Order) -> None:
    dataset = _by_three(_data(order()[0]))
    cases = cases_of(dataset, [sample.id for sample in dataset.samples], "mean")
    assert cases.names == ("P0", "P1", "P2", "P3")
    assert cases.members[1] == ("s000003", "s000004", "s000005")
    assert cases.targets.tolist() == [0, 1, 1, 0]
    alone = cases_of(dataset, ["s000004", "s000003"], "none")
    assert alone.targets.tolist() == [1, 0]
    with pytest.raises(InputError, match="patient"):
        cases_of(replace(dataset, samples=tuple(replace(s, patient=None) for s in dataset.samples)), ["s000000"], "max")
    mixed = replace(dataset, task=Task.MULTICLASS, classes=("a", "b", "c"), positive=None)
    with pytest.raises(InputError, match="several classes"):
        cases_of(mixed, [sample.id for sample in dataset.samples], "mean")


@pytest.mark.parametrize("at_once", [2, 4096])
def test_rows_are_means_and_largest_numbers(
    order: Order, stored: StoredFeatures, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("medfm_gui.engine.cases._IMAGES_AT_ONCE", at_once)
    dataset = _by_three(_data(order()[0]))
    cases = cases_of(dataset, [sample.id for sample in dataset.samples], "mean")
    raw = stored.of([one for ids in cases.members for one in ids]).reshape(4, 3, 5)
    assert np.allclose(rows_of(stored, cases, "mean"), raw.mean(axis=1), atol=1e-6)
    assert np.array_equal(rows_of(stored, cases, "max"), raw.max(axis=1))
    assert rows_of(stored, cases.taken([]), "mean").shape == (0, 5)


def test_attention_does_not_see_what_was_filled_up(stored: StoredFeatures) -> None:
    members = [("s000000",), ("s000001", "s000002", "s000003")]
    bags, there = bags_of(stored, members)
    assert bags.shape == (2, 3, 5)
    assert there.tolist() == [[True, False, False], [True, True, True]]
    torch.manual_seed(0)
    head = BagHead(HeadFacts("bag", Task.BINARY, ("a", "b"), 5, aggregate="attention")).requires_grad_(False)
    together = head.bag_scores(bags, there).probabilities
    for place, ids in enumerate(members):
        alone = head.bag_scores(*bags_of(stored, [ids])).probabilities
        assert torch.allclose(together[place], alone[0], atol=1e-6)
    order = head.bag_scores(*bags_of(stored, [members[1][::-1]])).probabilities
    assert torch.allclose(order[0], together[1], atol=1e-6)
    single = head.scores(torch.from_numpy(stored.of(["s000000"]))).probabilities
    assert torch.allclose(single[0], together[0], atol=1e-6)


def test_attention_is_that_of_the_paper(stored: StoredFeatures) -> None:
    torch.manual_seed(0)
    head = BagHead(HeadFacts("bag", Task.BINARY, ("a", "b"), 5)).requires_grad_(False)
    h = torch.from_numpy(stored.of(["s000001", "s000002", "s000003"])).double()
    head = head.double()
    weights = [
        float((head.weight.weight @ (torch.tanh(head.value(row)) * torch.sigmoid(head.gate(row)))).item()) for row in h
    ]
    share = np.exp(weights) / np.exp(weights).sum()
    expected = head.linear(sum(a * row for a, row in zip(share.tolist(), h, strict=True)))
    assert torch.allclose(head(h[None], torch.ones(1, 3, dtype=torch.bool))[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("adapt", "aggregate"),
    [("linear", "mean"), ("linear", "max"), ("linear", "attention"), ("linear-grid", "mean"), ("knn", "max")],
)
def test_every_image_of_a_patient_has_the_score_of_its_case(
    order: Order, tmp_path: Path, adapt: str, aggregate: str
) -> None:
    recipe = {"aggregate": aggregate, "unit": "patient", "epochs": 3, "k": 3}
    spec, folder = order(adapt, data="multilabel", recipe=recipe)
    *_, last = run_training(spec, folder)
    assert isinstance(last, ev.RunFinished)
    held = np.load(folder / "predictions" / "val.npz")
    dataset = _data(spec)
    who = {sample.id: sample.patient for sample in dataset.samples}
    assert len(held["sample"]) == 11, "a row an image"
    by_patient: dict[str | None, set[bytes]] = {}
    for name, row in zip(held["sample"], held["scores"], strict=True):
        by_patient.setdefault(who[str(name)], set()).add(row.tobytes())
    assert all(len(rows) == 1 for rows in by_patient.values())
    assert len(by_patient) == 6
    assert open_model(folder, torch.device("cpu")).head.facts.aggregate == aggregate
    list(predict_subset(PredictSpec(str(folder), "val", str(tmp_path)), tmp_path))
    assert np.allclose(np.load(tmp_path / "val.npz")["scores"], held["scores"], atol=1e-6)


@pytest.mark.parametrize(
    ("adapt", "aggregate"),
    [("linear", "mean"), ("linear", "max"), ("linear", "attention"), ("linear-grid", "mean"), ("knn", "max")],
)
def test_slices_of_a_study_are_scored_together_as_they_were_in_training(
    order: Order, tmp_path: Path, adapt: str, aggregate: str
) -> None:
    """The threshold was fixed on scores of whole patients, so a study must get such a score too."""
    recipe = {"aggregate": aggregate, "unit": "patient", "epochs": 3, "k": 3}
    spec, folder = order(adapt, data="multilabel", recipe=recipe)
    list(run_training(spec, folder))
    held = np.load(folder / "predictions" / "val.npz")
    expected = dict(zip(map(str, held["sample"]), held["scores"], strict=True))
    who = {sample.id: sample.patient or "" for sample in _data(spec).samples}
    cache, images = PixelCache(Path(spec.pixels)), []
    for name in expected:
        np.save(tmp_path / f"{name}.npy", cache.image(name))
        images.append(StudyImage(f"/study/{name}", str(tmp_path / f"{name}.npy"), case=who[name]))
    cache.close()
    events = list(predict_study(StudySpec((str(folder),), tuple(images), str(tmp_path), device="cpu")))
    said = {Path(event.source).name: event for event in events if isinstance(event, ev.StudyPredicted)}
    assert said.keys() == expected.keys()
    for name, event in said.items():
        assert np.allclose(event.scores, expected[name], atol=1e-5)
        assert len(event.alone) == len(event.scores)
    apart = [replace(image, case="") for image in images]
    events = list(predict_study(StudySpec((str(folder),), tuple(apart), str(tmp_path), device="cpu")))
    for one in (event for event in events if isinstance(event, ev.StudyPredicted)):
        assert not one.alone
        assert np.allclose(one.scores, said[Path(one.source).name].alone, atol=1e-5)


def test_a_stopped_attention_over_images_ends_in_the_same_bytes(order: Order) -> None:
    recipe = {"aggregate": "attention", "unit": "patient", "epochs": 3}
    whole = list(run_training(*order("linear", recipe=recipe)))
    spec, folder = order("linear", recipe=recipe)
    for count in (6, 10):
        work = run_training(spec, folder)
        list(itertools.islice(work, count))
        work.close()
    assert _results(list(run_training(spec, folder))) == _results(whole)


def test_a_case_that_is_a_patient_is_counted_as_one() -> None:
    assert recipe_from("linear", {"aggregate": "mean"}).unit == "patient"
    assert recipe_from("linear", {}).unit == "image"
    with pytest.raises(UsageError, match="case is a patient"):
        recipe_from("linear", {"aggregate": "mean", "unit": "image"})
    for adapt, aggregate in (("full", "mean"), ("knn", "attention"), ("linear-grid", "attention")):
        with pytest.raises(UsageError, match="cannot make one case"):
            recipe_from(adapt, {"aggregate": aggregate})
