"""Numbers that a person may quote, each with its interval, its method and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold fixed before the test opens.

    ``threshold`` is on the scale of the scores; a score at or above it counts as positive.
    ``fitted_on`` is ``cal`` or ``val``; ``note`` says what a reader must know of that choice.
    """

    threshold: float
    rule: str
    fitted_on: str
    unit: str
    positive: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """How scores become probabilities, fixed before the test opens (``calibrator.json`` beside the operating point).

    ``platt``: expit(slope · logit(p) + intercept). ``temperature``: softmax(log p · slope), ``intercept`` 0.
    ``slope`` is above 0, so the order of scores and every decision at a threshold stay as they are.
    ``fitted_on`` is ``cal``, ``val`` or ``out-of-fold``; ``n`` counts units, ``note`` says what a reader must know.
    """

    kind: Literal["platt", "temperature"]
    slope: float
    intercept: float
    fitted_on: str
    unit: str
    n: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One number of one run on one subset.

    ``value``, ``low`` and ``high`` are None where the metric is not estimable (``note`` says why);
    ``n`` counts units, ``n_events`` units of the positive class (binary) or of the named class.
    """

    run: str
    subset: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    method: str
    unit: str
    n: int
    n_patients: int | None
    n_events: int | None
    sample_set: str
    """SHA-256 over the pixel hashes of the samples."""
    confidence: float = 0.95
    label: str = ""
    """The class, for a per-class number; empty for the whole."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    code_version: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison of two runs on the same units: ``difference`` is a minus b."""

    a: str
    b: str
    metric: str
    difference: float | None
    low: float | None
    high: float | None
    test: str
    p: float | None
    p_adjusted: float | None
    n: int
    note: str = ""
    confidence: float = 0.95
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Unit, counts of patients and events, thresholds, and how failures were counted."""
    low_simultaneous: float | None = None
    high_simultaneous: float | None = None
    """Interval that holds together with those of all comparisons in Holm's family, at the same confidence; None of a
    single comparison, of one that has none (``note`` says why), and of files of earlier versions."""
    simultaneous_method: str = ""
    """How it was made; empty where there is none, and ``low`` and ``high`` are unadjusted then."""
