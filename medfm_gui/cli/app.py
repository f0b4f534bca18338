"""All commands in one list."""

from __future__ import annotations

from typing import Annotated

import typer

from medfm_gui import __version__
from medfm_gui.cli import (
    data,
    datasets,
    demo,
    maps,
    models,
    outside,
    plan,
    portable,
    results,
    runs,
    similar,
    studies,
    trust,
)

app = typer.Typer(
    name="medfm",
    help="MedFM Studio: which vision foundation model to adapt to your images, and whether the difference is real.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (
    models.doctor,
    models.models,
    models.settings,
    data.layouts,
    data.split,
    runs.train,
    runs.runs,
    runs.pause,
    runs.resume,
    runs.cancel,
    runs.supervise,
    results.evaluate,
    results.predictions,
    results.compare,
    results.report,
    results.rebuild,
    outside.import_predictions,
    outside.import_reads,
    plan.plan,
    trust.verify,
    trust.rerun,
    studies.predict,
    maps.maps,
    similar.similar,
    demo.demo,
):
    app.command()(command)
app.command("import")(data.import_)
app.add_typer(datasets.datasets)
app.add_typer(models.weights)
app.add_typer(portable.model)
app.add_typer(trust.protocol)
app.add_typer(studies.study)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"medfm {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False) -> None:
    """Research use only - not for clinical use."""
