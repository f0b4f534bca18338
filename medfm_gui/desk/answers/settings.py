"""Settings, weights and diagnostics."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medfm_gui import __version__
from medfm_gui.base.resources import plugins_folder
from medfm_gui.base.settings import (
    Settings,
    is_offline_locked,
    load_settings,
    save_settings,
    settings_file,
    weights_folder,
)
from medfm_gui.desk.answers import diagnostics, weights
from medfm_gui.desk.answers.packages import packages
from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    AllowNetwork,
    DiagnosticFiles,
    ImportPack,
    ImportWeights,
    LookForWeights,
    MoveWeightsFolder,
    OfferClassSets,
    PreviewDiagnostics,
    ProgramFacts,
    PullWeights,
    ReadProgramFacts,
    ReadSettings,
    SavedDiagnostics,
    SaveDiagnostics,
    SettingsView,
)
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import InputError, UsageError


def read_settings(room: Room, ask: ReadSettings, told: Told) -> SettingsView:
    """The settings' file and what the environment says."""
    return _view(load_settings())


def allow_network(room: Room, ask: AllowNetwork, told: Told) -> SettingsView:
    """Keep the choice for this and every later start.

    Raises:
        UsageError: the environment forbids the network, so the choice would mean nothing.
    """
    if ask.allowed and is_offline_locked():
        raise UsageError(
            "MEDFM_OFFLINE is set for this computer, so the network stays switched off.",
            "Whoever set it can remove it; then start MedFM Studio again.",
        )
    return _keep(room, replace(load_settings(), network=ask.allowed))


def offer_class_sets(room: Room, ask: OfferClassSets, told: Told) -> SettingsView:
    """Keep the choice for this and every later start."""
    return _keep(room, replace(load_settings(), class_sets=ask.wanted))


def move_weights_folder(room: Room, ask: MoveWeightsFolder, told: Told) -> SettingsView:
    """Use another folder for weights.

    Raises:
        UsageError: the environment names the folder.
        InputError: it is no folder, or cannot be written.
    """
    if os.environ.get("MEDFM_WEIGHTS"):
        raise UsageError(
            "MEDFM_WEIGHTS names the folder of weights on this computer.", "Change it there, or remove the variable."
        )
    folder = str(Path(ask.folder).expanduser().absolute()) if ask.folder else ""
    if folder and not (Path(folder).is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
        raise InputError(
            f"“{Path(folder).name}” is not a folder that may be written.", "Choose a folder that you may write to."
        )
    return _keep(room, replace(load_settings(), weights_dir=folder))


def _keep(room: Room, settings: Settings) -> SettingsView:
    """For later starts, and for whatever this desk does from now on."""
    save_settings(settings)
    room.workspace = replace(room.workspace, settings=settings)
    return _view(settings)


def _view(settings: Settings) -> SettingsView:
    place = weights_folder(settings)
    return SettingsView(
        network=settings.network,
        is_offline_locked=is_offline_locked(),
        weights_dir=str(place),
        default_weights_dir=str(weights_folder(replace(settings, weights_dir=""))),
        is_weights_dir_locked=bool(os.environ.get("MEDFM_WEIGHTS")),
        weights_free_gb=_free_gb(place),
        settings_file=str(settings_file()),
        plugins_dir=str(plugins_folder()),
        licences=settings.licences,
        class_sets=settings.class_sets,
    )


def _free_gb(place: Path) -> float | None:
    for folder in (place, *place.parents):
        try:
            return round(shutil.disk_usage(folder).free / 1e9, 1)
        except OSError:  # not made yet: what counts is the disk it would be on
            continue
    return None


def preview_diagnostics(room: Room, ask: PreviewDiagnostics, told: Told) -> DiagnosticFiles:
    """Collect them without writing."""
    return diagnostics.collect(room)


def save_diagnostics(room: Room, ask: SaveDiagnostics, told: Told) -> SavedDiagnostics:
    """Collect and write them."""
    return diagnostics.save(room, Path(ask.path))


def read_program_facts(room: Room, ask: ReadProgramFacts, told: Told) -> ProgramFacts:
    """Versions and licences of everything installed."""
    from medfm_gui.store.schema import sqlite_version

    return ProgramFacts(
        version=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} ({platform.machine()})",
        sqlite=".".join(map(str, sqlite_version())),
        packages=packages(),
    )


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ReadSettings: Entry(read_settings),
    AllowNetwork: Entry(allow_network, changes=(Topic.SETTINGS, Topic.MODELS)),
    OfferClassSets: Entry(offer_class_sets, changes=(Topic.SETTINGS,)),
    MoveWeightsFolder: Entry(move_weights_folder, changes=(Topic.SETTINGS, Topic.MODELS)),
    ImportWeights: Entry(weights.import_weights, Lane.WORK, changes=(Topic.MODELS,)),
    PullWeights: Entry(weights.pull_weights, Lane.WORK, changes=(Topic.MODELS,)),
    ImportPack: Entry(weights.import_pack, Lane.WORK, changes=(Topic.MODELS,)),
    AcceptLicence: Entry(weights.accept_licence, Lane.INDEX, changes=(Topic.SETTINGS,)),
    LookForWeights: Entry(weights.look_for_weights, Lane.INDEX),
    PreviewDiagnostics: Entry(preview_diagnostics, Lane.INDEX),
    SaveDiagnostics: Entry(save_diagnostics, Lane.INDEX),
    ReadProgramFacts: Entry(read_program_facts, Lane.INDEX),
}
