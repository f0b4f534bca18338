"""Two ways of training over the folds that both have: the mean paired difference, and several pairs together.

Over one division of the patients the pairs of a family are drawn together and have intervals by max-t; where one of
them is over repeats (Nadeau and Bengio's test), or they are over other divisions, Bonferroni's take their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medfm_gui.domain.evaluation import Comparison
from medfm_gui.domain.units import counted
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace.held_out import FoldRun

if TYPE_CHECKING:
    from medfm_gui.metrics.estimate import PairedTest
    from medfm_gui.metrics.folds import Fold

MODELS_HELD = (
    "The models of the folds are held: intervals are of other patients, not of other trainings. Folds share most of "
    "their training images, so the spread over them is no confidence interval."
)
BONFERRONI = "bonferroni"


@dataclass(frozen=True, slots=True)
class FoldPair:
    """Two ways over the folds that both have: their mean difference, and that within each fold (``labels``)."""

    comparison: Comparison
    labels: tuple[str, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """Two ways over the folds that both have: ``sides`` one a division, of each the runs of the one and the other."""

    names: tuple[str, str]
    sides: tuple[tuple[list[FoldRun], list[FoldRun]], ...]

    @property
    def is_repeated(self) -> bool:
        """Whether these are several divisions by one rule."""
        return len(self.sides) > 1

    @property
    def labels(self) -> tuple[str, ...]:
        """What people read for each fold."""
        return tuple(
            run.facts.label + (f", division seed {run.facts.seed}" if self.is_repeated else "")
            for one, _ in self.sides
            for run in one
        )

    @property
    def runs(self) -> list[FoldRun]:
        """Those of the first way."""
        return [run for one, _ in self.sides for run in one]

    @property
    def by_fold(self) -> tuple[dict[int, Fold], dict[int, Fold]]:
        """Both ways over the first division."""
        one, other = ({run.facts.fold: (run.units, run.point) for run in side} for side in self.sides[0])
        return one, other


def both(names: tuple[str, str], a: dict[str, list[FoldRun]], b: dict[str, list[FoldRun]]) -> Both | None:
    """Two ways over the folds that both have, of one division or of its repeats; None where they share no two."""
    shared = [_shared(a[family], b[family]) for family in a if family in b]
    shared = [(one, other) for one, other in shared if len(one) > 1]
    if not shared:
        return None
    rules = {one[0].facts.rule for one, _ in shared}
    seeds = {one[0].facts.seed for one, _ in shared}
    repeats = len(shared) > 1 and len(rules) == 1 and len(seeds) == len(shared)
    return Both(names, tuple(shared if repeats else shared[:1]))


def compared(pairs: Sequence[Both], together: bool) -> list[FoldPair]:
    """Every pair with its test, Holm's p, and the interval that holds together with those of the others."""
    from medfm_gui.metrics.compare import adjust_holm

    divisions = {pair.sides[0][0][0].facts.family for pair in pairs}
    if together and len(pairs) > 1 and len(divisions) == 1 and not any(pair.is_repeated for pair in pairs):
        made = _on_same_draws(pairs)
    else:
        made = [_alone(pair) for pair in pairs]
        tested = [place for place, pair in enumerate(made) if pair.comparison.p is not None]
        if together and len(tested) > 1:
            for place in tested:
                made[place] = _bonferroni(made[place], pairs[place], len(tested))
    rows = adjust_holm([pair.comparison for pair in made]) if made else ()
    return [replace(pair, comparison=row) for pair, row in zip(made, rows, strict=True)]


def _on_same_draws(pairs: Sequence[Both]) -> list[FoldPair]:
    """Of pairs over one division the intervals by max-t, each at least as wide as the pair's own."""
    from medfm_gui.metrics.estimate import joined
    from medfm_gui.metrics.folds import fold_differences
    from medfm_gui.metrics.simultaneous import METHOD

    found = fold_differences([pair.by_fold for pair in pairs])
    held = found.together
    said = "" if held.critical is None else f"simultaneous over {held.count} (critical value {held.critical:.2f})"
    made = []
    for pair, one, low, high, why in zip(pairs, found.differences, held.lows, held.highs, held.notes, strict=True):
        row = _row(pair, one.metric, one.values, one.test)
        if low is None or high is None or row.low is None or row.high is None:
            lacking = f"no simultaneous interval: {why}" if why and row.low is not None else ""
            row = replace(row, note=joined(row.note, lacking))
        else:
            row = replace(
                row, low_simultaneous=min(low, row.low), high_simultaneous=max(high, row.high),
                simultaneous_method=METHOD, note=joined(row.note, said, held.note),
            )  # fmt: skip
        made.append(FoldPair(row, pair.labels, one.values))
    return made


def _alone(pair: Both, confidence: float = 0.95) -> FoldPair:
    """A pair by itself: patients within folds drawn again, or the test over repeats."""
    from medfm_gui.metrics.folds import fold_difference

    found = [
        fold_difference(
            [(run.units, run.point) for run in one], [(run.units, run.point) for run in other], confidence=confidence
        )
        for one, other in pair.sides
    ]  # fmt: skip
    values = tuple(value for item in found for value in item.values)
    if not pair.is_repeated:
        return FoldPair(_row(pair, found[0].metric, values, found[0].test), pair.labels, values)
    made = _over_repeats(pair.names, pair.runs, values, _counts(pair, values), confidence)
    return FoldPair(replace(made, metric=found[0].metric, n=found[0].test.n), pair.labels, values)


def _bonferroni(made: FoldPair, pair: Both, count: int) -> FoldPair:
    """The interval by the pair's own test at a confidence that makes ``count`` of them hold together."""
    from medfm_gui.metrics.estimate import joined

    row = made.comparison
    wide = _alone(pair, 1 - (1 - row.confidence) / count).comparison
    if wide.low is None or wide.high is None:
        return made
    row = replace(
        row, low_simultaneous=wide.low, high_simultaneous=wide.high, simultaneous_method=BONFERRONI,
        note=joined(row.note, f"simultaneous over {count} by Bonferroni"),
    )  # fmt: skip
    return replace(made, comparison=row)


def _counts(pair: Both, values: Sequence[float | None]) -> dict[str, str]:
    return {
        "unit": pair.runs[0].units.unit,
        "folds": str(len(values)),
        "divisions": str(len(pair.sides)),
        "model": "each fold's own",
    }


def _row(pair: Both, metric: str, values: Sequence[float | None], test: PairedTest) -> Comparison:
    return Comparison(
        *pair.names, metric, test.difference, test.low, test.high, test.method, test.p_value, None, test.n,
        test.note, test.confidence, _counts(pair, values),
    )  # fmt: skip


def _shared(a: Sequence[FoldRun], b: Sequence[FoldRun]) -> tuple[list[FoldRun], list[FoldRun]]:
    folds = {run.facts.fold for run in a} & {run.facts.fold for run in b}
    return [run for run in a if run.facts.fold in folds], [run for run in b if run.facts.fold in folds]


def _over_repeats(
    names: tuple[str, str],
    runs: Sequence[FoldRun],
    values: Sequence[float | None],
    more: dict[str, str],
    confidence: float,
) -> Comparison:
    """Nadeau and Bengio's test of the differences within all folds of all divisions."""
    from medfm_gui.metrics.repeats import METHOD, repeats_test

    known = [value for value in values if value is not None]
    if len(known) < len(values):
        why = f"{len(values) - len(known)} of {len(values)} folds lack a class that this number needs"
        return Comparison(*names, "", None, None, None, "not-estimable", None, None, 0, why, parameters=more)
    n_train = sum(run.facts.n_train for run in runs) / len(runs)
    n_test = sum(run.facts.n_test for run in runs) / len(runs)
    found = repeats_test(known, n_train=n_train, n_test=n_test, confidence=confidence)
    sizes = {"n_train": f"{n_train:.1f}", "n_test": f"{n_test:.1f}", "sizes_of": runs[0].facts.sizes_of,
             "df": str(found.df), "t": "" if found.t is None else f"{found.t:.6g}"}  # fmt: skip
    return Comparison(
        *names, "", found.difference, found.low, found.high, METHOD, found.p_value, None, 0, found.note,
        found.confidence, {**more, **sizes},
    )  # fmt: skip


def pairs_sentence(pairs: Sequence[FoldPair], ways: int) -> str:
    """The differences in words, what remains compatible with the data, and what they do not speak of."""
    from medfm_gui.metrics.compare import unadjusted

    said = [_clause(pair.comparison) for pair in pairs]
    said += unadjusted([pair.comparison for pair in pairs])
    if ways > 1 and len(pairs) < ways - 1:
        said.append("Ways that share no two folds with the first are not compared.")
    return "\n".join([*said, MODELS_HELD])


def _clause(row: Comparison) -> str:
    from medfm_gui.metrics.compare import in_sentence, in_words

    title, folds, times = in_sentence(metric_title(row.metric)), row.parameters["folds"], row.parameters["divisions"]
    where = f"the same {folds} folds" + (f" of {times} divisions" if times != "1" else "")
    if row.difference is None:
        return f"Over {where} the {title} of {row.a} and {row.b} cannot be compared: {row.note}."
    where += f" ({counted(row.n, row.parameters['unit'])})"
    return in_words(row, f"Over {where} the mean {title} of {row.a} minus that of {row.b} is", row.a, row.b)
