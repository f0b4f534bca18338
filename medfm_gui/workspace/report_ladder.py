"""The section of a report that sets the numbers of runs against what they cost."""

from __future__ import annotations

from collections.abc import Mapping

from medfm_gui.domain.ladder import Ladder, Rung
from medfm_gui.domain.report import Charts, Paragraph, Part, Section, Table
from medfm_gui.domain.run import EXTERNAL
from medfm_gui.metrics.names import metric_title

_MEGA = 1e6
_TWO_MODELS = (
    "Each point is one trained model, or the mean of draws where it says so: two points apart are two models apart. A "
    "claim about ways of adapting needs several seeds of each."
)


def ladder_section(ladder: Ladder, names: Mapping[str, str]) -> Section:
    """Charts against parameters, minutes and labels, and a table of every run."""
    from medfm_gui.metrics.ladder import charts, rung_of

    drawn = charts(ladder)
    rows = sorted(ladder.rungs, key=lambda rung: (rung.model_title, rung_of(rung.adapt), rung.labels, rung.seed))
    header = ("Run", "Model", "Adaptation", "Shots", "Trained", "Minutes", "Peak memory (MB)", "Labels", _name(ladder))
    table = Table(
        f"What each run cost, and its {metric_title(ladder.metric)}.",
        header,
        tuple(_row(rung) for rung in rows),
        (3, 4, 5, 6, 7),
    )
    told = tuple(f"{chart.title}, for {', '.join(names.values())}." for chart in drawn)
    shown = (Charts(drawn, told),) if drawn else ()
    return Section(Part.LADDER.heading, (*shown, table, Paragraph(_TWO_MODELS, "small")))


def minutes_text(minutes: float) -> str:
    """Minutes with sensible digits; a dash where they are not known."""
    if minutes <= 0:
        return "–"
    return f"{minutes:,.0f}" if minutes >= 100 else f"{minutes:.1f}" if minutes >= 1 else f"{minutes:.2g}"


def memory_text(amount: int) -> str:
    """Bytes in megabytes; a dash where they are not known."""
    return f"{amount / _MEGA:,.0f}" if amount else "–"


def _name(ladder: Ladder) -> str:
    title = metric_title(ladder.metric)
    return f"{title} ({'95 % interval' if ladder.subset == 'test' else 'validation'})"


def _row(rung: Rung) -> tuple[str, ...]:
    foreign = rung.adapt == EXTERNAL
    return (
        rung.run,
        rung.model_title,
        rung.adapt + (" from scratch" if rung.from_scratch else ""),
        "–" if foreign else "all" if rung.shots is None else str(rung.shots),
        "–" if foreign else f"{rung.parameters:,}",
        minutes_text(rung.minutes),
        memory_text(rung.memory_bytes),
        f"{rung.labels:,}" if rung.labels else "–",
        _estimate(rung),
    )


def _estimate(rung: Rung) -> str:
    if rung.value is None:
        return "not estimable"
    if rung.low is None or rung.high is None:
        return f"{rung.value:.3f}"
    return f"{rung.value:.3f} ({rung.low:.3f}–{rung.high:.3f})"
