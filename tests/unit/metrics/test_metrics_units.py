"""Scores by lesion, eye, breast, study and patient: means and highest images, labels, patients, failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.evaluate import evaluate
from medfm_gui.metrics.scored import Scored


def scored(task: Task, targets: Any, scores: Any, units: tuple[str, ...], patients: tuple[str, ...] | None) -> Scored:
    classes = tuple("abcd"[: np.shape(scores)[1]])
    return Scored(
        tuple(f"s{place}" for place in range(len(units))), np.asarray(targets), np.asarray(scores, float), patients,
        task, classes, "b" if task is Task.BINARY else None, groups={"lesion": units},
    )  # fmt: skip


def binary(events: list[int], scores: list[float], units: tuple[str, ...], patients: tuple[str, ...] | None) -> Scored:
    return scored(Task.BINARY, events, [[1 - one, one] for one in scores], units, patients)


def test_a_lesion_has_the_mean_or_the_highest_of_its_images() -> None:
    images = binary([0, 1, 0, 0], [0.2, 0.6, 0.9, 0.1], ("x", "x", "y", ""), ("p", "p", "p", "q"))
    mean, highest = images.by_unit("lesion"), images.by_unit("lesion:max")
    assert mean.samples == highest.samples == ("x", "y", "s3"), "an image without a lesion stands for itself"
    assert mean.patients == ("p", "p", "q")
    assert mean.event_scores == pytest.approx([0.4, 0.9, 0.1])
    assert highest.event_scores == pytest.approx([0.6, 0.9, 0.1])
    assert list(mean.events) == [True, False, False], "positive where any image is"
    assert (mean.unit, highest.unit) == ("lesion", "lesion:max")
    assert "1 of 3 lesions have images of both kinds" in mean.note
    assert mean.clusters.repeated and not images.by_unit("patient").clusters.repeated


def test_a_failed_image_leaves_the_others_and_a_unit_of_failed_ones_fails() -> None:
    images = binary([0, 0, 1], [0.3, 0.5, 0.7], ("x", "x", "y"), None)
    broken = Scored(
        images.samples, images.targets, np.array([[0.7, 0.3], [np.nan, np.nan], [np.nan, np.nan]]), None, images.task,
        images.classes, images.positive, groups=images.groups,
    )  # fmt: skip
    for unit in ("lesion", "lesion:max"):
        found = broken.by_unit(unit)
        assert found.failed == ("y",) and found.event_scores[0] == pytest.approx(0.3)


def test_the_highest_of_several_findings_is_taken_for_each() -> None:
    images = scored(
        Task.MULTILABEL, [[1, UNKNOWN], [0, 0], [0, 1]], [[0.1, 0.8], [0.7, 0.2], [0.3, 0.4]], ("x", "x", "y"), None
    )
    found = images.by_unit("lesion:max")
    assert found.scores == pytest.approx(np.array([[0.7, 0.8], [0.3, 0.4]]))
    assert found.targets.tolist() == [[1, 0], [0, 1]]


def test_the_highest_grade_is_by_its_expectation() -> None:
    rows = [[0.1, 0.8, 0.1], [0.5, 0.0, 0.5], [0.0, 0.4, 0.6]]
    images = scored(Task.ORDINAL, [0, 2, 1], rows, ("x", "x", "x"), None)
    found = images.by_unit("lesion:max")
    assert found.scores == pytest.approx(np.array([rows[2]])) and found.targets.tolist() == [2]


def test_classes_without_order_have_no_highest_image() -> None:
    images = scored(Task.MULTICLASS, [0, 0, 1], [[0.6, 0.2, 0.2]] * 3, ("x", "x", "y"), None)
    assert len(images.by_unit("lesion")) == 2
    with pytest.raises(UsageError, match="no order"):
        images.by_unit("lesion:max")
    mixed = scored(Task.MULTICLASS, [0, 1, 1], [[0.6, 0.2, 0.2]] * 3, ("x", "x", "y"), None)
    with pytest.raises(InputError, match="1 lesion with images of several classes"):
        mixed.by_unit("lesion")


def test_what_cannot_be_counted_is_refused_by_name() -> None:
    images = binary([0, 1], [0.2, 0.6], ("x", "y"), None)
    with pytest.raises(InputError, match="one eye") as refused:
        images.by_unit("eye")
    assert "eyes" in refused.value.hint
    with pytest.raises(InputError, match="one patient"):
        images.by_unit("patient")
    with pytest.raises(UsageError, match="no unit"):
        images.by_unit("organ")
    with pytest.raises(UsageError, match="cannot be turned"):
        images.by_unit("lesion").by_unit("patient")
    with pytest.raises(InputError, match="1 lesion for 2 samples"):
        Scored(("a", "b"), np.array([0, 1]), np.full((2, 2), 0.5), None, Task.BINARY, ("a", "b"), "b",
               groups={"lesion": ("x",)})  # fmt: skip


def test_numbers_by_lesion_stay_clustered_by_patient() -> None:
    random = np.random.default_rng(0)
    n = 120
    patients = tuple(f"p{place // 4}" for place in range(n))
    units = tuple(f"{patients[place]} · {place // 2 % 2}" for place in range(n))
    events = random.integers(0, 2, n // 2).repeat(2)
    images = binary(events.tolist(), np.clip(0.3 + 0.3 * events + random.normal(0, 0.2, n), 0, 1).tolist(), units,
                    patients)  # fmt: skip
    rows = evaluate(images, run="r", subset="test", unit="lesion:max", point=None, sample_set="", code_version="")
    auc = next(row for row in rows if row.metric == "auc")
    assert (auc.unit, auc.n, auc.n_patients) == ("lesion:max", 60, 30) and auc.method == "clustered-bootstrap"
    order = np.array([units.index(name) for name in dict.fromkeys(units)])
    highest = np.maximum(images.event_scores[order], images.event_scores[order + 1])
    from sklearn.metrics import roc_auc_score

    assert auc.value == pytest.approx(roc_auc_score(events[order], highest))


@given(data=st.data(), n=st.integers(1, 12), rule=st.sampled_from(["lesion", "lesion:max"]))
@settings(max_examples=60, deadline=None)
def test_pooling_agrees_with_a_plain_loop(data: st.DataObject, n: int, rule: str) -> None:
    units = tuple(data.draw(st.lists(st.sampled_from(["", "x", "y", "z"]), min_size=n, max_size=n)))
    events = data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    values = data.draw(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=n, max_size=n))
    found = binary(events, values, units, None).by_unit(rule)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(units):
        places.setdefault(name or f"s{place}", []).append(place)
    assert found.samples == tuple(places)
    for at, own in enumerate(places.values()):
        known = [values[place] for place in own if not np.isnan(values[place])]
        wanted = np.nan if not known else max(known) if rule.endswith("max") else np.mean(known)
        assert found.event_scores[at] == pytest.approx(wanted, nan_ok=True)
        assert bool(found.events[at]) == any(events[place] for place in own)
