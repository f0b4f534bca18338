"""The numbers of a cross-validation in the database: rows of runs that are joined by “+”, and differences of these.

A mean stands under all runs of its way; its spread, lowest and highest value are rows beside it. A pair of ways stands
under the runs of both, the difference within each fold under the two runs of that fold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.workspace.comparing import chart_owner
from medfm_gui.workspace.crossvalidation import CrossValidation
from medfm_gui.workspace.opened_runs import chart_owner as owner_of_cases
from medfm_gui.workspace.place import Workspace

FOLD_VALUES = "fold-values"
_SPREADS = (("spread", "standard deviation"), ("lowest", "lowest"), ("highest", "highest"))


def index_folds(workspace: Workspace, found: CrossValidation) -> None:
    """Bring every number of a cross-validation, and its chart, into the database."""
    workspace.store.put_evaluations(tuple(fold_rows(found)))
    for pairs in fold_comparisons(found):
        workspace.store.put_comparisons(pairs)
    for chart in found.charts:
        workspace.store.put_chart(owner_of_cases(found.runs), chart)


def fold_rows(found: CrossValidation) -> Iterator[Evaluation]:
    """Means with their spread, of each way and of all its divisions; of each the images of all its folds."""
    for way in found.ways:
        whole = replace(way.mean, run=chart_owner(way.runs), sample_set=_sample_set(way.rows))
        yield whole
        if way.pooled is not None:
            yield replace(way.pooled, run=whole.run, sample_set=whole.sample_set)
        yield from _spread(whole, (way.spread, way.lowest, way.highest))
    for one in found.repeats:
        rows = [row for way in found.ways if way.family in one.families and _is_of(way.name, one.name)
                for row in way.rows]  # fmt: skip
        runs = chart_owner(tuple(row.run for row in rows))
        whole = replace(one.mean, run=runs, sample_set=_sample_set(rows))
        yield whole
        yield from _spread(whole, (one.spread, one.lowest, one.highest))


def _spread(mean: Evaluation, values: Sequence[float | None]) -> Iterator[Evaluation]:
    for (_, told), value in zip(_SPREADS, values, strict=True):
        if value is not None:
            yield replace(
                mean, value=value, low=None, high=None, method=FOLD_VALUES, parameters={"over folds": told},
                note="the spread over folds is no confidence interval",
            )  # fmt: skip


def _sample_set(rows: Sequence[Evaluation]) -> str:
    """The images of several folds: the hash over the hashes of each."""
    return hashlib.sha256("\n".join(sorted(row.sample_set for row in rows)).encode()).hexdigest()


def fold_comparisons(found: CrossValidation) -> tuple[tuple[Comparison, ...], ...]:
    """The pairs of ways, and in a list of their own the differences within each fold; none where nothing is paired."""
    if not found.pairs:
        return ()
    pairs, within = [], []
    for pair in found.pairs:
        row = pair.comparison
        ways = {"way_a": row.a, "way_b": row.b}
        sides = [chart_owner(found.runs_of(name)) for name in (row.a, row.b)]
        pairs.append(replace(row, a=sides[0], b=sides[1], parameters={**row.parameters, **ways}))
        folds = [_by_label(found, name) for name in (row.a, row.b)]
        for label, value in zip(pair.labels, pair.values, strict=True):
            one, other = (of.get(label) for of in folds)
            if one is not None and other is not None:
                said = {"unit": one.unit, "fold": label, **ways}
                within.append(
                    Comparison(
                        one.run, other.run, row.metric, value, None, None, FOLD_VALUES, None, None, one.n,
                        confidence=row.confidence, parameters=said,
                    )
                )  # fmt: skip
    return tuple(pairs), tuple(within)


def _is_of(way: str, name: str) -> bool:
    return way == name or way.startswith(f"{name}, division seed ")


def _by_label(found: CrossValidation, name: str) -> dict[str, Evaluation]:
    """The rows of a way by what their fold is called, with the seed of the division and, of the first, without."""
    rows: dict[str, Evaluation] = {}
    for way in found.ways:
        if _is_of(way.name, name):
            for row in way.rows:
                rows.setdefault(row.label, row)
                rows[f"{row.label}{way.name.removeprefix(name)}"] = row
    return rows
