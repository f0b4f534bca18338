"""``predict-warm``: one radiograph (DICOM) scored by a ViT-B through the warm worker, from the second time on and
without a map, against decoding and a forward pass in this process.

Ours decodes in a child with limits that is already up, writes the order and reads the answer. ``by_workspace`` is
the same through ``workspace.prediction.predict``, which looks at the source, starts a decoding child of its own
each time and keeps the result in the workspace.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.events import RunFinished, RunStarted, StudyPredicted
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import StudyImage, StudySpec
from medfm_gui.domain.similar import OutlierLimit
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.head import HeadFacts, LinearHead
from medfm_gui.engine.outlier import MOST, OUTLIER
from medfm_gui.engine.predict import OpenModels
from medfm_gui.engine.preprocess import preprocess_of
from medfm_gui.engine.saved import save_model
from medfm_gui.engine.similar import NEAR, SimilarCases, SimilarFacts, head_of_run, write_similar
from medfm_gui.imaging.phantom.write import write_patient
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.read import read_picture
from medfm_gui.jobs.warm import WarmWorker
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.prediction import PredictRequest, predict
from tests.bench.ladder import MODEL
from tests.bench.measure import Turns, Work, in_turns, timed
from tests.bench.plain import pretrained
from tests.bench.prepared import CLASSES, card_of, prepare

_TRANSFORMER = "mae-b"
_RUN = "r0001"
_GOAL = 1.2


def main(tiny: bool = False) -> dict[str, Any]:
    """Fifteen predictions each way; one, by a small network, if ``tiny``."""
    model = MODEL if tiny else _TRANSFORMER
    with ExitStack() as open_now:
        made = Path(open_now.enter_context(tempfile.TemporaryDirectory()))
        file = _radiograph(made / "phantom")
        workspace = open_now.enter_context(open_workspace(made / "work", settings=Settings()))
        folder = _finished_run(workspace, model)
        warm = open_now.enter_context(WarmWorker(made / "warm.log"))
        pool = open_now.enter_context(DecodePool(processes=1))

        def by_workspace() -> None:
            predict(workspace, PredictRequest(file, (_RUN,)), warm=warm)

        works = (_asked(file, folder, pool, warm, made / "asked"), _here(file, folder), timed(by_workspace))
        ours, peer, whole = in_turns(works, 1 if tiny else 15)
    line = Turns(ours, peer).line(at_most=_GOAL, model=model)
    told = Turns(whole, peer).line(at_most=_GOAL)
    return {**line, "by_workspace": told["ours"], "ratio_by_workspace": told["ratio"]}


def _asked(file: Path, run: Path, pool: DecodePool, warm: WarmWorker, out: Path) -> Work:
    numbers = itertools.count()

    def ask() -> None:
        job = out / str(next(numbers))
        job.mkdir(parents=True)
        pixels = job / "00000.npy"
        assert pool.to_npy(file, pixels).ok
        order = StudySpec((str(run),), (StudyImage(str(file), str(pixels)),), str(job), device="cpu")
        atomic_write(job / "spec.json", wire.encode_spec(order))
        assert [event for event in warm.ask(job) if isinstance(event, StudyPredicted) and event.similar]

    return timed(ask)


def _here(file: Path, run: Path) -> Work:
    saved = OpenModels().open(run, torch.device("cpu"))

    def look() -> None:
        image = saved.preprocess.input(read_picture(file).pixels)
        with torch.no_grad():
            saved.head.scores(saved.backbone.features(image[None])).probabilities.tolist()

    return timed(look)


def _radiograph(folder: Path) -> Path:
    """A simulated patient's first film; the second patient has no CT beside it."""
    write_patient(folder, 0, 1)
    return next(iter(sorted(folder.rglob("*.dcm"))))


def _finished_run(workspace: Workspace, model: str) -> Path:
    """A run folder as full fine-tuning leaves it: every weight of the backbone, a head, and a last word."""
    card = card_of(model)
    folder = prepare(workspace.root, 8, 32).order(_RUN, card, "full")
    backbone = pretrained(card)
    head = LinearHead(HeadFacts("linear", Task.BINARY, CLASSES, backbone.feature_dim))
    fitted = Fitted(head, trained_parameters=0, samples_per_second=1.0, backbone_trained=True)
    kept = list(save_model(folder, fitted, backbone, preprocess_of(Recipe(), card, card.input_size)))
    _keep_similar(folder, backbone.feature_dim)
    said = [RunStarted(time.time(), "cpu"), *kept, RunFinished(time.time(), {}, 1.0)]
    atomic_write(folder / "events.jsonl", b"".join(map(wire.encode_event, said)))
    return folder


def _keep_similar(folder: Path, width: int) -> None:
    """As many training images to compare with as a run keeps at most."""
    rows = torch.nn.functional.normalize(torch.randn(MOST, width, generator=torch.Generator().manual_seed(0)), dim=1)
    samples = tuple(f"s{number:06d}" for number in range(MOST))
    labels = torch.zeros(MOST, len(CLASSES), dtype=torch.int8)
    write_similar(folder, SimilarCases(rows, labels, SimilarFacts(samples, CLASSES, MOST, head_of_run(folder))))
    wire.write(folder / OUTLIER, OutlierLimit(0.9, None, 0.95, "cal", 200, None, NEAR, MOST, MOST))
