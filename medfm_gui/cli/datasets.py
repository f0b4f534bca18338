"""``datasets`` lists; ``datasets show|flow|quality|state|correct|exclude|draft|save|delete`` are about one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from medfm_gui.base import wire
from medfm_gui.cli import data
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.domain.correction import CorrectionDraft
from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.store.rows import DatasetRow
from medfm_gui.workspace.place import Workspace

datasets = typer.Typer(name="datasets", help="The datasets of the workspace.")
Which = Annotated[str, typer.Argument(help="Id of the dataset.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the journal.")]
_LISTED = 40


@datasets.callback(invoke_without_command=True)
def list_(
    context: typer.Context, workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False
) -> None:
    """The datasets of the workspace; with a command, one of them."""
    if context.invoked_subcommand is None:
        data.datasets(workspace, json, quiet, debug)


@datasets.command()
def show(
    dataset: Which,
    split: Annotated[str, typer.Option(help="Count by the partitions of this split.")] = "",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Classes, covariates and the statement of a dataset; labels of a sealed test are not counted."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import cohort, statements
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            found = cohort.characteristics(room, dataset, split)
            stated = statements.statement_of(room, dataset)
        rows: list[tuple[object, ...]] = [("images", *found.images), ("patients", *found.patients)]
        for section in found.sections:
            rows.append((section.title, *[""] * len(found.columns)))
            rows += [
                (f"  {line.name}", *("hidden" if number is None else number for number in line.counts))
                for line in section.lines
            ]
        lines = [f"{name}: {text}" for name, text in statements.rows(stated)]
        if found.n_hidden:
            lines.append(f"{found.n_hidden} images are in a sealed test: classes are counted without them.")
        document = {**wire.plain(found), "statement": wire.plain(stated)}
        answer.give(document, lines, table=table("", *found.columns, rows=rows))


@datasets.command()
def flow(
    dataset: Which,
    split: Annotated[str, typer.Option(help="Down to the partitions of this split.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write it as CSV.")] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Where the images went: found, left out and why, in which partition."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.base.atomic import atomic_write
        from medfm_gui.workspace import flow as flows
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            found = flows.flow(room, dataset, split)
        if out is not None:
            atomic_write(out.expanduser().absolute(), flows.as_csv(found))
        drawn = flows.as_table(found)
        answer.give(wire.plain(found), table=table(*drawn.header, rows=drawn.rows))


@datasets.command()
def quality(
    dataset: Which, workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False
) -> None:
    """Pictures worth a second look: blank, saturated, tiny, odd, inverted, identical."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace import screening
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            found = screening.screen(room, dataset, on_progress=bars.counting("Looking at the images"))
        rows = [(one.sample, one.oddity.value, one.measured) for one in found.findings]
        more = [f"and {len(rows) - _LISTED} more (--json lists all)"] if len(rows) > _LISTED else []
        counts = [f"{number} {name}" for name, number in found.counts.items()]
        lines = [f"{len(found.flagged)} of {found.n_images} images: {', '.join(counts) or 'nothing odd'}", *more]
        answer.give(wire.plain(found), lines, table=table("sample", "finding", "measured", rows=rows[:_LISTED]))


@datasets.command()
def state(
    dataset: Which,
    unit: Annotated[str | None, typer.Option(help="What one prediction is about.")] = None,
    sampling: Annotated[str | None, typer.Option(help="consecutive, enriched, case-control or unknown.")] = None,
    prevalence: Annotated[str | None, typer.Option(help="Share of the event in the intended population.")] = None,
    reference: Annotated[str | None, typer.Option(help="The reference standard.")] = None,
    timing: Annotated[str | None, typer.Option(help="Its timing.")] = None,
    licence: Annotated[str | None, typer.Option(help="Under which the images may be used.")] = None,
    redistribution: Annotated[str | None, typer.Option(help="yes, no or unknown.")] = None,
    code: Annotated[list[str] | None, typer.Option(help="CLASS=CODE, e.g. “nodule=SCT 427359005”.")] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """State what a dataset is; without options, read what is stated."""
    with answering(json, quiet, debug) as answer:
        from dataclasses import replace

        from medfm_gui.workspace import statements
        from medfm_gui.workspace.place import open_workspace

        given = {
            "unit": unit,
            "sampling": sampling,
            "prevalence": prevalence,
            "reference_standard": reference,
            "reference_timing": timing,
            "licence": licence,
        }
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if redistribution is not None:
            changes["redistribution"] = _yes_no(redistribution)
        with open_workspace(workspace) as room:
            kept = statements.statement_of(room, dataset)
            if code:
                changes["codes"] = {**kept.codes, **_pairs(code)}
            if changes:
                kept = statements.state(room, dataset, replace(kept, **changes))
        answer.give(wire.plain(kept), [f"{name}: {text}" for name, text in statements.rows(kept)])


@datasets.command()
def correct(
    dataset: Which,
    sample: Annotated[str, typer.Argument(help="Id of the sample.")],
    label: Annotated[list[str], typer.Option(help="The class; for several findings each one that is there.")],
    reason: Reason,
    unknown: Annotated[list[str] | None, typer.Option(help="A finding that was not assessed.")] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Draft another label; refused for a test that is sealed."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import corrections
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            target = _target(_row(room, dataset), label, unknown or [])
            draft = corrections.correct_label(room, dataset, sample, target, reason)
        answer.give(_draft(draft), _draft_lines(draft))


@datasets.command()
def exclude(
    dataset: Which,
    samples: Annotated[list[str], typer.Argument(help="Ids of the samples.")],
    reason: Reason,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Draft to leave samples out."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import corrections
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            draft = corrections.exclude(room, dataset, samples, reason)
        answer.give(_draft(draft), _draft_lines(draft))


@datasets.command()
def draft(
    dataset: Which,
    step: Annotated[str, typer.Argument(help="show, undo, redo or discard.")] = "show",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The drafted corrections: look at them, take the last one back, do it again, forget all."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import corrections
        from medfm_gui.workspace.place import open_workspace

        steps = {
            "show": corrections.draft_of,
            "undo": corrections.undo,
            "redo": corrections.redo,
            "discard": corrections.discard,
        }
        if step not in steps:
            raise UsageError(f"There is no step “{step}”.", f"Use {', '.join(steps)}.")
        with open_workspace(workspace) as room:
            found = steps[step](room, dataset)
        answer.give(_draft(found), _draft_lines(found))


@datasets.command()
def save(
    dataset: Which,
    split: Annotated[list[str] | None, typer.Option(help="A split to carry over.")] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make the draft a new version of the dataset; the original stays."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import corrections
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            saved = corrections.save_version(room, dataset, splits=split or ())
        lines = [f"{saved.dataset} is a new version of {dataset}"]
        lines += [f"{name} was carried over" for name in saved.splits]
        lines += [f"warning: {name} stays behind: {why}" for name, why in saved.left]
        answer.give({**wire.plain(saved), "parent": dataset}, lines)


@datasets.command()
def delete(
    dataset: Which,
    split: Annotated[str, typer.Option(help="Delete only this split of it, with all of its folds.")] = "",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Move a dataset with its splits to “deleted” in the workspace; refused while runs use it."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import deleting
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            if split:
                deleting.check_belongs(room, dataset, split)
            gone = deleting.delete_split(room, split) if split else deleting.delete_dataset(room, dataset)
        named = f"the dataset {gone.dataset} and " if gone.dataset else ""
        splits = f"{len(gone.splits)} split{'' if len(gone.splits) == 1 else 's'}"
        answer.give(wire.plain(gone), [f"{named}{splits} moved to {gone.place}"])


def _row(room: Workspace, dataset: str) -> DatasetRow:
    from medfm_gui.store import queries

    with room.store.reading() as reader:
        return queries.dataset(reader, dataset)


def _target(row: DatasetRow, labels: list[str], unknown: list[str]) -> tuple[int, ...]:
    strange = [name for name in (*labels, *unknown) if name not in row.classes]
    if strange:
        raise UsageError(f"The dataset has no class “{strange[0]}”.", f"Its classes are {', '.join(row.classes)}.")
    if row.task is Task.MULTILABEL:
        return tuple(1 if name in labels else UNKNOWN if name in unknown else 0 for name in row.classes)
    if len(labels) != 1 or unknown:
        raise UsageError("An image of this dataset has one class.", "Name it once with --label.")
    return (row.classes.index(labels[0]),)


def _pairs(codes: list[str]) -> dict[str, str]:
    found = {}
    for text in codes:
        name, equals, value = text.rpartition("=")
        if not equals:
            raise UsageError(f"“{text}” is no code of a class.", "Write CLASS=CODE.")
        found[name] = value
    return found


def _yes_no(text: str) -> bool | None:
    known = {"yes": True, "no": False, "unknown": None, "": None}
    if text not in known:
        raise UsageError(f"“{text}” is neither yes nor no.", "Use yes, no or unknown.")
    return known[text]


def _draft(found: CorrectionDraft) -> dict[str, Any]:
    changes = [wire.plain(change) for change in found.in_force.values()]
    return {"dataset": found.dataset, "corrections": changes, "steps": len(found.done), "undone": len(found.undone)}


def _draft_lines(found: CorrectionDraft) -> list[str]:
    lines = [f"{change.sample}: {change.kind.value} ({change.reason})" for change in found.in_force.values()]
    return lines or ["nothing is changed"]
