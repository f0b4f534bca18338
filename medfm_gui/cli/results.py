"""``evaluate``, ``predictions``, ``compare``, ``report``, ``rebuild``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.cli.runs import Run, Runs, run_row
from medfm_gui.domain.evaluation import Evaluation


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _rows(found: tuple[Evaluation, ...]) -> list[tuple[str, ...]]:
    return [
        (
            row.run,
            row.metric + (f" ({row.label})" if row.label else "") + _subset(row),
            _number(row.value) or "not estimable",
            f"{_number(row.low)}–{_number(row.high)}" if row.low is not None else "",
            row.method,
            str(row.n),
        )
        for row in found
    ]


def _subset(row: Evaluation) -> str:
    return "" if row.subset == "test" else f", {row.subset}"


def evaluate(
    run: Runs,
    open_test: Annotated[
        str | None, typer.Option("--open-test", help="Reason for opening the sealed test set.")
    ] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The test results of finished runs; opens the sealed test set, with a reason, where it is not open yet."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.evaluating import evaluate as open_and_evaluate
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            opening = open_and_evaluate(room, run, reason=open_test, on_event=bars.event)
        document = {
            "evaluations": [wire.plain(row) for row in (*opening.evaluations, *opening.without_flagged)],
            "flagged": {file.run: list(file.flagged) for file in opening.files if file.flagged},
            "test_openings": opening.test_openings,
            "openings": [{"run": file.run, "opened": file.opened, "reason": file.reason} for file in opening.files],
        }
        rows = _rows((*opening.evaluations, *opening.without_flagged))
        shown = table("run", "metric", "value", "95 % interval", "method", "n", rows=rows)
        said = [f"This test set was opened {opening.test_openings} time(s) in this workspace."]
        said += [
            f"{file.run}: the leak gate flagged {len(file.flagged)} test images; the last rows are without them."
            for file in opening.files
            if file.without_flagged
        ]
        answer.give(document, said, shown)


def predictions(
    run: Run,
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    subset: Annotated[str, typer.Option(help="test, val or cal.")] = "test",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The probabilities of a run, one row a sample, as CSV."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.export import export_predictions
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            path, rows = export_predictions(room, run, subset, out)
        answer.give({"run": run, "subset": subset, "path": str(path), "rows": rows}, [f"{rows} rows in {path}"])


def compare(
    run: Runs, workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False
) -> None:
    """Paired comparison on the test set; the first run is the reference."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.comparing import compare as compare_runs
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            found = compare_runs(room, run)
        runs = [
            {**run_row(view), "evaluations": [wire.plain(row) for row in (*test.evaluations, *test.without_flagged)]}
            for view, test in zip(found.views, found.tests, strict=True)
        ]
        pairs = [wire.plain(pair) for pair in found.file.pairs]
        document = {"runs": runs, "pairs": pairs, "sentence": found.file.sentence, "reference": found.file.runs[0]}
        rows = [
            (
                pair.a,
                pair.b,
                pair.metric,
                _number(pair.difference),
                f"{_number(pair.low)} to {_number(pair.high)}",
                pair.test,
                _number(pair.p_adjusted),
            )
            for pair in found.file.pairs
        ]
        shown = table("run", "minus", "metric", "difference", "95 % interval", "test", "p (Holm)", rows=rows)
        answer.give(document, [found.file.sentence], shown)


def report(
    run: Runs,
    out: Annotated[Path, typer.Option(help="PDF file to write.")],
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The report of runs whose test was opened, as a PDF."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.reporting import write_report

        with open_workspace(workspace) as room:
            written = write_report(room, run, out=out, on_event=bars.event)
        answer.give(wire.plain(written), [f"{written.path} ({written.pages} pages)"])


def rebuild(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Make the database again from the workspace's files."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.base.settings import default_workspace, load_settings
        from medfm_gui.workspace.rebuild import rebuild as rebuild_index

        root = (workspace or default_workspace(load_settings())).expanduser().absolute()
        found = rebuild_index(root)
        answer.give(dataclasses.asdict(found), [f"{found.runs} runs and {found.datasets} datasets indexed again."])
