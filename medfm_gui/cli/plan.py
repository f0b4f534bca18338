"""``plan``: how precise a test will be, before it is collected or opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering

if TYPE_CHECKING:
    from medfm_gui.workspace.precision import Plan


def plan(
    metric: Annotated[
        str, typer.Option(help="auc, auc-difference, sensitivity, specificity, dice or calibration.")
    ] = "auc",
    expected: Annotated[float | None, typer.Option(help="Expected value of the metric.")] = None,
    other: Annotated[float | None, typer.Option(help="Expected AUC of the second model (auc-difference).")] = None,
    n: Annotated[int | None, typer.Option("--n", help="Units of the test, with all their repeats.")] = None,
    events: Annotated[int | None, typer.Option(help="Units with the finding.")] = None,
    prevalence: Annotated[float | None, typer.Option(help="Share of units with the finding, instead.")] = None,
    correlation: Annotated[float, typer.Option(help="Between two areas on the same images (auc-difference).")] = 0.5,
    sd: Annotated[float | None, typer.Option(help="Standard deviation of Dice between cases.")] = None,
    slope_spread: Annotated[
        float, typer.Option(help="Standard deviation of the linear predictor (calibration).")
    ] = 1.0,
    units_per_patient: Annotated[float | None, typer.Option(help="Mean number of units a patient.")] = None,
    icc: Annotated[float | None, typer.Option(help="Correlation of units of a patient, 0 to 1.")] = None,
    sampling: Annotated[
        str, typer.Option(help="consecutive, enriched, case-control or unknown; default: the dataset's statement.")
    ] = "unknown",
    confidence: Annotated[float, typer.Option(help="Of the interval.")] = 0.95,
    half_width: Annotated[float | None, typer.Option(help="Wished half width: gives the smallest n.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Take n and prevalence from its newest split.")] = None,
    split: Annotated[str | None, typer.Option(help="Take n from this split's sealed test.")] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """How precise a test will be. Of a sealed test only counts are used, never its labels."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import precision
        from medfm_gui.workspace.place import open_workspace

        request = precision.PlanRequest(
            metric=metric,
            expected=expected,
            other=other,
            n=n,
            events=events,
            prevalence=prevalence,
            correlation=correlation,
            sd=sd,
            slope_spread=slope_spread,
            units_per_patient=units_per_patient,
            icc=icc,
            sampling=sampling,
            confidence=confidence,
            half_width=half_width,
        )
        if dataset or split:
            with open_workspace(workspace) as room:
                found = precision.plan(request, workspace=room, dataset=dataset, split=split)
        else:
            found = precision.plan(request)
        lines = [
            f"{one.metric} {one.expected:.3f} on {one.n} units{_events(one)}: "
            f"{one.low:.3f} to {one.high:.3f} (±{one.half_width:.3f}, {100 * one.confidence:g} %, {one.method}, "
            f"design effect {one.design_effect:.2f})"
            for one in (found, *found.also)
        ]
        answer.give(wire.plain(found), [*lines, *found.notes])


def _events(one: Plan) -> str:
    """How many units have the finding, where the metric knows of one."""
    return "" if one.metric.startswith("dice") else f" with {one.n_events} events"
