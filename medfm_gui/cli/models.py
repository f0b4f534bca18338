"""``doctor``, ``models``, ``settings``, ``weights``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from medfm_gui.base.settings import is_offline_locked, load_settings, save_settings, weights_folder
from medfm_gui.cli.answer import Answer, AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.domain.cards import KNOWN_DATASETS
from medfm_gui.domain.errors import UsageError, WeightsRejected
from medfm_gui.domain.events import Event

weights = typer.Typer(
    name="weights", help="Pretrained weights: from a file, from the hub, what is there.", no_args_is_help=True
)


def doctor(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """What this computer can do."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.base import wire
        from medfm_gui.workspace.doctor import examine

        found = examine(load_settings(), workspace)
        lines = [
            f"torch {found.torch}, {found.disk_free_gb} GB free, network {found.network}",
            f"weights in {found.weights_dir}",
        ]
        lines += [f"problem: {item.message} {item.hint}" for item in found.problems]
        rows = [(item.id, item.name, item.memory_gb) for item in found.devices]
        answer.give(wire.plain(found), lines, table("device", "name", "memory (GB)", rows=rows))


def models(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Every model of every plugin, and whether its weights are here."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.models import every_model

        found, broken = every_model(load_settings())
        for item in broken:
            answer.remark(f"The plugin in {item.folder} cannot be used: {item.reason}")
        document = [
            {
                "name": one.card.name,
                "title": one.card.title,
                "family": one.card.family.value,
                "pretraining": one.card.pretraining,
                "pretraining_data": one.card.pretraining_data,
                "parameters_m": one.card.parameters_m,
                "input_size": one.card.input_size,
                "licence": one.card.licence,
                "non_commercial": one.card.non_commercial,
                "gated": one.card.gated,
                "overlaps": {known: one.card.overlap(known) for known in KNOWN_DATASETS},
                "weights": {
                    "state": one.weights.state.value,
                    "source": one.weights.source,
                    "sha256": one.weights.sha256,
                    "path": one.weights.path,
                },
                "adaptations": list(one.card.adaptations),
            }
            for one in found
        ]
        rows = [
            (
                one.card.name,
                one.card.family.value,
                one.card.parameters_m,
                one.card.input_size,
                one.weights.state.value,
                one.card.licence + " (non-commercial)" * one.card.non_commercial + " (gated)" * one.card.gated,
            )
            for one in found
        ]
        broken_rows = [{"folder": item.folder, "reason": item.reason} for item in broken]
        shown = table("model", "family", "M parameters", "input", "weights", "licence", rows=rows)
        answer.give({"models": document, "broken_plugins": broken_rows}, table=shown)


def settings(
    network: Annotated[
        str | None, typer.Option(help="on or off: whether a download that you ask for may use the network.")
    ] = None,
    weights_dir: Annotated[Path | None, typer.Option(help="Folder of pretrained weights.")] = None,
    default_workspace: Annotated[Path | None, typer.Option(help="Workspace that is used when none is named.")] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show the settings, or change them."""
    with answering(json, quiet, debug) as answer:
        now = load_settings()
        if network is not None:
            if network not in ("on", "off"):
                raise UsageError(f"“{network}” is neither on nor off.", "Use --network on or --network off.")
            now = dataclasses.replace(now, network=network == "on")
        if weights_dir is not None:
            now = dataclasses.replace(now, weights_dir=str(weights_dir.expanduser().absolute()))
        if default_workspace is not None:
            now = dataclasses.replace(now, workspace=str(default_workspace.expanduser().absolute()))
        if now != load_settings():
            save_settings(now)
        document = {
            "network": "on" if now.network else "off",
            "weights_dir": now.weights_dir,
            "workspace": now.workspace,
        }
        answer.give(
            {**document, "offline_locked": is_offline_locked()},
            [f"{key}: {value or 'default'}" for key, value in document.items()],
        )
        if now.network and is_offline_locked():
            answer.remark("MEDFM_OFFLINE is set for this computer, so the network stays switched off all the same.")
        if weights_dir is not None and weights_folder(now) != weights_dir.expanduser().absolute():
            answer.remark(f"MEDFM_WEIGHTS is set for this computer, so weights are kept in “{weights_folder(now)}”.")


@weights.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="A safetensors or PyTorch file, or a folder of them (a model pack, a USB stick).")
    ],
    model: Annotated[
        str | None, typer.Option("--model", help="Registry name of the model; without it the file is held against all.")
    ] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Check a file against a model and keep it, or every file of a folder against every model."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.models import import_weights

        if model is not None:
            kept = import_weights(load_settings(), model, file, on_event=bars.event)
            row = _weights_row(model, kept.path, kept.sha256)
            said = accepted_by_import(model)
            answer.give(row, [f"{model}: {kept.path} (SHA-256 {kept.sha256})", f"Licence: {row['licence']}", *said])
            return
        _import_pack(answer, file, bars.event)


def accepted_by_import(name: str) -> list[str]:
    """Whoever brings a file in has it from where its licence stands: that counts as accepting it, and is said once."""
    from medfm_gui.workspace.models import accept_licence, card_of, is_licence_accepted, terms

    card = card_of(name)
    if is_licence_accepted(load_settings(), card):
        return []
    accept_licence(name)
    return [f"Using these weights is accepting “{card.licence}”{terms(card)}; this is kept in the settings."]


def _import_pack(answer: Answer, source: Path, on_event: Callable[[Event], None]) -> None:
    from medfm_gui.workspace.models import model
    from medfm_gui.workspace.packs import import_pack

    files = import_pack(load_settings(), source, on_event=on_event)
    kept = {one.model: model(load_settings(), one.model) for one in files if one.state != "refused"}
    rows = [
        {
            "file": one.path,
            "state": one.state,
            "message": one.message,
            "hint": one.hint,
            "name": one.model,
            "path": kept[one.model].weights.path if one.model in kept else "",
            "sha256": kept[one.model].weights.sha256 if one.model in kept else "",
            "licence": kept[one.model].card.licence if one.model in kept else "",
        }
        for one in files
    ]
    if len(rows) == 1 and not kept:
        raise WeightsRejected(files[0].message, files[0].hint)
    first = rows[0] if len(rows) == 1 else {}
    shown = table(
        "file", "model", "", "why not", rows=[(Path(one.path).name, one.model, one.state, one.message) for one in files]
    )
    said = [line for name in kept for line in accepted_by_import(name)]
    answer.give({**first, "files": rows}, said, table=shown)
    if not kept:
        raise typer.Exit(1)


@weights.command("accept")
def accept(
    model: Annotated[str, typer.Argument(help="Registry name of the model.")],
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Accept the licence of a model's weights, once for all sizes of its family."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.models import accept_licence, card_of

        accept_licence(model)
        card = card_of(model)
        answer.give(
            {"name": card.name, "licence": card.licence, "accepted": True},
            [f"The licence “{card.licence}” of {card.title} is accepted."],
        )


@weights.command("pull")
def pull(
    model: Annotated[str, typer.Argument(help="Registry name of the model, or any of timm's as timm:NAME.")],
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept its licence, if it asks for that.")
    ] = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Fetch a model's weights from the hub; a download that was stopped goes on where it was."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace import models

        card = models.card_of(model)
        answer.remark(f"{card.title}: {card.weights.label}, licence {card.licence}.")
        if accept_licence:
            models.accept_licence(model)
        kept = models.pull_weights(load_settings(), model, on_event=bars.event)
        answer.give(_weights_row(model, kept.path, kept.sha256), [f"{model}: {kept.path} (SHA-256 {kept.sha256})"])


@weights.command("list")
def list_(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """The weights that are on this computer."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.models import every_model

        here = [one for one in every_model(load_settings())[0] if one.weights.is_here]
        document = [
            {**_weights_row(one.card.name, one.weights.path, one.weights.sha256), "state": one.weights.state.value}
            for one in here
        ]
        rows = [(row["name"], row["state"], row["licence"], row["path"]) for row in document]
        answer.give({"weights": document}, table=table("model", "state", "licence", "file", rows=rows))


def _weights_row(name: str, path: str, sha256: str) -> dict[str, str]:
    from medfm_gui.base.plugins import read_plugins

    return {"name": name, "path": path, "sha256": sha256, "licence": read_plugins().card(name).licence}
