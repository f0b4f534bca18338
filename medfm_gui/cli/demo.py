"""``demo``: the whole main job on the embedded data."""

from __future__ import annotations

from typing import Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.base.display import has_display
from medfm_gui.cli import window
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.cli.runs import headline, run_row


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Draw pictures of the window instead of opening it.")
    ] = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Simulated patients from import to report: two models compared, one study read, one PDF written.

    With a display the window opens on the result, and the command ends when it is closed.
    """
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
        ids = [view.id for view in made.runs]
        shows = has_display() and not headless and not json
        screens: list[str] = []
        if not shows:
            answer.remark("Drawing the window …")
            wishes: dict[str, dict[str, object]] = {
                "datasets": {"dataset": made.runs[0].spec.dataset_id},
                "runs": {"run": ids[-1]},
                "studies": {"prediction": made.prediction.id, "map": "shown"},
                "compare": {"runs": ids},
                "reports": {"runs": ids},
            }
            screens = window.pictures(root, root / "screens", wishes)
        document = {
            "runs": [run_row(view) for view in made.runs],
            "report": made.report.path,
            "pages": made.report.pages,
            "sentence": made.comparison.file.sentence,
            "predictions": [wire.plain(item) for item in made.prediction.predictions],
            "workspace": str(root),
            "screens": screens,
        }
        rows = [(view.id, view.spec.card.title, view.spec.adapt, headline(view)) for view in made.runs]
        lines = [
            made.comparison.file.sentence,
            f"Workspace: {root}",
            f"Report: {made.report.path} ({made.report.pages} pages)",
        ]
        if screens:
            lines.append(f"Pictures of the window: {root / 'screens'}")
        answer.give(document, lines, table("run", "model", "adaptation", "validation", rows=rows))
    if shows:
        window.open_window(root, "studies", prediction=made.prediction.id, map="shown")
