"""1 ⊂ 2 ⊂ 4 …: with one seed, more shots contain fewer, whatever the dataset looks like."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.engine.few_shot import draw

STEPS = (1, 2, 3, 4, 8, 16, 32)
CLASSES = ("a", "b", "c")
Rows = list[tuple[int, int, tuple[int, int, int]]]

rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 14), st.tuples(*[st.integers(0, 1)] * 3)), min_size=1, max_size=60
)


def dataset_of(drawn: Rows, task: Task, *, has_patients: bool) -> Dataset:
    samples = tuple(
        Sample(
            f"s{number:03d}",
            "",
            marks if task is Task.MULTILABEL else (label % (2 if task is Task.BINARY else 3),),
            patient=f"P{who}" if has_patients else None,
        )
        for number, (label, who, marks) in enumerate(drawn)
    )
    binary = task is Task.BINARY
    return Dataset("d", "d", "folder", task, CLASSES[: 2 if binary else 3], "", samples, "fp", "b" if binary else None)


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.ORDINAL, Task.MULTILABEL])
@pytest.mark.parametrize("all_images", [False, True])
@pytest.mark.parametrize("has_patients", [False, True])
@settings(max_examples=25, deadline=None)
@given(drawn=rows, seed=st.integers(0, 5))
def test_more_shots_contain_fewer(task: Task, all_images: bool, has_patients: bool, drawn: Rows, seed: int) -> None:
    dataset = dataset_of(drawn, task, has_patients=has_patients)
    ids = [sample.id for sample in dataset.samples]
    before: set[str] = set()
    for shots in STEPS:
        found = draw(dataset, ids, shots, seed, all_images=all_images)
        assert before <= set(found.ids)
        assert all(count <= shots for count in found.patients.values())
        before = set(found.ids)


@pytest.mark.parametrize("rule", ["study-b-even", "study-b-nih"])
@settings(max_examples=40, deadline=None)
@given(drawn=rows)
def test_the_published_rules_nest_where_shots_double(rule: str, drawn: Rows) -> None:
    dataset = dataset_of(drawn, Task.MULTILABEL if rule == "study-b-nih" else Task.MULTICLASS, has_patients=True)
    ids = [sample.id for sample in dataset.samples]
    before: set[str] = set()
    for shots in (1, 2, 4, 8, 16, 32):
        found = set(draw(dataset, ids, shots, 0, rule).ids)
        assert before <= found
        before = found
