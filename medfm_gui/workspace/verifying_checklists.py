"""The guideline checklists of a report made again from what else its files tell."""

from __future__ import annotations

from collections.abc import Sequence

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.report import Block, Charts, Part, Picture, Pictures, Section
from medfm_gui.workspace.evidence_numbers import Contents, Printed
from medfm_gui.workspace.report_checklists import checklists_section
from medfm_gui.workspace.report_folds import OF_ONE_TEST
from medfm_gui.workspace.report_rules import Known
from medfm_gui.workspace.verifying_sections import Again


def checklists_again(
    again: Again, contents: Contents, charts: Sequence[ChartSpec], left_out: set[str]
) -> Section | None:
    """The checklists by the account and by the sections before them; None where the account is of an earlier version.

    Args:
        left_out: titles of the sections that the report says are not in it.
    """
    study = again.study
    if study.elsewhere is None or study.site_names is None:
        return None
    titles = [one.title for one in contents.sections]
    end = titles.index(Part.CHECKLISTS.heading) if Part.CHECKLISTS.heading in titles else len(titles)
    without = OF_ONE_TEST if again.held.folds is not None else ()
    parts = [part for part in Part if part.heading not in left_out and part not in without]
    known = Known(
        again.views, again.tests, again.dataset, again.split, study.dataset.statement, again.promised,
        sections=[_section(one, charts) for one in contents.sections[:end]], parts=parts,
        openings=len(again.openings), attached=True, purpose=study.purpose, elsewhere=study.elsewhere,
        site_names=study.site_names,
    )  # fmt: skip
    return checklists_section(known)


def _section(printed: Printed, charts: Sequence[ChartSpec]) -> Section:
    """What the rules look at of a section: its tables, its charts, whether it shows pictures."""
    own = tuple(chart for chart in charts if chart.title in printed.sentences)
    blocks: list[Block] = [*printed.tables, *([Charts(own, tuple(chart.title for chart in own))] if own else [])]
    if printed.title == Part.EXAMPLES.heading and len(printed.sentences) > 1:  # a single one says why there are none
        blocks.append(Pictures((Picture("", "", ""),)))
    return Section(printed.title, tuple(blocks))
