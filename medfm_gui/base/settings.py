"""What a person sets once: where things are kept, whether the network may be used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from medfm_gui.base import wire

_APP = "MedFM Studio"


@dataclass(frozen=True, slots=True)
class Settings:
    """``workspace`` and ``weights_dir`` are folders, empty for the defaults; ``network`` allows downloads.

    ``features_gb`` is what stored features of a workspace may take of the disk, in 10⁹ bytes; 0 = whatever they need.
    ``pixels_gb`` is the same for decoded pixels, which are made again from the files when they are needed.
    ``class_sets`` shows sets of classes (conformal) beside predictions of three classes or more.
    ``licences`` of weights were accepted, as ``BackboneCard.licence_key`` has them.
    """

    workspace: str = ""
    weights_dir: str = ""
    network: bool = False
    features_gb: float = 20.0
    licences: tuple[str, ...] = ()
    pixels_gb: float = 100.0
    class_sets: bool = False


def settings_file() -> Path:
    """The settings' file; ``MEDFM_CONFIG`` names another folder."""
    folder = os.environ.get("MEDFM_CONFIG") or platformdirs.user_config_dir(_APP, appauthor=False)
    return Path(folder) / "settings.json"


def load_settings() -> Settings:
    """The settings in force; defaults where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    path = settings_file()
    return wire.read(Settings, path) if path.exists() else Settings()


def save_settings(settings: Settings) -> None:
    """Keep the settings for the next start."""
    wire.write(settings_file(), settings)


def default_workspace(settings: Settings) -> Path:
    """The workspace that is used when none is named."""
    return Path(settings.workspace or Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "workspace")


def weights_folder(settings: Settings) -> Path:
    """Where pretrained weights are kept, shared by all workspaces; ``MEDFM_WEIGHTS`` names another folder."""
    chosen = os.environ.get("MEDFM_WEIGHTS") or settings.weights_dir
    return Path(chosen or Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "weights")


def network_allowed(settings: Settings) -> bool:
    """Whether a download that was asked for may use the network; ``MEDFM_OFFLINE=1`` blocks it always."""
    return settings.network and not is_offline_locked()


def is_offline_locked() -> bool:
    """Whether ``MEDFM_OFFLINE`` keeps the network off, whatever the settings say."""
    return os.environ.get("MEDFM_OFFLINE", "") not in ("", "0")
