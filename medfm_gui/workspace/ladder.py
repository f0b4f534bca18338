"""The adaptation ladder of finished runs, from the database: what each cost, and how good it became."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from medfm_gui.base import wire
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.ladder import Ladder, Rung
from medfm_gui.domain.units import IMAGE, MEAN, unit_text, unit_title
from medfm_gui.metrics.names import headline
from medfm_gui.store.rows import RunRow
from medfm_gui.workspace.sidebyside import TEST, FinishedRun, NamedChart

VALIDATION = "val"
_MOST_NAMED = 6


def ladder(runs: Sequence[FinishedRun], names: Mapping[str, str], models: Mapping[str, str]) -> Ladder:
    """Runs as rungs: by the test where all of them were tested on the same images, else by validation.

    Runs of other images than the first's, or that count other units, do not stand beside it and are named instead.

    Args:
        names: what people read for a run's id.
        models: what people call a model, by its registry name.
    """
    if not runs:
        return Ladder((), "", TEST)
    metric = headline(runs[0].row.task)
    fitting = [run for run in runs if _same_question(run, runs[0])]
    sets = {run.sample_set for run in fitting}
    if len(sets) == 1 and "" not in sets:
        return _on_test(runs, fitting, metric, names, models)
    return _on_validation(runs, fitting, metric, names, models)


def relatives(runs: Sequence[FinishedRun], run_ids: Sequence[str]) -> tuple[FinishedRun, ...]:
    """Of all finished runs those that were trained on the same split for the same question as the first named."""
    first = next((run for run in runs if run.row.id in run_ids[:1]), None)
    if first is None:
        return ()
    return tuple(run for run in runs if _same_question(run, first) and _same_split(run, first))


def ladder_charts(ladder: Ladder, prefix: str) -> tuple[NamedChart, ...]:
    """The charts of a ladder under keys ``<prefix>:<chart>``; none of a single run."""
    from medfm_gui.metrics.ladder import charts

    if len(ladder.rungs) < 2:
        return ()
    return tuple(NamedChart(f"{prefix}:{chart.id}", chart.title, chart) for chart in charts(ladder))


def _same_question(run: FinishedRun, first: FinishedRun) -> bool:
    one, other = run.row, first.row
    return (one.task, one.dataset_fingerprint, run.dataset.classes, _unit(one)) == (
        other.task,
        other.dataset_fingerprint,
        first.dataset.classes,
        _unit(other),
    )


def _same_split(run: FinishedRun, first: FinishedRun) -> bool:
    return (run.row.split, run.row.split_fingerprint) == (first.row.split, first.row.split_fingerprint)


def _unit(row: RunRow) -> str:
    return unit_text(str(row.recipe.get("unit") or IMAGE), str(row.recipe.get("unit_score") or MEAN))


def _on_test(
    runs: Sequence[FinishedRun],
    fitting: Sequence[FinishedRun],
    metric: str,
    names: Mapping[str, str],
    models: Mapping[str, str],
) -> Ladder:
    out = _left_out(runs, fitting)
    unit = _unit(fitting[0].row)
    note = f"On the opened test, by {unit_title(unit)}.{_out_words(out)}"
    rungs = tuple(_rung(run, metric, run.test, TEST, names, models) for run in fitting)
    return Ladder(rungs, metric, TEST, note, out)


def _on_validation(
    runs: Sequence[FinishedRun],
    fitting: Sequence[FinishedRun],
    metric: str,
    names: Mapping[str, str],
    models: Mapping[str, str],
) -> Ladder:
    alike = [run for run in fitting if _same_split(run, runs[0])]
    out = _left_out(runs, alike)
    sealed = [run.row.id for run in alike if not run.sample_set]
    why = f", for the test of {_listed(sealed)} is sealed" if sealed else ", for the tests were of different images"
    note = f"Validation numbers{why}; models were chosen by them, so no interval is given.{_out_words(out)}"
    rungs = tuple(_rung(run, metric, None, VALIDATION, names, models) for run in alike)
    return Ladder(rungs, metric, VALIDATION, note, out)


def _left_out(runs: Sequence[FinishedRun], kept: Sequence[FinishedRun]) -> tuple[str, ...]:
    stays = {run.row.id for run in kept}
    return tuple(run.row.id for run in runs if run.row.id not in stays)


def _out_words(out: Sequence[str]) -> str:
    return f" Not shown, for they are of other images or count other units: {_listed(out)}." if out else ""


def _rung(
    run: FinishedRun,
    metric: str,
    test: Evaluation | None,
    subset: str,
    names: Mapping[str, str],
    models: Mapping[str, str],
) -> Rung:
    row, state = run.row, run.row.state
    return Rung(
        run=row.id,
        name=names.get(row.id, row.id),
        model=row.model,
        model_title=models.get(row.model, row.model),
        family=row.family,
        adapt=row.adapt,
        shots=row.shots,
        seed=row.seed,
        fold=row.fold,
        from_scratch=row.from_scratch,
        settings=hashlib.sha256(wire.canonical(dict(row.recipe))).hexdigest(),
        parameters=state.trained_parameters,
        minutes=state.seconds / 60,
        labels=state.labels_used,
        memory_bytes=state.peak_memory_bytes,
        subset=subset,
        metric=metric,
        value=test.value if test else state.metrics.get(metric) if subset == VALIDATION else None,
        low=test.low if test else None,
        high=test.high if test else None,
        unit=test.unit if test else _unit(row),
        method=test.method if test else "",
        confidence=test.confidence if test else 0.95,
        note=test.note if test else "",
    )


def _listed(runs: Sequence[str]) -> str:
    shown = ", ".join(runs[:_MOST_NAMED])
    return shown if len(runs) <= _MOST_NAMED else f"{shown} and {len(runs) - _MOST_NAMED} more"
