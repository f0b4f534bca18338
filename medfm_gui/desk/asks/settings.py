"""Settings, weights, diagnostics, and what the program is made of. Models and plugins: ``asks.train.ListModels``."""

from __future__ import annotations

from dataclasses import dataclass

from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.cards import WeightsStatus
from medfm_gui.workspace.packs import PackFile


@dataclass(frozen=True, slots=True)
class SettingsView:
    """The settings in force, and what the environment has decided beforehand.

    ``is_offline_locked``: ``MEDFM_OFFLINE`` forbids the network. ``is_weights_dir_locked``: ``MEDFM_WEIGHTS`` names
    the folder. ``weights_free_gb``: space left there, None if unknown.
    """

    network: bool
    is_offline_locked: bool
    weights_dir: str
    default_weights_dir: str
    is_weights_dir_locked: bool
    weights_free_gb: float | None
    settings_file: str
    plugins_dir: str
    licences: tuple[str, ...] = ()
    """Licences of weights that were accepted, as ``BackboneCard.licence_key`` has them."""
    class_sets: bool = False
    """Sets of classes are offered with predictions, and told in comparisons and reports."""

    @property
    def is_offline(self) -> bool:
        """Nothing may use the network now."""
        return self.is_offline_locked or not self.network


@dataclass(frozen=True, slots=True)
class ReadSettings(Ask[SettingsView]):
    """The settings as they are now."""


@dataclass(frozen=True, slots=True)
class AllowNetwork(Ask[SettingsView]):
    """Whether a download that a person asks for may use the network."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class OfferClassSets(Ask[SettingsView]):
    """Whether sets of classes are offered with predictions, and told in comparisons and reports."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class MoveWeightsFolder(Ask[SettingsView]):
    """Look for weights in another folder from now on; empty for the default. No file is moved."""

    folder: str


@dataclass(frozen=True, slots=True)
class ImportWeights(Ask[WeightsStatus]):
    """Check a file against a model and keep it as safetensors."""

    model: str
    file: str


@dataclass(frozen=True, slots=True)
class PullWeights(Ask[WeightsStatus]):
    """Fetch a model's weights from the hub, check them and keep them."""

    model: str


@dataclass(frozen=True, slots=True)
class AcceptLicence(Ask[bool]):
    """A person accepts the licence of a model's weights, for all sizes of its family."""

    model: str


@dataclass(frozen=True, slots=True)
class PackReport:
    """What became of each file of a model pack; a part has one file, the answer all of them."""

    files: tuple[PackFile, ...]


@dataclass(frozen=True, slots=True)
class ImportPack(Ask[PackReport]):
    """Bring in every file of a folder or a USB stick that is a model's."""

    folder: str


@dataclass(frozen=True, slots=True)
class FoundWeights:
    """A weights file below a folder: ``size`` in bytes; ``model`` it is named for, empty where no name fits."""

    path: str
    size: int
    model: str


@dataclass(frozen=True, slots=True)
class FoundWeightsList:
    """Weights files in the order of their names; ``is_cut`` when there were more than are listed."""

    files: tuple[FoundWeights, ...]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class LookForWeights(Ask[FoundWeightsList]):
    """Which files of a folder or a USB stick are named like weights that a model here lacks or has."""

    folder: str


@dataclass(frozen=True, slots=True)
class DiagnosticFile:
    """A file of the diagnostics exactly as it would be written: name, what it is for, whole text."""

    name: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class DiagnosticFiles:
    """All files of the diagnostics."""

    files: tuple[DiagnosticFile, ...]


@dataclass(frozen=True, slots=True)
class PreviewDiagnostics(Ask[DiagnosticFiles]):
    """What the diagnostics would hold now."""


@dataclass(frozen=True, slots=True)
class SavedDiagnostics:
    """A written archive: ``size`` in bytes."""

    path: str
    size: int
    files: int


@dataclass(frozen=True, slots=True)
class SaveDiagnostics(Ask[SavedDiagnostics]):
    """Write the diagnostics as a zip file."""

    path: str


@dataclass(frozen=True, slots=True)
class Package:
    """An installed Python package and the licence that it names for itself."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """What runs here: the program, its interpreter and database, and every package it stands on."""

    version: str
    python: str
    system: str
    sqlite: str
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class ReadProgramFacts(Ask[ProgramFacts]):
    """Versions and licences."""
