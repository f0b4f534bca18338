"""Baselines on covariates and on tiny images beside a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.datasets.pixels import ShardWriter, write_index
from medfm_gui.domain.evaluation import Comparison
from medfm_gui.workspace import shortcuts as cheap
from medfm_gui.workspace.evaluating import every_opening
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.scores import read_scores
from tests.fixtures.opened import drawn_dataset, opened_run


def _with_pixels(workspace: Workspace, dataset_id: str) -> None:
    """Images whose brightness tells the finding, most of the time."""
    from medfm_gui.workspace import data

    random = np.random.default_rng(5)
    folder = workspace.dataset(dataset_id) / "pixels"
    folder.mkdir()
    writer = ShardWriter(folder, "shard-0.bin")
    places = {}
    for sample in data.read(workspace, dataset_id).samples:
        bright = 120 + 25 * sample.target[0] + random.normal(scale=12)
        image = np.clip(random.normal(bright, 30, size=(48, 40)), 0, 255).astype(np.uint8)
        places[sample.id] = writer.append(image)
    writer.close()
    write_index(folder, places)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("shortcuts") / "ws"
    with open_workspace(folder, settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 900, covariates={"sex": ("F", "M"), "study_id": ("1", "2")})
        _with_pixels(workspace, dataset.id)
        runs = (opened_run(workspace, dataset, seed=0, signal=3.0), opened_run(workspace, dataset, seed=1, signal=0.1))
        yield SimpleNamespace(workspace=workspace, dataset=dataset, runs=runs, file=cheap.shortcuts(workspace, runs))


def test_both_baselines_stand_beside_the_runs(place: SimpleNamespace) -> None:
    names = [one.name for one in place.file.baselines]
    assert names == [cheap.COVARIATES, cheap.THUMBNAILS]
    for one in place.file.baselines:
        assert [(pair.a, pair.b) for pair in one.pairs] == [(run, one.name) for run in place.runs]
        assert one.evaluations[0].metric == "auc" and one.evaluations[0].run == one.name
        assert one.evaluations[0].sample_set == every_opening(place.workspace)[0].sample_set


def test_the_area_is_that_of_the_kept_scores(place: SimpleNamespace) -> None:
    thumbs = place.file.baselines[1]
    samples, scores = read_scores(Path(thumbs.predictions.path))
    labels = {sample.id: sample.target[0] for sample in place.dataset.samples}
    area = roc_auc_score([labels[name] for name in samples], scores[:, 1])
    assert thumbs.evaluations[0].value == pytest.approx(area, abs=1e-9)
    assert area > 0.8, "brightness tells the finding"
    assert 0.3 < place.file.baselines[0].evaluations[0].value < 0.7, "sex tells nothing"


def test_a_run_that_does_not_beat_them_is_told_so(place: SimpleNamespace) -> None:
    good, poor = place.runs
    assert not [text for text in place.file.sentences if text.startswith(good)]
    told = [text for text in place.file.sentences if text.startswith(poor)]
    assert len(told) == 2 and "covariates alone" in told[0] and "32-pixel thumbnails" in told[1]
    pairs = [pair for one in place.file.baselines for pair in one.pairs]
    assert [cheap.beats(pair) for pair in pairs] == [True, False, True, False]
    assert all(pair.p_adjusted is not None and pair.p_adjusted >= pair.p for pair in pairs)


def test_it_says_what_it_looked_at(place: SimpleNamespace) -> None:
    covariates, thumbs = place.file.baselines
    assert "logistic regression on sex; left out: study_id;" in covariates.note, "numbers of cases are no covariates"
    assert "training images" in covariates.note
    assert "32 × 32 pixels" in thumbs.note


def test_kept_once_and_read_again(place: SimpleNamespace) -> None:
    again = cheap.shortcuts(place.workspace, place.runs)
    assert wire.plain(again) == wire.plain(place.file)


def test_what_cannot_be_made_is_named(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 300)
        runs = (opened_run(workspace, dataset), opened_run(workspace, dataset, seed=1))
        file = cheap.shortcuts(workspace, runs, keep=False)
        assert [one.evaluations for one in file.baselines] == [(), ()]
        assert "no covariate" in file.baselines[0].note and "pixels" in file.baselines[1].note
        assert not list((workspace.root / "evaluations").glob("shortcuts-*"))


def test_a_sentence_names_what_decides() -> None:
    pair = Comparison("r1", "covariates", "auc", 0.287, 0.037, 0.537, "delong", 0.024, 0.148, 100)
    one = cheap.Baseline("covariates", "covariates alone", "", (), (pair,))
    (said,) = cheap._sentences((one,), {"r1": "r1"})
    assert "+0.287; 95 % interval +0.037 to +0.537, unadjusted; adjusted p = 0.148" in said
    bare = replace(pair, low=None, high=None, p=None, p_adjusted=None, note="the replicates do not vary")
    (said,) = cheap._sentences((replace(one, pairs=(bare,)),), {"r1": "r1"})
    assert "no interval: the replicates do not vary" in said
