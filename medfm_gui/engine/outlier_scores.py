"""How unlike its training images each image of a partition is to a finished run: a number an image, no verdict."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch

from medfm_gui.datasets.targets import patients
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.run import OutlierSpec
from medfm_gui.engine.outlier import looking
from medfm_gui.engine.predict import partition_of
from medfm_gui.engine.scoring import SampleScores, write_scores
from medfm_gui.engine.similar import read_similar, same_patient
from medfm_gui.engine.similar_later import reopened

SCORES = "outlier.npz"


def score_outliers(spec: OutlierSpec) -> Generator[ev.Event, None, None]:
    """Compare each image with the run's training images, as those were that fixed its limit.

    Training images of the same patient do not count, and an image is not compared with itself. NaN stands where there
    is nothing to compare with, or no finite features.

    Yields:
        FileWritten for ``outlier.npz`` in ``spec.out``: ``sample``, and ``scores`` n × 1.

    Raises:
        UsageError: the run kept no training images, or there is no such partition.
        MedfmError: the run, its data or its weights cannot be used.
    """
    begun = time.perf_counter()
    folder = Path(spec.run_folder)
    cases = read_similar(folder)
    if cases is None:
        raise UsageError(
            f"{folder.name} kept no training images to compare with.", f"“medfm similar {folder.name}” keeps them."
        )
    material, fitted = yield from reopened(folder, spec.device)
    ids = partition_of(material.spec, material.dataset, spec.subset)
    rows = yield from looking(material, fitted, ids)(ids)
    vectors = torch.stack([rows[one] for one in ids]).float()
    barred = torch.from_numpy(np.array(ids)[:, None] == np.array(cases.facts.samples)[None, :])
    related = same_patient(patients(material.dataset, ids), patients(material.dataset, cases.facts.samples))
    scores = cases.near(vectors, barred if related is None else barred | related).scores.numpy()
    found = SampleScores(tuple(ids), scores[:, None], None)
    yield ev.FileWritten(time.time(), SCORES, write_scores(Path(spec.out) / SCORES, found))
    yield ev.RunFinished(time.time(), {}, time.perf_counter() - begun)
