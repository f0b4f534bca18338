"""``model export``: models that leave the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering

model = typer.Typer(name="model", help="Trained models as files that travel.", no_args_is_help=True)


@model.command("export")
def export(
    run: Annotated[str, typer.Argument(help="Id of a finished run.")],
    out: Annotated[Path, typer.Option(help="File to write, NAME.medfm.")],
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a run's model as one file: adapters merged, nothing else needed to use it."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.portable import export_model

        with open_workspace(workspace) as room:
            made = export_model(room, run, out, on_event=bars.event)
        card = made.card
        lines = [
            f"{made.path} (SHA-256 {made.sha256})",
            f"{card.title}: {', '.join(card.classes)}; licence of the backbone: {card.licence}"
            + " (non-commercial)" * card.non_commercial,
        ]
        if card.holds_features:
            lines.append("It holds the features of its training images, which a vote of neighbours needs.")
        answer.give({"path": str(made.path), "sha256": made.sha256, "card": wire.plain(card)}, lines)
