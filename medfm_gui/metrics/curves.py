"""The points of a ROC curve, thinned so that nobody sees a difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medfm_gui.metrics.arrays import Codes, Flags, Floats

MOST_POINTS = 400


def roc_points(events: Flags, scores: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """False-positive and true-positive rates from (0, 0) to (1, 1), at most ``most`` points; empty with one class only.

    Corners alone are kept where they are few. Else points stand at even steps along the curve, whose length
    (right plus up) is 2: with 400 the drawn line is nowhere farther than 0.002 from the curve.

    Args:
        events, scores: (n,), higher scores for the event.
    """
    n_events, n_others = int(events.sum()), int((~events).sum())
    if not n_events or not n_others:
        return np.empty(0), np.empty(0)
    order = np.argsort(-scores, kind="stable")
    ranked, flags = scores[order], events[order]
    block_ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.concatenate([[0], np.cumsum(flags)[block_ends]])
    alarms = np.concatenate([[0], np.cumsum(~flags)[block_ends]])
    corners = _corners(alarms, hits)
    x, y = alarms[corners] / n_others, hits[corners] / n_events
    if len(x) > most:
        kept = np.unique(np.searchsorted(x + y, np.linspace(0, 2, most)).clip(max=len(x) - 1))
        x, y = x[kept], y[kept]
    return x.astype(np.float64), y.astype(np.float64)


def mean_roc(curves: Sequence[tuple[Floats, Floats]], points: int = 201) -> tuple[Floats, Floats]:
    """The mean true-positive rate of several curves at even false-positive rates; empty curves are left out.

    Where a curve rises straight up it counts with the top of the rise.
    """
    grid = np.linspace(0, 1, points)
    # Points of one rise are moved apart to the left, so that a look-up at their rate finds the highest.
    heights = [np.interp(grid, x - np.arange(len(x))[::-1] * 1e-12, y) for x, y in curves if len(x)]
    if not heights:
        return np.empty(0), np.empty(0)
    return np.concatenate([[0.0], grid]), np.concatenate([[0.0], np.mean(heights, axis=0)])


def _corners(alarms: Codes, hits: Codes) -> Flags:
    """Points at which the staircase changes direction, ends included."""
    steps_x, steps_y = np.diff(alarms), np.diff(hits)
    kept = np.ones(len(hits), np.bool_)
    kept[1:-1] = steps_x[1:] * steps_y[:-1] != steps_x[:-1] * steps_y[1:]
    return kept
