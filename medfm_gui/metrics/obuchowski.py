"""The variance of an AUC when a patient has several units (Obuchowski 1997)."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from medfm_gui.metrics.arrays import Clusters, Flags, Floats


class Components(Protocol):
    """Structural components of an AUC or of a difference of two (``delong.Placements``)."""

    @property
    def of_events(self) -> Floats:
        """(m,) of the units with the event, in their order."""

    @property
    def of_others(self) -> Floats:
        """(k,) of the other units, in their order."""


def clustered_variance(parts: Components, events: Flags, clusters: Clusters) -> float:
    """Nonparametric variance of an AUC (or a difference) of clustered units; DeLong's where no patient repeats.

    Source: Obuchowski, Biometrics 1997; 53: 567–578. NaN with fewer than two patients in a class.

    Args:
        parts: components of m events and k others.
        events: (n,) which units are events, n = m + k.
    """
    m, k = len(parts.of_events), len(parts.of_others)
    with_event = np.bincount(clusters.codes[events], minlength=clusters.count)
    with_other = np.bincount(clusters.codes[~events], minlength=clusters.count)
    patients = int((with_event > 0).sum()), int((with_other > 0).sum())
    if min(patients) < 2:
        return float("nan")
    auc = float(parts.of_events.mean())
    shift_events = _sums(parts.of_events, clusters, events) - with_event * auc
    shift_others = _sums(parts.of_others, clusters, ~events) - with_other * auc
    s10 = patients[0] / ((patients[0] - 1) * m) * float(shift_events @ shift_events)
    s01 = patients[1] / ((patients[1] - 1) * k) * float(shift_others @ shift_others)
    s11 = clusters.count / (clusters.count - 1) * float(shift_events @ shift_others)
    return s10 / m + s01 / k + 2 * s11 / (m * k)


def _sums(values: Floats, clusters: Clusters, units: Flags) -> Floats:
    sums: Floats = np.bincount(clusters.codes[units], weights=values, minlength=clusters.count).astype(np.float64)
    return sums
