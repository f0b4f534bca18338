"""``demo``: the whole main job on the embedded data."""

from __future__ import annotations

from typing import Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.cli.runs import headline, run_row


def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Without a window.")] = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Simulated patients from import to report: two models compared, one study read, one PDF written."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.demo import default_folder, run_demo
        from medfm_gui.workspace.place import open_workspace

        said: set[str] = set()

        def step(name: str, done: int, total: int) -> None:
            if name not in said:
                said.add(name)
                answer.remark(f"{name} …")
            if total:
                bars.at(name, done, total)

        with open_workspace(workspace or default_folder()) as room:
            made = run_demo(room, on_step=step, on_events=bars.run)
            root = room.root
        document = {
            "runs": [run_row(view) for view in made.runs],
            "report": made.report.path,
            "pages": made.report.pages,
            "sentence": made.comparison.file.sentence,
            "predictions": [wire.plain(item) for item in made.prediction.predictions],
            "workspace": str(root),
            "screens": [],
        }
        rows = [(view.id, view.spec.card.title, view.spec.adapt, headline(view)) for view in made.runs]
        lines = [
            made.comparison.file.sentence,
            f"Workspace: {root}",
            f"Report: {made.report.path} ({made.report.pages} pages)",
        ]
        answer.give(document, lines, table("run", "model", "adaptation", "validation", rows=rows))
