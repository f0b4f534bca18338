"""A run on another dataset: label map, sites, frozen and recalibrated, seal and journal."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medfm_gui.base.atomic import atomic_write
from medfm_gui.base.settings import Settings
from medfm_gui.datasets.files import write_dataset
from medfm_gui.domain.errors import InputError, SealError, UsageError
from medfm_gui.domain.run import PredictSpec
from medfm_gui.workspace import data, elsewhere
from medfm_gui.workspace.elsewhere import FROZEN, RECALIBRATED, evaluate_on
from medfm_gui.workspace.journal import entries
from medfm_gui.workspace.place import open_workspace
from tests.fixtures.opened import drawn_dataset, drawn_scores, opened_run

MAP = {"healthy": "without", "ill": "with"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        run = opened_run(workspace, drawn_dataset(workspace, 300), signal=1.0)
        theirs = drawn_dataset(
            workspace, 600, name="Elsewhere", classes=("healthy", "ill"), covariates={"site": ("north", "south", "")}
        )
        theirs = replace(theirs, fingerprint="1" * 64)
        write_dataset(workspace.root / "datasets" / theirs.id, theirs)
        asked: list[PredictSpec] = []

        def worker(order: PredictSpec, *, folder: Path, **_: Any) -> list[Any]:
            asked.append(order)
            names = [sample.id for sample in data.read(workspace, theirs.id).samples]
            scores = drawn_scores(theirs, names, 5, 1.5) ** 3  # too sure of itself
            scores /= scores.sum(axis=1, keepdims=True)
            held = io.BytesIO()
            np.savez(held, allow_pickle=False, sample=np.array(names, dtype=np.str_), scores=scores)
            atomic_write(folder / f"{order.subset}.npz", held.getvalue())
            return []

        monkeypatch.setattr(elsewhere, "run_errand", worker)
        yield SimpleNamespace(workspace=workspace, run=run, theirs=theirs, asked=asked)


def test_frozen_first_recalibrated_second(place: SimpleNamespace) -> None:
    found = evaluate_on(place.workspace, (place.run,), place.theirs.id, reason="site B", labels=MAP)
    (file,) = found.files
    assert file.labels == MAP and file.left_out == 0 and file.withheld == "" and file.shared == 0
    kinds = list(dict.fromkeys(row.parameters["calibration"] for row in file.evaluations))
    assert kinds == [FROZEN, RECALIBRATED]
    value = {(row.metric, row.parameters["calibration"]): row.value for row in file.evaluations}
    labels = [sample.target[0] for sample in place.theirs.samples]
    scores = drawn_scores(place.theirs, [sample.id for sample in place.theirs.samples], 5, 1.5) ** 3
    area = roc_auc_score(labels, (scores / scores.sum(axis=1, keepdims=True))[:, 1])
    assert value["auc", FROZEN] == pytest.approx(area, abs=1e-6)
    assert value["brier", RECALIBRATED] < value["brier", FROZEN]  # type: ignore[operator]
    assert ("auc", RECALIBRATED) not in value, "no calibration changes the order"
    slopes = value["calibration_slope", FROZEN], value["calibration_slope", RECALIBRATED]
    assert slopes[0] < 0.7 and abs(slopes[1] - 1) < 0.15  # type: ignore[operator]
    assert ("sensitivity", FROZEN) in value and ("sensitivity", RECALIBRATED) not in value
    assert place.asked[0].dataset is not None and place.asked[0].pixels.endswith("pixels")


def test_each_site_has_rows_of_its_own(place: SimpleNamespace) -> None:
    (file,) = evaluate_on(place.workspace, (place.run,), "elsewhere", reason="x", labels=MAP, by="site").files
    sites = {row.parameters.get("site", "") for row in file.evaluations}
    assert sites == {"", "north", "south", elsewhere.NO_SITE}
    whole = [row for row in file.evaluations if row.metric == "auc" and row.parameters["calibration"] == FROZEN]
    assert whole[0].n == sum(row.n for row in whole[1:]) == 600
    with pytest.raises(UsageError, match="has a value"):
        evaluate_on(place.workspace, (place.run,), "elsewhere", reason="x", labels=MAP, by="moon")


def test_it_is_sealed_counted_and_journalled(place: SimpleNamespace) -> None:
    with pytest.raises(SealError, match="sealed"):
        evaluate_on(place.workspace, (place.run,), "elsewhere", reason=" ", labels=MAP)
    assert evaluate_on(place.workspace, (place.run,), "elsewhere", reason="why", labels=MAP).openings == 1
    assert evaluate_on(place.workspace, (place.run,), "elsewhere", reason=None, labels=MAP).openings == 1, "no look"
    by_site = evaluate_on(place.workspace, (place.run,), "elsewhere", reason="again", labels=MAP, by="site")
    assert by_site.openings == 2 and len(place.asked) == 1, "scored once"
    said = [entry for entry in entries(place.workspace.root) if entry.what == elsewhere.EXTERNAL_TEST]
    assert [entry.details["reason"] for entry in said] == ["why", "again"]


def test_what_the_map_lacks_is_left_out_or_refused(place: SimpleNamespace) -> None:
    with pytest.raises(InputError, match="no images of two"):
        evaluate_on(place.workspace, (place.run,), "elsewhere", reason="x")
    with pytest.raises(UsageError, match="not there"):
        evaluate_on(place.workspace, (place.run,), "elsewhere", reason="x", labels={"ill": "dead"})
    with pytest.raises(UsageError, match="trained on"):
        evaluate_on(place.workspace, (place.run,), "drawn", reason="x")


def test_no_patient_judges_a_line_through_himself(place: SimpleNamespace) -> None:
    (file,) = evaluate_on(place.workspace, (place.run,), "elsewhere", reason="x", labels=MAP).files
    assert file.evaluations
    few = drawn_dataset(place.workspace, 20, name="Few", classes=("healthy", "ill"))
    joined = elsewhere.joined_scores(
        few, [s.id for s in few.samples], drawn_scores(few, [s.id for s in few.samples], 1, 1.0)
    )
    mended, why = elsewhere.cross_fitted(joined, "image")
    assert mended is None and "too few" in why
