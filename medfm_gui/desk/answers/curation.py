"""What a dataset holds and what is wrong with it: filters, flow, map, screening, corrections, statement."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medfm_gui.desk.asks.curation import (
    ComputeFeatures,
    CorrectLabel,
    CovariateValues,
    DescribeFlow,
    ExcludeSamples,
    ExportFlow,
    FeaturesMade,
    KeepStatement,
    ListCovariates,
    SaveVersion,
    ScreenDataset,
    ShowDraft,
    ShowMap,
    ShowStatement,
    StepDraft,
    WrittenFile,
)
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.correction import CorrectionDraft
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.errors import Interrupted, UsageError
from medfm_gui.workspace import corrections, embedding, flow, screening, sealing, statements


def list_covariates(room: Room, ask: ListCovariates, told: Told) -> CovariateValues:
    """Counts of the database, or of the file where they were kept."""
    return CovariateValues(sealing.covariate_values(room.workspace, ask.dataset, keep=not room.is_read_only))


def describe_flow(room: Room, ask: DescribeFlow, told: Told) -> flow.Flow:
    """Counts of the manifest and the split."""
    return flow.flow(room.workspace, ask.dataset, ask.split)


def export_flow(room: Room, ask: ExportFlow, told: Told) -> WrittenFile:
    """The picture as it was drawn, or the numbers."""
    from medfm_gui.base.atomic import atomic_write

    path = Path(ask.path).expanduser().absolute()
    contents: bytes | str = ask.payload or flow.as_csv(flow.flow(room.workspace, ask.dataset, ask.split))
    atomic_write(path, contents)
    return WrittenFile(str(path))


def show_map(room: Room, ask: ShowMap, told: Told) -> embedding.Embedding:
    """The plane, from what was kept or from the bank."""
    return embedding.embedding(
        room.workspace, ask.dataset, bank=ask.bank, by=ask.by, split_id=ask.split, keep=not room.is_read_only
    )


def compute_features(room: Room, ask: ComputeFeatures, told: Told) -> FeaturesMade:
    """A worker of its own; what it has computed stays when it is stopped."""

    def tell(event: ev.Event) -> None:
        with contextlib.suppress(Interrupted):  # the worker is stopped by ``told.stopped``, in its own time
            if isinstance(event, ev.Progressed):
                told.progress("Computing features", event.done, event.total, event.seconds_left)
            elif isinstance(event, ev.StageStarted):
                told.progress("Computing features", 0, event.total)

    told.progress("Starting a worker")
    bank = embedding.compute_features(room.workspace, ask.dataset, ask.model, on_event=tell, stop=told.stopped)
    return FeaturesMade(bank)


def screen(room: Room, ask: ScreenDataset, told: Told) -> screening.Screening:
    """Every picture of the cache, or what was found before."""
    if not ask.measure:
        kept = screening.kept_screening(room.workspace, ask.dataset)
        return kept or screening.Screening(ask.dataset, "", 0, ())
    watch, keep = told.counting("Looking at the images"), not room.is_read_only
    return screening.screen(room.workspace, ask.dataset, on_progress=watch, keep=keep)


def show_draft(room: Room, ask: ShowDraft, told: Told) -> CorrectionDraft:
    """The file beside the dataset."""
    return corrections.draft_of(room.workspace, ask.dataset)


def correct_label(room: Room, ask: CorrectLabel, told: Told) -> CorrectionDraft:
    """One more correction in the draft."""
    return corrections.correct_label(room.workspace, ask.dataset, ask.sample, ask.target, ask.reason)


def exclude(room: Room, ask: ExcludeSamples, told: Told) -> CorrectionDraft:
    """More exclusions in the draft."""
    return corrections.exclude(room.workspace, ask.dataset, ask.samples, ask.reason)


def step_draft(room: Room, ask: StepDraft, told: Told) -> CorrectionDraft:
    """One step back or forth, or all of it gone.

    Raises:
        UsageError: there is no such step.
    """
    steps = {"undo": corrections.undo, "redo": corrections.redo, "discard": corrections.discard}
    if ask.step not in steps:
        raise UsageError(f"There is no step “{ask.step}”.", f"Use {', '.join(steps)}.")
    return steps[ask.step](room.workspace, ask.dataset)


def save_version(room: Room, ask: SaveVersion, told: Told) -> corrections.Saved:
    """A new dataset."""
    told.progress("Writing the new version")
    return corrections.save_version(room.workspace, ask.dataset, splits=ask.splits)


def show_statement(room: Room, ask: ShowStatement, told: Told) -> Statement:
    """A person's words, else the importer's."""
    return statements.statement_of(room.workspace, ask.dataset)


def keep_statement(room: Room, ask: KeepStatement, told: Told) -> Statement:
    """The file beside the dataset, and a line of the journal."""
    return statements.state(room.workspace, ask.dataset, ask.statement)


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListCovariates: Entry(list_covariates, Lane.INDEX),
    DescribeFlow: Entry(describe_flow, Lane.INDEX),
    ExportFlow: Entry(export_flow, Lane.INDEX),
    ShowMap: Entry(show_map, Lane.INDEX),
    ComputeFeatures: Entry(compute_features, Lane.WORK, writes=True),
    ScreenDataset: Entry(screen, Lane.INDEX),
    ShowDraft: Entry(show_draft),
    CorrectLabel: Entry(correct_label, writes=True),
    ExcludeSamples: Entry(exclude, writes=True),
    StepDraft: Entry(step_draft, writes=True),
    SaveVersion: Entry(save_version, Lane.WORK, changes=(Topic.DATASETS, Topic.SPLITS), writes=True),
    ShowStatement: Entry(show_statement),
    KeepStatement: Entry(keep_statement, writes=True),
}
