"""A dataset of masks in a workspace: imported, looked at and divided, and refused where classes are learnt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.workspace import data, planning, training, viewing
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.sources import class_counts


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as opened:
        yield opened


@pytest.fixture
def masked(workspace: Workspace, tmp_path: Path) -> Dataset:
    marks = np.zeros((6, 5, 4), np.uint8)
    marks[2:] = 1
    for number in range(6):
        noise = np.random.default_rng(number).integers(0, 999, (6, 5, 4), np.int16)
        for folder, values in (("images", noise), ("labels", marks)):
            (tmp_path / "s" / folder).mkdir(parents=True, exist_ok=True)
            image: Any = nibabel.Nifti1Image(values, np.eye(4))  # type: ignore[no-untyped-call]
            image.to_filename(tmp_path / "s" / folder / f"{number}.nii.gz")
    return data.import_dataset(workspace, "auto", tmp_path / "s", ImportOptions(), name="organs")


def test_it_is_kept_shown_and_divided(workspace: Workspace, masked: Dataset) -> None:
    assert masked.task is Task.SEGMENTATION and data.read(workspace, masked.id) == masked
    assert class_counts(masked) == (0,)
    tiles = list(viewing.sample_thumbnails(workspace, masked.id, [sample.id for sample in masked.samples]))
    assert [(tile.rows, tile.columns, tile.message) for tile in tiles] == [(5, 6, "")] * 6
    outcome = data.make_split(workspace, masked.id, SplitRequest())
    assert len(outcome.splits[0].assignments) == 6


def test_training_it_is_refused_in_one_sentence(workspace: Workspace, masked: Dataset) -> None:
    request = training.TrainRequest(dataset=masked.id, models=("efficientnet-lite0",), adapts=("linear",))
    with pytest.raises(UsageError, match="“organs” is a segmentation dataset: its labels are masks") as caught:
        training.create_runs(workspace, request)
    assert caught.value.hint and not list((workspace.root / "runs").glob("*"))
    with pytest.raises(UsageError, match="masks"):
        planning.preflight(
            workspace,
            [request],
            on_progress=lambda *_: None,
            on_part=lambda _: None,
            is_stopped=lambda: False,
        )
