"""How a comparison reads: p values, counts, tips. Pure functions of what is stored."""

from __future__ import annotations

from collections.abc import Sequence

from medfm_gui.desk.asks.compare import Candidate, SideBySide
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.threshold import fixed_in_words
from medfm_gui.domain.units import counted, plural
from medfm_gui.metrics.names import METRICS, headline, method_title, metric_title, multiplicity
from medfm_gui.ui.widgets.text import one_line
from medfm_gui.workspace.shortcuts import ShortcutFile

NONE = "–"


def heading(metric: str) -> str:
    """A metric's name at the head of a column, with an arrow where less is better."""
    title = metric_title(metric)
    return title[:1].upper() + title[1:] + (" ↓" if lower_is_better(metric) else "")


def lower_is_better(metric: str) -> bool:
    """Whether less of it is better."""
    return metric in METRICS and not METRICS[metric].higher_is_better


def p_value(p: float | None) -> str:
    """``0.042``, ``< 0.001``, or a dash."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def number_tip(row: Evaluation) -> str:
    """Method, counts, threshold and what a reader must know of a number."""
    level = f"{100 * row.confidence:g} % interval: {method_title(row.method)}"
    lines = [metric_title(row.metric, row.label), level if row.low is not None else method_title(row.method)]
    lines.append(counts(row.n, row.unit, row.n_patients, row.n_events))
    if row.parameters.get("threshold"):
        try:
            shown = f"{float(row.parameters['threshold']):.3f}"
        except ValueError:
            shown = row.parameters["threshold"]
        how = fixed_in_words(row.parameters.get("rule", ""), row.parameters.get("fitted_on", ""))
        lines.append(f"threshold {shown} ({how})" if how else f"threshold {shown}")
    return "\n".join(line for line in (*lines, row.note) if line)


def counts(n: int, unit: str, n_patients: int | None, n_events: int | None) -> str:
    """``55 images, 32 patients, 30 events``."""
    parts = [counted(n, unit)]
    if n_patients is not None and unit != "patient":
        parts.append(counted(n_patients, "patient"))
    if n_events is not None:
        parts.append(counted(n_events, "event"))
    return ", ".join(parts)


def test_line(found: SideBySide) -> str:
    """What was tested on what: dataset, images, patients, events, and who has looked before."""
    row = next((row for row in found.evaluations if not row.label), None)
    parts = [found.dataset]
    if row is not None:
        parts += [counted(row.n, row.unit)]
        if row.n_patients is not None and row.unit != "patient":
            parts.append(counted(row.n_patients, "patient"))
        elif row.unit != "patient":
            parts.append("patients not recorded")
        if row.n_events is not None and found.positive:
            parts.append(f"{row.n_events:,} with {found.positive}")
    return " · ".join(parts)


def flagged_line(found: SideBySide) -> str:
    """What the leak gate said of the test, and what the headline is without it; empty where it named nothing."""
    if not found.flagged:
        return ""
    images = f"{counted(found.flagged, 'test image')} {'was' if found.flagged == 1 else 'were'} named by the leak gate"
    if not found.without_flagged:
        return f"{images}; what is left without their units cannot be estimated."
    least, most = (pick(row.n for row in found.without_flagged) for pick in (min, max))
    stay = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    unit = found.without_flagged[0].unit
    return f"{images}. The column “without flagged” leaves their units out: {stay} {plural(unit)} stay."


def openings_line(count: int) -> str:
    """How often these test images were looked at, and what that does to the best of them."""
    if count <= 1:
        return "test opened once in this workspace"
    return f"test opened {count} times in this workspace (best of {count})"


def methods_line(rows: Sequence[Evaluation]) -> str:
    """The methods of all intervals of a table."""
    methods = sorted({f"{100 * row.confidence:g} % {method_title(row.method)}" for row in rows if row.low is not None})
    return f"Intervals: {'; '.join(methods)}." if methods else ""


def fewer_line(found: SideBySide) -> str:
    """Runs whose numbers are of fewer units than those of others, for they could not score all; empty without one."""
    metric = headline(found.task)
    rows = [one for one in found.evaluations if one.metric == metric and not one.label]
    heads = {one.run: one for one in rows if "failures" not in one.parameters}
    most = max((one.n for one in heads.values()), default=0)
    fewer = [f"{run} ({one.n:,} of {most:,})" for run, one in heads.items() if one.n < most]
    return f"Of fewer {plural(rows[0].unit)} than the others: {', '.join(fewer)}." if fewer else ""


def pair_tip(pair: Comparison) -> str:
    """What a paired test rests on."""
    patients, events = pair.parameters.get("n_patients"), pair.parameters.get("n_events")
    parts = [counted(pair.n, pair.parameters.get("unit", "unit"))]
    parts += [f"{patients} patients"] if patients else []
    parts += [f"{events} events"] if events else []
    level = f"{100 * pair.confidence:g} % interval"
    lines = [f"{metric_title(pair.metric)}: {pair.a} minus {pair.b}", ", ".join(parts)]
    if pair.simultaneous_method:
        lines.append(f"{level}: {method_title(pair.test)}")
        lines.append(f"Simultaneous {level}: {method_title(pair.simultaneous_method)}")
    else:
        lines.append(f"{level}, unadjusted: {method_title(pair.test)}")
    return "\n".join(line for line in (*lines, pair.note) if line)


def tests_line(found: SideBySide, cheap: ShortcutFile | None) -> str:
    """What the paired tests against the reference are, and how their intervals have to be read."""
    reference = found.sides[0]
    said = f"Each run minus the reference {one_line(reference.run)} {one_line(reference.title, 200)}, on the same test."
    adjusted = multiplicity(found.pairs)
    if adjusted:
        said += f" p by Holm counts all runs that are compared by one metric. {adjusted}"
    if cheap is None:
        return said
    below = [pair for one in cheap.baselines for pair in one.pairs]
    alone = (
        "" if any(pair.simultaneous_method for pair in below) or len(below) < 2 else "; their intervals are unadjusted"
    )
    return f"{said} Below them: each run minus each cheap model, with a Holm of their own{alone}."


def together(pair: Comparison) -> str:
    """``−0.052 to +0.008``: the interval that holds together with the others of its family; a dash without one."""
    low, high = pair.low_simultaneous, pair.high_simultaneous
    return NONE if low is None or high is None else f"{signed(low)} to {signed(high)}"


def signed(value: float) -> str:
    """``+0.008``, ``−0.052``: a difference always says which way."""
    return f"{value:+.3f}".replace("-", "−")


def standing(candidate: Candidate) -> str:
    """How a run stands in the list to choose from."""
    if candidate.obstacle:
        return candidate.obstacle
    if not candidate.is_opened:
        return "Test sealed"
    return "Test open"


def listed(runs: Sequence[str], most: int = 4) -> str:
    """``r0001, r0002 and 3 more``."""
    shown = ", ".join(runs[:most])
    return shown if len(runs) <= most else f"{shown} and {len(runs) - most} more"
