"""``predict`` and ``study``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, ClassSets, Debug, Place, Quiet, answering, skipped_lines, table
from medfm_gui.domain.deidentification import Dates, Deidentification, Deidentified
from medfm_gui.domain.explain import explanation_names
from medfm_gui.domain.similar import SimilarCase
from medfm_gui.domain.study import Series

if TYPE_CHECKING:
    from medfm_gui.domain.study import Study
    from medfm_gui.store.rows import SeriesRow, StudyRow
    from medfm_gui.workspace.prediction import StudyPrediction

_MOST_HELD = 20

study = typer.Typer(name="study", help="DICOM studies.", no_args_is_help=True)


def predict(
    source: Annotated[Path, typer.Argument(help="A file, a folder or a study.")],
    run: Annotated[list[str], typer.Option(help="A finished run; several for several opinions.")],
    explain: Annotated[str, typer.Option(help=f"A heat map: {explanation_names()}.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for the pictures.")] = None,
    dicom: Annotated[str, typer.Option(help="DICOM objects to write: sc.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:0.")] = "auto",
    class_sets: ClassSets = None,
    seeds: Annotated[
        bool, typer.Option("--seeds", help="Also every other seed of these runs, so that their spread shows.")
    ] = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Score a single image or study with finished runs."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.prediction import PredictRequest
        from medfm_gui.workspace.prediction import predict as predict_source

        objects = tuple(part.strip() for part in dicom.split(",") if part.strip())
        with open_workspace(workspace) as room:
            sets = room.settings.class_sets if class_sets is None else class_sets
            runs = tuple(dict.fromkeys(run))
            request = PredictRequest(source, runs, explain, out, objects, device, class_sets=sets, seeds=seeds)
            file = predict_source(room, request, on_event=bars.event)
        document = {
            "id": file.id,
            "predictions": [prediction_row(item) for item in file.predictions],
            "skipped": [wire.plain(item) for item in file.skipped],
        }
        answer.give(document, [line for item in file.predictions for line in prediction_lines(item)])
        for item in file.skipped:
            answer.remark(f"skipped {item.path}: {item.message or item.reason}")


def prediction_row(item: StudyPrediction) -> dict[str, Any]:
    """A prediction as a document: the nearest training images by their distance (1 − cosine); of a vote, who voted."""
    voters = item.explanation.neighbours if item.explanation else ()
    row: dict[str, Any] = {**wire.plain(item), "neighbours": [wire.plain(one) for one in voters]}
    nearest = item.similar or [SimilarCase(one.sample, one.labels, 1 - one.similarity) for one in voters]
    row["similar"] = [
        {"sample": one.sample, "label": ", ".join(one.labels), "distance": one.distance} for one in nearest
    ]
    return row


def prediction_lines(item: StudyPrediction) -> list[str]:
    """What a run says of an image, for people."""
    shown = item.calibrated or item.classes
    scores = ", ".join(f"{name} {score:.3f}{_spread(item, name)}" for name, score in shown.items())
    threshold = f" (threshold {item.threshold:.3f}: {item.threshold_note})" if item.threshold is not None else ""
    lines = [
        f"{Path(item.source).name} by {item.run}: {item.decision}{threshold}",
        f"  {scores} ({item.calibration_note or 'not calibrated'})",
    ]
    if item.seeds:
        lines.append(f"  In brackets: spread over {item.seeds} seeds, no confidence interval.")
    if item.outlier_note:
        lines.append(f"  {item.outlier_note}")
    if item.similar:
        near = (f"{one.sample} ({', '.join(one.labels) or 'no label'}, {one.distance:.3f})" for one in item.similar)
        lines.append(f"  similar training images (distance): {', '.join(near)}")
    if item.class_set_note:
        said = f"set of classes: {', '.join(item.class_set)}. " if item.class_set else ""
        lines.append(f"  {said}{item.class_set_note}")
    if item.explanation:
        lines.append(f"  heat map: {item.explanation.path or item.explanation.note}")
        lines += [
            f"    {one.sample}: {', '.join(one.labels) or 'none'} (cosine {one.similarity:.3f}, share {one.weight:.2f})"
            for one in item.explanation.neighbours
        ]
        lines += [f"    {sentence}" for sentence in item.explanation.checks.values()]
    lines += [f"  warning: {text}" for text in item.warnings]
    return lines


def _spread(item: StudyPrediction, name: str) -> str:
    low, high = item.spread.get(name, (None, None))
    return "" if low is None or high is None else f" [{low:.3f} to {high:.3f}]"


@study.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A folder, a DICOM file, a DICOMDIR, or a ZIP archive of them.")],
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Index the DICOM studies of a folder; of one that was read before, only new and changed files are opened."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.studies import import_studies, study_folder

        with open_workspace(workspace) as room:
            found = import_studies(
                room,
                path,
                on_progress=bars.counting("Reading headers"),
                on_unpacked=bars.counting("Unpacking the archive"),
            )
            names = [study_folder(room, item.uid).name for item in found.studies]
        document = {
            "studies": [study_row(item) for item in found.studies],
            "skipped": [wire.plain(item) for item in found.skipped],
        }
        lines = warning_lines(found.studies)
        lines += skipped_lines(found.skipped)
        answer.give(document, lines, _studies_table(names, found.studies))


def warning_lines(found: Sequence[Study]) -> list[str]:
    """What is odd about series, each once with the series that it is said of."""
    said = Counter(
        (one.modality, one.description, text) for item in found for one in item.series for text in one.warnings
    )
    lines = []
    for (modality, description, text), count in said.items():
        name = f"{modality or 'series'} “{description}”" if description else modality or "series"
        lines.append(f"warning: {name}{f' ({count} series)' if count > 1 else ''}: {text}")
    return lines


@study.command("list")
def list_(
    words: Annotated[
        list[str] | None, typer.Argument(help="Only studies with all of these words: descriptions, modality, date.")
    ] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The indexed studies."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.studies import listed, study_folder

        with open_workspace(workspace) as room:
            found = listed(room, words or ())
            names = [study_folder(room, item.uid).name for item in found]
        answer.give({"studies": [study_row(item) for item in found]}, table=_studies_table(names, found))


@study.command("anonymise")
def anonymise(
    studies: Annotated[
        list[str],
        typer.Argument(metavar="STUDY...", help="Studies as “study list” names them, by UID, or by their folder."),
    ],
    out: Annotated[Path, typer.Option(help="A new or an empty folder for the copies.")],
    dates: Annotated[Dates, typer.Option(help="Dates: removed, shifted a patient at a time, or kept.")] = Dates.REMOVE,
    keep_uids: Annotated[bool, typer.Option("--keep-uids", help="Leave UIDs as they are.")] = False,
    clean_descriptors: Annotated[
        bool, typer.Option("--clean-descriptors", help="Keep known words of descriptions.")
    ] = False,
    keep_patient: Annotated[
        bool, typer.Option("--keep-patient-characteristics", help="Keep sex, age (capped at 90), size and weight.")
    ] = False,
    keep_device: Annotated[bool, typer.Option("--keep-device", help="Keep maker, model and serial number.")] = False,
    series: Annotated[list[str] | None, typer.Option(help="Only these series, by UID.")] = None,
    burned_in_checked: Annotated[
        bool,
        typer.Option("--burned-in-checked", help="You looked at every image that may show a name, and none does."),
    ] = False,
    faces_known: Annotated[
        bool, typer.Option("--faces-known", help="You know that faces might be rebuilt from volumes of heads.")
    ] = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write copies of studies that name nobody (PS3.15 Annex E), with a report of what was removed."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.deidentifying import Watch, Wish, deidentify, find_studies
        from medfm_gui.workspace.place import open_workspace

        options = Deidentification(dates, keep_uids, clean_descriptors, keep_patient, keep_device)
        with open_workspace(workspace) as room:
            wish = Wish(
                studies=find_studies(room, studies),
                out=out,
                options=options,
                series=tuple(series or ()),
                all_looked_at=burned_in_checked,
                faces_known=faces_known,
            )
            done = deidentify(room, wish, watch=Watch(bars.at))
        answer.give(
            anonymised_row(done),
            [f"{_number_of(done.written, 'image')} of {_number_of(len(done.patients), 'patient')} in {done.out}"],
        )
        for text in anonymised_remarks(done):
            answer.remark(text)


def anonymised_row(done: Deidentified) -> dict[str, Any]:
    """What was written and what was not, as a document; values that were removed are nowhere in it."""
    return {
        "out": done.out,
        "report": done.report,
        "written": done.written,
        "patients": list(done.patients),
        "codes": list(done.codes),
        "studies": [study_row(item) for item in done.studies],
        "skipped": [wire.plain(item) for item in done.held],
        "faces": [wire.plain(item) for item in done.faces],
        "removed": [wire.plain(item) for item in done.removals],
        "notes": list(done.notes),
    }


def anonymised_remarks(done: Deidentified) -> list[str]:
    """What a person has to know of the copies."""
    lines = [f"report: {done.report}", *done.notes]
    for (modality, reason), count in Counter((face.modality, face.reason) for face in done.faces).items():
        lines.append(
            f"warning: from {count} {modality} series a face might be rebuilt. {reason} No face was removed; the "
            "report names the folders."
        )
    if done.held:
        lines.append(f"{_number_of(len(done.held), 'image')} {'was' if len(done.held) == 1 else 'were'} held back:")
        lines += [f"  {item.path}: {item.message}" for item in done.held[:_MOST_HELD]]
        if len(done.held) > _MOST_HELD:
            lines.append(f"  and {len(done.held) - _MOST_HELD} more (--json lists all)")
    if any(item.reason == "burned_in" for item in done.held):
        lines.append(
            "  Look at those that may show a name; if none does, repeat it into a new folder, with --burned-in-checked."
        )
    return lines


def study_row(item: Study | StudyRow) -> dict[str, Any]:
    """A study as a document."""
    series = [
        {
            "uid": one.uid,
            "modality": one.modality,
            "description": one.description,
            "instances": _images(one),
            "rows": one.rows,
            "columns": one.columns,
            "slice_spacing_mm": one.slice_spacing_mm,
            "warnings": list(one.warnings),
        }
        for one in item.series
    ]
    return {
        "uid": item.uid,
        "patient": item.patient,
        "date": item.date,
        "modality": item.modality,
        "description": item.description,
        "series": series,
    }


def _number_of(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _images(series: Series | SeriesRow) -> int:
    return len(series.instances) if isinstance(series, Series) else series.n_instances


def _studies_table(names: Sequence[str], found: Sequence[Study | StudyRow]) -> Any:
    """One line a study; ``names`` are those of their indexes, by which “anonymise” takes them."""
    rows = [
        (name, item.date, item.modality, item.description, len(item.series), sum(map(_images, item.series)))
        for name, item in zip(names, found, strict=True)
    ]
    return table("study", "date", "modality", "description", "series", "images", rows=rows)
