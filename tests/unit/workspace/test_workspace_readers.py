"""Human reads beside runs: sensitivity, specificity, agreement, the run at a reader's specificity, disagreements."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, NotFound, SealError, UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.metrics.proportions import wilson
from medfm_gui.workspace import data
from medfm_gui.workspace.opened_runs import opened_tests, read_opened
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.readers import MAJORITY, import_reads, reader_table
from tests.fixtures.opened import drawn_dataset, opened_run


def _write(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(head)
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("readers")
    with open_workspace(folder / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 800, per_patient=1)
        run = opened_run(workspace, dataset, signal=2.0)
        (split,) = data.splits_of(workspace, data.newest_split(workspace, dataset.id) or "")
        test = split.samples_in(Partition.TEST)
        truth = np.array([sample.target[0] for name in test for sample in dataset.samples if sample.id == name])
        random = np.random.default_rng(4)
        calls = {who: np.where(random.random(len(test)) < right, truth, 1 - truth) for who, right in
                 (("Dr A", 0.9), ("Dr <b>B</b>", 0.75), ("Dr C", 0.8))}  # fmt: skip
        rows = [(who, name, call) for who, made in calls.items() for name, call in zip(test, made, strict=True)]
        file = _write(folder / "reads.csv", ("Reader", "sample", "decision"), rows)
        reads = import_reads(workspace, file, dataset_id=dataset.id)
        yield SimpleNamespace(
            workspace=workspace, dataset=dataset, run=run, test=test, truth=truth, calls=calls, reads=reads,
            folder=folder, split=split,
        )  # fmt: skip


def test_sensitivity_and_specificity_of_each_reader(place: SimpleNamespace) -> None:
    found = reader_table(place.workspace, place.reads.id)
    value = {(row.run, row.metric): row for row in found.evaluations}
    for who, made in place.calls.items():
        hits, events = int((made & place.truth).sum()), int(place.truth.sum())
        row = value[f"reader:{who}", "sensitivity"]
        assert row.value == pytest.approx(hits / events) and (row.low, row.high) == pytest.approx(wilson(hits, events))
        right = ((made == 0) & (place.truth == 0)).sum() / (place.truth == 0).sum()
        assert value[f"reader:{who}", "specificity"].value == pytest.approx(right)
    assert {row.metric for row in found.agreement} == {"kappa_fleiss", "alpha_krippendorff"}
    assert len(found.disagreements) == sum(
        len({int(made[number]) for made in place.calls.values()} | {int(place.truth[number])}) > 1
        for number in range(len(place.test))
    )


def test_a_run_at_the_readers_specificity(place: SimpleNamespace) -> None:
    found = reader_table(place.workspace, place.reads.id, [place.run])
    scores = read_opened(place.workspace, opened_tests(place.workspace, [place.run])).runs[0].images.event_scores
    assert [pair.b for pair in found.pairs] == [f"reader:{who}" for who in place.calls]
    for pair, made in zip(found.pairs, place.calls.values(), strict=True):
        kept = (made[place.truth == 0] == 0).mean()
        assert float(pair.parameters["run_specificity"]) >= kept - 1e-6
        called = scores > float(pair.parameters["threshold"])
        shift = called[place.truth == 1].mean() - made[place.truth == 1].mean()
        assert pair.difference == pytest.approx(shift) and pair.p_adjusted >= pair.p  # type: ignore[operator]
        higher = scores[place.truth == 0] > np.nextafter(float(pair.parameters["threshold"]), -1)
        assert 1 - higher.mean() < kept, "the next lower threshold would lose specificity"
    points = [one for one in found.chart.series if one.name.startswith("reader")]
    assert len(found.chart.series) == 4 and all(one.markers and not one.joined for one in points)


def test_the_majority_and_an_adjudicator_as_reference(place: SimpleNamespace) -> None:
    by_majority = reader_table(place.workspace, place.reads.id, reference=MAJORITY)
    voted = sum(place.calls.values()) >= 2
    row = next(row for row in by_majority.evaluations if row.metric == "sensitivity")
    assert row.value == pytest.approx(place.calls["Dr A"][voted].mean()) and "flatters" in by_majority.note
    by_one = reader_table(place.workspace, place.reads.id, reference="Dr C")
    assert {row.run for row in by_one.evaluations} == {"reader:Dr A", "reader:Dr <b>B</b>"}
    with pytest.raises(NotFound, match="no reader"):
        reader_table(place.workspace, place.reads.id, reference="Dr Z")
    with pytest.raises(NotFound):
        reader_table(place.workspace, "../journal")


def test_ratings_of_two_readers_by_patient(place: SimpleNamespace) -> None:
    by_id = {sample.id: sample.patient for sample in place.dataset.samples}
    random = np.random.default_rng(1)
    ratings = {who: np.clip(random.integers(1, 4, len(place.test)) + 2 * place.truth, 1, 5) for who in "AB"}
    rows = [(who, by_id[name], value) for who, made in ratings.items() for name, value in
            zip(place.test, made, strict=True)]  # fmt: skip
    file = _write(place.folder / "ratings.csv", ("reader", "patient", "rating"), rows)
    reads = import_reads(place.workspace, file, dataset_id=place.dataset.id, split_id=place.split.id)
    found = reader_table(place.workspace, reads.id, [place.run])
    value = {row.metric: row.value for row in found.agreement}
    assert reads.unit == "patient" and found.evaluations[0].unit == "patient"
    assert value["kappa_cohen"] == pytest.approx(cohen_kappa_score(ratings["A"] >= 3, ratings["B"] >= 3))
    assert "alpha_krippendorff_ordinal" in value
    reader = next(one for one in found.chart.series if one.name == "reader A")
    assert len(reader.x) == 4 and list(reader.x) == sorted(reader.x)


@pytest.mark.parametrize(
    ("head", "row", "words"),
    (
        (("reader", "sample", "decision"), ("A", "TRAIN", 1), "no test image"),
        (("reader", "sample", "decision"), ("A", "TEST", "maybe"), "is no read"),
        (("reader", "sample", "rating"), ("A", "TEST", 6), "is no read"),
        (("reader", "sample", "decision"), ("", "TEST", 1), "names no reader"),
        (("reader", "sample", "decision"), ("A", "stranger", 1), "no sample of"),
        (("who", "sample", "decision"), ("A", "TEST", 1), "needs a column"),
    ),
)
def test_what_is_no_read_is_named(place: SimpleNamespace, head: Sequence[str], row: Sequence[Any], words: str) -> None:
    names = {"TRAIN": place.split.samples_in(Partition.TRAIN)[0], "TEST": place.test[0]}
    file = _write(place.folder / "bad.csv", head, [[names.get(str(cell), cell) for cell in row]])
    with pytest.raises(InputError, match=words):
        import_reads(place.workspace, file, dataset_id=place.dataset.id)


def test_a_sealed_test_is_not_told_by_its_readers(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 200, per_patient=1)
        (split,) = data.splits_of(workspace, data.newest_split(workspace, dataset.id) or "")
        rows = [(who, name, number % 2) for who in "AB" for number, name in enumerate(split.samples_in(Partition.TEST))]
        file = _write(tmp_path / "reads.csv", ("reader", "sample", "decision"), rows)
        reads = import_reads(workspace, file, dataset_id=dataset.id)
        with pytest.raises(SealError, match="is sealed") as caught:
            reader_table(workspace, reads.id)
        assert reads.id in caught.value.message and "--open-test" in caught.value.hint
        assert reader_table(workspace, reads.id, reference="majority").agreement
        opened_run(workspace, dataset)
        assert reader_table(workspace, reads.id).evaluations


def test_reads_are_of_two_classes(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 60, task=Task.MULTICLASS, classes=("a", "b", "c"))
        with pytest.raises(UsageError, match="two classes"):
            import_reads(workspace, tmp_path / "x.csv", dataset_id=dataset.id)
