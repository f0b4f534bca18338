"""Whether the probabilities of opened runs mean what they say and are worth acting on: calibration and net benefit.

Numbers that depend on how many cases have the event (calibration-in-the-large, ECE, net benefit) hold for the data's
own share of events only where the cases are consecutive; else they are told at the prevalence that the dataset or the
person names, or withheld with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Statement, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.workspace.comparing import OnProgress
from medfm_gui.workspace.evaluating import calibrator
from medfm_gui.workspace.one_event import event_title, of_event
from medfm_gui.workspace.opened_runs import OpenedRun, chart_owner, opened_tests, read_opened, result_path
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.statements import statement_of

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored

CONSECUTIVE = "consecutive"
IN_THE_LARGE, SLOPE, ECE = "calibration_in_the_large", "calibration_slope", "ece"
BRIER_AT, PPV, NPV = "brier_at_prevalence", "ppv", "npv"
SCALE, CALIBRATED = "scale", "calibrated"
"""The key and the value of a row's parameters that say that it is of calibrated probabilities."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a dataset says its cases were found, and the share of the event in the population it is meant for."""

    sampling: str = ""
    prevalence: float | None = None

    @property
    def is_consecutive(self) -> bool:
        """Whether the share of events in the data is that of the population."""
        return self.sampling == CONSECUTIVE


@dataclass(frozen=True, slots=True)
class UsefulnessFile:
    """``evaluations/usefulness-<hash>.json``: calibration of runs, and net benefit between two thresholds.

    ``rows`` are the calibration numbers; one that is withheld has no value and says why. ``charts`` is empty where
    ``withheld`` says why net benefit cannot be told. ``distorted`` names runs whose training shifted probabilities.
    """

    runs: tuple[str, ...]
    low: float
    high: float
    prevalence: float | None
    sampling: Sampling
    unit: str
    rows: tuple[Evaluation, ...]
    charts: tuple[ChartSpec, ...]
    withheld: str = ""
    distorted: tuple[str, ...] = ()
    event: str = ""
    """Of a task with several classes, the event that the numbers are of."""


def sampling_in(said: Statement) -> Sampling:
    """What a statement says of it; a person's own counts more than the importer's (``statements.statement_of``)."""
    return Sampling(said.sampling.strip().casefold(), share(said.prevalence))


def share(text: str) -> float | None:
    """A share between 0 and 1 from ``12 %``, ``0.12`` or ``12 of 1,000``; None from anything else."""
    words = text.strip().replace(",", "")
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%(?:\s.*)?", words):
        value = float(found[1]) / 100
    elif found := re.fullmatch(r"(\d+)\s*(?:of|in|/)\s*(\d+)", words):
        value = float(found[1]) / max(1.0, float(found[2]))
    elif re.fullmatch(r"0?\.\d+", words):
        value = float(words)
    else:
        return None
    return value if 0 < value < 1 else None


def stated_sampling(workspace: Workspace, run_ids: Sequence[str], event: str = "") -> Sampling:
    """What the dataset of these opened runs states; its prevalence is not that of one event among several.

    Raises:
        SealError, UsageError, InputError: as ``usefulness_table``.
    """
    tests = opened_tests(workspace, run_ids)
    said = sampling_in(statement_of(workspace, tests.views[0].spec.dataset_id))
    return replace(said, prevalence=None) if event else said


def usefulness_table(
    workspace: Workspace,
    run_ids: Sequence[str],
    low: float,
    high: float,
    *,
    prevalence: float | None = None,
    event: str = "",
    on_progress: OnProgress | None = None,
    keep: bool = True,
) -> UsefulnessFile:
    """Calibration and net benefit between two threshold probabilities; computed once and kept unless ``keep`` is off.

    Args:
        prevalence: of the population it is meant for; None takes what the dataset states.
        event: of a task with several classes, the one that is acted on (``one_event.events_of``).

    Raises:
        SealError: the test of a run was not opened.
        UsageError: the task does not have two classes and no event is named, the range or the prevalence cannot be,
            or the runs cannot be compared.
        InputError: one class only, or a predictions file is damaged.
    """
    if not 0 < low < high < 1:
        raise UsageError(
            f"The thresholds {low:g} to {high:g} are no range within 0 … 1.", "Name two, such as 0.05 and 0.4."
        )
    if prevalence is not None and not 0 < prevalence < 1:
        raise UsageError(f"A prevalence of {prevalence:g} cannot be.", "Give a share between 0 and 1.")
    tests = opened_tests(workspace, run_ids)
    if tests.views[0].spec.task is not Task.BINARY and not event:
        raise UsageError(
            "Net benefit weighs one decision, and this task has more than two classes.",
            "Name the one event that is acted on (--event CLASS).",
        )
    stated = stated_sampling(workspace, run_ids, event)
    scales = [wire.plain(line) for view in tests.views if (line := calibrator(view.folder)) is not None]
    settings = [*([event] if event else []), *([repr(scales)] if scales else [])]
    path = result_path(workspace, "usefulness", tests, repr((low, high, prevalence, stated)), *settings)
    if path.exists():
        return wire.read(UsefulnessFile, path)
    found = read_opened(workspace, tests, on_progress)
    runs = tuple(of_event(run.calibrated, event)[0] for run in found.runs)
    file = _computed(runs, (low, high), prevalence, stated, on_progress)
    if event:
        name = event_title(found.dataset.task, event)
        charts = (replace(one, id=f"{one.id}-{event}", title=f"{one.title}, “{name}”") for one in file.charts)
        file = replace(file, charts=tuple(charts), event=event)
    if keep:
        wire.write(path, file)
        for chart in file.charts:
            workspace.store.put_chart(chart_owner(file.runs), chart)
    return file


def _computed(
    runs: Sequence[OpenedRun],
    between: tuple[float, float],
    prevalence: float | None,
    stated: Sampling,
    on_progress: OnProgress | None,
) -> UsefulnessFile:
    from medfm_gui.metrics.probability_charts import decision_chart

    share_used = prevalence if prevalence is not None else None if stated.is_consecutive else stated.prevalence
    withheld = "" if share_used is not None or stated.is_consecutive else _why_not(stated)
    rows: list[Evaluation] = []
    for number, run in enumerate(runs):
        if on_progress is not None:
            on_progress(f"Calibration of {run.view.id}", number, len(runs))
        rows += calibration_rows(run, own_share=stated.is_consecutive and prevalence is None, share=share_used)
    charts: tuple[ChartSpec, ...] = ()
    if not withheld:
        if on_progress is not None:
            on_progress("Net benefit", len(runs), len(runs))
        drawn = [run.drawn for run in runs]
        charts = (decision_chart(drawn, low=between[0], high=between[1], prevalence=share_used),)
    distorted = tuple(run.view.id for run in runs if _is_distorted(run))
    ids = tuple(run.view.id for run in runs)
    unit = runs[0].units.unit
    return UsefulnessFile(ids, *between, share_used, stated, unit, tuple(rows), charts, withheld, distorted)


def _why_not(stated: Sampling) -> str:
    how = (
        f"The dataset says that its cases are {stated.sampling}"
        if stated.sampling
        else "The dataset does not state how its cases were found"
    )
    return (
        f"{how}, so the share of events here need not be that of any population. Net benefit is withheld until a "
        "prevalence is named."
    )


def _is_distorted(run: OpenedRun) -> bool:
    recipe = run.view.spec.recipe
    return (recipe.balanced_sampling or recipe.class_weights) and not run.is_calibrated


def calibration_table(workspace: Workspace, run_ids: Sequence[str]) -> tuple[Evaluation, ...]:
    """Calibration-in-the-large, slope and ECE of opened runs of a task with two classes; what is withheld says why.

    Raises:
        SealError, UsageError, InputError: as ``usefulness_table``.
    """
    found = read_opened(workspace, opened_tests(workspace, run_ids))
    return stated_rows(found.runs, sampling_in(statement_of(workspace, found.dataset.id)))


def stated_rows(runs: Sequence[OpenedRun], stated: Sampling) -> tuple[Evaluation, ...]:
    """Calibration and predictive values of runs as the dataset's statement allows them."""
    own_share = stated.is_consecutive
    share = None if own_share else stated.prevalence
    return tuple(row for run in runs for row in calibration_rows(run.calibrated, own_share=own_share, share=share))


def calibration_rows(run: OpenedRun, *, own_share: bool, share: float | None = None) -> list[Evaluation]:
    """Calibration of one run, and its predictive values at the locked threshold where it has one.

    They are of the scale that the run is on (``OpenedRun.calibrated``), which a row on the calibrated one names.
    Without ``own_share`` what hangs on the share of events is withheld; predictive values are told at ``share``, the
    prevalence that was named or stated.
    """
    from medfm_gui.metrics.calibration import calibration

    good = run.units.without_failed()
    found = calibration(good.events, good.event_scores, groups=good.patients)
    n_events = int(good.events.sum())
    reason = "" if own_share else "withheld: it holds only at the share of events of consecutive cases"
    method = "quantile-bins" if found.ece is not None else "not-estimable"
    bins = "ten equally filled bins; no interval, for resampling makes it larger; never a headline"
    shown = (
        (IN_THE_LARGE, found.in_the_large.estimate, found.in_the_large.low, found.in_the_large.high,
         found.in_the_large.method, found.in_the_large.note, reason),
        (SLOPE, found.slope.estimate, found.slope.low, found.slope.high, found.slope.method, found.slope.note, ""),
        (ECE, found.ece, None, None, method, bins, reason),
    )  # fmt: skip
    rows = [
        Evaluation(
            run=run.view.id, subset="test", metric=metric, value=None if hidden else value,
            low=None if hidden else low, high=None if hidden else high, method="not-estimable" if hidden else how,
            unit=run.units.unit, n=len(good), n_patients=good.n_patients, n_events=n_events,
            sample_set=run.test.sample_set, note=hidden or note, parameters=_scale(run),
        )
        for metric, value, low, high, how, note, hidden in shown
    ]  # fmt: skip
    return [*rows, *_predictive_rows(run, good, own_share=own_share, share=share)]


def _predictive_rows(run: OpenedRun, good: Scored, *, own_share: bool, share: float | None) -> list[Evaluation]:
    """The Brier score at the share that counts, and the worth of decisions at the threshold that was locked."""
    from medfm_gui.metrics.predictive import brier_at, predictive_values

    if not len(good):
        return []
    n_events = int(good.events.sum())
    at = share if share is not None else n_events / len(good) if own_share else None
    if at is None or not 0 < at < 1:
        reason = "withheld: it holds only at a prevalence, and none is named or stated"
        return [_held(run, good, metric, n_events, reason) for metric in (BRIER_AT, PPV, NPV)]
    told = {"prevalence": f"{at:.6g}"}
    shown = [(BRIER_AT, brier_at(good.events, good.event_scores, prevalence=at, groups=good.patients), told)]
    if run.point is not None:
        called = good.event_scores >= run.point.threshold
        worth = predictive_values(good.events, called, prevalence=at, groups=good.patients)
        locked = {**told, "threshold": f"{run.point.threshold:.6g}"}
        shown += [(metric, one, locked) for metric, one in zip((PPV, NPV), worth, strict=True)]
    return [
        replace(
            _held(run, good, metric, n_events, one.note), value=one.estimate, low=one.low, high=one.high,
            method=one.method, parameters={**parameters, **_scale(run)},
        )
        for metric, one, parameters in shown
    ]  # fmt: skip


def _scale(run: OpenedRun) -> dict[str, str]:
    return {SCALE: CALIBRATED} if run.is_calibrated else {}


def scale_sentence(rows: Sequence[Evaluation]) -> str:
    """Of which runs these rows are on calibrated probabilities, and of which on scores as the model gives them."""
    runs = dict.fromkeys(row.run for row in rows)
    right = [run for run in runs if any(row.run == run and row.parameters.get(SCALE) for row in rows)]
    raw = [run for run in runs if run not in right]
    said = [f"Of calibrated probabilities, as predictions show them: {', '.join(right)}."] if right else []
    said += [f"Of scores as the model gives them, without a calibrator: {', '.join(raw)}."] if raw else []
    return " ".join(said)


def _held(run: OpenedRun, good: Scored, metric: str, n_events: int, note: str) -> Evaluation:
    """A row without a number."""
    return Evaluation(
        run=run.view.id, subset="test", metric=metric, value=None, low=None, high=None, method="not-estimable",
        unit=run.units.unit, n=len(good), n_patients=good.n_patients, n_events=n_events,
        sample_set=run.test.sample_set, note=note,
    )  # fmt: skip
