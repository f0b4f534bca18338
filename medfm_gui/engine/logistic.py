"""Logistic regression along a path of penalties, each solution the start of the next.

Classes that exclude each other make one regression; in a multi-label task each label has its own, on the
samples in which it was assessed. A class without both outcomes in the training set gets a constant.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import UsageError

Doubles = npt.NDArray[np.float64]

_MOST_STEPS = 500
_NEVER = -1e4
"""The logit of a class that no training sample has: probability 0."""


class Layer(NamedTuple):
    """Logits = features @ weight.T + bias, with weight classes × D and bias classes."""

    weight: Doubles
    bias: Doubles


class LogisticPath:
    """Logistic regressions of one training set.

    Args:
        features: n × D, centred and of about unit scale.
        targets: n class indices; or n × classes of 0, 1, ``UNKNOWN`` for a multi-label task.

    Raises:
        UsageError: there are not two outcomes to tell apart.
    """

    def __init__(self, features: Doubles, targets: npt.NDArray[np.integer], task: Task, classes: int) -> None:
        self._features = features
        self._classes = classes
        self._multilabel = task is Task.MULTILABEL
        self._columns = list(targets.T) if self._multilabel else [targets]
        self._models = {
            place: LogisticRegression(solver="lbfgs", warm_start=True, max_iter=_MOST_STEPS)
            for place, column in enumerate(self._columns)
            if len(np.unique(column[column != UNKNOWN])) > 1
        }
        if not self._models:
            raise UsageError(
                "All training images have the same label, so there is nothing to learn.",
                "Use more shots or another split.",
            )

    def fit(self, c: float) -> Layer:
        """The solution for ``c`` (the inverse of the penalty), begun from the solution before."""
        with warnings.catch_warnings():
            # the weakest penalties may not converge on separable data; validation does not choose them then
            warnings.simplefilter("ignore", ConvergenceWarning)
            for place, model in self._models.items():
                assessed = self._columns[place] != UNKNOWN
                model.C = c
                model.fit(self._features[assessed], self._columns[place][assessed])
        return self._per_label() if self._multilabel else self._per_class()

    def state(self) -> dict[str, Doubles]:
        """What the next ``fit`` starts from."""
        arrays = {}
        for place, model in self._models.items():
            arrays[f"{place}.coef"] = model.coef_
            arrays[f"{place}.intercept"] = model.intercept_
        return arrays

    def restore(self, arrays: Mapping[str, Doubles]) -> None:
        """Go on from a ``state``."""
        for place, model in self._models.items():
            model.coef_ = arrays[f"{place}.coef"]
            model.intercept_ = arrays[f"{place}.intercept"]

    def _per_class(self) -> Layer:
        model = self._models[0]
        weight = np.zeros((self._classes, self._features.shape[1]))
        bias = np.full(self._classes, _NEVER)
        if len(model.classes_) == 2:  # scikit-learn keeps one row; halves give both classes a gradient
            weight[model.classes_] = np.concatenate([-model.coef_, model.coef_]) / 2
            bias[model.classes_] = np.concatenate([-model.intercept_, model.intercept_]) / 2
        else:
            weight[model.classes_] = model.coef_
            bias[model.classes_] = model.intercept_
        return Layer(weight, bias)

    def _per_label(self) -> Layer:
        weight = np.zeros((self._classes, self._features.shape[1]))
        bias = np.zeros(self._classes)
        for place, column in enumerate(self._columns):
            if place in self._models:
                weight[place] = self._models[place].coef_[0]
                bias[place] = self._models[place].intercept_[0]
            else:  # never, always or not assessed: the log odds with half a case added to each side
                bias[place] = np.log(((column == 1).sum() + 0.5) / ((column == 0).sum() + 0.5))
        return Layer(weight, bias)
