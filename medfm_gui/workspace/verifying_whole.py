"""Everything that the attached account of a report gives back, computed and written again, and what is left over."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.report import Part, Table
from medfm_gui.workspace.evidence import Evidence
from medfm_gui.workspace.evidence_numbers import CONTENTS, Contents
from medfm_gui.workspace.evidence_shortcuts import BASELINES, SHORTCUTS
from medfm_gui.workspace.evidence_split import SPLIT
from medfm_gui.workspace.evidence_study import STUDY, Study
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_card import CARD
from medfm_gui.workspace.report_charts import CHARTS
from medfm_gui.workspace.report_demographics import CHARACTERISTICS
from medfm_gui.workspace.report_parts import summary
from medfm_gui.workspace.report_provenance import CHARTS_ATTACHED, ENVIRONMENT, FILES_ATTACHED
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_attached import card_differs, environment_differs
from medfm_gui.workspace.verifying_blocks import section_differs, unmade
from medfm_gui.workspace.verifying_charts import look_at_charts
from medfm_gui.workspace.verifying_cohort import cohort_differs
from medfm_gui.workspace.verifying_sections import Again, facts_again, sections_again
from medfm_gui.workspace.verifying_shortcuts import beside_differ, shortcuts_again, shortcuts_differ
from medfm_gui.workspace.verifying_tables import tables_again

_BROKEN = (KeyError, IndexError, ValueError, TypeError, AttributeError, ArithmeticError, OSError)
"""What a file that was changed can make of arithmetic and of paths."""
_LISTS = tuple(Table(caption, (), ()) for caption in (CHARACTERISTICS, FILES_ATTACHED, CHARTS_ATTACHED))
"""Tables that are counted, or held against the files, in a way of their own."""
ACCOUNT = (
    f"Held against the attached account of the runs ({STUDY}, outcomes.json, {ENVIRONMENT}) alone, because no file "
    "of a report repeats a training: time, memory, parameters and labels of trainings, their curves, thresholds and "
    "calibrators, hashes of weights, of the dataset, of the split and of its certificate, versions, the openings of "
    "the test, what was skipped in the import, near-duplicates that the leak gate found, the journal's head."
)


@dataclass(slots=True)
class Whole:
    """What differs, how much was looked at, and what nothing attached gives back."""

    differences: list[Difference] = field(default_factory=list)
    checked: int = 0
    alone: list[str] = field(default_factory=list)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was held against less than a computation."""
        if not self.alone:
            return (ACCOUNT,)
        said = "; ".join(self.alone)
        return (ACCOUNT, f"Held against the attached {CONTENTS} alone: {said}; pictures, and how charts are drawn.")

    def look(self, name: str, make: Callable[[], Sequence[Difference]]) -> None:
        """Take what one look finds; a file that cannot be made sense of is one difference."""
        try:
            self.differences += make()
        except MedfmError as error:
            self.differences.append(Difference(name, "changed", error.message))
        except _BROKEN as error:
            message = f"The attached {name} does not fit the other files of the report ({type(error).__name__})."
            self.differences.append(Difference(name, "changed", message))


def look_at_whole(
    held: Evidence, study: Study, contents: Contents, runs: Sequence[OpenedRun], files: Mapping[str, bytes]
) -> Whole:
    """Sections, counts, cheap models, charts, card and environment of a report from its attached files."""
    whole = Whole()
    with tempfile.TemporaryDirectory(prefix="medfm-") as made:
        whole.look(STUDY, partial(_look, whole, held, study, contents, tuple(runs), files, Path(made)))
    return whole


def _look(
    whole: Whole,
    held: Evidence,
    study: Study,
    contents: Contents,
    runs: Sequence[OpenedRun],
    files: Mapping[str, bytes],
    folder: Path,
) -> list[Difference]:
    cheap = None
    try:
        cheap = shortcuts_again(held, runs)
    except MedfmError as error:
        whole.differences.append(Difference(BASELINES, "changed", error.message))
    if cheap is not None:
        whole.look(SHORTCUTS, lambda: shortcuts_differ(held, cheap))
        whole.checked += sum(len(one.evaluations) + len(one.pairs) for one in cheap.baselines)
    again = facts_again(held, study, runs, folder, cheap)
    shown = {one.title: one for one in contents.sections}
    whole.look(SPLIT, lambda: cohort_differs(again, shown.get(Part.DATA.heading)))
    whole.checked += len(held.split)
    whole.look(CONTENTS, lambda: _sections(whole, again, contents))
    whole.look(CONTENTS, lambda: _summary(again, contents))
    whole.look(SHORTCUTS, lambda: beside_differ(held.shortcuts, shown.get(Part.COMPARISON.heading)))
    whole.look(CHARTS, lambda: _charts(whole, again, contents, files))
    whole.look(CARD, lambda: card_differs(files, again))
    whole.look(ENVIRONMENT, lambda: list(environment_differs(files, contents, again)))
    return []


def _sections(whole: Whole, again: Again, contents: Contents) -> list[Difference]:
    shown = {one.title: one for one in contents.sections}
    found: list[Difference] = []
    seen = set()
    elsewhere = defaultdict(list)
    for part, table, _ in tables_again(again.held, again.runs):
        elsewhere[part.heading].append(table)
    for made in sections_again(again, contents):
        other = shown[made.section.title]
        seen.add(other.title)
        found += section_differs(made.section, other, tables=made.tables, hidden=made.hidden)
        whole.checked += len(other.sentences) + len(other.facts)
        own = [block for block in made.section.blocks if isinstance(block, Table)]
        whole.alone += unmade([*own, *elsewhere[other.title], *_LISTS], other)
    seen |= {Part.EXTERNAL.heading} if again.held.outside else set()  # held against its own files elsewhere
    whole.alone += [title for title in shown if title not in seen]
    return found


def _summary(again: Again, contents: Contents) -> list[Difference]:
    """The lines of the runs are looked at one by one elsewhere; here the whole."""
    sentence = again.held.comparison.sentence if again.held.comparison is not None else ""
    wanted = summary(again.runs, sentence)
    if " ".join(contents.summary.split()) == " ".join(wanted.split()):
        return []
    message = f"Summary: it is not what follows from the attached files, which is “{wanted[:200]} …”"
    return [Difference("Summary", "differs", message, expected=wanted[:200], found=contents.summary[:200])]


def _charts(whole: Whole, again: Again, contents: Contents, files: Mapping[str, bytes]) -> list[Difference]:
    seen = look_at_charts(files, contents, again)
    whole.checked += seen.checked
    whole.alone += [f"the chart “{title}”" for title in seen.alone]
    return list(seen.differences)
