"""``import``, ``layouts``, ``datasets``, ``split``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, skipped_lines, table
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import LeakError
from medfm_gui.domain.split import Leak, Split


def layouts(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """The layouts of data that can be imported."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.datasets.layouts import LAYOUTS

        rows = [{"name": item.name, "title": item.title, "task": item.task} for item in LAYOUTS]
        shown = table("layout", "what it is", "task", rows=[tuple(row.values()) for row in rows])
        answer.give({"layouts": rows}, table=shown)


def import_(
    layout: Annotated[str, typer.Argument(help="auto, or the name of a layout (see “layouts”).")],
    source: Annotated[Path, typer.Argument(help="A folder, a table or a file.")],
    name: Annotated[str, typer.Option(help="Name of the dataset.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and report; keep nothing.")] = False,
    label: Annotated[list[str] | None, typer.Option(help="Column of the label; several for several findings.")] = None,
    path: Annotated[str, typer.Option(help="Column of the image's path.")] = "",
    patient: Annotated[str, typer.Option(help="Column of the patient.")] = "",
    group: Annotated[str, typer.Option(help="Column of what else belongs together (lesion, study, site).")] = "",
    fold: Annotated[str, typer.Option(help="Column of the official fold or partition.")] = "",
    images: Annotated[Path | None, typer.Option(help="Folder of the images.")] = None,
    table_file: Annotated[Path | None, typer.Option("--table", help="Label table for a DICOM tree.")] = None,
    join: Annotated[
        str,
        typer.Option(help="Column that names the DICOM object: SOPInstanceUID, StudyInstanceUID, PatientID or path."),
    ] = "",
    task: Annotated[str, typer.Option(help="binary, multiclass, ordinal or multilabel.")] = "",
    positive: Annotated[str, typer.Option(help="The class that counts as the event.")] = "",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Bring a dataset into the workspace."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.datasets.ingest import ImportOptions
        from medfm_gui.workspace.data import import_dataset
        from medfm_gui.workspace.place import open_workspace

        options = ImportOptions(
            labels=tuple(label or ()),
            path=path,
            patient=patient,
            group=group,
            fold=fold,
            images=images.expanduser().absolute() if images else None,
            table=table_file.expanduser().absolute() if table_file else None,
            join=join,
            task=task,
            positive=positive,
        )
        with open_workspace(workspace) as room:
            dataset = import_dataset(
                room, layout, source, options, name=name, dry_run=dry_run, on_progress=bars.counting("Reading images")
            )
        document = {**_dataset_row(dataset), "dry_run": dry_run}
        document["skipped"] = [wire.plain(item) for item in dataset.skipped]
        document["warnings"] = list(dataset.warnings)
        document["taken"] = dict(dataset.taken)
        answer.give(document, _dataset_lines(dataset, dry_run))


def _dataset_row(dataset: Dataset) -> dict[str, Any]:
    return {
        "dataset": dataset.id,
        "name": dataset.name,
        "layout": dataset.layout,
        "task": dataset.task.value,
        "classes": list(dataset.classes),
        "positive": dataset.positive,
        "n_samples": len(dataset.samples),
        "n_patients": dataset.n_patients,
        "fingerprint": dataset.fingerprint,
        "source": dataset.source,
    }


def _dataset_lines(dataset: Dataset, dry_run: bool) -> list[str]:
    what = "would hold" if dry_run else "holds"
    patients = f", {dataset.n_patients} patients" if dataset.n_patients else ""
    lines = [
        f"{dataset.id or dataset.name} {what} {len(dataset.samples)} images{patients}: "
        f"{_listed(dataset.classes)} ({dataset.task.value})"
    ]
    lines += [f"{key}: {value}" for key, value in dataset.taken.items()]
    lines += [f"warning: {text}" for text in dataset.warnings]
    return lines + skipped_lines(dataset.skipped)


def _listed(classes: Sequence[str]) -> str:
    """Names of classes; parted by semicolons where a name has a comma of its own."""
    return ("; " if any("," in name for name in classes) else ", ").join(classes)


def datasets(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """The datasets of the workspace."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.data import every_dataset
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            rows = [_dataset_row(dataset) for dataset in every_dataset(room)]
        shown = [
            (row["dataset"], row["task"], row["n_samples"], row["n_patients"], _listed(row["classes"])) for row in rows
        ]
        answer.give({"datasets": rows}, table=table("dataset", "task", "images", "patients", "classes", rows=shown))


def split(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset.")],
    ratios: Annotated[
        str,
        typer.Option(
            help="train/val/test or train/val/cal/test, in per cent. "
            "Default: the dataset's own partitions where it has any, else 70/15/15."
        ),
    ] = "",
    by: Annotated[str, typer.Option(help="patient, image or group: what never stands on two sides.")] = "patient",
    seed: Annotated[int, typer.Option(help="Seed of the division.")] = 0,
    folds: Annotated[int, typer.Option(help="Number of cross-validation folds.")] = 0,
    official: Annotated[bool, typer.Option("--official", help="Use the dataset's own folds or partitions.")] = False,
    file: Annotated[Path | None, typer.Option(help="CSV with sample or path, and partition.")] = None,
    accept_leaks: Annotated[str, typer.Option(help="Reason for keeping a split that leaks.")] = "",
    drop_leaks: Annotated[
        bool, typer.Option("--drop-leaks", help="Drop what leaks from training and validation.")
    ] = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Divide a dataset into training, validation and a sealed test; frozen, after the leak gate."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.datasets.split import SplitRequest
        from medfm_gui.workspace.data import make_split
        from medfm_gui.workspace.place import open_workspace

        request = SplitRequest(
            ratios=ratios,
            by=by,
            seed=seed,
            folds=folds,
            official=official,
            file=file.expanduser().absolute() if file else None,
            accept=accept_leaks,
            drop=drop_leaks,
        )
        with open_workspace(workspace) as room:
            try:
                made = make_split(room, dataset, request)
            except LeakError as error:
                if json:
                    _give_leaks(error)
                raise
        first = made.splits[0]
        document = {"split": made.id, **_split_row(first)}
        if len(made.splits) > 1:
            document["folds"] = [{"split": item.id, **_split_row(item)} for item in made.splits]
        lines = [
            f"{item.id}: " + ", ".join(f"{name} {size}" for name, size in item.sizes.items() if size)
            for item in made.splits
        ]
        warnings = dict.fromkeys(text for item in made.splits for text in item.warnings)
        lines += [f"warning: {text}" for text in warnings]
        answer.give(document, lines)


def _split_row(item: Split) -> dict[str, Any]:
    groups = {
        side: len({entry.group for entry in item.assignments if entry.partition.value == side}) for side in item.sizes
    }
    return {
        "sizes": item.sizes,
        "patients": groups,
        "leaks": [_leak_row(leak) for leak in item.leaks],
        "certificate": item.fingerprint,
        "accepted": item.acceptance,
        "dropped": list(item.dropped),
        "rule": item.rule,
        "seed": item.seed,
        "warnings": list(item.warnings),
    }


def _leak_row(leak: Leak) -> dict[str, Any]:
    return {"kind": leak.kind.value, "a": leak.a, "b": leak.b, "partitions": list(leak.partitions)}


def _give_leaks(error: LeakError) -> None:
    """With ``--json`` a refused split names its leaks in the same document as the error."""
    import json
    import sys

    document = {
        "error": {"kind": error.kind, "message": error.message, "hint": error.hint},
        "leaks": [_leak_row(leak) for leak in error.leaks],
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stderr.write(f"medfm: {error}\n")
    raise typer.Exit(1) from error
