"""One study, one file or one folder, scored by finished runs, with heat maps on request.

Foreign files are decoded in children with limits; a worker that knows nothing of DICOM scores the pixels. A
tomographic series is scored slice by slice, a file with many frames frame by frame (``prediction_units``); runs pool.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import InputError, NotFound, UnreadableFile, UsageError
from medfm_gui.domain.explain import NEIGHBOURS, NOT_CLASS_SPECIFIC, Neighbour, explanation, explanation_names
from medfm_gui.domain.recipe import hu_bounds
from medfm_gui.domain.run import StudyImage, StudySpec, TrainSpec
from medfm_gui.domain.similar import SimilarCase
from medfm_gui.domain.units import MEAN
from medfm_gui.workspace import map_checks, training
from medfm_gui.workspace.class_sets import Limits, limits_of
from medfm_gui.workspace.displayed import class_set, displayed, pooled_scores, spread, with_other_seeds
from medfm_gui.workspace.errands import OnEvent, ask_warm, check, run_errand
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.outliers import OUTLIER_SET, Verdict, noticed, verdict
from medfm_gui.workspace.place import Workspace, made_folder, now
from medfm_gui.workspace.prediction_doubts import doubts, expectations
from medfm_gui.workspace.prediction_units import Frame, Unit, expanded, units_of
from medfm_gui.workspace.seeds import same_but_for_seed
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.imaging.pool import DecodePool
    from medfm_gui.jobs.warm import WarmWorker

DICOM_OUTPUTS = ("sc",)
NOTICE = "Research use only - not for clinical use"
MAP_NOTE = "Relative to this image's maximum: not comparable between images or models. A map is no proof."


@dataclass(frozen=True, slots=True)
class Explanation:
    """A heat map over an image: files, the explained class, and what is to be known of it.

    ``method`` is a name of ``domain.explain.EXPLANATIONS``, or ``neighbours``: then there is no map, and ``neighbours``
    are the training images that the vote was made of. ``checks`` says what is known of this run's maps: a check's
    name → its sentence.
    """

    method: str
    path: str
    target: str
    map: str = ""
    dicom: str = ""
    source: str = ""
    note: str = ""
    checks: Mapping[str, str] = field(default_factory=dict)
    neighbours: tuple[Neighbour, ...] = ()
    frame: int | None = None
    """Index of the explained image in ``source``, where that holds several."""

    @property
    def place(self) -> str:
        """The explained image: its file, or ``file#index``."""
        return self.source if self.frame is None else f"{self.source}#{self.frame}"


@dataclass(frozen=True, slots=True)
class StudyPrediction:
    """What one run says of one image or one series.

    ``classes`` holds a score a class as the model gives it, ``calibrated`` a probability where the run has a
    calibrator (``calibration_note`` says how, or why not). ``decision`` is the class at or above the threshold
    (binary), the highest (multi-class) or all at or above one half (multi-label). ``threshold`` is on the scale of
    ``calibrated`` where that is filled, ``score_threshold`` on that of ``classes``.
    """

    source: str
    run: str
    classes: Mapping[str, float]
    decision: str
    threshold: float | None
    threshold_note: str = ""
    slices: int = 1
    study: str = ""
    explanation: Explanation | None = None
    warnings: tuple[str, ...] = ()
    series: str = ""
    """Series Instance UID; empty where the image is no DICOM object."""
    calibrated: Mapping[str, float] = field(default_factory=dict)
    calibration_note: str = ""
    score_threshold: float | None = None
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Lowest and highest probability over ``seeds`` trainings that differ in their seed alone; never an interval."""
    seeds: int = 0
    class_set: tuple[str, ...] = ()
    """Classes that stay in the set, where sets were asked for; ``class_set_note`` is what is promised, or why none."""
    class_set_note: str = ""
    outlier_score: float | None = None
    """Mean cosine distance to the nearest training images, of several images their mean; None where not known."""
    outlier: bool | None = None
    """Whether that is beyond ``outlier_limit``; None where there is no verdict. ``outlier_note`` says all of it."""
    outlier_note: str = ""
    outlier_limit: float | None = None
    outlier_images: int = 0
    """Images that alone are beyond the limit for single images; ``similar`` are the nearest training images."""
    similar: tuple[SimilarCase, ...] = ()
    pooled: str = MEAN
    """How several images became one score: their ``mean``, or the highest one's (``max``), as the run counts."""


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """``predictions/<id>/prediction.json``: everything that was said of a source."""

    id: str
    created: str
    predictions: tuple[StudyPrediction, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What to score with which runs; ``dicom`` names DICOM objects to write beside the PNG maps.

    With ``series`` (Series Instance UIDs) only images of these are scored, whatever else lies in ``source``.
    ``class_sets`` asks for sets of classes; ``seeds`` for every other seed of these runs too, so that their spread
    shows.
    """

    source: Path
    runs: tuple[str, ...]
    explain: str = ""
    out: Path | None = None
    dicom: tuple[str, ...] = ()
    device: str = "auto"
    series: tuple[str, ...] = ()
    class_sets: bool = False
    seeds: bool = False


@dataclass(frozen=True, slots=True)
class _Means:
    """What a prediction is made with, and who is told."""

    pool: DecodePool
    warm: WarmWorker | None
    on_event: OnEvent | None
    stop: threading.Event | None
    clamp: tuple[float, float] | None = None
    """Bounds of a CT's values, in HU, which the runs learnt from."""


def predict(
    workspace: Workspace,
    request: PredictRequest,
    *,
    warm: WarmWorker | None = None,
    pool: DecodePool | None = None,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> PredictionFile:
    """Score a file, a folder or a study with one or several finished runs.

    Args:
        warm: a worker that stays up; None starts one and ends it.
        pool: a warm decode pool; None starts one and ends it.
        stop: set it from another thread to end the work; nothing of it stays.

    Raises:
        Interrupted: it was stopped.
        UsageError: a run is not finished, or an option is not known.
        UnreadableFile, InputError: nothing in the source can be read as an image.
        NotFound: the index knows none of the wanted series below the source.
    """
    if request.seeds:
        request = replace(request, runs=with_other_seeds(workspace, request.runs))
    specs = _specs(workspace, request)
    source = request.source.expanduser().absolute()
    if not source.exists():
        raise InputError(f"“{source}” does not exist.", "Check the path.")
    with contextlib.ExitStack() as held:
        folder = held.enter_context(made_folder(workspace.root / "predictions", "p", counted=True))
        means = _Means(pool or held.enter_context(_new_pool()), warm, on_event, stop, _clamp(specs))
        file = _predicted(workspace, replace(request, source=source), specs, folder, means)
    index(workspace, file)
    note(workspace, "prediction made", file.id, runs=" ".join(request.runs))
    return file


def _clamp(specs: Mapping[str, TrainSpec]) -> tuple[float, float] | None:
    """Between which values the runs saw a CT.

    Raises:
        UsageError: not all of them saw it alike.
    """
    found = {hu_bounds(spec.recipe.hu_window) for spec in specs.values()}
    if len(found) > 1:
        raise UsageError(
            "These runs saw CT images between different HU values, so one picture cannot be given to all of them.",
            "Predict with the runs of each hu_window by themselves.",
        )
    return found.pop() if found else None


def _predicted(
    workspace: Workspace,
    request: PredictRequest,
    specs: Mapping[str, TrainSpec],
    folder: Path,
    means: _Means,
) -> PredictionFile:
    """Decode, score, explain; everything in ``folder`` but what the request wants elsewhere."""
    units, images, skipped = _decode(workspace, request, folder, specs, means)
    order = StudySpec(
        run_folders=tuple(str(workspace.run(run_id)) for run_id in request.runs),
        images=tuple(images),
        out=str(folder / "maps"),
        explain=request.explain,
        device=request.device,
    )
    (folder / "maps").mkdir()
    atomic_write(folder / "spec.json", wire.encode_spec(order))
    if means.warm:
        events = ask_warm(means.warm, folder, on_event=means.on_event, stop=means.stop)
    else:
        events = run_errand(order, folder=folder, on_event=means.on_event, stop=means.stop)
    said = [event for event in events if isinstance(event, ev.StudyPredicted)]
    where = (request.out or folder).expanduser().absolute()
    where.mkdir(parents=True, exist_ok=True)
    predictions = _pool(workspace, specs, (units, images, said), request, folder, where)
    file = PredictionFile(folder.name, now(), tuple(predictions), tuple(skipped))
    wire.write(folder / "prediction.json", file)
    shutil.rmtree(folder / "images", ignore_errors=True)  # decoded pixels: much, and of a patient
    return file


def _specs(workspace: Workspace, request: PredictRequest) -> dict[str, TrainSpec]:
    if not request.runs:
        raise UsageError("No run is named.", "Use --run RUN; “medfm runs” lists them.")
    if request.explain and explanation(request.explain) is None:
        raise UsageError(f"There is no explanation “{request.explain}”.", f"Use {explanation_names()}.")
    unknown = [name for name in request.dicom if name not in DICOM_OUTPUTS]
    if unknown:
        raise UsageError(f"There is no DICOM output “{unknown[0]}”.", f"Use {', '.join(DICOM_OUTPUTS)}.")
    if request.dicom and not request.explain:
        raise UsageError("--dicom sc writes the heat map, and none was asked for.", "Add --explain gradcam.")
    specs = {}
    for run_id in request.runs:
        view = training.check_finished(training.view(workspace, run_id))
        training.check_has_model(view)
        specs[run_id] = view.spec
    return specs


def _new_pool() -> DecodePool:
    from medfm_gui.imaging.pool import DecodePool

    return DecodePool()


def _decode(
    workspace: Workspace, request: PredictRequest, folder: Path, specs: Mapping[str, TrainSpec], means: _Means
) -> tuple[list[Unit], list[StudyImage], list[Skipped]]:
    (folder / "images").mkdir()
    check(means.stop)
    found, skipped = units_of(workspace, request.source, request.series, means.pool)
    images: list[StudyImage] = []
    units: list[Unit] = []
    numbers = itertools.count()
    known = expectations(specs) if any(unit.is_dicom for unit in found) else {}
    for number, unit in enumerate(found):
        unit, kept, lost = _read(unit, folder / "images", numbers, means)
        skipped += lost
        if kept:
            images += [StudyImage(frame.name, str(pixels), case=str(number)) for frame, pixels in kept.items()]
            objected, unknown = doubts(next(iter(kept)).file, unit, known, means.pool)
            said = tuple(dict.fromkeys((*unit.warnings, *objected)))
            made = replace(unit, frames=tuple(kept), warnings=said, is_unlike=bool(objected), unknown=unknown)
            units.append(made)
    if not units:
        first = skipped[0] if skipped else Skipped(str(request.source), "empty", "It holds no image.")
        raise UnreadableFile(
            f"“{request.source.name}” cannot be scored: {first.message}", "Choose another file.", reason=first.reason
        )
    return units, images, skipped


def _read(
    unit: Unit, folder: Path, numbers: Iterator[int], means: _Means
) -> tuple[Unit, dict[Frame, Path], list[Skipped]]:
    """The unit's frames as arrays of ``folder``, and what cannot be decoded.

    A file that is no DICOM object shows only now that it holds several frames; then each is read.
    """
    from medfm_gui.imaging.pool import PictureJob
    from medfm_gui.imaging.volume import count_frames

    outs = {frame: folder / f"{next(numbers):05d}.npy" for frame in unit.frames}
    by_name = {frame.name: frame for frame in outs}
    jobs = (
        (PictureJob(frame.name, str(frame.file), frame=frame.index, clamp=means.clamp), out)
        for frame, out in outs.items()
    )
    kept: dict[Frame, Path] = {}
    skipped = []
    for result in means.pool.to_npys(jobs):
        check(means.stop)
        frame = by_name[result.key]
        if result.ok:
            kept[frame] = outs[frame]
        elif result.reason == "multi_frame" and frame.index is None and len(unit.frames) == 1:
            return _read(expanded(unit, max(1, count_frames(means.pool, str(frame.file)))), folder, numbers, means)
        else:
            skipped.append(Skipped(frame.name, result.reason, result.message))
    return unit, {frame: kept[frame] for frame in unit.frames if frame in kept}, skipped


def _pool(
    workspace: Workspace,
    specs: Mapping[str, TrainSpec],
    found: tuple[Sequence[Unit], Sequence[StudyImage], Sequence[ev.StudyPredicted]],
    request: PredictRequest,
    folder: Path,
    out: Path,
) -> list[StudyPrediction]:
    units, images, said = found
    heard = {(event.run, event.source): event for event in said}
    pixels = {image.source: image.path for image in images}
    predictions: list[StudyPrediction] = []
    views = [training.view(workspace, run_id) for run_id in specs]
    limits = {view.id: limits_of(workspace, view) for view in views} if request.class_sets else {}
    checks = {run_id: map_checks.sentences(workspace, run_id, request.explain) for run_id in specs if request.explain}
    for unit in units:
        of_unit: list[StudyPrediction] = []
        for view in views:
            run_id, spec = view.id, view.spec
            events = [heard[run_id, frame.name] for frame in unit.frames if (run_id, frame.name) in heard]
            if not events:
                continue
            scores = pooled_scores([event.scores for event in events], spec)
            top = max(events, key=_suspicion)
            near = verdict(view, events)
            explained: Explanation | None = None
            if request.explain:
                name = f"{folder.name}-" if request.out else ""  # a folder of the person's may hold others' pictures
                stem = f"{name}{len(predictions) + len(of_unit) + 1:03d}-{run_id}"
                explained = _explain(top, spec, Path(pixels[top.source]), unit, request, out / stem, near)
                explained = replace(explained, checks=checks[run_id] if explained.map else {})
            made = _compared(_prediction(unit, view, scores, len(events), explained), near)
            of_unit.append(_with_set(made, limits.get(run_id), spec, scores, unit))
        predictions += _with_spread(of_unit, views)
    return predictions


def _suspicion(event: ev.StudyPredicted) -> float:
    """How strongly an image by itself speaks for the explained class, so that the one that does most is shown."""
    scores = event.alone or event.scores
    return scores[event.target] if event.target >= 0 else max(scores)


def _prediction(
    unit: Unit, view: RunView, scores: Sequence[float], slices: int, explained: Explanation | None
) -> StudyPrediction:
    said = displayed(view, scores)
    return StudyPrediction(
        source=unit.source,
        run=view.id,
        classes=dict(zip(view.spec.classes, scores, strict=True)),
        decision=said.decision,
        threshold=said.threshold,
        threshold_note=said.threshold_note,
        slices=slices,
        pooled=MEAN if slices == 1 else view.spec.recipe.unit_score,
        study=unit.study,
        explanation=explained,
        warnings=(*unit.warnings, *((unit.unknown[view.id],) if view.id in unit.unknown else ())),
        series=unit.series,
        calibrated=said.calibrated,
        calibration_note=said.calibration_note,
        score_threshold=said.score_threshold,
    )


def _compared(made: StudyPrediction, said: Verdict) -> StudyPrediction:
    """An answer with what is to be known of its image."""
    return replace(
        made,
        outlier_score=said.score,
        outlier=said.is_outlier,
        outlier_note=said.note,
        outlier_limit=said.limit,
        outlier_images=said.beyond,
        similar=said.similar,
    )


def _with_set(
    made: StudyPrediction, limits: Limits | None, spec: TrainSpec, scores: Sequence[float], unit: Unit
) -> StudyPrediction:
    if limits is None:
        return made
    if made.outlier and limits.quantiles is not None:
        return replace(made, class_set_note=OUTLIER_SET)
    found, note = class_set(limits, scores, spec.classes, pooled=made.slices, is_unlike=unit.is_unlike)
    return replace(made, class_set=found, class_set_note=note)


def _with_spread(said: Sequence[StudyPrediction], views: Sequence[RunView]) -> list[StudyPrediction]:
    """The answers about one unit, those of runs that differ in their seed alone with the spread among them."""
    by_run = {one.run: one for one in said}
    for group in same_but_for_seed(views):
        own = [by_run[view.id] for view in group if view.id in by_run]
        wide = spread([one.calibrated or one.classes for one in own])
        if wide:
            by_run |= {one.run: replace(one, spread=wide, seeds=len(own)) for one in own}
    return list(by_run.values())


def _explain(
    event: ev.StudyPredicted,
    spec: TrainSpec,
    pixels: Path,
    unit: Unit,
    request: PredictRequest,
    stem: Path,
    near: Verdict,
) -> Explanation:
    from medfm_gui.imaging.overlay import overlay, write_png
    from medfm_gui.imaging.secondary_capture import write_secondary_capture

    target = spec.classes[event.target] if event.target >= 0 else ""
    shown = next(frame for frame in unit.frames if frame.name == event.source)
    file = replace(shown, index=None).name
    if not event.map:
        method = NEIGHBOURS if event.neighbours else request.explain
        nearest = Explanation(method, "", target, source=file, note=event.map_note, neighbours=event.neighbours)
        return replace(nearest, frame=shown.index)
    picture = np.load(pixels, allow_pickle=False)
    coloured = overlay(picture, np.load(event.map, allow_pickle=False))
    png = stem.with_name(f"{stem.name}-{request.explain}.png")
    write_png(png, coloured)
    dicom = ""
    if "sc" in request.dicom:
        target_file = png.with_suffix(".dcm")
        source = shown.file if unit.is_dicom else None
        title = f"{_title(request.explain, target)}, {spec.card.title}, {spec.adapt}, {event.run}"
        notice = noticed(NOTICE, near.is_outlier)
        write_secondary_capture(target_file, coloured, source=source, title=title, notice=notice, frame=shown.index)
        dicom = str(target_file)
    card = explanation(request.explain)
    general = NOT_CLASS_SPECIFIC if card is not None and not card.class_specific else ""
    own = f"{event.map_note.rstrip('.')}." if event.map_note else ""
    remark = " ".join(part for part in (own, general, MAP_NOTE) if part)
    return Explanation(request.explain, str(png), target, event.map, dicom, file, remark, frame=shown.index)


def _title(method: str, target: str) -> str:
    """What a map is, e.g. “Grad-CAM for pneumonia”; one that is the same for every class names none."""
    card = explanation(method)
    if card is None:
        return method
    return f"{card.title} for {target}" if card.class_specific else f"{card.title} (not class-specific)"


def index(workspace: Workspace, file: PredictionFile) -> None:
    """Bring a prediction into the database."""
    for number, item in enumerate(file.predictions):
        workspace.store.put_study_prediction(
            file.id, number, study=item.study, run=item.run, created=file.created, prediction=wire.encode(item).decode()
        )


def read_prediction(workspace: Workspace, prediction_id: str) -> PredictionFile:
    """What was said under an id.

    Raises:
        NotFound: there is no such prediction.
    """
    path = workspace.root / "predictions" / prediction_id / "prediction.json"
    if not re.fullmatch(r"p\d+", prediction_id) or not path.exists():
        raise NotFound(f"There is no prediction “{prediction_id}” in this workspace.", "Predict the study again.")
    return wire.read(PredictionFile, path)


def every_prediction(workspace: Workspace) -> list[PredictionFile]:
    """All predictions of single studies, by id."""
    paths = sorted((workspace.root / "predictions").glob("p*/prediction.json"))
    return [wire.read(PredictionFile, path) for path in paths]
