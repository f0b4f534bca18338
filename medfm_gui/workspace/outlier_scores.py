"""How unlike the training images each image of a partition is, for a table: a worker scores, the run's limit judges."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.run import OutlierSpec
from medfm_gui.workspace.errands import OnEvent, run_errand
from medfm_gui.workspace.outliers import SIMILAR, outlier_limit
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.training import RunView

COLUMNS = ("outlier_score", "outlier")
SCORES = "outlier.npz"


@dataclass(frozen=True, slots=True)
class OutlierCell:
    """One image: its score (None: not known), and whether it lies beyond the limit (None: there is no verdict)."""

    score: float | None
    is_outlier: bool | None

    @property
    def texts(self) -> tuple[str, str]:
        """As a table holds them: the score with nine digits, yes or no; empty where it is not known."""
        said = "" if self.is_outlier is None else "yes" if self.is_outlier else "no"
        return ("" if self.score is None else f"{self.score:.9g}"), said


def outlier_cells(
    view: RunView, subset: str, *, on_event: OnEvent | None = None, stop: threading.Event | None = None
) -> Mapping[str, OutlierCell]:
    """Score and verdict of every sample of a partition; whoever calls has seen to it that the test is open.

    Raises:
        UsageError: the run fixed no limit, or kept no training images to compare with.
        MedfmError: its data or weights are gone or changed.
        Interrupted: it was stopped.
    """
    limit = outlier_limit(view.folder)
    if limit is None or not (view.folder / SIMILAR).exists():
        raise UsageError(
            f"{view.id} has no training images to compare with, so nothing can be told to be unlike them.",
            f"“medfm similar {view.id}” keeps them; of a model from elsewhere they cannot be had.",
        )
    with tempfile.TemporaryDirectory(prefix="medfm-outlier-") as made:
        run_errand(OutlierSpec(str(view.folder), subset, made), on_event=on_event, stop=stop)
        samples, scores = read_scores(Path(made) / SCORES)
    return {name: _cell(float(row[0]), limit.limit) for name, row in zip(samples, scores, strict=True)}


def _cell(score: float, limit: float | None) -> OutlierCell:
    from medfm_gui.metrics.outliers import is_beyond

    if not math.isfinite(score):
        return OutlierCell(None, None)
    return OutlierCell(score, None if limit is None else is_beyond(score, limit))
