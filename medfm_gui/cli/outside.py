"""``import-predictions``, ``import-reads``, ``evaluate --on``: other systems, readers and sites."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.cli.runs import run_row
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.units import counted

Of = Annotated[str, typer.Option("--dataset", help="Id of the dataset.")]
By = Annotated[str | None, typer.Option("--split", help="Id of the split; default: the newest.")]
Table = Annotated[Path, typer.Argument(help="CSV file.")]


def import_predictions(
    file: Table,
    name: Annotated[str, typer.Option(help="What the other system is called.")],
    dataset: Of,
    split: By = None,
    unit: Annotated[
        str, typer.Option(help="What is counted: image, lesion, eye, breast, study, patient; eye:max: by its highest.")
    ] = "image",
    threshold: Annotated[
        float | None, typer.Option(help="Its threshold; default: chosen on the validation rows, if there are any.")
    ] = None,
    open_test: Annotated[str, typer.Option("--open-test", help="Reason, kept in the journal.")] = "",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predictions of another system (sample, path or patient; one column a class, or score) as a run."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.external import import_predictions as read
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            made = read(
                room, file, name=name, dataset_id=dataset, split_id=split, unit=unit, threshold=threshold,
                reason=open_test,
            )  # fmt: skip
        row = {
            **run_row(made.view),
            "kind": "external",
            "evaluations": [wire.plain(one) for one in made.test.evaluations],
        }
        document = {"runs": [row], "remarks": list(made.remarks)}
        answer.give(document, [f"{made.view.id}: predictions of “{made.view.spec.card.title}”.", *made.remarks])


def evaluate_on(
    runs: Sequence[str],
    dataset: str | None,
    pairs: Sequence[str],
    by: str,
    reason: str | None,
    workspace: Path | None,
    json: bool,
    quiet: bool,
    debug: bool,
) -> None:
    """``evaluate --on``: finished runs on another dataset, frozen first and recalibrated second."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.elsewhere import evaluate_on as measure
        from medfm_gui.workspace.place import open_workspace

        if dataset is None:
            raise UsageError("A label map or sites are of use for an external test alone.", "Name it: --on DATASET.")
        labels = dict(_pair(text) for text in pairs)
        with open_workspace(workspace) as room:
            found = measure(room, runs, dataset, reason=reason, labels=labels, by=by, on_event=bars.event)
        files = found.files
        document = {
            "evaluations": [wire.plain(row) for file in files for row in file.evaluations],
            "test_openings": found.openings,
            "external": [
                {key: value for key, value in wire.plain(file).items() if key != "evaluations"} for file in files
            ],
        }
        lines = [f"These images were opened {counted(found.openings, 'time')} in this workspace."]
        for file in files:
            said = ", ".join(f"{their} = {our}" for their, our in file.labels.items())
            lines.append(f"{file.run} on {file.dataset}: {said}; {file.left_out} images left out.")
            lines += [f"Not recalibrated: {file.withheld}."] if file.withheld else []
            lines += [f"{file.shared} of the images are in the run's own dataset too."] if file.shared else []
        rows = [
            (
                row.run,
                row.parameters["calibration"],
                row.parameters.get("site", "all"),
                row.metric + (f" ({row.label})" if row.label else ""),
                "not estimable" if row.value is None else f"{row.value:.3f}",
                "" if row.low is None or row.high is None else f"{row.low:.3f} to {row.high:.3f}",
                str(row.n),
            )
            for file in files
            for row in file.evaluations
        ]
        head = ("run", "calibration", "site", "metric", "value", "95 % interval", "n")
        answer.give(document, lines, table(*head, rows=rows))


def _pair(text: str) -> tuple[str, str]:
    their, equals, our = text.partition("=")
    if not (their.strip() and equals and our.strip()):
        raise UsageError(f"“{text}” is no label map.", "Write it as THEIR=OURS.")
    return their.strip(), our.strip()


def import_reads(
    file: Table,
    dataset: Of,
    split: By = None,
    run: Annotated[list[str] | None, typer.Option("--run", help="Runs to compare with the readers.")] = None,
    reference: Annotated[
        str, typer.Option(help="Against what readers are judged: dataset, majority, or a reader's name.")
    ] = "dataset",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Human reads of the test images (reader; sample, path or patient; decision, or rating 1 to 5)."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.readers import import_reads as read
        from medfm_gui.workspace.readers import reader_table

        with open_workspace(workspace) as room:
            reads = read(room, file, dataset_id=dataset, split_id=split)
            found = reader_table(room, reads.id, run or (), reference=reference)
        document = {
            "reads": reads.id,
            "reference": reference,
            "readers": list(reads.readers),
            "unit": reads.unit,
            "evaluations": [wire.plain(row) for row in found.evaluations],
            "agreement": [wire.plain(row) for row in found.agreement],
            "pairs": [wire.plain(pair) for pair in found.pairs],
            "disagreements": [wire.plain(one) for one in found.disagreements],
            "chart": wire.plain(found.chart),
            "note": found.note,
        }
        rows = [
            (row.run, row.metric, _number(row.value), _range(row.low, row.high), str(row.n))
            for row in (*found.evaluations, *found.agreement)
        ]
        rows += [
            (f"{pair.a} − {pair.b}", f"sensitivity at specificity {pair.parameters['at_specificity']}",
             _number(pair.difference), _range(pair.low, pair.high), str(pair.n))
            for pair in found.pairs
        ]  # fmt: skip
        differing = counted(len(found.disagreements), "unit")
        lines = [f"{reads.id}: {counted(len(reads.readers), 'reader')}, {differing} seen differently."]
        lines += [found.note] if found.note else []
        answer.give(document, lines, table("who", "metric", "value", "95 % interval", "n", rows=rows))


def _number(value: float | None) -> str:
    return "not estimable" if value is None else f"{value:.3f}"


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
