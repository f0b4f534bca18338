"""Scores beside the reference: what is refused, what failed, and how images become patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]
Fail = Callable[[Scored, Sequence[int]], Scored]


def binary(targets: Sequence[int], scores: Sequence[float], patients: Sequence[str] | None) -> Scored:
    column = np.array(scores)
    return Scored(
        tuple(f"i{place}" for place in range(len(targets))),
        np.array(targets),
        np.stack([1 - column, column], axis=1),
        None if patients is None else tuple(patients),
        Task.BINARY,
        ("healthy", "ill"),
        "ill",
    )


def test_lists_are_taken_and_arrays_are_frozen(make_scored: MakeScored) -> None:
    scored = make_scored(images=2)
    again = replace(scored, samples=list(scored.samples), patients=list(scored.patients or ()))  # type: ignore[arg-type]
    assert isinstance(again.samples, tuple) and isinstance(again.patients, tuple)
    with pytest.raises(ValueError, match="read-only"):
        scored.scores[0, 0] = 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("targets", np.zeros(5)),
        ("targets", np.full(6, 2)),
        ("targets", np.full(6, -1)),
        ("scores", np.zeros((6, 3))),
        ("scores", np.full((6, 2), 0.2)),
        ("scores", np.full((6, 2), 1.4)),
        ("patients", ("a",)),
        ("samples", ("same",) * 6),
        ("positive", "unheard of"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(make_scored: MakeScored, field: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        replace(make_scored(n=6), **{field: value})  # type: ignore[arg-type]
    assert caught.value.hint


def test_a_unit_without_a_finite_score_has_failed_and_is_named(make_scored: MakeScored, fail: Fail) -> None:
    scored = fail(make_scored(n=10), [2, 7])
    assert scored.failed == ("image 2", "image 7")
    assert len(scored.without_failed()) == 8
    whole = make_scored(n=10)
    assert whole.without_failed() is whole and whole.failures_as_errors() is whole


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.ORDINAL])
def test_a_failure_as_an_error_is_certain_of_a_wrong_class(make_scored: MakeScored, fail: Fail, task: Task) -> None:
    classes = 2 if task is Task.BINARY else 5
    scored = fail(make_scored(task, n=40, classes=classes), range(20)).failures_as_errors()
    assert scored.failed == ()
    chosen = scored.scores[:20].argmax(axis=1)
    assert (scored.scores[:20].max(axis=1) == 1).all()
    assert (chosen != scored.targets[:20]).all()
    assert (2 * np.abs(chosen - scored.targets[:20]) >= classes - 1).all()


def test_a_failed_multi_label_unit_has_every_finding_wrong() -> None:
    scored = Scored(
        ("a",), np.array([[0, 1, -1]]), np.full((1, 3), np.nan), None, Task.MULTILABEL, ("x", "y", "z")
    ).failures_as_errors()
    assert scored.scores.tolist() == [[1.0, 0.0, 0.5]]


def test_a_patient_is_the_mean_of_its_images_with_the_worst_finding() -> None:
    scored = binary([0, 1, 0, 0, 1], [0.2, 0.6, 0.1, 0.3, 0.9], ["b", "b", "a", "a", ""])
    pooled = scored.by_unit("patient")
    assert pooled.samples == ("b", "a", "i4")
    assert pooled.targets.tolist() == [1, 0, 1]
    assert pooled.event_scores.tolist() == pytest.approx([0.4, 0.2, 0.9])
    assert pooled.unit == "patient" and "1 of 3 patients" in pooled.note
    assert pooled.n_patients == 3 and not pooled.clusters.repeated


def test_the_worst_finding_is_the_positive_class_wherever_it_stands() -> None:
    scored = replace(binary([0, 1], [0.2, 0.6], ["p", "p"]), positive="healthy")
    assert scored.by_unit("patient").targets.tolist() == [0]


def test_a_patient_keeps_its_scored_images_and_fails_without_any(fail: Fail) -> None:
    scored = fail(binary([1, 1, 0, 0], [0.2, 0.6, 0.1, 0.3], ["a", "a", "b", "b"]), [0, 2, 3])
    pooled = scored.by_unit("patient")
    assert pooled.scores[0, 1] == pytest.approx(0.6)
    assert pooled.failed == ("b",)


def test_grades_and_findings_pool_to_the_worst(make_scored: MakeScored) -> None:
    ordinal = replace(make_scored(Task.ORDINAL, n=4, classes=4, images=2), targets=np.array([0, 3, 1, 1]))
    assert ordinal.by_unit("patient").targets.tolist() == [3, 1]
    several = replace(
        make_scored(Task.MULTILABEL, n=4, classes=2, images=2), targets=np.array([[0, -1], [1, -1], [-1, 0], [-1, -1]])
    )
    pooled = several.by_unit("patient")
    assert pooled.targets.tolist() == [[1, -1], [-1, 0]]
    assert "1 of 2 patients" in pooled.note


def test_classes_without_an_order_cannot_be_pooled(make_scored: MakeScored) -> None:
    scored = make_scored(Task.MULTICLASS, n=6, classes=3, images=2)
    assert scored.by_unit("patient").targets.tolist() == scored.targets[::2].tolist()
    with pytest.raises(InputError, match="1 patient with images of several classes"):
        replace(scored, targets=np.array([0, 1, 2, 2, 1, 1])).by_unit("patient")


def test_units_that_do_not_exist_are_refused(make_scored: MakeScored) -> None:
    scored = make_scored(n=8, images=2)
    assert scored.by_unit("image") is scored
    with pytest.raises(InputError, match="of one eye"):
        scored.by_unit("eye")
    with pytest.raises(UsageError):
        scored.by_unit("patient").by_unit("image")
    with pytest.raises(InputError):
        make_scored(n=8).by_unit("patient")
    with pytest.raises(UsageError):
        _ = make_scored(Task.MULTICLASS, classes=3).events
    assert make_scored(n=8).n_patients is None
