"""``similar``."""

from __future__ import annotations

from typing import Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering


def similar(
    run: Annotated[list[str], typer.Argument(help="Ids of finished runs.")],
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:0.")] = "auto",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Let finished runs of earlier versions tell whether an image looks unlike their training images."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.outliers import keep_similar
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            found = {one: keep_similar(room, one, device=device, on_event=bars.event) for one in dict.fromkeys(run)}
        answer.give(
            {"runs": [{"run": one, **wire.plain(limit)} for one, limit in found.items()]},
            [
                f"{one}: {limit.references} training images kept, limit "
                f"{'none' if limit.limit is None else f'{limit.limit:.3f}'}"
                + (f" ({limit.note})" if limit.note else "")
                for one, limit in found.items()
            ],
        )
