"""``maps``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.domain.explain import MapCheck, explanation_names


def maps(
    run: Annotated[str, typer.Argument(help="Id of a finished run.")],
    explain: Annotated[str, typer.Option(help=f"Which maps: {explanation_names()}.")] = "gradcam",
    subset: Annotated[str, typer.Option(help="train, val, cal, or test once it is opened.")] = "val",
    images: Annotated[int, typer.Option(help="How many images, drawn by the seed.")] = 32,
    boxes: Annotated[
        Path | None, typer.Option(help="Table of findings: sample, x0, y0, x1, y1 in pixels; else the dataset's own.")
    ] = None,
    masks: Annotated[Path | None, typer.Option(help="Folder of masks, called like the images.")] = None,
    seed: Annotated[int, typer.Option(help="Decides which images, and how weights are shuffled.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:0.")] = "auto",
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Check what the heat maps of a run are worth: of the model, not of a case."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.map_checks import CheckRequest, check_maps, checks_path
        from medfm_gui.workspace.place import open_workspace

        request = CheckRequest(run, explain, subset, images, boxes, seed, device, masks)
        with open_workspace(workspace) as room:
            found = check_maps(room, request, on_event=bars.event)
            path = checks_path(room.run(run), explain, subset)
        rows = [(check.title, _verdict(check), _number(check), check.n) for check in found.checks]
        shown = table("check", "verdict", "mean (95 %)", "images", rows=rows)
        answer.give(
            {**wire.plain(found), "path": str(path)},
            [check.sentence for check in found.checks],
            shown,
        )


def _verdict(check: MapCheck) -> str:
    return "cannot tell" if check.passed is None else "passed" if check.passed else "failed"


def _number(check: MapCheck) -> str:
    if check.estimate is None:
        return "–"
    limits = f" ({check.low:.2f} to {check.high:.2f})" if check.low is not None and check.high is not None else ""
    return f"{check.estimate:.2f}{limits}"
