"""``model export``, ``model import``: models that travel."""

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


@model.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A model's file, NAME.medfm.")],
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Check a model's file and make a finished run of it, ready to predict."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.cli.models import accepted_by_import
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.portable_in import import_model

        with open_workspace(workspace) as room:
            made = import_model(room, file, on_event=bars.event)
        card = made.card
        said = accepted_by_import(card.model)
        lines = [
            f"{made.view.id}: {card.title}, imported from {made.path.name} (SHA-256 {made.sha256})",
            f"Licence of the backbone: {card.licence}" + " (non-commercial)" * card.non_commercial,
        ]
        if made.dataset:
            lines.append(f"It was trained on “{made.dataset}”, which this workspace has too.")
        document = {
            "path": str(made.path),
            "sha256": made.sha256,
            "card": wire.plain(card),
            "run": made.view.id,
            "licence": card.licence,
            "dataset": made.dataset,
        }
        answer.give(document, [*lines, *said])
