"""``import``, ``layouts``, ``datasets``, ``split``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, skipped_lines, table
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import LeakError, UsageError
from medfm_gui.domain.split import Leak, LeakCheck, LeakKind, Split

if TYPE_CHECKING:
    from medfm_gui.datasets.layout import Layout
    from medfm_gui.datasets.split import SplitRequest
    from medfm_gui.workspace.data import SplitOutcome


def layouts(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """The layouts of data that can be imported."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.datasets.layouts import LAYOUTS

        rows = [_layout_row(item) for item in LAYOUTS]
        shown = table(
            "layout",
            "what it is",
            "task",
            "policies (--policy)",
            "presets (--preset)",
            rows=[
                (item.name, item.title, item.task, _policies_line(item), ", ".join(item.presets)) for item in LAYOUTS
            ],
        )
        answer.give({"layouts": rows}, table=shown)


def _layout_row(item: Layout) -> dict[str, Any]:
    policies = [
        {
            "name": policy.name,
            "title": policy.title,
            "choices": [{"value": choice.value, "title": choice.title} for choice in policy.choices],
            "default": policy.standard,
        }
        for policy in item.policies
    ]
    presets = {name: dict(values) for name, values in item.presets.items()}
    return {"name": item.name, "title": item.title, "task": item.task, "policies": policies, "presets": presets}


def _policies_line(item: Layout) -> str:
    """“pathology=benign|callback|excluded”, the standard value first."""
    return "; ".join(
        f"{policy.name}="
        + "|".join(sorted((choice.value for choice in policy.choices), key=lambda value: value != policy.standard))
        for policy in item.policies
    )


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
    policy: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: a label policy of the layout (see “layouts”); repeatable.")
    ] = None,
    preset: Annotated[str, typer.Option(help="The label policies of a published study: study-a or study-b.")] = "",
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
            policies=_policies(policy or ()),
            preset=preset,
        )
        with open_workspace(workspace) as room:
            dataset = import_dataset(
                room, layout, source, options, name=name, dry_run=dry_run, on_progress=bars.counting("Reading images")
            )
        document = {**_dataset_row(dataset), "dry_run": dry_run}
        document["skipped"] = [wire.plain(item) for item in dataset.skipped]
        document["warnings"] = list(dataset.warnings)
        document["taken"] = dict(dataset.taken)
        document["policies"] = dict(dataset.policies)
        document["counts"] = [{**wire.plain(item), "agrees": item.agrees} for item in dataset.counts]
        document["statement"] = wire.plain(dataset.statement)
        answer.give(document, _dataset_lines(dataset, dry_run))


def _policies(said: Sequence[str]) -> dict[str, str]:
    """What was chosen with ``--policy NAME=VALUE``.

    Raises:
        UsageError: one is not written like that, or a name is given two values.
    """
    chosen: dict[str, str] = {}
    for text in said:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name or not value:
            raise UsageError(f"“{text}” is no policy.", "Write --policy NAME=VALUE; “medfm layouts” lists them.")
        if chosen.setdefault(name, value) != value:
            raise UsageError(f"The policy “{name}” was given two values.", "Give each policy once.")
    return chosen


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
    from medfm_gui.datasets.published import difference

    what = "would hold" if dry_run else "holds"
    patients = f", {dataset.n_patients} patients" if dataset.n_patients else ""
    lines = [
        f"{dataset.id or dataset.name} {what} {len(dataset.samples)} images{patients}: "
        f"{_listed(dataset.classes)} ({dataset.task.value})"
    ]
    lines += [f"{key}: {value}" for key, value in dataset.taken.items()]
    lines += [f"policy {name}: {value}" for name, value in dataset.policies.items()]
    lines += [f"{difference(item)} ({item.source})" if item.source else difference(item) for item in dataset.counts]
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


Look = Annotated[
    bool | None,
    typer.Option("--near-duplicates/--no-near-duplicates", help="Look for near-duplicates. Default: up to 100,000."),
]
DropLeaks = Annotated[bool, typer.Option("--drop-leaks", help="Drop what leaks from training and validation.")]
MoveLeaks = Annotated[bool, typer.Option("--move-leaks", help="Move whole groups that leak to the more guarded side.")]
DropNear = Annotated[
    bool, typer.Option("--drop-near", help="Drop near-duplicates of a more guarded side, as --drop-leaks.")
]
MoveNear = Annotated[
    bool, typer.Option("--move-near", help="Move near-duplicates with their whole groups, as --move-leaks.")
]


def split(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset.")],
    ratios: Annotated[
        str,
        typer.Option(
            help="train/val/test or train/val/cal/test, in per cent. "
            "Default: the dataset's own partitions where it has any, else 70/15/15."
        ),
    ] = "",
    by: Annotated[
        str, typer.Option(help="patient, image, group or a column (site, study): what never stands on two sides.")
    ] = "patient",
    seed: Annotated[int, typer.Option(help="Seed of the division.")] = 0,
    folds: Annotated[int, typer.Option(help="Number of cross-validation folds.")] = 0,
    official: Annotated[bool, typer.Option("--official", help="Use the dataset's own folds or partitions.")] = False,
    file: Annotated[Path | None, typer.Option(help="CSV with sample or path, and partition.")] = None,
    nested: Annotated[bool, typer.Option("--nested", help="With --folds: as many folds within each training side.")] = (
        False
    ),
    preset: Annotated[
        str,
        typer.Option(help="A published rule: study-a or study-b (corrected), or study-a-as-published, with its leaks."),
    ] = "",
    leave_out: Annotated[str, typer.Option(help="Column (site, scanner): each of its values once the test.")] = "",
    by_time: Annotated[str, typer.Option(help="Column of dates or numbers: the latest images are the test.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Also write the split as CSV for --file; with the id of a split, only write that one."),
    ] = None,
    near: Look = None,
    accept_leaks: Annotated[str, typer.Option(help="Reason for keeping a split that leaks.")] = "",
    drop_leaks: DropLeaks = False,
    move_leaks: MoveLeaks = False,
    drop_near: DropNear = False,
    move_near: MoveNear = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Divide a dataset into training, validation and a sealed test; frozen, after the leak gate."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.datasets.split import SplitRequest
        from medfm_gui.workspace.data import export_split, make_split, splits_of
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
            nested=nested,
            preset=preset,
            leave_out=leave_out,
            in_time=by_time,
            move=move_leaks,
            alike=_alike(drop_near, move_near),
        )
        _refuse_folder(out)
        with open_workspace(workspace) as room:
            if out and (room.root / "splits" / f"{dataset}.json").is_file():
                place = export_split(room, dataset, out)
                row = _split_row(splits_of(room, dataset)[0])
                answer.give({"split": dataset, **row, "file": str(place)}, [f"{dataset} written to {place}"])
                return
            with _naming_leaks(json):
                tell = bars.counting("Looking for near-duplicates")
                made = make_split(room, dataset, request, look=near, on_progress=tell)
            files = [str(export_split(room, item.id, _named(out, item))) for item in made.splits] if out else []
        ignored = _ratios_without_part(request)
        document = _split_document(made, files)
        document["warnings"] = [*ignored, *document["warnings"]]
        answer.give(document, [*(f"warning: {text}" for text in ignored), *_split_lines(made)])


def _ratios_without_part(request: SplitRequest) -> list[str]:
    """A warning where shares were named for a way to divide that has its own."""
    others = {
        "--folds": request.folds,
        "--official": request.official,
        "--file": request.file,
        "--preset": request.preset,
        "--leave-out": request.leave_out,
    }
    way = next((name for name, value in others.items() if value), "")
    if not way or not request.ratios:
        return []
    return [f"--ratios {request.ratios} has no part in {way}, which has its own sizes."]


def _alike(drop: bool, move: bool) -> str:
    """What becomes of near-duplicates.

    Raises:
        UsageError: both.
    """
    if drop and move:
        raise UsageError("Near-duplicates can be dropped or moved, not both.", "Choose --drop-near or --move-near.")
    return "drop" if drop else "move" if move else ""


def _refuse_folder(out: Path | None) -> None:
    """A split is frozen before its table is written, so a place that cannot be is said at once.

    Raises:
        UsageError: it is a folder.
    """
    if out and out.expanduser().is_dir():
        raise UsageError(f"“{out}” is a folder.", f"Name a file, e.g. {out / 'split.csv'}.")


def _split_document(made: SplitOutcome, files: Sequence[str]) -> dict[str, Any]:
    document: dict[str, Any] = {"split": made.id, **_split_row(made.splits[0])}
    if len(made.splits) > 1:
        document["folds"] = [{"split": item.id, **_split_row(item)} for item in made.splits]
    if made.inner:
        document["inner"] = [
            {"split": item.id, "family": item.family, "sizes": item.sizes, "rule": item.rule} for item in made.inner
        ]
    if files:
        document["files"] = list(files)
        document["file"] = files[0]
    return document


def _split_lines(made: SplitOutcome) -> list[str]:
    lines = [
        f"{item.id}: " + ", ".join(f"{name} {size}" for name, size in item.sizes.items() if size)
        for item in made.splits
    ]
    warnings = dict.fromkeys(text for item in made.splits for text in item.warnings)
    return [*lines, *(f"warning: {text}" for text in warnings), *_certificate_lines(made.splits)]


def _named(out: Path, item: Split) -> Path:
    """Where a split's table goes: of several folds each has its number in the name."""
    return out if item.fold is None or item.family is None else out.with_stem(f"{out.stem}-f{item.fold}")


def _certificate_lines(splits: Sequence[Split]) -> list[str]:
    """What the gate looked at; of several folds each has a certificate of its own, and the looks are told once."""
    found = [(item.id, item.certificate) for item in splits if item.certificate]
    hashes = [f"certificate {'of ' + name + ' ' if len(found) > 1 else ''}{one.sha256}" for name, one in found]
    looks = [_look_words(looks) for looks in zip(*(one.checks for _, one in found), strict=True)]
    unseen = dict.fromkeys(text for _, one in found for text in one.unseen)
    return [*hashes, *looks, *(f"cannot be seen: {text}" for text in unseen)]


def _look_words(looks: Sequence[LeakCheck]) -> str:
    """One kind of look, at all folds: what was found, in how many images."""
    kind = looks[0].kind.value
    made = [look for look in looks if look.compared]
    if not made:
        return f"{kind}: not looked for. {looks[0].reason}"
    found, compared = sorted({look.found for look in made}), sorted({look.compared for look in made})
    a_fold = " in each fold" if len(looks) > 1 and found[-1] else ""
    said = f"{kind}: {_range(found)} found among {_range(compared)} images{a_fold}"
    if looks[0].kind is LeakKind.NEAR and found[-1]:
        said += "; --drop-near takes them out, --move-near moves whole groups"
    return said


def _range(numbers: Sequence[int]) -> str:
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _split_row(item: Split) -> dict[str, Any]:
    groups = {
        side: len({entry.group for entry in item.assignments if entry.partition.value == side}) for side in item.sizes
    }
    return {
        "sizes": item.sizes,
        "patients": groups,
        "leaks": [_leak_row(leak) for leak in item.leaks],
        "fingerprint": item.fingerprint,
        "certificate": item.certificate.sha256 if item.certificate else item.fingerprint,
        "checks": [wire.plain(look) for look in item.certificate.checks] if item.certificate else [],
        "suspects": [_leak_row(leak) for leak in item.certificate.suspects] if item.certificate else [],
        "unseen": list(item.certificate.unseen) if item.certificate else [],
        "as_published": item.as_published,
        "accepted": item.acceptance,
        "dropped": list(item.dropped),
        "rule": item.rule,
        "seed": item.seed,
        "warnings": list(item.warnings),
    }


def _leak_row(leak: Leak) -> dict[str, Any]:
    return {"kind": leak.kind.value, "a": leak.a, "b": leak.b, "partitions": list(leak.partitions)}


@contextlib.contextmanager
def _naming_leaks(as_json: bool) -> Iterator[None]:
    """A split that is refused names its leaks."""
    try:
        yield
    except LeakError as error:
        if as_json:
            _give_leaks(error)
        raise


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
