"""A finished model on another dataset: as it is first, with probabilities put right second, for all and by site.

Threshold and calibration come from the run; recalibration is learned on other patients of the same external set
(cross-fitted: each half of the patients by a calibrator of the other), so that no patient judges a line drawn through
himself.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.dataset import UNKNOWN, Dataset, Sample, Task
from medfm_gui.domain.errors import InputError, Interrupted, SealError, UsageError
from medfm_gui.domain.evaluation import Calibrator, Evaluation, OperatingPoint
from medfm_gui.domain.run import FileRef, Phase, PredictSpec
from medfm_gui.metrics.rules import CODE_VERSION
from medfm_gui.workspace import data, outside_looks, training
from medfm_gui.workspace.errands import OnEvent, run_errand
from medfm_gui.workspace.evaluating import calibrator, count_openings, operating_point
from medfm_gui.workspace.journal import entries, note
from medfm_gui.workspace.place import Workspace, now
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored

EXTERNAL_TEST = outside_looks.EXTERNAL_TEST
FROZEN, RECALIBRATED = "frozen", "recalibrated"
NO_SITE = "not recorded"
_FEWEST = 20
_OF_ORDER = ("auc", "average_precision")
_OF_PROBABILITY = ("brier", "log_loss")


@dataclass(frozen=True, slots=True)
class ExternalTest:
    """``evaluations/<run>-on-<dataset>-<hash>.json``: a run on another dataset.

    ``labels`` is the label map (theirs → ours), ``left_out`` counts images whose label has no place in it.
    ``evaluations`` have ``parameters["calibration"]`` ``frozen`` or ``recalibrated`` and ``parameters["site"]`` where
    they are of one site; ``withheld`` says why there is no recalibrated row.
    """

    run: str
    dataset: str
    dataset_fingerprint: str
    opened: str
    reason: str
    sample_set: str
    labels: Mapping[str, str]
    left_out: int
    by: str
    predictions: FileRef
    evaluations: tuple[Evaluation, ...]
    withheld: str = ""
    shared: int = 0
    """Images of it whose very pixels the run was trained, tuned or tested on."""


@dataclass(frozen=True, slots=True)
class ExternalTests:
    """What tests on another dataset gave, and how often these images were opened in this workspace."""

    files: tuple[ExternalTest, ...]
    openings: int


def evaluate_on(
    workspace: Workspace,
    run_ids: Sequence[str],
    dataset_id: str,
    *,
    reason: str | None,
    labels: Mapping[str, str] | None = None,
    by: str = "",
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> ExternalTests:
    """Test finished runs on all images of another dataset whose labels the map knows.

    Args:
        labels: their class → the run's class; classes of one name need none.
        by: a covariate (or ``group``) whose values are sites, for rows of their own.

    Raises:
        SealError: no reason to open the images is given, and they are not open yet.
        UsageError: a run is not finished or has no model, the dataset is its own, the map names what is not there.
        InputError: no image is left, or fewer than two classes.
    """
    theirs = data.read(workspace, dataset_id)
    files = []
    for run_id in dict.fromkeys(run_ids):
        view = training.view(workspace, run_id)
        _check(view, theirs)
        mapped, said, left_out = mapped_dataset(theirs, view, labels or {})
        path = _path(workspace, view, theirs, said, by)
        if not path.exists():
            _measure(workspace, view, theirs, mapped, (said, left_out), path, _Asked(reason, by, on_event, stop))
        files.append(wire.read(ExternalTest, path))
    return ExternalTests(tuple(files), _openings(workspace, {file.sample_set for file in files}))


@dataclass(frozen=True, slots=True)
class _Asked:
    reason: str | None
    by: str
    on_event: OnEvent | None
    stop: threading.Event | None


def _check(view: RunView, theirs: Dataset) -> None:
    if view.state.phase is not Phase.FINISHED:
        raise UsageError(f"The run {view.id} is {view.state.phase.value}, not finished.", "Wait for its end.")
    training.check_has_model(view)
    if view.spec.dataset_fingerprint == theirs.fingerprint:
        raise UsageError(f"{view.id} was trained on “{theirs.id}” itself.", "Leave out --on to open its own test.")
    kinds = {view.spec.task, theirs.task}
    if len(kinds) > 1 and Task.MULTILABEL in kinds:
        raise UsageError(
            f"{view.id} answers a {view.spec.task.value} question, “{theirs.name}” holds {theirs.task.value} labels.",
            "Import the dataset again with labels of the same kind.",
        )


def mapped_dataset(theirs: Dataset, view: RunView, asked: Mapping[str, str]) -> tuple[Dataset, dict[str, str], int]:
    """Their images with the run's classes, the label map (theirs → ours), and how many images have no place in it.

    Raises:
        UsageError: the map names a class that is not there.
        InputError: fewer than two of the run's classes are left.
    """
    ours = view.spec.classes
    for name, target in asked.items():
        if name not in theirs.classes or target not in ours:
            raise UsageError(
                f"The label map {name}={target} names a class that is not there.",
                f"Theirs are {', '.join(theirs.classes)}; ours are {', '.join(ours)}.",
            )
    folded = {name.casefold(): name for name in ours}
    said = {name: folded[name.casefold()] for name in theirs.classes if name.casefold() in folded}
    said.update(asked)
    samples = [
        replace(sample, target=answer) for sample in theirs.samples if (answer := _target(sample, theirs, view, said))
    ]
    found = (
        {value for sample in samples for value in sample.target} if view.spec.task is not Task.MULTILABEL else {0, 1}
    )
    if not samples or len(found) < 2:
        raise InputError(
            f"“{theirs.name}” has no images of two of the classes {', '.join(ours)}: its classes are "
            f"{', '.join(theirs.classes)}.",
            "Say which of their classes is which of ours: --map THEIR=OURS.",
        )
    mapped = replace(theirs, samples=tuple(samples), task=view.spec.task, classes=ours, positive=view.spec.positive)
    return mapped, said, len(theirs.samples) - len(samples)


def _target(sample: Sample, theirs: Dataset, view: RunView, said: Mapping[str, str]) -> tuple[int, ...]:
    """The sample's target among the run's classes; empty where it has none."""
    ours = view.spec.classes
    if view.spec.task is not Task.MULTILABEL:
        name = said.get(theirs.classes[sample.target[0]])
        return () if name is None else (ours.index(name),)
    known: dict[str, int] = {}
    for name, value in zip(theirs.classes, sample.target, strict=True):
        if name in said:
            known[said[name]] = max(value, known.get(said[name], UNKNOWN))
    return tuple(known.get(name, UNKNOWN) for name in ours)


def _path(workspace: Workspace, view: RunView, theirs: Dataset, said: Mapping[str, str], by: str) -> Path:
    key = hashlib.sha256(wire.canonical([theirs.fingerprint, sorted(said.items()), by])).hexdigest()[:16]
    return workspace.root / "evaluations" / f"{view.id}-on-{theirs.id}-{key}.json"


def _measure(
    workspace: Workspace,
    view: RunView,
    theirs: Dataset,
    mapped: Dataset,
    map_said: tuple[Mapping[str, str], int],
    path: Path,
    asked: _Asked,
) -> None:
    from medfm_gui.datasets.split import sample_set_hash

    names = tuple(sample.id for sample in mapped.samples)
    sample_set = sample_set_hash(theirs, names)
    reason = (asked.reason or "").strip()
    if not reason:
        raise SealError(
            f"The images of “{theirs.id}” are an external test of {view.id}, and are sealed.",
            "Open them with --open-test REASON; the reason is kept and printed.",
        )
    note(workspace, EXTERNAL_TEST, view.id, reason=reason, dataset=theirs.id, sample_set=sample_set)
    scores_path = _scored(workspace, view, theirs, asked)
    joined = joined_scores(mapped, *read_scores(scores_path))
    sites = sites_of(mapped, asked.by) if asked.by else {}
    rows, withheld = external_rows(
        joined, run=view.id, subset=f"external:{theirs.id}", unit=view.spec.recipe.counted,
        point=operating_point(view.folder), sample_set=sample_set, sites=sites, line=calibrator(view.folder),
    )  # fmt: skip
    said, left_out = map_said
    file = ExternalTest(
        view.id, theirs.id, theirs.fingerprint, now(), reason, sample_set, dict(said), left_out, asked.by,
        FileRef(str(scores_path), sha256_file(scores_path)), rows, withheld, _shared(workspace, view, mapped),
    )  # fmt: skip
    wire.write(path, file)
    workspace.store.put_evaluations(file.evaluations)


def _scored(workspace: Workspace, view: RunView, theirs: Dataset, asked: _Asked) -> Path:
    """The run's scores of every image of that dataset, made once."""
    name = "external"
    folder = workspace.root / "predictions" / f"{view.id}-on-{theirs.id}-{theirs.fingerprint[:16]}"
    path = folder / f"{name}.npz"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.jsonl").unlink(missing_ok=True)
    home = workspace.dataset(theirs.id)
    manifest = home / "manifest.json"
    order = PredictSpec(
        str(view.folder), name, str(folder), view.spec.device, FileRef(str(manifest), sha256_file(manifest)),
        str(home / "pixels"),
    )  # fmt: skip
    try:
        run_errand(order, folder=folder, on_event=asked.on_event, stop=asked.stop)
    except Interrupted:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return path


def joined_scores(mapped: Dataset, samples: Sequence[str], scores: npt.NDArray[np.float32]) -> Scored:
    """The scores of the mapped images, joined with their targets."""
    from medfm_gui.workspace.scores import scored

    place = {name: number for number, name in enumerate(samples)}
    names = [sample.id for sample in mapped.samples]
    return scored(mapped, names, scores[[place[name] for name in names]])


def sites_of(mapped: Dataset, by: str) -> dict[str, str]:
    """The site of each image by its id.

    Raises:
        UsageError: no image has a value of that covariate.
    """
    found = {s.id: (s.group if by == "group" else s.covariates.get(by)) or NO_SITE for s in mapped.samples}
    if set(found.values()) <= {NO_SITE}:
        raise UsageError(f"No image of “{mapped.name}” has a value of “{by}”.", "Name another covariate with --by.")
    return found


def _shared(workspace: Workspace, view: RunView, mapped: Dataset) -> int:
    """How many of these images the run's own dataset holds too, by their pixels."""
    if not (workspace.root / "datasets" / view.spec.dataset_id / "manifest.json").exists():
        return 0
    own = {sample.pixels_sha256 for sample in data.read(workspace, view.spec.dataset_id).samples} - {""}
    return sum(sample.pixels_sha256 in own for sample in mapped.samples)


def _openings(workspace: Workspace, sample_sets: set[str]) -> int:
    """How often these images were opened, as an external test or as the test of a run."""
    said = [entry for entry in entries(workspace.root) if entry.what == EXTERNAL_TEST]
    outside = sum(entry.details.get("sample_set") in sample_sets for entry in said)
    return outside + count_openings(workspace, sample_sets)


# -- the numbers


def external_rows(
    joined: Scored,
    *,
    run: str,
    subset: str,
    unit: str,
    point: OperatingPoint | None,
    sample_set: str,
    sites: Mapping[str, str],
    line: Calibrator | None = None,
) -> tuple[tuple[Evaluation, ...], str]:
    """Every number as frozen, then recalibrated by halves of the patients; for all, then by site.

    Frozen: threshold and order are of the scores; what is asked of probabilities is asked of those that the run's own
    calibrator ``line`` makes of them, where it has one. A site needs 20 units. Returns the rows and why there are no
    recalibrated ones, empty where there are.
    """
    from medfm_gui.metrics.evaluate import evaluate
    from medfm_gui.metrics.recalibration import calibrated

    mended, withheld = cross_fitted(joined, unit)
    rows: list[Evaluation] = []
    for kind, scores in ((FROZEN, joined), (RECALIBRATED, mended)):
        if scores is None:
            continue
        # the threshold lies on the scale of the run's own scores: on another it means nothing
        locked = point if kind == FROZEN else None
        for site in ("", *dict.fromkeys(sites.values())):
            part = scores
            if site:
                part = scores.taken(np.array([sites[name] == site for name in scores.samples], np.bool_))
                if len(part.by_unit(unit)) < _FEWEST:
                    continue
            more = {"calibration": kind, **({"site": site} if site else {})}
            found = evaluate(
                part, run=run, subset=subset, unit=unit, point=locked, sample_set=sample_set, code_version=CODE_VERSION
            )
            if kind == RECALIBRATED:  # order within a half is untouched, and between halves it means nothing
                found = tuple(row for row in found if not row.metric.startswith(_OF_ORDER))
            told = part.by_unit(unit)
            if kind == FROZEN and line is not None:
                told = calibrated(told, line)
                more["calibrator"] = f"{line.kind} on {line.fitted_on}"
                again = evaluate(
                    told,
                    run=run,
                    subset=subset,
                    unit=unit,
                    point=None,
                    sample_set=sample_set,
                    code_version=CODE_VERSION,
                )
                on_line = {_key(row): row for row in again if row.metric in _OF_PROBABILITY}
                found = tuple(on_line.get(_key(row), row) for row in found)
            found += _calibration_rows(told.without_failed(), found)
            rows += [replace(row, parameters={**row.parameters, **more}) for row in found]
    return tuple(rows), withheld


def _key(row: Evaluation) -> tuple[str, str, str]:
    return row.metric, row.label, row.parameters.get("failures", "")


def _calibration_rows(part: Scored, beside: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Calibration-in-the-large and slope of a binary task, as rows like those beside them."""
    from medfm_gui.metrics.calibration import calibration

    if part.task is not Task.BINARY or not beside:
        return ()
    found = calibration(part.events, part.event_scores, groups=part.patients)
    return tuple(
        replace(
            beside[0], metric=metric, value=one.estimate, low=one.low, high=one.high, method=one.method, n=one.n,
            note=one.note, parameters={},
        )
        for metric, one in (("calibration_in_the_large", found.in_the_large), ("calibration_slope", found.slope))
    )  # fmt: skip


def cross_fitted(joined: Scored, unit: str) -> tuple[Scored | None, str]:
    """Probabilities of each half of the patients, put right by what the other half teaches; None with the reason."""
    from medfm_gui.metrics.recalibration import calibrated, fit_calibrator

    who = joined.clusters
    half = np.random.default_rng(0).permutation(who.count)[who.codes] % 2 == 0
    scores = np.array(joined.scores)
    for own in (half, ~half):
        if not own.any() or own.all():
            return None, "a single patient cannot be parted into halves"
        line = fit_calibrator(joined.taken(~own), fitted_on="external", unit=unit)
        if line is None:
            if joined.task is Task.MULTILABEL:
                return None, "findings that occur together are not recalibrated"
            return None, "a half of the patients has fewer than ten units of a class, too few to recalibrate"
        scores[own] = calibrated(joined.taken(own), line).scores
    return replace(joined, scores=scores), ""
