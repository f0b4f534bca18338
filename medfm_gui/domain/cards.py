"""What the wizard and ``medfm models`` show of a backbone and of an adaptation. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """Families of vision models; the marker of a run in every chart follows it."""

    DINOV2 = "DINOv2"
    MAE = "MAE"
    VMAMBA = "VMamba"
    COCA = "CoCa"
    SAM2 = "SAM2"
    AIMV2 = "AIMv2"
    CLIP = "CLIP"
    OPENCLIP = "OpenCLIP"
    DINOV3 = "DINOv3"
    SIGLIP2 = "SigLIP2"
    BASELINE = "Baseline"


class WeightsState(StrEnum):
    """Where a model's weights are: on this computer, not here, or shipped inside a package."""

    PRESENT = "present"
    ABSENT = "absent"
    BUNDLED = "bundled"


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """Where pretrained weights come from.

    ``hub``: repository and file on the Hugging Face hub. ``package``: file inside an installed
    Python package. ``converter`` names the key map of the engine that turns the file into the
    module's own names (``timm`` = the file already has them, or timm's own filter knows it).
    """

    hub_repo: str = ""
    hub_file: str = ""
    package: str = ""
    package_file: str = ""
    sha256: str = ""
    converter: str = "timm"
    ignore: tuple[str, ...] = ()
    """Prefixes of keys that the file may hold beyond the backbone, e.g. ``decoder_``."""

    @property
    def label(self) -> str:
        """One line for people: where the file comes from."""
        if self.package:
            return f"package {self.package}"
        return f"hub {self.hub_repo}/{self.hub_file}" if self.hub_repo else "none"


@dataclass(frozen=True, slots=True)
class WeightsStatus:
    """What is known of a model's weights on this computer."""

    state: WeightsState
    source: str
    sha256: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class BackboneCard:
    """One backbone as a plugin declares it.

    ``input_size`` is the working size in pixels, ``native_size`` that of pretraining, ``multiple``
    what a size must be divisible by. ``features`` is the pooling rule: ``cls``, ``mean`` (patch
    tokens or map), ``cls+mean`` or ``native``. ``cam`` names the layer for Grad-CAM.
    """

    name: str
    title: str
    family: Family
    arch: str
    entry: str
    plugin: str
    plugin_folder: str
    pretraining: str
    pretraining_data: str
    parameters_m: float
    input_size: int
    native_size: int
    multiple: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    features: str
    cam: str
    licence: str
    weights: WeightsSource
    adaptations: tuple[str, ...]
    feature_dim: int
    non_commercial: bool = False
    convolutional: bool = False


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that could not be read: its folder, and why."""

    folder: str
    reason: str


@dataclass(frozen=True, slots=True)
class AdaptationCard:
    """One way to adapt a backbone: what is trained and what it needs."""

    name: str
    title: str
    summary: str
    needs_weights: bool
    """Refused on random weights, always: frozen random features say nothing."""
    trains_backbone: bool
    settings: tuple[str, ...]
    """The recipe keys that decide its result."""


ADAPTATIONS: tuple[AdaptationCard, ...] = (
    AdaptationCard(
        "knn",
        "k nearest neighbours",
        "Weighted vote of the k most similar training images, on frozen features.",
        needs_weights=True,
        trains_backbone=False,
        settings=("k", "temperature", "input_size"),
    ),
    AdaptationCard(
        "linear",
        "Linear probe",
        "Logistic regression on frozen features; its penalty is chosen on validation.",
        needs_weights=True,
        trains_backbone=False,
        settings=("epochs", "input_size"),
    ),
    AdaptationCard(
        "full",
        "Full fine-tuning",
        "Every weight of the backbone is trained, with augmentation; the best epoch is chosen on validation.",
        needs_weights=False,
        trains_backbone=True,
        settings=("epochs", "batch_size", "lr", "weight_decay", "warmup_epochs", "input_size", "amp", "augment"),
    ),
)
"""All adaptations, in the order of the ladder. The engine has one file for each, in ``engine/adaptations``."""


def adaptation(name: str) -> AdaptationCard | None:
    """The card of that name, or None."""
    return next((card for card in ADAPTATIONS if card.name == name), None)
