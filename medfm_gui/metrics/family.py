"""Several pairs of runs at once: the tests of each, Holm over all, and intervals that hold together.

All statistics are taken on the same draws of patients, each once however many pairs it stands in: 435 pairs of 30 runs
cost 30 statistics. Where the tests are bootstraps themselves, they use those very replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Comparison, OperatingPoint
from medfm_gui.metrics.arrays import Clusters, Flags, Floats
from medfm_gui.metrics.bootstrap import Statistic, of_all, replicates_of
from medfm_gui.metrics.compare import (
    PRECISION,
    adjust_holm,
    check_same_question,
    compare,
    families,
    side_by_side,
)
from medfm_gui.metrics.counting import share_statistic
from medfm_gui.metrics.estimate import joined
from medfm_gui.metrics.names import headline
from medfm_gui.metrics.quantities import quantities
from medfm_gui.metrics.ranking import auc_statistic, average_precision_statistic
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.simultaneous import METHOD, simultaneous_intervals
from medfm_gui.metrics.threshold import decisions

OnProgress = Callable[[str, int, int], None]
"""Told what is being done, how many steps of it are done, and how many there are; may raise to end the work."""
Pair = tuple[int, int]
"""Places of two runs: the difference is the first minus the second."""


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A run in a comparison of several: its scores, one row an image, and its threshold where that counts."""

    run: str
    scored: Scored
    point: OperatingPoint | None = None


def against_first(contenders: Sequence[Contender]) -> list[Pair]:
    """Each but the first minus the first, which is the reference."""
    return [(place, 0) for place in range(1, len(contenders))]


def compare_family(
    contenders: Sequence[Contender],
    pairs: Sequence[Pair],
    *,
    unit: str,
    seed: int = 0,
    headline_alone: bool = False,
    on_progress: OnProgress | None = None,
) -> tuple[Comparison, ...]:
    """``compare`` of every pair, with Holm's p and simultaneous intervals over those of one metric.

    A simultaneous interval is never narrower than the pair's own: it is widened to hold that too. It is absent where
    only one pair is compared, and where it cannot be had (the note says why, and that the interval is unadjusted).

    Args:
        pairs: places in ``contenders``; a single pair needs no adjustment and gets none.
        headline_alone: leave out whatever is compared besides, which costs a bootstrap a run.

    Raises:
        InputError: as ``compare``.
    """
    tell = on_progress or _tell_nobody
    sides = [replace(one, scored=one.scored.by_unit(unit)) for one in contenders]
    for one in sides[1:]:
        check_same_question(one.scored, sides[0].scored)
    joint = _Joint(sides, pairs, headline_alone) if len(pairs) > 1 else None
    values = joint.replicates(seed, tell) if joint is not None else None
    rows: list[Comparison] = []
    of_pair: list[Pair] = []
    for number, pair in enumerate(pairs):
        a, b = (sides[place] for place in pair)
        tell(f"Comparing {a.run} with {b.run}", number, len(pairs))
        known = joint.of_tests(pair, values) if joint is not None and values is not None else {}
        found = compare(
            a.scored, b.scored, run_a=a.run, run_b=b.run, point_a=a.point, point_b=b.point, unit=unit, seed=seed,
            values=known, headline_alone=headline_alone,
        )  # fmt: skip
        rows += found
        of_pair += [pair] * len(found)
    if joint is not None and values is not None:
        for places in families(rows):
            _widen(rows, of_pair, places, joint, values)
    return adjust_holm(rows)


def _tell_nobody(doing: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def _widen(
    rows: list[Comparison], of_pair: Sequence[Pair], places: Sequence[int], joint: _Joint, values: Floats
) -> None:
    """Give the rows of a family their simultaneous intervals."""
    if len(places) < 2:
        return
    shifts = np.stack([joint.shift(of_pair[place], rows[place], values) for place in places])
    confidence = rows[places[0]].confidence
    found = simultaneous_intervals([rows[place].difference for place in places], shifts, confidence=confidence)
    said = "" if found.critical is None else f"simultaneous over {found.count} (critical value {found.critical:.2f})"
    for place, low, high, why in zip(places, found.lows, found.highs, found.notes, strict=True):
        item = rows[place]
        if low is None or high is None or item.low is None or item.high is None:
            lacking = f"no simultaneous interval: {why}" if why and item.low is not None else ""
            rows[place] = replace(item, note=joined(item.note, lacking))
        else:
            rows[place] = replace(
                item,
                low_simultaneous=min(low, item.low),
                high_simultaneous=max(high, item.high),
                simultaneous_method=METHOD,
                note=joined(item.note, said, found.note),
            )


_Key = tuple[int, str, bool, bytes]
"""A run's place, a metric, whether failures count as errors, and which units count."""


class _Joint:
    """Runs on all units that any of them has, and their statistics as functions of the same draws of patients."""

    def __init__(self, sides: Sequence[Contender], pairs: Sequence[Pair], headline_alone: bool) -> None:
        self._headline_alone = headline_alone
        whole = sides[0].scored
        for one in sides[1:]:
            whole = side_by_side(whole, one.scored)[0]
        self._is_plain = all(
            (one.scored.samples, one.scored.patients) == (whole.samples, whole.patients) for one in sides
        )
        self._sides = [
            replace(one, scored=replace(side_by_side(whole, one.scored)[1], patients=whole.patients)) for one in sides
        ]
        self._clusters = whole.clusters
        self._member: list[Flags] = [_among(whole.samples, one.scored.samples) for one in sides]
        self._known: list[Flags] = [np.asarray(np.isfinite(one.scored.scores).all(axis=1)) for one in self._sides]
        self._places: dict[_Key, int] = {}
        self._statistics: list[Statistic] = []
        for pair in pairs:
            self._add(pair)

    def _add(self, pair: Pair) -> None:
        for is_errors in (False, True) if self._lost(pair) else (False,):
            units = self._units(pair, is_errors)
            if units.any():
                for place in pair:
                    self._add_run(place, is_errors, units)

    def _add_run(self, place: int, is_errors: bool, units: Flags) -> None:
        main = headline(self._sides[place].scored.task)
        if (place, main, is_errors, units.tobytes()) in self._places:
            return
        side = self._sides[place]
        scored = side.scored.failures_as_errors() if is_errors else side.scored
        if not units.all():
            scored = scored.taken(units)
        who = self._clusters if units.all() else scored.clusters
        for metric, statistic in _statistics(scored, side.point, who, self._headline_alone):
            self._places[place, metric, is_errors, units.tobytes()] = len(self._statistics)
            every = units.all()
            self._statistics.append(statistic if every else of_all(statistic, who, self._clusters.codes[units]))

    def _lost(self, pair: Pair) -> bool:
        return not np.array_equal(self._units(pair, False), self._units(pair, True))

    def _units(self, pair: Pair, is_errors: bool) -> Flags:
        """The units of a pair: those that both could score, or all that either has."""
        first, second = pair
        if is_errors:
            return self._member[first] | self._member[second]
        return self._known[first] & self._known[second]

    def replicates(self, seed: int, tell: OnProgress) -> Floats:
        """All statistics on the same draws: (statistics, replicates)."""

        def drawn(done: int, total: int) -> None:
            tell("Drawing patients again for all pairs", done, total)

        drawn(0, 1)
        return replicates_of(self._statistics, self._clusters, seed=seed, on_draws=drawn)

    def of_tests(self, pair: Pair, values: Floats) -> dict[str, Floats]:
        """By metric what a pair's own bootstrap would draw: the same, where the pair has all units of the family."""
        if not self._is_plain or self._lost(pair):
            return {}
        units = self._units(pair, False).tobytes()
        found = {}
        for place, metric, is_errors, of in self._places:
            if place == pair[0] and not is_errors and of == units and (pair[1], metric, False, units) in self._places:
                rows = [self._places[run, metric, False, units] for run in pair]
                found[metric] = values[rows]
        return found

    def shift(self, pair: Pair, row: Comparison, values: Floats) -> Floats:
        """The replicates (r,) of the difference of a row."""
        is_errors = "failures" in row.parameters
        units = self._units(pair, is_errors).tobytes()
        first, second = (values[self._places[place, row.metric, is_errors, units]] for place in pair)
        return np.asarray(first - second)


def _statistics(
    scored: Scored, point: OperatingPoint | None, who: Clusters, headline_alone: bool
) -> list[tuple[str, Statistic]]:
    """The statistics of a run that a comparison tests, by metric: those of ``compare``."""
    main = headline(scored.task)
    if scored.task is not Task.BINARY:
        return [(main, quantities(scored, None)[0].statistic)]
    events = scored.events
    found = [(main, auc_statistic(events, scored.event_scores, who.codes))]
    if headline_alone:
        return found
    found.append((PRECISION, average_precision_statistic(events, scored.event_scores, who.codes)))
    if point is not None:
        called = decisions(scored, point)
        found.append(("sensitivity", share_statistic(called, who, events)))
        found.append(("specificity", share_statistic(~called, who, ~events)))
    return found


def _among(names: Sequence[str], held: Sequence[str]) -> Flags:
    if names == held:
        return np.ones(len(names), np.bool_)
    known = set(held)
    return np.array([name in known for name in names], np.bool_)
