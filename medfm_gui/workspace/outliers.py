"""Whether an image looks unlike what a run was trained on: the score, the limit, and the nearest training images.

A worker gives the scores; the limit was fixed when the run ended, or afterwards by ``keep_similar``. Nothing here says
that an image is abnormal: a rare finding may look like every other image, and a new scanner like none.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.portable import imported_from
from medfm_gui.domain.run import EXTERNAL, Phase, SimilarSpec
from medfm_gui.domain.similar import MOST_SIMILAR, SELECTED_ON, OutlierLimit, SimilarCase
from medfm_gui.workspace import training
from medfm_gui.workspace.errands import OnEvent, run_errand
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.training import RunView

OUTLIER, SIMILAR = "outlier.json", "similar.safetensors"
OUTLIER_SET = "Hidden: the image looks unlike the training images, so nothing is promised of it."
_SIDES = {"cal": "calibration", "val": "validation"}
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one image, or of the images of one series together.

    ``score`` is their mean, None where it is not known; ``is_outlier`` is None where there is no verdict, and ``note``
    always says why. ``beyond`` counts images that alone are beyond the limit for single images.
    """

    score: float | None = None
    is_outlier: bool | None = None
    note: str = ""
    limit: float | None = None
    beyond: int = 0
    similar: tuple[SimilarCase, ...] = ()


def outlier_limit(folder: Path) -> OutlierLimit | None:
    """The limit of a run; None where none was fixed.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / OUTLIER
    if not path.exists():
        return None
    found = wire.read(OutlierLimit, path)
    if not all(one is None or (math.isfinite(one) and one >= 0) for one in (found.limit, found.limit_pooled)):
        raise InputError(f"The outlier limit of {folder.name} is damaged.", _again(folder.name))
    return found


def verdict(view: RunView, said: Sequence[ev.StudyPredicted]) -> Verdict:
    """What a run's scores of one unit's images come to."""
    scores = [one.outlier_score for one in said if one.outlier_score is not None]
    try:
        limit = outlier_limit(view.folder)
    except InputError as error:
        return Verdict(note=f"No verdict: {error.message} {error.hint}")
    if limit is None or len(scores) < len(said) or not said:
        return Verdict(note=_why_none(view, limit, len(said) - len(scores)))
    score = math.fsum(scores) / len(scores)
    nearest = _nearest(said)
    several = len(said) > 1
    own = limit.limit_pooled if several and limit.limit_pooled is not None else limit.limit
    if own is None or limit.limit is None:
        why = _without_selection(limit.note)
        return Verdict(score, None, f"Distance {score:.{_DIGITS}f}; no verdict: {why}.", similar=nearest)
    from medfm_gui.metrics.outliers import is_beyond

    beyond = sum(is_beyond(one, limit.limit) for one in scores)
    is_outlier = is_beyond(score, own)
    return Verdict(score, is_outlier, _sentence(score, own, limit, is_outlier, len(said), beyond), own, beyond, nearest)


def noticed(notice: str, is_outlier: bool | None) -> str:
    """The sentence that leaves the program with a picture; of an outlier it says that it is one."""
    return f"{notice}. The image looks unlike the training images" if is_outlier else notice


def keep_similar(
    workspace: Workspace,
    run_id: str,
    *,
    device: str = "auto",
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> OutlierLimit:
    """Keep the training images' features of a finished run, and fix its limit; what is there and whole stays.

    Raises:
        UsageError: it is not finished, has no model, or its training images are not in this workspace.
        MedfmError: its data or weights are gone or changed.
        Interrupted: it was stopped.
    """
    view = training.check_finished(training.view(workspace, run_id))
    training.check_has_model(view)
    if not view.spec.dataset_id:
        raise UsageError(
            f"The images that {run_id} was trained on are not in this workspace: they do not travel with a model.",
            "Import that dataset and its split first, then the model again.",
        )
    kept = outlier_limit(view.folder) if _is_whole(view) else None
    if kept is not None:
        return kept
    run_errand(SimilarSpec(str(view.folder), device), on_event=on_event, stop=stop)
    found = outlier_limit(view.folder)
    if found is None:
        raise InputError(
            f"Not one training image of {run_id} has finite features.", "Look at its training, and train it again."
        )
    note(workspace, "outlier limit fixed", run_id, sha256=sha256_file(view.folder / OUTLIER))
    return found


def can_keep(view: RunView) -> bool:
    """Whether a run lacks what to compare images with, and ``keep_similar`` can make it here."""
    is_model = view.state.phase is Phase.FINISHED and view.spec.adapt != EXTERNAL
    return is_model and bool(view.spec.dataset_id) and not imported_from(view.state.facts) and not _is_whole(view)


def _is_whole(view: RunView) -> bool:
    """Whether both files are there, as the training wrote them where it did."""
    for name in (OUTLIER, SIMILAR):
        path, written = view.folder / name, view.state.files.get(name)
        if not path.exists() or (written is not None and sha256_file(path) != written):
            return False
    return True


def _nearest(said: Sequence[ev.StudyPredicted]) -> tuple[SimilarCase, ...]:
    """The training images nearest to any of a unit's images, each once."""
    found: dict[str, SimilarCase] = {}
    for case in sorted((case for one in said for case in one.similar), key=lambda case: (case.distance, case.sample)):
        found.setdefault(case.sample, case)
    return tuple(found.values())[:MOST_SIMILAR]


def _sentence(score: float, own: float, limit: OutlierLimit, is_outlier: bool, images: int, beyond: int) -> str:
    digits = _digits(score, own)
    what = f"distance {score:.{digits}f}"
    if images > 1:
        what = f"mean distance {score:.{digits}f} of {images} images"
    where = f"{'above' if is_outlier else 'not above'} the limit {own:.{digits}f} ({_origin(limit)})"
    head = "Looks unlike the training images" if is_outlier else "No outlier signal"
    alone = f" {beyond} of {images} images are beyond the limit alone." if images > 1 and beyond else ""
    return f"{head}: {what}, {where}.{alone}"


def _digits(score: float, own: float) -> int:
    """Three digits, or as many as tell the two apart."""
    return next((some for some in (3, 4) if f"{score:.{some}f}" != f"{own:.{some}f}"), 5)


def limit_line(limit: OutlierLimit) -> str:
    """From which distance on a single image is an outlier, for a table of them; or why nobody can tell."""
    if limit.limit is None:
        return f"No verdict on outliers: {_without_selection(limit.note)}."
    return f"An outlier is an image with a distance above {limit.limit:.{_DIGITS}f} ({_origin(limit)})."


def _without_selection(note: str) -> str:
    """Why there is no limit; that validation chose the model too is to be known of a limit alone."""
    return "; ".join(part for part in note.split("; ") if part != SELECTED_ON)


def _origin(limit: OutlierLimit) -> str:
    """``95th percentile of 120 calibration patients``, and what is to be known of it."""
    side = _SIDES.get(limit.fitted_on, limit.fitted_on)
    what = f"{limit.n_patients} {side} patients" if limit.n_patients is not None else f"{limit.n} {side} images"
    some = f"compared with {limit.references:,} of {limit.of:,} training images" if limit.references < limit.of else ""
    return ", ".join(filter(None, (f"{100 * limit.level:g}th percentile of {what}", limit.note, some)))


def _why_none(view: RunView, limit: OutlierLimit | None, unscored: int) -> str:
    if imported_from(view.state.facts) and limit is None:
        return "Not available: training images do not travel with a model’s file, so there is nothing to compare with."
    if limit is None:
        return f"Not available: this run kept no training images to compare with. {_again(view.id)}"
    if not (view.folder / SIMILAR).exists():
        return f"Not available: the training images’ features of this run are gone. {_again(view.id)}"
    if unscored:
        return (
            "Not available: the image’s features are not finite, or the training images’ features are damaged or of "
            f"another training. {_again(view.id)}"
        )
    return "Not available: no image was scored."


def _again(run: str) -> str:
    return f"“medfm similar {run}” keeps them."
