"""Predictions of single studies: made, read again, their heat maps, and Secondary Captures of them.

predict_source   a study, a series or a file, scored by finished runs
_request         what has to be scored so that exactly the wanted images are
_view            a prediction as the window shows it
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.desk.answers.runs import model_titles, run_title
from medfm_gui.desk.asks.studies import (
    CaptureWritten,
    EarlierPrediction,
    EarlierPredictions,
    ExportCapture,
    HeatMapAnswer,
    ImageSaid,
    ListEarlier,
    PredictionView,
    PredictSource,
    RunSaid,
    SeriesKey,
    ShowHeatMap,
    ShowPrediction,
)
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError, Interrupted, MedfmError, NotFound
from medfm_gui.domain.explain import NOT_CLASS_SPECIFIC, explanation
from medfm_gui.workspace.studies import read_study

if TYPE_CHECKING:
    from medfm_gui.workspace.prediction import Explanation, PredictionFile, PredictRequest, StudyPrediction
    from medfm_gui.workspace.viewing import HeatMapFile

_STAGES = {"weights": "Loading the model", "predict": "Scoring", "features": "Scoring", "explain": "Explaining"}


# -- making one


def predict_source(room: Room, ask: PredictSource, told: Told) -> PredictionView:
    """Score it.

    Raises:
        Interrupted: it was cancelled; nothing of what was not finished stays.
        UsageError: a run is not finished.
        UnreadableFile, InputError: nothing in it can be read as an image.
    """
    from medfm_gui.workspace.prediction import predict

    told.progress("Decoding the images")
    file = predict(
        room.workspace,
        _request(room, ask),
        warm=room.warm(),
        pool=room.pool(),
        on_event=Telling(told),
        stop=told.stopped,
    )
    return _view(room, file, study=ask.key.study, series=ask.key.series)


def _request(room: Room, ask: PredictSource) -> PredictRequest:
    """A file as it is; of a study the wanted series by their UIDs, whatever lies beside their images.

    Raises:
        NotFound: there is no such study or series.
        InputError: its files lie on several drives.
    """
    from medfm_gui.workspace.prediction import PredictRequest

    if ask.key.path:
        return PredictRequest(Path(ask.key.path), ask.runs, ask.explain, class_sets=ask.class_sets)
    study = read_study(room.workspace, ask.key.study)
    wanted = [one for one in study.series if ask.key.series in ("", one.uid)]
    if not wanted:
        raise NotFound("There is no such series in the study.", "Open its folder again.")
    try:
        source = os.path.commonpath([item.path for one in wanted for item in one.instances])
    except ValueError:
        raise InputError(
            "The files of this study lie on several drives.", "Copy the study into one folder, and open that."
        ) from None
    series = tuple(dict.fromkeys(one.uid for one in wanted))
    return PredictRequest(Path(source), ask.runs, ask.explain, series=series, class_sets=ask.class_sets)


class Telling:
    """Passes progress on: of each image where an explanation takes long, else of all images.

    The worker hears of a cancel by ``stop``, so nothing is raised on its supervisor.
    """

    def __init__(self, told: Told) -> None:
        self._told = told
        self._image, self._images = 0, 0

    def __call__(self, event: ev.Event) -> None:
        """Take an event."""
        with contextlib.suppress(Interrupted):
            if isinstance(event, ev.StageStarted):
                self._images = event.total
                self._told.progress(_STAGES.get(event.stage, "Scoring"), 0, event.total)
            elif isinstance(event, ev.Progressed):
                self._advance(event)

    def _advance(self, event: ev.Progressed) -> None:
        card = explanation(event.stage)
        if card is None:
            self._image = event.done
            text = _STAGES.get(event.stage, "Scoring")
            self._told.progress(text, event.done, event.total, event.seconds_left)
            return
        which = f", image {self._image + 1} of {self._images}" if self._images > 1 else ""
        self._told.progress(f"{card.title}{which}", event.done, event.total)


# -- showing one


def show_prediction(room: Room, ask: ShowPrediction, told: Told) -> PredictionView:
    """From its own file."""
    from medfm_gui.workspace.prediction import read_prediction

    return _view(room, read_prediction(room.workspace, ask.prediction))


@dataclass(frozen=True, slots=True)
class _Run:
    title: str
    family: str
    task: str
    positive: str
    dataset: str = ""


def _view(room: Room, file: PredictionFile, *, study: str = "", series: str = "") -> PredictionView:
    """All that was said, image by image; of one study or series where that was asked for."""
    runs = _runs(room, {item.run for item in file.predictions})
    lacking = _lacking(room, file, runs)
    by_image: dict[tuple[str, str], list[tuple[StudyPrediction, RunSaid]]] = {}
    for number, item in enumerate(file.predictions):
        if (study and item.study != study) or (series and item.series != series):
            continue
        said = _said(file.id, number, item, runs.get(item.run, _Run(item.run, "", "", "")))
        said = replace(said, can_keep_similar=item.run in lacking)
        by_image.setdefault((item.source, item.series), []).append((item, said))
    images = tuple(
        ImageSaid(
            source=items[0][0].source,
            study=items[0][0].study,
            series=items[0][0].series,
            said=tuple(said for _, said in items),
            warnings=tuple(dict.fromkeys(warning for item, _ in items for warning in item.warnings)),
        )
        for items in by_image.values()
    )
    if not images:
        raise NotFound("None of the images of this series could be scored.", "Predict the whole study.")
    return PredictionView(file.id, file.created, images, file.skipped)


def _said(prediction: str, number: int, item: StudyPrediction, run: _Run) -> RunSaid:
    map_ = item.explanation
    return RunSaid(
        prediction=prediction,
        number=number,
        run=item.run,
        title=run.title,
        family=run.family,
        task=run.task,
        classes={
            name: score if math.isfinite(score) else None for name, score in (item.calibrated or item.classes).items()
        },
        decision=item.decision,
        positive=run.positive,
        threshold=item.threshold,
        threshold_note=item.threshold_note,
        slices=item.slices,
        pooled=item.pooled,
        has_map=map_ is not None and bool(map_.map),
        map_target=map_.target if map_ is not None else "",
        map_note=map_.note if map_ is not None else "",
        method=map_.method if map_ is not None else "",
        checks=map_.checks if map_ is not None else {},
        neighbours=map_.neighbours if map_ is not None else (),
        dataset=run.dataset,
        is_calibrated=bool(item.calibrated),
        calibration_note=item.calibration_note,
        spread=item.spread,
        seeds=item.seeds,
        class_set=item.class_set,
        class_set_note=item.class_set_note,
        outlier=item.outlier,
        outlier_note=item.outlier_note,
        similar=item.similar,
    )


def _runs(room: Room, wanted: Iterable[str]) -> Mapping[str, _Run]:
    from medfm_gui.store import queries
    from medfm_gui.workspace.evaluating import operating_point

    only = set(wanted)
    with room.workspace.store.reading() as reader:
        rows = [row for row in queries.runs(reader) if row.id in only]
    titles = model_titles()
    found = {}
    for row in rows:
        point = operating_point(Path(row.folder))
        positive = point.positive if point is not None else ""
        found[row.id] = _Run(run_title(row, titles), row.family, row.task.value, positive, row.dataset)
    return found


def _lacking(room: Room, file: PredictionFile, runs: Mapping[str, _Run]) -> frozenset[str]:
    """Runs that compared nothing here and have nothing to compare with, though it can be made."""
    from medfm_gui.workspace import training
    from medfm_gui.workspace.outliers import can_keep

    said = {item.run for item in file.predictions if not item.similar and item.outlier is None} & set(runs)
    found: set[str] = set()
    for run in said:
        with contextlib.suppress(MedfmError):  # a run whose folder is gone can have nothing; its answers stay
            if can_keep(training.view(room.workspace, run)):
                found.add(run)
    return frozenset(found)


def list_earlier(room: Room, ask: ListEarlier, told: Told) -> EarlierPredictions:
    """Rows of the database, newest first."""
    return EarlierPredictions(tuple(sorted(_earlier(room, ask.key), key=lambda one: one.created, reverse=True)))


def _earlier(room: Room, key: SeriesKey) -> Iterator[EarlierPrediction]:
    import json

    from medfm_gui.store import queries

    titles = model_titles()
    with room.workspace.store.reading() as reader:
        rows = queries.study_predictions(reader, key.study)
        names = {row.id: run_title(row, titles) for row in queries.runs(reader)}
    runs: dict[tuple[str, str], dict[str, None]] = {}
    images: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        source = str(json.loads(row.outcome).get("source", ""))
        if key.path and source != key.path:
            continue
        at = (row.prediction, row.created)
        runs.setdefault(at, {})[names.get(row.run, row.run)] = None
        images.setdefault(at, set()).add(source)
    for at, found in runs.items():
        yield EarlierPrediction(*at, tuple(found), len(images[at]))


def show_heat_map(room: Room, ask: ShowHeatMap, told: Told) -> HeatMapAnswer:
    """The map and the colours it is shown in."""
    from medfm_gui.workspace.viewing import heat_map

    found = heat_map(room.workspace, ask.prediction, ask.number)
    return HeatMapAnswer() if found is None else answer_of(found)


def answer_of(found: HeatMapFile) -> HeatMapAnswer:
    """A map as it travels: its values, then the colours it is shown in."""
    from medfm_gui.imaging.overlay import cividis

    reason, note = told_apart(found.note)
    return HeatMapAnswer(
        rows=found.rows,
        columns=found.columns,
        source=found.source,
        target=found.target,
        method=found.method,
        note=note,
        payload=found.payload + cividis().tobytes(),
        is_blank=found.payload.count(0) == len(found.payload),
        reason=reason,
    )


def told_apart(note: str) -> tuple[str, str]:
    """What is to be known of one map (“no positive evidence”), and of all maps of its kind."""
    from medfm_gui.workspace.prediction import MAP_NOTE

    own = note.removesuffix(MAP_NOTE).rstrip().removesuffix(NOT_CLASS_SPECIFIC).rstrip()
    rest = note[len(own) :].strip()
    return (own.removesuffix(".") if rest else own), rest


# -- taking one out


def export_capture(room: Room, ask: ExportCapture, told: Told) -> CaptureWritten:
    """The overlay that was kept with the prediction, as a DICOM object.

    Raises:
        NotFound: there is no such prediction, or it has no map.
        InputError: the overlay is gone, or the file cannot be written.
    """
    import numpy as np

    from medfm_gui.imaging.overlay import as_rgb
    from medfm_gui.imaging.secondary_capture import write_secondary_capture
    from medfm_gui.workspace.outliers import noticed
    from medfm_gui.workspace.prediction import NOTICE, read_prediction

    file = read_prediction(room.workspace, ask.prediction)
    item = file.predictions[ask.number] if 0 <= ask.number < len(file.predictions) else None
    if item is None or item.explanation is None or not item.explanation.path:
        raise NotFound("There is no heat map to export.", "Predict again with a heat map.")
    kept = room.workspace.root / "predictions" / file.id / Path(item.explanation.path).name
    with tempfile.TemporaryDirectory(dir=room.scratch, prefix="capture-") as made:
        decoded = Path(made) / "overlay.npy"
        if not room.pool().to_npy(kept, decoded).ok:
            raise InputError("The overlay of this prediction is gone or damaged.", "Predict the study again.")
        pixels = as_rgb(np.load(decoded, allow_pickle=False))
    target = Path(ask.path).expanduser().absolute()
    source = Path(item.explanation.source) if item.study and ask.identity else None
    title = f"{map_title(item.explanation)}, {_runs(room, [item.run])[item.run].title}, {item.run}"
    notice = noticed(NOTICE, item.outlier)
    write_secondary_capture(target, pixels, source=source, title=title, notice=notice, frame=item.explanation.frame)
    return CaptureWritten(str(target))


def map_title(found: Explanation) -> str:
    """What a map is, e.g. “Grad-CAM for pneumonia”; one that is the same for every class names none."""
    card = explanation(found.method)
    if card is None:
        return found.method
    return f"{card.title} for {found.target}" if card.class_specific else f"{card.title} (not class-specific)"
