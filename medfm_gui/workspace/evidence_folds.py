"""The files of a report that carry a cross-validation: where each run stands, what was made of it, and every split."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.report import Attachment
from medfm_gui.domain.split import Split
from medfm_gui.workspace.crossvalidation import CrossValidation
from medfm_gui.workspace.evaluating import test_predictions
from medfm_gui.workspace.evidence_split import SPLIT, SplitRow, split_rows, split_text
from medfm_gui.workspace.held_out import FoldFacts
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_facts import Folded
from medfm_gui.workspace.report_names import ReportNames
from medfm_gui.workspace.scores import read_scores

FOLDS = "folds.json"
_START = SPLIT.removesuffix(".csv") + "-"


@dataclass(frozen=True, slots=True)
class FoldEvidence:
    """Where each run stands, and what the report tells of the ways and their pairs."""

    facts: tuple[FoldFacts, ...]
    found: CrossValidation


def fold_files(workspace: Workspace, dataset: Dataset, folded: Folded, names: ReportNames) -> list[Attachment]:
    """The cross-validation, and the splits of all folds but the first, which every report carries."""
    held = FoldEvidence(tuple(run.facts for run in folded.runs), folded.found)
    made = [Attachment(FOLDS, json.dumps(wire.plain(held), indent=1), "Where each run stands; means and differences")]
    for split in folded.splits[1:]:
        run = next(run for run in folded.runs if _is_of(run.facts, split))
        tested, _ = read_scores(test_predictions(workspace, run.facts.run))
        text = split_text(dataset, split, names, tested)
        made.append(Attachment(f"{_START}{split.id}.csv", text, f"Every image: partition in {split.id}", "text/csv"))
    return made


def _is_of(facts: FoldFacts, split: Split) -> bool:
    return (facts.family, facts.fold) == (split.family or "", split.fold or 0)


def read_folds(files: Mapping[str, bytes]) -> FoldEvidence | None:
    """The attached cross-validation; None of a report of one test.

    Raises:
        InputError: the file is not what its name says.
    """
    return wire.decode(FoldEvidence, files[FOLDS], what=f"The attached {FOLDS}") if FOLDS in files else None


def rows_of_folds(files: Mapping[str, bytes]) -> dict[str, tuple[SplitRow, ...]]:
    """The rows of each of the further splits by its id.

    Raises:
        InputError: a file is no split.
    """
    found: dict[str, tuple[SplitRow, ...]] = {}
    for name in sorted(files):
        if name.startswith(_START) and name.endswith(".csv"):
            try:
                rows = split_rows(files[name].decode("utf-8"))
            except UnicodeDecodeError as error:
                said = f"The attached {name} is no text."
                raise InputError(said, "It was changed; ask for the file again.") from error
            found[name.removeprefix(_START).removesuffix(".csv")] = rows
    return found
