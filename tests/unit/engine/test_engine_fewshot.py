"""A few shots: patients by lot, more containing fewer, Study B's rules, and every label that is used counted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from medfm_gui.datasets.targets import patients, targets
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.recipe import recipe_from
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.cases import cases_of
from medfm_gui.engine.few_shot import draw
from medfm_gui.engine.folds import folds_of
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]


def _dataset(labels: Sequence[tuple[int, ...]], who: Sequence[str | None], task: Task = Task.MULTICLASS) -> Dataset:
    samples = tuple(
        Sample(f"i{number:03d}", "", target, patient=patient)
        for number, (target, patient) in enumerate(zip(labels, who, strict=True))
    )
    classes = ("a", "b", "c") if task is not Task.BINARY else ("a", "b")
    positive = "b" if task is Task.BINARY else None
    return Dataset("d", "d", "folder", task, classes, "", samples, "fp", positive)


@pytest.fixture
def many() -> Dataset:
    """90 images of 45 patients, some with images of two classes; class c is rare."""
    random = np.random.default_rng(3)
    labels = [(int(label),) for label in random.choice(3, 90, p=(0.5, 0.4, 0.1))]
    return _dataset(labels, [f"P{number // 2}" for number in range(90)])


def _ids(dataset: Dataset) -> list[str]:
    return [sample.id for sample in dataset.samples]


def test_so_many_patients_a_class_and_one_image_each(many: Dataset) -> None:
    found = draw(many, _ids(many), 4, seed=0)
    assert np.bincount(targets(many, found.ids)).tolist() == [4, 4, 4]
    assert found.patients == {"a": 4, "b": 4, "c": 4}
    assert len(set(patients(many, found.ids) or ())) == 12, "no patient twice"
    assert list(found.ids) == sorted(found.ids), "in the order of the dataset"


def test_more_shots_contain_fewer(many: Dataset) -> None:
    for seed in range(5):
        drawn = [set(draw(many, _ids(many), shots, seed).ids) for shots in (1, 2, 4, 8, 16)]
        assert all(few < more for few, more in itertools.pairwise(drawn))


def test_each_seed_draws_others(many: Dataset) -> None:
    assert len({draw(many, _ids(many), 2, seed).ids for seed in range(5)}) == 5
    assert draw(many, _ids(many), 2, 3) == draw(many, _ids(many)[::1], 2, 3)


def test_all_images_of_a_patient_where_they_are_one_case(many: Dataset) -> None:
    one, every = (draw(many, _ids(many), 3, 0, all_images=joined).ids for joined in (False, True))
    assert set(one) < set(every)
    assert len(every) == 18


def test_a_rare_class_gives_what_it_has() -> None:
    dataset = _dataset([(0,)] * 9 + [(1,)], [None] * 10, Task.BINARY)
    found = draw(dataset, _ids(dataset), 4, 0)
    assert found.patients == {"a": 4, "b": 1}
    assert len(found.ids) == 5


def test_findings_are_drawn_one_by_one() -> None:
    labels = [(1, 1, 0), (0, 1, -1), (1, 0, 0), (0, 0, 0), (1, 1, 0), (0, 1, 0)]
    dataset = _dataset(labels, [None] * 6, Task.MULTILABEL)
    found = draw(dataset, _ids(dataset), 2, 1)
    assert found.patients == {"a": 2, "b": 2, "c": 0}
    assert "i003" not in found.ids


def test_study_b_takes_patients_in_each_of_whose_images_the_class_is() -> None:
    who = ["10", "10", "9", "9", "9", "2", "11", "11"]
    labels = [(0,), (0,), (0,), (1,), (0,), (0,), (1,), (1,)]
    dataset = _dataset(labels, who, Task.BINARY)
    found = draw(dataset, _ids(dataset), 1, seed=7, rule="study-b-nih")
    assert found.ids == ("i005", "i006", "i007"), "patient 2 before 10, in numbers; 9 has both classes"
    assert draw(dataset, _ids(dataset), 5, seed=0, rule="study-b-nih").patients == {"a": 2, "b": 1}


def test_study_b_else_takes_evenly_spaced_images(many: Dataset) -> None:
    ids = _ids(many)[:10]
    assert draw(many, ids, 4, seed=1, rule="study-b-even").ids == ("i000", "i002", "i005", "i008")
    assert draw(many, ids, 99, seed=1, rule="study-b-even").ids == tuple(ids)


def test_folds_keep_patients_together_and_classes_even() -> None:
    labels = [(number // 2 % 2,) for number in range(40)]
    cases = cases_of(
        *(lambda d: (d, _ids(d), "none"))(_dataset(labels, [f"P{n // 2}" for n in range(40)], Task.BINARY))
    )
    folds = folds_of(cases, Task.BINARY, seed=2)
    assert len(folds) == 5
    assert sorted(place for _, held in folds for place in held) == list(range(40))
    for learned, held in folds:
        assert not {cases.names[place] for place in learned} & {cases.names[place] for place in held}
        assert np.bincount(cases.targets[held]).tolist() == [4, 4]
    few = cases.taken([0, 2, 4, 6])
    assert len(folds_of(few, Task.BINARY, 0)) == 2
    assert folds_of(cases.taken([0, 2]), Task.BINARY, 0) == []
    assert folds_of(cases.taken([0, 4]), Task.BINARY, 0) == []


@pytest.mark.parametrize("adapt", ["linear", "linear-grid", "knn", "full"])
def test_settings_that_are_fixed_use_no_label_of_validation(order: Order, adapt: str) -> None:
    spec, folder = order(adapt, shots=3, recipe={"epochs": 2, "k": 2})
    *events, last = run_training(spec, folder)
    assert isinstance(last, ev.RunFinished)
    assert last.labels_used == 6
    assert any("No threshold" in event.message for event in events if isinstance(event, ev.Warned))
    assert not (folder / "operating_point.json").exists()
    assert 0 <= last.metrics["auc"] <= 1


@pytest.mark.parametrize("adapt", ["linear", "linear-grid"])
def test_cross_validation_on_the_shots_chooses_and_gives_a_threshold(order: Order, adapt: str) -> None:
    spec, folder = order(adapt, shots=5, recipe={"epochs": 4, "shot_tuning": "inner-cv"})
    *events, last = run_training(spec, folder)
    assert isinstance(last, ev.RunFinished)
    assert last.labels_used == 10
    assert "out-of-fold" in (folder / "operating_point.json").read_text()
    assert len([event for event in events if isinstance(event, ev.EpochFinished)]) == (1 if adapt == "linear" else 4)
    again = list(run_training(*order(adapt, shots=5, recipe={"epochs": 4, "shot_tuning": "inner-cv"})))
    assert [event.sha256 for event in again if isinstance(event, ev.FileWritten)] == [
        event.sha256 for event in events if isinstance(event, ev.FileWritten)
    ]


@pytest.mark.parametrize("adapt", ["linear", "linear-grid"])
def test_one_shot_cannot_be_cross_validated_and_says_so(order: Order, adapt: str) -> None:
    events = list(run_training(*order(adapt, shots=1, recipe={"epochs": 2, "shot_tuning": "inner-cv"})))
    assert any("cross-validated" in event.message for event in events if isinstance(event, ev.Warned))
    last = events[-1]
    assert isinstance(last, ev.RunFinished)
    assert last.labels_used == 2


def test_all_of_validation_may_be_used_and_is_counted(order: Order) -> None:
    *_, last = run_training(*order("linear", shots=3, recipe={"shot_tuning": "validation"}))
    assert isinstance(last, ev.RunFinished)
    assert last.labels_used == 6 + 11 + 9


def test_classes_that_have_too_few_patients_are_named(order: Order) -> None:
    events = list(run_training(*order("linear", shots=50)))
    (said,) = (event.message for event in events if isinstance(event, ev.Warned) and "50 patients" in event.message)
    assert "benign" in said


def test_what_cannot_be_tuned_is_refused() -> None:
    with pytest.raises(UsageError, match="cross-validation"):
        recipe_from("full", {"shot_tuning": "inner-cv"})
    with pytest.raises(UsageError, match="shot_rule"):
        recipe_from("linear", {"shot_rule": "mine"})


@pytest.mark.parametrize("task", [Task.BINARY, Task.ORDINAL])
def test_a_patient_who_is_one_case_is_drawn_for_the_finding_of_that_case(task: Task) -> None:
    """Healthy images of patients with a finding would else fill the shots of the healthy class."""
    labels = [(0,), (1,)] * 12 + [(0,), (0,)] * 12
    dataset = _dataset(labels, [f"P{number // 2}" for number in range(48)], task)
    for seed in range(5):
        found = draw(dataset, _ids(dataset), 4, seed, all_images=True)
        cases = cases_of(dataset, found.ids, "mean")
        assert np.bincount(cases.targets)[:2].tolist() == [4, 4]
        assert found.patients["a"] == found.patients["b"] == 4
