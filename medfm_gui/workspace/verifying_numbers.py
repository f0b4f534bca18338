"""Numbers that stand beside the results of a report, computed again from its attached predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medfm_gui.domain.errors import InputError
from medfm_gui.workspace.class_sets import SetsOnTest, coverage_rows
from medfm_gui.workspace.evaluating import WITHOUT_FLAGGED
from medfm_gui.workspace.evidence import Evidence
from medfm_gui.workspace.evidence_numbers import Told, Usefulness, Without
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_demographics import WITHHELD
from medfm_gui.workspace.report_failures import unit_values
from medfm_gui.workspace.report_numbers import Values
from medfm_gui.workspace.subgrouping import SEVERAL, subgroup_evaluations
from medfm_gui.workspace.usefulness import calibration_rows
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import differs, fields_differ, is_close, rows_differ


def without_differ(held: Evidence, runs: Sequence[OpenedRun], *, words: bool = False) -> list[Difference]:
    """The headline without the images that the leak gate flagged."""
    by_id = {run.view.id: run for run in runs}
    return [item for one in held.without for item in _without(one, by_id[one.run], held, words=words)]


def _without(one: Without, run: OpenedRun, held: Evidence, *, words: bool) -> list[Difference]:
    from medfm_gui.metrics.evaluate import evaluate

    images = run.images
    gone = set(one.flagged)
    if run.units is not run.images and images.patients is not None:
        torn = {who for name, who in zip(images.samples, images.patients, strict=True) if name in gone} - {""}
        gone |= {name for name, who in zip(images.samples, images.patients, strict=True) if who in torn}
    left = images.taken(np.array([name not in gone for name in images.samples]))
    rows = evaluate(
        left,
        run=one.run,
        subset=WITHOUT_FLAGGED,
        unit=run.units.unit,
        point=run.point,
        sample_set=_sample_set(held, left.samples),
        code_version="",
    )
    note = {"left out": f"{len(one.flagged)} flagged images"}
    whole = [row for row in rows if not row.label]
    again = [replace(row, parameters={**row.parameters, **note}) for row in whole if row.metric == whole[0].metric]
    return rows_differ(one.rows, again, where="without flagged images, ", words=words)


def _sample_set(held: Evidence, samples: Sequence[str]) -> str:
    """As ``datasets.fingerprint`` has it."""
    return hashlib.sha256("\n".join(sorted(held.pixels.get(name, "") for name in samples)).encode()).hexdigest()


def calibration_differs(useful: Usefulness, runs: Sequence[OpenedRun], *, words: bool = False) -> list[Difference]:
    """Intercept, slope, ECE and predictive values; reports of earlier versions hold none of the last."""
    again = [
        row
        for run in runs
        for row in calibration_rows(run.calibrated, own_share=useful.own_share, share=useful.prevalence)
    ]
    told = {row.metric for row in useful.rows}
    return rows_differ(useful.rows, [row for row in again if row.metric in told], words=words)


def sets_differ(told: SetsOnTest, runs: Sequence[OpenedRun], *, words: bool = False) -> list[Difference]:
    """Coverage and size of the sets of a run, made again with the limits that the report tells."""
    from medfm_gui.metrics.conformal import Quantiles

    run = next(run for run in runs if run.view.id == told.run)
    limits = Quantiles(told.level, told.smallest, told.fitted_n, told.fitted_on, run.units.unit)
    again = coverage_rows(told.run, run.units, limits, sample_set=run.test.sample_set) if told.smallest else ()
    return rows_differ(told.evaluations, again, where="sets of classes, ", words=words)


def benefit_differs(useful: Usefulness, runs: Sequence[OpenedRun]) -> list[Difference]:
    """Every point of the decision curve with its band."""
    from medfm_gui.metrics.probability_charts import decision_chart

    if useful.low is None or useful.high is None:
        raise InputError("The attached net benefit names no range of thresholds.", "It was changed; ask for the file.")
    drawn = [run.calibrated.drawn for run in runs]
    made = decision_chart(drawn, low=useful.low, high=useful.high, prevalence=useful.prevalence)
    again = {series.name: series for series in made.series}
    found: list[Difference] = []
    for series in useful.charts[0].series:
        other = again.pop(series.name, None)
        if other is None:
            found.append(Difference(f"net benefit of {series.name}", "inserted", f"{series.name} is none of the runs."))
            continue
        for what in ("x", "y", "low", "high"):
            pairs = zip(getattr(series, what), getattr(other, what), strict=True)
            found += [
                differs(f"net benefit of {series.name}, {what} at threshold {other.x[place]:.3f}", stored, fresh)
                for place, (stored, fresh) in enumerate(pairs)
                if not is_close(stored, fresh)
            ][:1]
    found += [Difference(f"net benefit of {name}", "missing", f"The curve of {name} is missing.") for name in again]
    return found


def groups_differ(told: Told, values: Values, runs: Sequence[OpenedRun], *, words: bool = False) -> list[Difference]:
    """Counts and estimates by the values of a covariate, and whether they differ between those."""
    from medfm_gui.metrics.subgroups import subgroups

    if told.covariate not in values:
        raise InputError(f"The attached values of “{told.covariate}” are missing.", "Ask for the whole file.")
    found: list[Difference] = []
    is_partial = WITHHELD in values[told.covariate].values()
    for run in runs:
        known = unit_values(run, values[told.covariate])
        parts = subgroups(run.units, known, run.point)
        again = {
            (row.label, row.metric): row for part in parts for row in subgroup_evaluations(run, told.covariate, part)
        }
        for row in told.rows:
            if row.run != run.view.id or (is_partial and row.label == SEVERAL):
                continue
            where = f"{row.run} {told.covariate} {row.label} {row.metric}"
            other = again.get((row.label, row.metric))
            if other is None:
                found.append(Difference(where, "inserted", f"{where}: no such number comes of the test units."))
            else:
                found += fields_differ(where, row, other, words=words)
        found += [] if is_partial else _interactions(told, run, known)
    return found


def _interactions(told: Told, run: OpenedRun, known: Sequence[str]) -> list[Difference]:
    from medfm_gui.metrics.interaction import interaction_test

    found: list[Difference] = []
    for one in told.interactions:
        if one.run == run.view.id:
            again = interaction_test(run.units, known, leave_out=(SEVERAL,))
            where = f"{one.run} {told.covariate} interaction"
            pairs = (("statistic", one.statistic, again.statistic), ("df", one.df, again.df), ("p", one.p, again.p))
            found += [
                differs(f"{where} {name}", stored, new) for name, stored, new in pairs if not is_close(stored, new)
            ]
    return found
