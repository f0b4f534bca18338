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
from medfm_gui.workspace.report_folds import folds_summary
from medfm_gui.workspace.report_parts import summary
from medfm_gui.workspace.report_provenance import CHARTS_ATTACHED, ENVIRONMENT, FILES_ATTACHED
from medfm_gui.workspace.verifying import BROKEN, Difference, in_file
from medfm_gui.workspace.verifying_agreement import account_is_bare, accounts_differ
from medfm_gui.workspace.verifying_attached import card_differs, environment_differs
from medfm_gui.workspace.verifying_blocks import section_differs, unmade
from medfm_gui.workspace.verifying_charts import charts_of_file, look_at_charts
from medfm_gui.workspace.verifying_checklists import checklists_again
from medfm_gui.workspace.verifying_cohort import cohort_differs
from medfm_gui.workspace.verifying_outline import captions_differ, left_out_of, sections_differ
from medfm_gui.workspace.verifying_sections import Again, Made, facts_again, sections_again, untold_sources
from medfm_gui.workspace.verifying_shortcuts import beside_differ, shortcuts_again, shortcuts_differ
from medfm_gui.workspace.verifying_tables import tables_again

_LISTS = tuple(Table(caption, (), ()) for caption in (CHARACTERISTICS, FILES_ATTACHED, CHARTS_ATTACHED))
"""Tables that are counted, or held against the files, in a way of their own."""
ACCOUNT = (
    f"Held against the attached account of the runs ({STUDY}, outcomes.json, {ENVIRONMENT}, runs.json) alone, because "
    "no file of a report repeats a training: time, memory, parameters and labels of trainings, their curves, "
    "thresholds and calibrators, what an order names beside its settings (backbone, device, time), hashes of weights, "
    "of the dataset, of the split and of its certificate, versions, the openings of the test, what was skipped in the "
    "import, near-duplicates that the leak gate found, the journal's head."
)
PICTURES = "pictures, the places of lines and marks in charts, numbers of pages"
"""What is drawn and set, and no text that could be compared."""


@dataclass(slots=True)
class Whole:
    """What differs, how much was looked at, and what nothing attached gives back."""

    differences: list[Difference] = field(default_factory=list)
    checked: int = 0
    alone: list[str] = field(default_factory=list)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was held against less than a computation."""
        said = "; ".join((*self.alone, PICTURES))
        return (ACCOUNT, f"Held against the attached {CONTENTS} alone, or not at all: {said}.")

    def look(self, name: str, make: Callable[[], Sequence[Difference]]) -> None:
        """Take what one look finds; a file that cannot be made sense of is one difference."""
        try:
            self.differences += in_file(name, make())
        except MedfmError as error:
            self.differences.append(Difference(name, "changed", f"{name}: {error.message}"))
        except BROKEN as error:
            message = f"The attached {name} does not fit the other files of the report ({type(error).__name__})."
            self.differences.append(Difference(name, "changed", message))


def look_at_whole(
    held: Evidence,
    study: Study,
    contents: Contents,
    runs: Sequence[OpenedRun],
    files: Mapping[str, bytes],
    *,
    words: bool = False,
) -> Whole:
    """Sections, counts, cheap models, charts, card and environment of a report from its attached files.

    Args:
        words: methods and notes as well, which earlier versions may have worded otherwise.
    """
    whole = Whole()
    whole.look(STUDY, lambda: list(accounts_differ(held, study)))
    if words:
        whole.look(STUDY, lambda: list(account_is_bare(study)))
    with tempfile.TemporaryDirectory(prefix="medfm-") as made:
        whole.look(STUDY, partial(_look, whole, held, study, contents, tuple(runs), files, Path(made), words))
    return whole


def _look(
    whole: Whole,
    held: Evidence,
    study: Study,
    contents: Contents,
    runs: Sequence[OpenedRun],
    files: Mapping[str, bytes],
    folder: Path,
    words: bool,
) -> list[Difference]:
    cheap = None
    try:
        cheap = shortcuts_again(held, runs)
    except MedfmError as error:
        whole.differences.append(Difference(BASELINES, "changed", error.message))
    if cheap is not None:
        whole.look(SHORTCUTS, lambda: shortcuts_differ(held, cheap, words=words))
        whole.checked += sum(len(one.evaluations) + len(one.pairs) for one in cheap.baselines)
    again = facts_again(held, study, runs, folder, cheap)
    shown = {one.title: one for one in contents.sections}
    whole.look(SPLIT, lambda: cohort_differs(again, shown.get(Part.DATA.heading)))
    whole.checked += len(held.split)
    whole.look(CONTENTS, lambda: _sections(whole, again, contents, files))
    if words:  # earlier versions had other sections
        whole.look(CONTENTS, lambda: list(sections_differ(again, contents)))
        whole.look(CONTENTS, lambda: list(captions_differ(again, shown)))
    whole.look(CONTENTS, lambda: _summary(again, contents))
    whole.look(SHORTCUTS, lambda: beside_differ(held.shortcuts, shown.get(Part.COMPARISON.heading)))
    whole.look(CHARTS, lambda: _charts(whole, again, contents, files))
    whole.look(CARD, lambda: card_differs(files, again))
    whole.look(ENVIRONMENT, lambda: list(environment_differs(files, contents, again)))
    return []


def _sections(whole: Whole, again: Again, contents: Contents, files: Mapping[str, bytes]) -> list[Difference]:
    shown = {one.title: one for one in contents.sections}
    found: list[Difference] = []
    seen = set()
    elsewhere = defaultdict(list)
    for part, table, _ in tables_again(again.held, again.runs):
        elsewhere[part.heading].append(table)
    lists = checklists_again(again, contents, charts_of_file(files), left_out_of(contents))
    listed = [Made(lists)] if lists is not None and lists.title in shown else []
    for made in (*sections_again(again, contents), *listed):
        other = shown[made.section.title]
        seen.add(other.title)
        found += section_differs(made.section, other, tables=made.tables, hidden=made.hidden)
        whole.checked += len(other.sentences) + len(other.facts)
        own = [block for block in made.section.blocks if isinstance(block, Table)]
        whole.alone += unmade([*own, *elsewhere[other.title], *_LISTS], other)
    seen |= {Part.EXTERNAL.heading} if again.held.outside else set()  # held against its own files elsewhere
    whole.alone += [title for title in shown if title not in seen]
    if untold_sources(again) and Part.LIMITATIONS.heading in shown:
        whole.alone.append("the limitations of sites and scanners")
    return found


def _summary(again: Again, contents: Contents) -> list[Difference]:
    """The lines of the runs are looked at one by one elsewhere; here the whole."""
    sentence = again.held.comparison.sentence if again.held.comparison is not None else ""
    told = again.held.folds
    wanted = folds_summary(told.found) if told is not None else summary(again.runs, sentence)
    if " ".join(contents.summary.split()) == " ".join(wanted.split()):
        return []
    message = f"Summary: it is not what follows from the attached files, which is “{wanted[:200]} …”"
    return [Difference("Summary", "differs", message, expected=wanted[:200], found=contents.summary[:200])]


def _charts(whole: Whole, again: Again, contents: Contents, files: Mapping[str, bytes]) -> list[Difference]:
    seen = look_at_charts(files, contents, again)
    whole.checked += seen.checked
    return list(seen.differences)
