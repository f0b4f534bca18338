"""Backbones and their weights: what there is, what is on this computer, how to bring a file in."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings, network_allowed, weights_folder
from medfm_gui.base.weights_status import status
from medfm_gui.domain.cards import BackboneCard, BrokenPlugin, WeightsStatus
from medfm_gui.domain.errors import Offline, WeightsAbsent, WeightsRejected
from medfm_gui.domain.run import WeightsSpec
from medfm_gui.workspace.errands import OnEvent, run_errand


@dataclass(frozen=True, slots=True)
class Model:
    """A backbone and what is known of its weights here."""

    card: BackboneCard
    weights: WeightsStatus


def every_model(settings: Settings) -> tuple[list[Model], tuple[BrokenPlugin, ...]]:
    """Every backbone of every plugin, and the plugins that could not be read."""
    catalogue = read_plugins()
    folder = weights_folder(settings)
    return [Model(card, status(card, folder)) for card in catalogue.cards], catalogue.broken


def model(settings: Settings, name: str) -> Model:
    """One backbone by its registry name.

    Raises:
        NotFound: no plugin has it.
    """
    card = read_plugins().card(name)
    return Model(card, status(card, weights_folder(settings)))


def import_weights(
    settings: Settings,
    name: str,
    file: Path,
    *,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> WeightsStatus:
    """Check a file against a backbone and keep it as safetensors.

    Args:
        stop: set it from another thread to have the work ended.

    Raises:
        Interrupted: it was stopped.
        WeightsAbsent: there is no such file.
        WeightsRejected: the file is not these weights, is incomplete, or holds code.
    """
    card = read_plugins().card(name)
    file = file.expanduser().absolute()
    if not file.exists():
        raise WeightsAbsent(f"There is no weights file “{file}”.", "Check the path.")
    if not file.is_file():  # a pipe or a device would be waited for, for ever
        raise WeightsRejected(f"“{file}” is not a regular file.", "Choose a .safetensors, .pt or .pth file.")
    out = weights_folder(settings) / f"{card.name}.safetensors"
    out.parent.mkdir(parents=True, exist_ok=True)
    run_errand(WeightsSpec(card, str(out), file=str(file)), on_event=on_event, stop=stop)
    return status(card, weights_folder(settings))


def pull_weights(
    settings: Settings, name: str, *, on_event: OnEvent | None = None, stop: threading.Event | None = None
) -> WeightsStatus:
    """Fetch a backbone's weights from the hub, check them and keep them as safetensors.

    Args:
        stop: set it from another thread to have it ended; what has come is kept and gone on with the next time.

    Raises:
        Interrupted: it was stopped.
        Offline: the network is switched off or the hub cannot be reached.
    """
    card = read_plugins().card(name)
    if not network_allowed(settings):
        raise Offline(
            f"The network is switched off, so the weights of {card.title} were not fetched.",
            "Switch it on (medfm settings --network on), or bring the file with “medfm weights import FILE --model "
            f"{card.name}”.",
        )
    out = weights_folder(settings) / f"{card.name}.safetensors"
    out.parent.mkdir(parents=True, exist_ok=True)
    run_errand(WeightsSpec(card, str(out), offline=False), on_event=on_event, stop=stop)
    return status(card, weights_folder(settings))
