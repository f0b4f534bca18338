"""Backbones and their weights: what there is, what is on this computer, how to bring a file in."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.base.plugins import keep_card, read_plugins
from medfm_gui.base.settings import (
    Settings,
    is_offline_locked,
    load_settings,
    network_allowed,
    save_settings,
    weights_folder,
)
from medfm_gui.base.weights_status import importing, status, weights_file
from medfm_gui.domain.cards import BackboneCard, BrokenPlugin, WeightsStatus
from medfm_gui.domain.errors import NotFound, Offline, UsageError, WeightsAbsent, WeightsRejected
from medfm_gui.domain.run import TimmSpec, WeightsSpec
from medfm_gui.workspace.errands import OnEvent, run_errand

TIMM = "timm:"
"""What stands before a name of timm's that a person typed."""


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
    """One backbone by its registry name, or any of timm's as ``timm:NAME``.

    Raises:
        NotFound: no plugin has it, and timm has not.
    """
    card = card_of(name)
    return Model(card, status(card, weights_folder(settings)))


def card_of(name: str) -> BackboneCard:
    """The card of that name. One of timm's is asked for once, which takes the seconds that timm takes, then kept.

    Raises:
        NotFound: no plugin has it, and timm has not.
    """
    try:
        return read_plugins().card(name)
    except NotFound:
        if not name.startswith(TIMM):
            raise
    from medfm_gui.base import wire
    from medfm_gui.domain.events import Answered

    said = run_errand(TimmSpec(name.removeprefix(TIMM)))
    answer = next(event for event in said if isinstance(event, Answered))
    keep_card(wire.decode(BackboneCard, answer.facts["card"], what=f"The card of “{name}”"))
    return read_plugins().card(name)


def is_licence_accepted(settings: Settings, card: BackboneCard) -> bool:
    """Whether a person has accepted the licence of these weights, or it asks for no acceptance."""
    return not card.needs_acceptance or card.licence_key in settings.licences


def accept_licence(name: str) -> Settings:
    """Keep that a person accepts the licence of a model's weights, for all sizes of its family and for good."""
    settings, card = load_settings(), card_of(name)
    if is_licence_accepted(settings, card):
        return settings
    settings = dataclasses.replace(settings, licences=(*settings.licences, card.licence_key))
    save_settings(settings)
    return settings


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
        WorkspaceBusy: these weights are being brought in already.
    """
    card, folder = card_of(name), weights_folder(settings)
    file = file.expanduser().absolute()
    if not file.exists():
        raise WeightsAbsent(f"There is no weights file “{file}”.", "Check the path.")
    if not file.is_file():  # a pipe or a device would be waited for, for ever
        raise WeightsRejected(f"“{file}” is not a regular file.", "Choose a .safetensors, .pt or .pth file.")
    with importing(card, folder):
        run_errand(WeightsSpec(card, str(weights_file(card, folder)), file=str(file)), on_event=on_event, stop=stop)
    return status(card, folder)


def pull_weights(
    settings: Settings, name: str, *, on_event: OnEvent | None = None, stop: threading.Event | None = None
) -> WeightsStatus:
    """Fetch a backbone's weights from the hub, check them and keep them as safetensors.

    Args:
        stop: set it from another thread to have it ended; what has come is kept and gone on with the next time.

    Raises:
        Interrupted: it was stopped.
        Offline: the network is switched off or the hub cannot be reached.
        UsageError: their licence was not accepted.
        WorkspaceBusy: these weights are being brought in already.
    """
    card, folder = card_of(name), weights_folder(settings)
    if not network_allowed(settings):
        if is_offline_locked():
            off, switch = "The network is switched off by MEDFM_OFFLINE", "Whoever set it can remove it; or"
        else:
            off, switch = "The network is switched off", "Switch it on (medfm settings --network on), or"
        raise Offline(
            f"{off}, so the weights of {card.title} were not fetched.",
            f"{switch} bring the file with “medfm weights import FILE --model {card.name}”.",
        )
    if not is_licence_accepted(settings, card):
        raise UsageError(
            f"The weights of {card.title} come under the licence “{card.licence}”{terms(card)}, which nobody has "
            "accepted here.",
            f"Read it at their source ({card.weights.label}); to accept it: medfm weights accept {card.name}.",
        )
    with importing(card, folder):
        run_errand(WeightsSpec(card, str(weights_file(card, folder)), offline=False), on_event=on_event, stop=stop)
    return status(card, folder)


def terms(card: BackboneCard) -> str:
    """What a licence asks beside its name, in brackets; empty where nothing."""
    said = [word for word, true in (("not for commercial use", card.non_commercial), ("gated", card.gated)) if true]
    return f" ({', '.join(said)})" if said else ""
