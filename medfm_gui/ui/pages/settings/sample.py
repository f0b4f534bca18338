"""Sample answers: a computer without a network, some weights here, one plugin broken."""

from __future__ import annotations

from dataclasses import replace

from medfm_gui.desk.asks.home import Examine, LastExamination, LookAround
from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    AllowNetwork,
    DiagnosticFile,
    DiagnosticFiles,
    FoundWeights,
    FoundWeightsList,
    ImportPack,
    ImportWeights,
    LookForWeights,
    MoveWeightsFolder,
    OfferClassSets,
    Package,
    PackReport,
    PreviewDiagnostics,
    ProgramFacts,
    PullWeights,
    ReadProgramFacts,
    ReadSettings,
    SavedDiagnostics,
    SaveDiagnostics,
    SettingsView,
)
from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.desk.asks.upkeep import DatabaseRebuilt, JournalVerified, RebuildDatabase, VerifyJournal
from medfm_gui.domain.cards import (
    BackboneCard,
    BrokenPlugin,
    Family,
    WeightsSource,
    WeightsState,
    WeightsStatus,
)
from medfm_gui.domain.errors import Offline, WeightsRejected
from medfm_gui.ui.pages.home.sample import COMPUTER, FULL
from medfm_gui.ui.sample import Answers
from medfm_gui.workspace.models import Model
from medfm_gui.workspace.packs import PackFile

_FOLDER = "/home/reader/.local/share/MedFM Studio/weights"
_SHA = "9f1b3e5a7c2d4e6f8091a2b3c4d5e6f70819a2b3c4d5e6f708192a3b4c5d6e7f"

SETTINGS = SettingsView(
    network=False,
    is_offline_locked=False,
    weights_dir=_FOLDER,
    default_weights_dir=_FOLDER,
    is_weights_dir_locked=False,
    weights_free_gb=412.3,
    settings_file="/home/reader/.config/MedFM Studio/settings.json",
    plugins_dir="/opt/medfm-studio/plugins",
)


def one(
    name: str, title: str, family: Family, millions: float, state: WeightsState, licence: str = "Apache-2.0"
) -> Model:
    """A model with its weights in that state."""
    source = WeightsSource(hub_repo=f"timm/{name}", hub_file="model.safetensors")
    if state is WeightsState.BUNDLED:
        source = WeightsSource(package=name.replace("-", "_"), package_file="weights.pth")
    card = BackboneCard(
        name=name,
        title=title,
        family=family,
        arch=name.replace("-", "_"),
        entry="backbone:build",
        plugin=family.value.lower(),
        plugin_folder=f"/opt/medfm-studio/plugins/{family.value.lower()}",
        pretraining="self-supervised",
        pretraining_data="142 million images",
        parameters_m=millions,
        input_size=224,
        native_size=518,
        multiple=14,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        features="cls",
        cam="blocks[-1].norm1",
        licence=licence,
        weights=source,
        adaptations=("knn", "linear", "full"),
        feature_dim=768,
        non_commercial="NC" in licence,
        gated="DINOv3" in licence,
        overlaps={"medmnist": "possible", "cbis-ddsm": "no", "isic2019": "no", "aptos2019": "no"},
        group="Baselines" if family is Family.BASELINE else family.value,
    )
    is_here = state in (WeightsState.PRESENT, WeightsState.BUNDLED)
    path = f"{_FOLDER}/{name}.safetensors" if is_here else ""
    size = round(millions * 4e6) if is_here else 0
    return Model(card, WeightsStatus(state, source.label, _SHA if is_here else "", path, size))


MODELS = (
    one("efficientnet-lite0", "EfficientNet-Lite0", Family.BASELINE, 3.37, WeightsState.BUNDLED),
    one("resnet50", "ResNet-50", Family.BASELINE, 23.51, WeightsState.ABSENT),
    one("dinov2-s", "DINOv2 S/14", Family.DINOV2, 22.06, WeightsState.PRESENT),
    one("dinov2-b", "DINOv2 B/14", Family.DINOV2, 86.58, WeightsState.PRESENT),
    one("dinov2-l", "DINOv2 L/14", Family.DINOV2, 304.37, WeightsState.ABSENT),
    one("dinov2-g", "DINOv2 g/14", Family.DINOV2, 1136.48, WeightsState.ABSENT),
    one("mae-b", "MAE B/16", Family.MAE, 85.8, WeightsState.PRESENT, "CC-BY-NC-4.0"),
    one("mae-l", "MAE L/16", Family.MAE, 303.3, WeightsState.ABSENT, "CC-BY-NC-4.0"),
    one("dinov3-s", "DINOv3 S/16", Family.DINOV3, 21.59, WeightsState.ABSENT, "DINOv3 License"),
    one("clip-b", "CLIP B/16", Family.CLIP, 86.2, WeightsState.IMPORTING, "MIT"),
    one("vmamba-t", "VMamba T", Family.VMAMBA, 30.2, WeightsState.ABSENT, "MIT"),
    one("aimv2-l", "AIMv2 L/14", Family.AIMV2, 309.2, WeightsState.ABSENT),
)
BROKEN = (BrokenPlugin("/opt/medfm-studio/plugins/swin", "backbone.0.input_size: Field required"),)

FILES = DiagnosticFiles(
    (
        DiagnosticFile(
            "versions.txt",
            "The program, the system and every package, by version",
            "MedFM Studio 0.1.0\nPython 3.11.7 (CPython)\nLinux 6.1.0 on x86_64\nSQLite 3.53.4\n\nnumpy 2.4.6\n",
        ),
        DiagnosticFile(
            "computer.txt",
            "What this computer can do, as it was last examined",
            "Device cuda:0: NVIDIA RTX 4000 Ada Generation, 20 GB\nFree disk space 412.3 GB\nNetwork off\n",
        ),
        DiagnosticFile(
            "workspace.txt",
            "How many datasets, runs, studies and reports; no names",
            "Datasets 2 (samples: 120, 3300)\nRuns 13 (failed 1, finished 9, running 3)\n",
        ),
        DiagnosticFile(
            "logs/r0007.txt",
            "Last lines of what the worker of a failed run printed",
            "--- worker started 2026-11-20T14:02:11Z\nTraceback (most recent call last):\n  train.py:88 run_training\n"
            "torch.OutOfMemoryError: CUDA out of memory\n[3 lines left out]\n",
        ),
    )
)

FACTS = ProgramFacts(
    version="0.1.0",
    python="3.11.7",
    system="Linux 6.1.0 (x86_64)",
    sqlite="3.53.4",
    packages=(
        Package("matplotlib", "3.11.2", "Python Software Foundation License"),
        Package("numpy", "2.4.6", "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0"),
        Package("pydicom", "3.0.2", "MIT License"),
        Package("PySide6", "6.11.3", "LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0"),
        Package("pysqlite3", "0.6.1", ""),
        Package("torch", "2.14.1", "Apache-2.0 AND BSD-3-Clause AND MIT"),
        Package("typst", "0.15.2", "Apache-2.0"),
    ),
)

REBUILT = DatabaseRebuilt(
    datasets=2, splits=2, runs=13, evaluations=6, studies=4, predictions=6, reports=1, previous="medfm.sqlite.old1"
)

FOUND = FoundWeightsList(
    (
        FoundWeights("/media/stick/weights/dinov2-l.safetensors", 1_217_496_064, "dinov2-l"),
        FoundWeights("/media/stick/weights/mae-l.pth", 1_213_284_352, "mae-l"),
        FoundWeights("/media/stick/weights/dinov2-b.safetensors", 346_329_088, "dinov2-b"),
        FoundWeights("/media/stick/weights/checkpoint_best.pt", 98_112_512, ""),
    )
)


def _import(ask: ImportWeights) -> WeightsStatus:
    if ask.model.startswith("mae"):
        raise WeightsRejected(
            "“mae-l.pth” is not a file of MAE L/16: 4 of 294 tensors are missing (blocks.23.mlp.fc2.weight, "
            "blocks.23.mlp.fc2.bias, norm.weight …).",
            "Choose the file of this very model, or the model that this file belongs to.",
        )
    return WeightsStatus(WeightsState.PRESENT, "file", _SHA, f"{_FOLDER}/{ask.model}.safetensors")


def _pack(ask: ImportPack) -> PackReport:
    wrong = "“mae-l.pth” is not a file of MAE L/16: 4 of 294 tensors are missing (blocks.23.mlp.fc2.weight …)."
    unknown = "“checkpoint_best.pt” is no file of any model here."
    return PackReport(
        (
            PackFile("/media/stick/weights/dinov2-l.safetensors", "dinov2-l", "imported"),
            PackFile(
                "/media/stick/weights/mae-l.pth", "mae-l", "refused", wrong, "Choose the file of this very model."
            ),
            PackFile("/media/stick/weights/dinov2-b.safetensors", "dinov2-b", "present"),
            PackFile("/media/stick/weights/checkpoint_best.pt", "", "refused", unknown, "Import it by itself."),
        )
    )


def _pull(ask: PullWeights) -> WeightsStatus:
    raise Offline("The network is switched off, so nothing was fetched.", "Allow the network, or import a file.")


ANSWERS: Answers = {
    ListModels: lambda ask: ModelList(MODELS, BROKEN),
    ReadSettings: lambda ask: SETTINGS,
    AllowNetwork: lambda ask: SETTINGS,
    OfferClassSets: lambda ask: replace(SETTINGS, class_sets=ask.wanted),
    MoveWeightsFolder: lambda ask: SETTINGS,
    ImportWeights: _import,
    PullWeights: _pull,
    ImportPack: _pack,
    AcceptLicence: lambda ask: True,
    LookForWeights: lambda ask: FOUND,
    PreviewDiagnostics: lambda ask: FILES,
    SaveDiagnostics: lambda ask: SavedDiagnostics(ask.path, 18_300, 4),
    ReadProgramFacts: lambda ask: FACTS,
    LastExamination: lambda ask: COMPUTER,
    Examine: lambda ask: COMPUTER,
    LookAround: lambda ask: FULL,
    RebuildDatabase: lambda ask: REBUILT,
    VerifyJournal: lambda ask: JournalVerified(214, "fd388764" * 8, ()),
}
