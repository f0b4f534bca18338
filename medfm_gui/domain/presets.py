"""Named recipes: the settings of the two studies whose ladders this program repeats, and of a first look.

A study has two presets. The corrected one has its settings; the one ``-as-published`` also repeats the defects of
its public code, as far as this program can, and names them. Sources: the public code of both studies, read in 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FEW_SHOT = "few-shot"
"""What a preset may have settings for where a run is shown a few images of each class."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings as text, applied before the user's own.

    ``where`` holds settings for one adaptation, task, plugin of models or layout of a dataset alone, for ``few-shot``
    runs, or for several of these together (``knn multilabel``); what stands further down goes before. ``defects`` are
    those of the published code that the preset repeats, ``omitted`` those that it does not.
    """

    description: str
    settings: Mapping[str, str]
    where: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defects: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()


_STUDY_A: Mapping[str, str] = MappingProxyType(
    {
        "optimizer": "adamw",
        "lr": "1e-4",
        "weight_decay": "1e-5",
        "no_decay": "yes",
        "schedule": "constant",
        "warmup_epochs": "5",
        "warmup_lr": "1e-8",
        "epochs": "100",
        "batch_size": "64",
        "drop_last": "yes",
        "precision": "fp16",
        "clip": "1",
        "input_size": "224",
        "geometry": "centre-crop",
        "augment": "yes",
        "augmentation": "study-a",
        "normalisation": "study-a",
        "channels": "red",
        "loss": "ce",
        "class_weights": "no",
        "patience": "0",
        "k": "200",
        "temperature": "0.1",
        "blocks": "0",
    }
)
_STUDY_A_WHERE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "isic2019": {"warmup_iterations": "1000", "selection": "balanced_accuracy"},
        "chexpert": {"warmup_iterations": "1000"},
        "linear": {"epochs": "20"},  # penalties, which Study A does not have
    }
)
_STUDY_A_SAID = (
    "Study A (arXiv 2505.19779): AdamW at 1e-4, constant after the warm-up, 100 epochs, batches of 64. Its rungs are "
    "partial (0 blocks: a linear head on the frozen backbone), full, and attention-head, frozen or not."
)
_A_OMITTED = (
    "The published training sets no seed, so its order of images cannot be repeated.",
    "SAM 2 is read behind its neck there, 256 numbers at each of 14 × 14 places; here its last map is, before it.",
    "CoCa's attention head is also given the pooled embedding there; here its tokens alone.",
    "Its splits have images of one patient, lesion or row on two sides; that is the split's matter, not the recipe's.",
    "Its test metrics are rounded to three decimals, a label without positives counts as 0.5; here neither is done.",
)

_STUDY_B: Mapping[str, str] = MappingProxyType(
    {
        "optimizer": "sgd",
        "momentum": "0.9",
        "weight_decay": "0",
        "schedule": "cosine",
        "warmup_epochs": "0",
        "epochs": "10",
        "batch_size": "128",
        "precision": "fp16",
        "clip": "0",
        "input_size": "224",
        "geometry": "stretch",
        "augment": "yes",
        "augmentation": "study-b",
        "normalisation": "min-max",
        "channels": "repeat",
        "loss": "study-b",
        "class_weights": "no",
        "patience": "0",
        "lr": "1e-5",
        "head_lr": "1e-3",
        "rank": "48",
        "alpha": "16",
        "lora_dropout": "0.1",
        "lora_targets": "qkv+mlp",
        "lora_bias": "yes",
        "k": "5",
        "temperature": "0.07",
        "grid_lrs": "0.001,0.005,0.01,0.05",
        "grid_blocks": "1,4",
        "grid_patches": "without,with",
        "shot_rule": "study-b-even",
    }
)
_SLICES = {"aggregate": "mean"}
_STUDY_B_WHERE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "sam": {"input_size": "1024"},
        "multilabel": {"knn_rule": "ml-knn"},
        "nih-cxr14": {"shot_rule": "study-b-nih"},
        "linear": {"epochs": "20"},  # penalties, which Study B does not have
        "msd": {"clip_low": "5", "clip_high": "95"},
        "brain-tumor": {"clip_low": "5", "clip_high": "95", "clip_below": "zero"},
        "amos22": {"hu_window": "-1024,600"},
        "btcv": {"hu_window": "-1024,600"},
        "linear-grid": {"protocol": "two-stage"},
        "knn multilabel": {"protocol": "two-stage"},  # neighbours are training and validation images; in a vote not
        "linear sars-cov2-ct": _SLICES,
        "linear-grid sars-cov2-ct": _SLICES,
        "knn sars-cov2-ct": _SLICES,
        FEW_SHOT: {"protocol": "single-stage"},  # labels of validation images are not shots
        f"linear {FEW_SHOT}": {"shot_tuning": "inner-cv"},
        f"linear-grid {FEW_SHOT}": {"shot_tuning": "inner-cv"},
    }
)
_STUDY_B_PUBLISHED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        **_STUDY_B_WHERE,
        "lora": {"backbone_gradient": "no"},
        "bitfit": {"backbone_gradient": "no"},
        FEW_SHOT: {"shot_tuning": "validation"},
        f"linear {FEW_SHOT}": {},
        f"linear-grid {FEW_SHOT}": {},
    }
)
_STUDY_B_SAID = (
    "Study B (arXiv 2312.02366): SGD, cosine to zero, 10 epochs, batches of 128, backbone at 1e-5; LoRA of rank 48 on "
    "query, key, value and MLP. Its linear probe is linear-grid; other rungs' linear head learns at 1e-3, the least "
    "of its grid."
)
_B_OMITTED = (
    "End-to-end training sums the losses of 16 heads in the published code; here it is one head's.",
    "“--fine-tune False” means True on its command line, and its README names a configuration that does not exist.",
    "Its second stage keeps the backbone as the first one left it; here each stage starts from the pretrained weights.",
    "Without validation images it chooses the head on the test set; here the test set is never looked at.",
    "Its ML-kNN also counts other images of the same patient as neighbours; here those of other patients alone.",
    "Multi-class scores are sigmoids in its evaluation; here they are a softmax.",
    "Some of its splits follow the order of unsorted folders, which differs between computers.",
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "quick": Preset("A first look: 10 epochs.", {"epochs": "10", "warmup_epochs": "1"}),
        "study-a": Preset(f"{_STUDY_A_SAID} Corrected.", _STUDY_A, _STUDY_A_WHERE),
        "study-a-as-published": Preset(
            f"{_STUDY_A_SAID} As published.",
            {**_STUDY_A, "validation_drop_last": "yes"},
            _STUDY_A_WHERE,
            defects=(
                "Validation images are shuffled and the last incomplete batch is dropped, so that each epoch is judged "
                "on somewhat different images.",
            ),
            omitted=_A_OMITTED,
        ),
        "study-b": Preset(
            f"{_STUDY_B_SAID} Corrected: adapters and biases get their gradients, and a few-shot run is tuned on its "
            "shots alone.",
            _STUDY_B,
            _STUDY_B_WHERE,
        ),
        "study-b-as-published": Preset(
            f"{_STUDY_B_SAID} As published.",
            _STUDY_B,
            _STUDY_B_PUBLISHED,
            defects=(
                "LoRA and BitFit compute features without gradient, so that nothing but the head is trained.",
                "The multi-label loss sums over the batch, so it grows with the batch (so it does in study-b).",
                "Few-shot runs select on the whole validation set, and linear-grid is then trained on it with the "
                "shots; all these labels are counted.",
            ),
            omitted=_B_OMITTED,
        ),
    }
)
"""All presets by name."""


def preset_settings(name: str, *where: str) -> dict[str, str]:
    """The settings of a preset; none where the name is empty or unknown.

    Args:
        where: what the run is of: its adaptation, task, the model's plugin, the dataset's layout, and ``FEW_SHOT``
            where it is one, in any order.
    """
    preset = PRESETS.get(name)
    if preset is None:
        return {}
    settings = dict(preset.settings)
    for needed, special in preset.where.items():
        if set(needed.split()) <= set(where):
            settings |= special
    return settings


def preset_remarks(name: str) -> list[str]:
    """What a person should read before a preset is used: what it is, what it repeats, what it does not."""
    preset = PRESETS.get(name)
    if preset is None:
        return []
    return [
        preset.description,
        *(f"Repeated from the published code: {defect}" for defect in preset.defects),
        *(f"Not repeated: {sentence}" for sentence in preset.omitted),
    ]
