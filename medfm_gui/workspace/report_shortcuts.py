"""The cheap models of a comparison in its report: what they reach, and which runs are not shown to beat them."""

from __future__ import annotations

from dataclasses import replace

from medfm_gui.domain.report import Block, Paragraph, Section, Table
from medfm_gui.metrics.names import method_title, metric_title, multiplicity
from medfm_gui.workspace.report_sections import SIMULTANEOUS, estimate, simultaneous_text
from medfm_gui.workspace.shortcuts import ShortcutFile

CHEAP_MODELS = "Cheap models on the same test units."


def with_shortcuts(section: Section, file: ShortcutFile) -> Section:
    """The section of paired tests with the baselines below it."""
    made = [one for one in file.baselines if one.evaluations]
    blocks: list[Block] = []
    if made:
        rows = tuple(
            (one.title, metric_title(one.evaluations[0].metric), estimate(one.evaluations[0]),
             method_title(one.evaluations[0].method), str(one.evaluations[0].n))
            for one in made
        )  # fmt: skip
        header = ("Baseline", "Metric", "Estimate (95 % interval)", "Method", "n")
        blocks.append(Table(CHEAP_MODELS, header, rows, (4,)))
        every = [(one.title, pair) for one in made for pair in one.pairs]
        is_family = any(pair.simultaneous_method for _, pair in every)
        pairs = tuple(
            (f"{pair.a} − {title}", _range(pair.difference, pair.low, pair.high), method_title(pair.test), _p(pair.p),
             _p(pair.p_adjusted), *((simultaneous_text(pair),) if is_family else ()), str(pair.n))
            for title, pair in every
        )  # fmt: skip
        together = (SIMULTANEOUS,) if is_family else ()
        names = ("Runs", "Difference (95 % interval)", "Test", "p", "p (Holm)", *together, "n")
        blocks.append(Table("Each run against the cheap models.", names, pairs, (3, 4, len(names) - 1)))
        how = multiplicity([pair for _, pair in every])
        blocks += [Paragraph(f"Against the cheap models: {how}", "small")] if how else []
    blocks += [Paragraph(text, "warning") for text in file.sentences]
    for one in file.baselines:
        said = f"{one.title[:1].upper()}{one.title[1:]}: {one.note.rstrip('.')}."
        blocks.append(Paragraph(said, "small"))
    return replace(section, blocks=(*section.blocks, *blocks))


def _range(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "not estimable"
    return f"{value:+.3f}" if low is None or high is None else f"{value:+.3f} ({low:+.3f} to {high:+.3f})"


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
