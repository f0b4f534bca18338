"""Cheap models that a deep one must beat: a regularised logistic model on covariates, or on tiny images.

Learned on the training side; the penalty is the one of least log loss in five parts by patient. What they reach is
what a model could reach without reading the image as a reader does.
"""

from __future__ import annotations

import math
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.metrics.arrays import Codes, Flags, Floats

PENALTIES = (0.01, 0.3, 10.0, 100.0)
"""Values of ``C`` (inverse strength of the ridge penalty on standardised columns), the strongest first."""
COMPONENTS = 128
"""Tiny images are turned to at most that many principal components of the training side."""
_LEVELS = 30
_OWN_VALUE = 0.5
_PARTS = 5
_TELLING = 20
"""Images that a covariate must speak of before it can be called the label in other words."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Covariates as columns (n, k); ``used`` names those that are in them, ``left_out`` says why others are not."""

    columns: Floats
    used: tuple[str, ...]
    left_out: tuple[str, ...]


def encoded(covariates: Mapping[str, Sequence[str]], learn: Flags, targets: Codes) -> Encoded:
    """Numbers as they are, dates as days, names as one column a level; "not recorded" is a column of its own.

    Left out is a covariate that does not vary while learning, one of which nearly every image has its own value,
    and one that parts the classes without error: as a rule it is the label in other words.

    Args:
        covariates: name → (n,) values, empty where not recorded.
        learn: (n,) the units that may be looked at; levels, and what is left out, are theirs.
        targets: (n,) class indices, or (n, c) of a multi-label task.
    """
    columns: list[Floats] = []
    used: list[str] = []
    left_out: list[str] = []
    for name, values in covariates.items():
        known = [value for value, taken in zip(values, learn, strict=True) if taken]
        if len(set(known)) < 2:
            continue
        numbers = _numbers(values)
        if numbers is None and len(set(known) - {""}) > max(2, _OWN_VALUE * len(known)):
            left_out.append(f"{name} (nearly every image has its own value)")
        elif _spells_label(known, targets[learn]):
            left_out.append(
                f"{name} (parts the classes without error: the label in other words, or a perfect shortcut)"
            )
        else:
            used.append(name)
            columns.append(_levels(values, known) if numbers is None else _filled(numbers, learn))
    table = np.concatenate(columns, axis=1) if columns else np.empty((len(learn), 0))
    return Encoded(table, tuple(used), tuple(left_out))


def _numbers(values: Sequence[str]) -> Floats | None:
    """Numbers, DICOM ages in years and dates in days; NaN where not recorded; None where a value is a name."""
    found = np.full(len(values), np.nan)
    for place, text in enumerate(values):
        if text:
            number = _number(text.strip())
            if number is None:
                return None
            found[place] = number
    return found


def _number(text: str) -> float | None:
    if age := re.fullmatch(r"(\d{1,3})([YMWD])", text, re.IGNORECASE):
        return int(age[1]) / {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}[age[2].upper()]
    if day := re.fullmatch(r"((?:19|20)\d\d)[-/.]?(\d\d)[-/.]?(\d\d)", text):
        try:
            return float(date(int(day[1]), int(day[2]), int(day[3])).toordinal())
        except ValueError:
            return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _spells_label(known: Sequence[str], targets: Codes) -> bool:
    """Whether every level that occurs more than once has one target only, several targets being met."""
    seen: dict[str, set[bytes]] = {}
    for value, target in zip(known, targets, strict=True):
        if value:
            seen.setdefault(value, set()).add(target.tobytes())
    counted = Counter(value for value in known if value)
    repeated = [value for value, times in counted.items() if times > 1]
    targets_met = set().union(*(seen[value] for value in repeated)) if repeated else set()
    told = sum(counted[value] for value in repeated)
    return told >= _TELLING and len(targets_met) > 1 and all(len(seen[value]) == 1 for value in repeated)


def _filled(numbers: Floats, learn: Flags) -> Floats:
    missing = np.isnan(numbers)
    usual = float(np.nanmedian(numbers[learn]))
    filled = np.where(missing, usual, numbers)
    return np.stack([filled, missing.astype(np.float64)], axis=1) if missing.any() else filled[:, None]


def _levels(values: Sequence[str], known: Sequence[str]) -> Floats:
    frequent = [value for value, _ in Counter(known).most_common(_LEVELS)]
    return np.stack([np.array([value == level for value in values], np.float64) for level in frequent], axis=1)


def shortcut_scores(
    features: Floats,
    targets: Codes,
    task: Task,
    classes: int,
    *,
    learn: Flags,
    groups: Codes,
    seed: int = 0,
) -> Floats:
    """Probabilities (n, classes) of a ridge logistic model that learned from some of the units.

    Args:
        features: (n, k); more than ``COMPONENTS`` columns are turned to principal components first.
        targets: (n,) class indices, or (n, c) of 0, 1, ``UNKNOWN``.
        learn: (n,) the training units; nothing of the others is looked at while learning.
        groups: (n,) the patient of each unit, as a whole number.
    """
    scaler = StandardScaler().fit(features[learn])
    columns = scaler.transform(features)
    if int(learn.sum()) < 3:
        columns = columns[:, :0]  # nothing can be learned of so few: the shares are what is left
    if columns.shape[1] > COMPONENTS:
        parts = min(COMPONENTS, int(learn.sum()) - 1)
        turn = PCA(parts, svd_solver="randomized", random_state=seed).fit(columns[learn])
        columns = turn.transform(columns) / math.sqrt(max(float(turn.explained_variance_[0]), 1e-12))
    if task is not Task.MULTILABEL:
        return _one_of_several(columns, targets, classes, learn, groups)
    scores = np.empty((len(features), classes))
    for place in range(classes):
        own = targets[:, place]
        assessed = learn & (own != UNKNOWN)
        scores[:, place] = _one_of_several(columns, np.maximum(own, 0), 2, assessed, groups)[:, 1]
    return scores


def _one_of_several(columns: Floats, targets: Codes, classes: int, learn: Flags, groups: Codes) -> Floats:
    scores = np.zeros((len(columns), classes))
    present = np.unique(targets[learn])
    if len(present) < 2 or not columns.shape[1]:  # nothing to tell apart, or nothing to tell it by: the shares
        counts = np.bincount(targets[learn], minlength=classes).astype(np.float64)
        return scores + counts / counts.sum() if counts.sum() else scores + 1 / classes
    model = _fitted(columns[learn], targets[learn], _penalty(columns[learn], targets[learn], groups[learn]))
    scores[:, present] = model.predict_proba(columns)
    return scores


def _penalty(columns: Floats, targets: Codes, groups: Codes) -> float:
    """The penalty of least log loss over parts that share no patient; the strongest where nothing can be parted."""
    parts = min(_PARTS, len(np.unique(groups)))
    if parts < 2:
        return PENALTIES[0]
    losses = dict.fromkeys(PENALTIES, 0.0)
    for fit, held in GroupKFold(parts).split(columns, targets, groups):
        if len(np.unique(targets[fit])) < 2:
            continue
        for penalty in PENALTIES:
            model = _fitted(columns[fit], targets[fit], penalty)
            known = np.isin(targets[held], model.classes_)
            if known.any():
                said = model.predict_proba(columns[held][known])
                losses[penalty] += float(log_loss(targets[held][known], said, labels=model.classes_, normalize=False))
    return min(losses, key=lambda penalty: losses[penalty])


def _fitted(columns: Floats, targets: Codes, penalty: float) -> LogisticRegression:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a baseline of 300 steps is a baseline
        return LogisticRegression(C=penalty, max_iter=300).fit(columns, targets)
