"""Numbers of drawn regions: against brute force, bodies whose numbers are known, and MONAI where it is installed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.names import METRICS
from medfm_gui.metrics.segmentation import (
    MEASURES,
    CaseScore,
    ClassScore,
    case_means,
    case_values,
    pooled_overlap_of,
    score_case,
)
from medfm_gui.metrics.studies import pooled_overlap

Labels = npt.NDArray[np.int64]


def _edge(mask: npt.NDArray[np.bool_]) -> list[tuple[int, ...]]:
    found = []
    for place in zip(*np.nonzero(mask), strict=True):
        for axis, step in product(range(mask.ndim), (-1, 1)):
            other = list(place)
            other[axis] += step
            inside = all(0 <= at < size for at, size in zip(other, mask.shape, strict=True))
            if not inside or not mask[tuple(other)]:
                found.append(tuple(int(at) for at in place))
                break
    return found


def _brute(
    truth: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_], spacing: Sequence[float], tolerance: float
) -> tuple[float, float]:
    edges = [np.array(_edge(mask)) * np.array(spacing) for mask in (truth, said)]
    lengths = np.sqrt(((edges[0][:, None] - edges[1][None]) ** 2).sum(axis=2))
    near = [lengths.min(axis=1), lengths.min(axis=0)]
    right = sum(int((one <= tolerance + 1e-9).sum()) for one in near)
    return right / sum(map(len, near)), max(float(np.percentile(one, 95)) for one in near)


def _random(shape: tuple[int, ...], classes: int, seed: int) -> tuple[Labels, Labels]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, shape)
    return truth, np.where(random.random(shape) < 0.7, truth, random.integers(0, classes, shape))


@pytest.mark.parametrize(
    ("shape", "spacing"), [((9, 11), (0.7, 1.3)), ((5, 6, 7), (0.7, 0.7, 2.5)), ((1, 6, 7), (5.0, 1.0, 0.5))]
)
def test_every_number_is_that_of_brute_force(shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    for seed in range(4):
        truth, said = _random(shape, 4, seed)
        found = score_case(truth, said, classes=4, spacing_mm=spacing, tolerance_mm=1.4, case="a")
        assert found.case == "a" and [one.label for one in found.classes] == [1, 2, 3]
        for one in found.classes:
            theirs, ours = truth == one.label, said == one.label
            both, either = int((theirs & ours).sum()), int((theirs | ours).sum())
            assert (one.n_reference, one.n_predicted, one.n_both) == (theirs.sum(), ours.sum(), both)
            assert one.dice == pytest.approx(2 * both / (theirs.sum() + ours.sum()))
            assert one.iou == pytest.approx(both / either)
            assert (one.nsd, one.hd95_mm) == pytest.approx(_brute(theirs, ours, spacing, 1.4))
            if len(shape) == 2:
                assert math.isnan(one.volume_error_ml)
            else:
                assert one.volume_error_ml == pytest.approx(
                    (int(ours.sum()) - int(theirs.sum())) * np.prod(spacing) / 1e3
                )


def test_a_cube_that_is_moved_along_the_slices() -> None:
    truth = np.zeros((12, 30, 30), np.uint8)
    truth[2:8, 5:25, 5:25] = 1
    said = np.roll(truth, 1, axis=0)
    (one,) = score_case(truth, said, classes=2, spacing_mm=(5.0, 0.8, 0.8), tolerance_mm=4.9).classes
    assert one.dice == pytest.approx(5 / 6) and one.iou == pytest.approx(5 / 7)
    assert one.volume_error_ml == 0 and one.hd95_mm == pytest.approx(5.0)
    # the walls of the shared slices agree; of the slice that left, pixels deeper than 4.9 mm inside do not
    assert 0 < one.nsd < 1
    (at,) = score_case(truth, said, classes=2, spacing_mm=(5.0, 0.8, 0.8), tolerance_mm=5.0).classes
    assert at.nsd == 1.0, "a distance that equals the tolerance lies within it"


def test_a_ball_in_pixels_that_are_no_cubes_against_a_larger_one() -> None:
    spacing = np.array((2.0, 1.0, 0.5))
    sizes = (23, 45, 89)
    axes = [(np.arange(size) - size // 2) * step for size, step in zip(sizes, spacing, strict=True)]
    far = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))
    small, large = (far <= 15).astype(np.int16), (far <= 18).astype(np.int16)
    (one,) = score_case(small, large, classes=2, spacing_mm=spacing.tolist(), tolerance_mm=5.0).classes
    volumes = [4 / 3 * math.pi * radius**3 / 1000 for radius in (15, 18)]
    assert one.volume_error_ml == pytest.approx(volumes[1] - volumes[0], rel=0.02)
    assert one.dice == pytest.approx(2 * volumes[0] / sum(volumes), rel=0.01)
    assert one.hd95_mm == pytest.approx(3.0, abs=1.0) and one.nsd == 1.0
    (strict,) = score_case(small, large, classes=2, spacing_mm=spacing.tolist(), tolerance_mm=0.9).classes
    assert strict.nsd < 0.05


def test_a_distance_equal_to_the_tolerance_but_for_rounding_lies_within() -> None:
    truth, said = np.zeros((1, 9), int), np.zeros((1, 9), int)
    truth[0, 2], said[0, 5] = 1, 1
    assert 3 * 0.7 != 2.1
    (one,) = score_case(truth, said, classes=2, spacing_mm=(1, 0.7), tolerance_mm=2.1).classes
    assert one.nsd == 1.0 and one.hd95_mm == pytest.approx(2.1) and one.dice == 0.0
    (one,) = score_case(truth, said, classes=2, spacing_mm=(1, 0.7), tolerance_mm=2.09).classes
    assert one.nsd == 0.0


def _three_cases() -> list[CaseScore]:
    """A hit, a missed region, a region drawn where there is none, and nothing on either side."""
    none, drawn = np.zeros((4, 4, 4), int), np.zeros((4, 4, 4), int)
    drawn[1:3, 1:3, 1:3] = 1
    pairs = [(drawn, drawn), (drawn, none), (none, drawn), (none, none)]
    return [score_case(truth, said, classes=2, spacing_mm=(1, 1, 1), tolerance_mm=1) for truth, said in pairs]


def test_empty_masks_are_as_the_table_says() -> None:
    hit, missed, invented, nothing = (case.classes[0] for case in _three_cases())
    assert (hit.dice, hit.iou, hit.nsd, hit.hd95_mm, hit.volume_error_ml) == (1, 1, 1, 0, 0)
    assert (missed.dice, missed.iou, missed.nsd, missed.hd95_mm) == (0, 0, 0, math.inf)
    assert missed.volume_error_ml == pytest.approx(-0.008)
    assert math.isnan(invented.dice) and math.isnan(invented.iou)
    assert (invented.nsd, invented.hd95_mm) == (0, math.inf) and invented.volume_error_ml == pytest.approx(0.008)
    assert all(math.isnan(value) for value in (nothing.dice, nothing.iou, nothing.nsd, nothing.hd95_mm))
    assert nothing.volume_error_ml == 0


def test_means_leave_out_what_is_none_and_count_it() -> None:
    means = {item.metric: item for item in case_means(_three_cases()) if item.label == 1}
    assert set(means) == set(MEASURES) <= set(METRICS)
    dice = means["dice_case_mean"]
    assert (dice.mean, dice.mean_finite, dice.n, dice.n_undefined, dice.n_infinite) == (0.5, 0.5, 2, 2, 0)
    assert means["nsd_case_mean"].mean == pytest.approx(1 / 3) and means["nsd_case_mean"].n_undefined == 1
    far = means["hd95_case_mean"]
    assert (far.mean, far.mean_finite, far.n, far.n_undefined, far.n_infinite) == (math.inf, 0.0, 3, 1, 2)
    assert means["volume_error_case_mean"].mean == pytest.approx(0)
    assert means["volume_error_absolute_case_mean"].mean == pytest.approx(0.004)
    flat = score_case([[0, 0]], [[0, 0]], classes=2, spacing_mm=(1, 1), tolerance_mm=1)
    assert all((item.mean, item.mean_finite, item.n) == (None, None, 0) for item in case_means([flat]))


def test_the_mean_of_all_classes_is_taken_in_each_case_first() -> None:
    def case(*values: float) -> CaseScore:
        ones = [
            ClassScore(label, 1, 1, 1, value, value, value, value, value) for label, value in enumerate(values, start=1)
        ]
        return CaseScore("", tuple(ones), 1.0)

    cases = [case(0.2, 0.6), case(1.0, math.nan), case(math.nan, math.nan)]
    assert case_values(cases, "dice_case_mean") == pytest.approx([0.4, 1.0, math.nan], nan_ok=True)
    assert case_values(cases, "dice_case_mean", 2) == pytest.approx([0.6, math.nan, math.nan], nan_ok=True)
    whole = next(item for item in case_means(cases) if item.metric == "dice_case_mean" and item.label is None)
    assert whole.mean == pytest.approx(0.7) and (whole.n, whole.n_undefined) == (2, 1)


def test_the_pooled_overlap_is_that_of_study_b() -> None:
    pairs = [_random(shape, 5, seed) for seed, shape in enumerate([(8, 8), (3, 20), (16, 4)])]
    pairs = [(np.where(truth == 4, 0, truth), np.where(said == 4, 0, said)) for truth, said in pairs]
    cases = [score_case(*pair, classes=5, spacing_mm=(1, 1), tolerance_mm=1) for pair in pairs]
    truth, said = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    assert dict(pooled_overlap_of(cases)) == pytest.approx(dict(pooled_overlap(truth, said, 5)))
    empty = score_case([[0]], [[0]], classes=3, spacing_mm=(1, 1), tolerance_mm=1)
    assert pooled_overlap_of([empty]) == pooled_overlap([[0]], [[0]], 3)


@pytest.mark.parametrize(
    ("truth", "said", "more"),
    [
        ([[0, 1]], [[0], [1]], {}),
        ([0, 1], [0, 1], {}),
        ([[0.0, 1.0]], [[0.0, 1.0]], {}),
        ([[0, 1], [0]], [[0, 1]], {}),
        (np.zeros((0, 3), int), np.zeros((0, 3), int), {}),
        ([[0, 2]], [[0, 1]], {}),
        ([[0, 1]], [[0, -1]], {}),
        ([[0, 1]], [[0, 1]], {"spacing_mm": (1.0,)}),
        ([[0, 1]], [[0, 1]], {"spacing_mm": (1.0, 0.0)}),
        ([[0, 1]], [[0, 1]], {"spacing_mm": (1.0, math.nan)}),
        ([[0, 1]], [[0, 1]], {"spacing_mm": ("a", "b")}),
    ],
)
def test_wrong_images_are_refused(truth: Any, said: Any, more: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        score_case(truth, said, **{"classes": 2, "spacing_mm": (1, 1), "tolerance_mm": 1, **more})
    assert caught.value.message and caught.value.hint


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int16, np.uint64])
def test_any_whole_numbers_are_a_map(kind: npt.DTypeLike) -> None:
    truth, said = _random((6, 7), 2, 3)
    known = score_case(truth, said, classes=2, spacing_mm=(1, 2), tolerance_mm=1)
    found = score_case(truth.astype(kind), said.astype(kind), classes=2, spacing_mm=(1, 2), tolerance_mm=1)
    assert found.classes[0].n_both and repr(found) == repr(known)


def test_wrong_questions_are_refused() -> None:
    for classes, tolerance in ((1, 1.0), (2, -1.0), (2, math.nan), (2, math.inf)):
        with pytest.raises(UsageError):
            score_case([[0]], [[0]], classes=classes, spacing_mm=(1, 1), tolerance_mm=tolerance)
    one = score_case([[0, 1]], [[0, 1]], classes=2, spacing_mm=(1, 1), tolerance_mm=1)
    other = score_case([[0, 1]], [[0, 1]], classes=3, spacing_mm=(1, 1), tolerance_mm=1)
    wider = score_case([[0, 1]], [[0, 1]], classes=2, spacing_mm=(1, 1), tolerance_mm=2)
    for metric, label in (("auc", None), ("dice_case_mean", 0), ("dice_case_mean", 2)):
        with pytest.raises(UsageError):
            case_values([one], metric, label)
    for cases in ([], [one, other], [one, wider]):
        with pytest.raises(InputError):
            case_means(cases)
    with pytest.raises(InputError):
        pooled_overlap_of([])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_two_maps_have_numbers_in_their_range(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=3, max_side=5))
    maps = hnp.arrays(np.uint8, shape, elements=st.integers(0, 2))
    truth, said = data.draw(maps), data.draw(maps)
    spacing = [data.draw(st.floats(0.01, 100)) for _ in shape]
    found, turned = (
        score_case(*pair, classes=3, spacing_mm=spacing, tolerance_mm=1.0).classes
        for pair in ((truth, said), (said, truth))
    )
    for one, back in zip(found, turned, strict=True):
        shares = [value for value in (one.dice, one.iou, one.nsd) if not math.isnan(value)]
        assert all(0 <= value <= 1 for value in shares) and not one.hd95_mm < 0
        assert math.isnan(one.dice) == (one.n_reference == 0) and math.isinf(one.hd95_mm) == (
            (one.n_reference == 0) != (one.n_predicted == 0)
        )
        assert (one.nsd, one.hd95_mm) == pytest.approx((back.nsd, back.hd95_mm), nan_ok=True)
    assert len(case_means([score_case(truth, said, classes=3, spacing_mm=spacing, tolerance_mm=0)])) == 3 * len(
        MEASURES
    )


def _one_hot(maps: list[Labels], classes: int) -> Any:
    import torch

    hot = np.stack([np.stack([one == label for label in range(classes)]) for one in maps])
    return torch.from_numpy(hot.astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "spacing"), [((14, 17), (0.75, 1.25)), ((6, 9, 8), (3.0, 0.75, 0.75)), ((4, 4, 4), (1.0, 1.0, 1.0))]
)
def test_monai_says_the_same(shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metrics = pytest.importorskip("monai.metrics", reason="MONAI is not installed")
        pairs = [_random(shape, 4, seed) for seed in range(4)]
        # class 3: on both sides, missed, invented, on neither
        for place, (truth, said) in enumerate(pairs):
            truth[truth == 3] = 3 * (place in (0, 1))
            said[said == 3] = 3 * (place in (0, 2))
        cases = [score_case(*pair, classes=4, spacing_mm=spacing, tolerance_mm=1.5) for pair in pairs]
        truth, said = (_one_hot([pair[side] for pair in pairs], 4) for side in (0, 1))
        asked = [
            (metrics.DiceMetric(include_background=False), "dice_case_mean", {}),
            (metrics.MeanIoU(include_background=False), "iou_case_mean", {}),
            (metrics.SurfaceDiceMetric([1.5] * 3), "nsd_case_mean", {"spacing": spacing}),
            (metrics.HausdorffDistanceMetric(percentile=95), "hd95_case_mean", {"spacing": spacing}),
        ]
        plain = metrics.compute_hausdorff_distance(said, truth, spacing=spacing)[:, 2].tolist()
        means = {(item.metric, item.label): item for item in case_means(cases)}
        for metric, name, more in asked:
            theirs = metric(said, truth, **more).numpy()
            ours = np.stack([case_values(cases, name, label) for label in (1, 2, 3)], axis=1)
            ours[np.isinf(ours)] = np.nan  # its interpolation between infinities
            assert ours == pytest.approx(theirs, rel=1e-5, nan_ok=True), name
            classwise = metric.aggregate("mean_batch").numpy()
            said_here = [means[name, label].mean_finite for label in (1, 2, 3)]
            assert said_here == pytest.approx(classwise, rel=1e-5), name
            if name != "hd95_case_mean":
                assert means[name, None].mean == pytest.approx(float(metric.aggregate("mean")), rel=1e-5)
    here = case_values(cases, "hd95_case_mean", 3)
    assert [math.isinf(value) for value in plain] == np.isinf(here).tolist() == [False, True, True, False]
    assert math.isnan(plain[3]) and math.isnan(here[3])
