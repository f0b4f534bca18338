"""Whatever the dataset: a made split parts no patient and no image, and does not depend on the order of samples."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from medfm_gui.datasets.fingerprint import dataset_fingerprint
from medfm_gui.datasets.leaks import find_leaks
from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import SplitError
from medfm_gui.domain.split import Partition, Split

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    task = draw(st.sampled_from([Task.BINARY, Task.MULTICLASS, Task.MULTILABEL]))
    width = {Task.BINARY: 2, Task.MULTICLASS: 3, Task.MULTILABEL: 3}[task]
    one = st.tuples(*[st.integers(-1, 1)] * width) if task is Task.MULTILABEL else st.tuples(st.integers(0, width - 1))
    facts = draw(
        st.lists(
            st.tuples(
                one,
                st.none() | st.integers(0, 12),
                st.integers(0, 25),
                st.none() | st.integers(0, 15),
                st.none() | st.sampled_from("1234"),
            ),
            min_size=4,
            max_size=45,
        )
    )
    samples = tuple(
        Sample(
            f"s{n:06d}",
            f"{n}.png",
            target,
            patient=None if patient is None else f"p{patient}",
            group=None if group is None else f"g{group}",
            fold=fold,
            pixels_sha256=f"{pixels:064x}",
        )
        for n, (target, patient, pixels, group, fold) in enumerate(facts)
    )
    names = ("a", "b", "c")[:width]
    return Dataset("d", "d", "csv", task, names, "/nowhere", samples, "f", "b" if task is Task.BINARY else None)


requests = st.builds(
    SplitRequest,
    ratios=st.sampled_from(["70/15/15", "60/10/15/15", "34/33/33"]),
    by=st.sampled_from(["patient", "patient", "group"]),
    seed=st.integers(0, 5),
    folds=st.sampled_from([0, 0, 2, 3, 5]),
)


def made(dataset: Dataset, request: SplitRequest) -> tuple[Split, ...]:
    assume(request.by != "group" or any(sample.group for sample in dataset.samples))
    try:
        return make_split(dataset, request)
    except SplitError as error:
        assert type(error) is SplitError  # never a leak
        assume(False)
        raise


@QUICK
@given(datasets(), requests)
def test_no_patient_group_or_image_stands_on_two_sides(dataset: Dataset, request: SplitRequest) -> None:
    by_id = {sample.id: sample for sample in dataset.samples}
    for split in made(dataset, request):
        assert len(split.assignments) == len(dataset.samples)
        for key in ("patient", "pixels_sha256", "group"):
            sides: dict[str, Partition] = {}
            for item in split.assignments:
                value = getattr(by_id[item.sample], key)
                assert value is None or sides.setdefault(value, item.partition) is item.partition


@QUICK
@given(datasets(), requests, st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_nothing(dataset: Dataset, request: SplitRequest, rng: random.Random) -> None:
    shuffled = list(dataset.samples)
    rng.shuffle(shuffled)
    other = replace(dataset, samples=tuple(shuffled))
    first, second = made(dataset, request), made(other, request)
    assert [set(split.assignments) for split in first] == [set(split.assignments) for split in second]
    assert [split.fingerprint for split in first] == [split.fingerprint for split in second]
    assert dataset_fingerprint(dataset.task, dataset.classes, shuffled) == dataset_fingerprint(
        dataset.task, dataset.classes, dataset.samples
    )


@QUICK
@given(datasets())
def test_every_class_is_learnt_and_tested(dataset: Dataset) -> None:
    assume(dataset.task is not Task.MULTILABEL)
    (split,) = made(dataset, SplitRequest(ratios="70/15/15"))
    target = {sample.id: sample.target for sample in dataset.samples}
    for side in (Partition.TRAIN, Partition.TEST):
        assert {target[sample] for sample in split.samples_in(side)} == {(n,) for n in range(len(dataset.classes))}


@QUICK
@given(datasets(), st.data())
def test_dropping_what_leaks_leaves_no_leak_and_a_whole_test(dataset: Dataset, data: st.DataObject) -> None:
    sides = {sample.id: data.draw(st.sampled_from(list(Partition))) for sample in dataset.samples}
    leaks = find_leaks(dataset, sides)
    dropped = {leak.a for leak in leaks}
    kept = {sample: side for sample, side in sides.items() if sample not in dropped}
    assert not find_leaks(dataset, kept)
    assert all(side is not Partition.TEST for sample, side in sides.items() if sample in dropped)
    for leak in leaks:
        assert leak.partitions == (sides[leak.a].value, sides[leak.b].value)
        assert sides[leak.a] is not sides[leak.b]


@settings(QUICK, max_examples=25)
@given(datasets())
def test_official_folds_leak_or_do_not(dataset: Dataset) -> None:
    assume(len({sample.fold for sample in dataset.samples if sample.fold}) > 1)
    try:
        splits = make_split(dataset, SplitRequest(drop=True))
    except SplitError:
        assume(False)
        raise
    for split in splits:
        assert not find_leaks(dataset, {item.sample: item.partition for item in split.assignments})
