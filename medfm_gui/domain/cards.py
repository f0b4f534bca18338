"""What the wizard and ``medfm models`` show of a backbone and of an adaptation. No torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


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
    """Everything else: supervised networks, and models that a study compares the others with."""


Overlap = Literal["yes", "possible", "no", "unknown"]
"""Whether a dataset's images were in the data of a pretraining, as far as that is published."""

SizeRule = Literal["multiple", "any", "fixed"]

PERMISSIVE = ("apache-2.0", "mit", "bsd-3-clause")
"""Licences that ask no more than to be named."""

SMALLEST_SIZE = 32
"""Pixels: the smallest input that is offered."""

KNOWN_DATASETS: Mapping[str, str] = {
    "ddsm": "DDSM",
    "cbis-ddsm": "CBIS-DDSM",
    "isic2019": "ISIC 2019 (HAM10000, BCN20000, MSK)",
    "aptos2019": "APTOS 2019",
    "chexpert": "CheXpert",
    "nih-cxr14": "NIH ChestX-ray14",
    "sars-cov2-ct": "SARS-CoV-2 CT (multiclass)",
    "brain-tumor": "Brain tumour (figshare)",
    "montgomery": "Montgomery County",
    "shenzhen": "Shenzhen",
    "amos22": "AMOS",
    "btcv": "BTCV",
    "msd": "Medical Segmentation Decathlon",
    "medmnist": "MedMNIST",
}
"""Datasets of the two studies and of first steps, by their importers' names, as ``BackboneCard.overlaps`` has them."""


class WeightsState(StrEnum):
    """Where a model's weights are: on this computer, not here, or shipped inside a package."""

    PRESENT = "present"
    ABSENT = "absent"
    BUNDLED = "bundled"
    IMPORTING = "importing"
    """A worker is checking a file of it, or fetching one, right now."""


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
    note: str = ""
    """Which other files of it are understood, or where they are."""
    files: tuple[str, ...] = ()
    """What such files are called elsewhere, without their endings, e.g. ``mae_pretrain_vit_base``."""
    inner: str = ""
    """Under which name the file keeps the weights, where it keeps several kinds of them."""

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
    size: int = 0
    """Bytes of the file; 0 where there is none."""

    @property
    def is_here(self) -> bool:
        """Whether a run can start from them now."""
        return self.state in (WeightsState.PRESENT, WeightsState.BUNDLED)


@dataclass(frozen=True, slots=True)
class BackboneCard:
    """One backbone as a plugin declares it.

    ``input_size`` is the working size in pixels, ``native_size`` that of pretraining, ``multiple``
    what a size must be divisible by. ``features`` is the pooling rule: ``cls``, ``mean`` (patch
    tokens or map), ``cls+mean`` or ``native``. ``cam`` names the layer for Grad-CAM. ``gated``: the hub gives
    the file only to those who accepted the licence there. ``overlaps``: whether the images of a known dataset
    (``KNOWN_DATASETS``) were in the pretraining data: ``yes``, ``possible``, ``no`` or ``unknown``; a dataset
    that is not named is unknown. ``size_rule``: ``multiple`` (any multiple of ``multiple``), ``any`` or
    ``fixed`` (``native_size`` alone).
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
    gated: bool = False
    overlaps: Mapping[str, Overlap] = field(default_factory=dict, hash=False)
    size_rule: SizeRule = "multiple"
    group: str = ""
    """Under which heading people find it: the title of its plugin."""
    attention_tokens: Literal["normed", "raw"] = "normed"
    """What an attention head reads: the last block's tokens after the last norm, or before it."""

    @property
    def needs_acceptance(self) -> bool:
        """Whether its licence asks something of the one who uses it, so that a person has to accept it first."""
        return self.non_commercial or self.gated or self.licence.lower() not in PERMISSIVE

    @property
    def licence_key(self) -> str:
        """What an acceptance is kept under: one for all sizes of a family; a model of timm's is a family of its own."""
        return f"{self.name if self.name.startswith('timm:') else self.plugin}: {self.licence}"

    def overlap(self, dataset: str) -> Overlap:
        """Whether images of that known dataset were in the pretraining data."""
        return self.overlaps.get(dataset, "unknown")


def known_dataset(layout: str, *names: str) -> str:
    """Which of ``KNOWN_DATASETS`` a dataset is, by its importer, else by one of its names; empty if none."""
    if layout in KNOWN_DATASETS:
        return layout
    called = [_letters(name) for name in names]
    longest_first = sorted(KNOWN_DATASETS, key=len, reverse=True)  # CBIS-DDSM is not DDSM
    return next((key for key in longest_first if any(_letters(key) in name for name in called)), "")


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def suitable_size(card: BackboneCard, wanted: int) -> int:
    """The input size nearest to ``wanted`` (pixels) that the model takes; ``wanted`` itself where it does.

    Half-way is rounded up. Nothing is smaller than 32 pixels, where networks of maps run out of map.
    """
    if card.size_rule == "fixed":
        return card.native_size
    step = 1 if card.size_rule == "any" else card.multiple
    lowest = -(-SMALLEST_SIZE // step) * step
    return max(lowest, (2 * wanted + step) // (2 * step) * step)


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
    by_gradient: bool = False
    """Trained step by step on images, so that a few steps tell what it costs."""


_DESCENT = ("epochs", "batch_size", "lr", "weight_decay", "warmup_epochs", "input_size", "amp", "augment")
"""What decides most in a training by gradient."""

ADAPTATIONS: tuple[AdaptationCard, ...] = (
    AdaptationCard(
        "knn",
        "k nearest neighbours",
        "Weighted vote of the k most similar training images, on frozen features.",
        needs_weights=True,
        trains_backbone=False,
        settings=("k", "temperature", "knn_rule", "leave_one_out", "aggregate", "input_size"),
    ),
    AdaptationCard(
        "linear",
        "Linear probe",
        "Logistic regression on frozen features; its penalty is chosen on validation.",
        needs_weights=True,
        trains_backbone=False,
        settings=("epochs", "aggregate", "input_size"),
    ),
    AdaptationCard(
        "linear-grid",
        "Grid of linear heads",
        "Linear heads on frozen features of one or more blocks, trained together without augmentation; the best on "
        "validation is kept (Study B).",
        needs_weights=True,
        trains_backbone=False,
        settings=("grid_lrs", "grid_blocks", "grid_patches", "epochs", "batch_size", "aggregate", "input_size"),
    ),
    AdaptationCard(
        "attention-head",
        "Attention head",
        "Transformer blocks that begin as DeiT-B read the backbone's tokens (Study A); the backbone stays frozen "
        "unless asked otherwise.",
        needs_weights=True,
        trains_backbone=False,
        settings=(
            "epochs",
            "batch_size",
            "lr",
            "weight_decay",
            "warmup_epochs",
            "attention_init",
            "attention_width",
            "attention_depth",
            "unfreeze",
            "input_size",
            "amp",
            "augment",
        ),
        by_gradient=True,
    ),
    AdaptationCard(
        "lora",
        "LoRA",
        "Small matrices beside layers of the backbone are trained, with augmentation; a few megabytes are kept.",
        needs_weights=True,
        trains_backbone=True,
        settings=(*_DESCENT, "rank", "alpha", "lora_targets", "lora_dropout", "lora_bias"),
        by_gradient=True,
    ),
    AdaptationCard(
        "bitfit",
        "BitFit",
        "The backbone's biases alone are trained, with augmentation; where it has none worth it, its norms too.",
        needs_weights=True,
        trains_backbone=True,
        settings=_DESCENT,
        by_gradient=True,
    ),
    AdaptationCard(
        "partial",
        "Partial fine-tuning",
        "The last blocks of the backbone are trained, with augmentation; 0 blocks: a linear head alone.",
        needs_weights=True,
        trains_backbone=True,
        settings=(*_DESCENT, "blocks"),
        by_gradient=True,
    ),
    AdaptationCard(
        "full",
        "Full fine-tuning",
        "Every weight of the backbone is trained, with augmentation; the best epoch is chosen on validation.",
        needs_weights=False,
        trains_backbone=True,
        settings=(*_DESCENT, "layer_decay"),
        by_gradient=True,
    ),
)
"""All adaptations, in the order of the ladder. The engine has one file for each, in ``engine/adaptations``."""


def adaptation(name: str) -> AdaptationCard | None:
    """The card of that name, or None."""
    return next((card for card in ADAPTATIONS if card.name == name), None)
